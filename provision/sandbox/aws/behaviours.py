"""The list of AWS's behaviours that the sandbox emulates, from which docs/parity.md is generated."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

Enforcer = TypeVar("Enforcer", bound=Callable[..., Any])


@dataclass(frozen=True)
class Behaviour:
    """A behaviour of AWS and its source.

    `key` is "<service>.<name>", as in the tests' marks; `answer` is the error code and HTTP status, or
    another result; `moto` says why its test passes on plain moto too, and is empty if it fails there.
    """

    key: str
    says: str
    answer: str
    source: str
    moto: str


BEHAVIOURS: dict[str, Behaviour] = {}


def behaves(
    key: str, says: str, answer: str, source: str, moto: str = ""
) -> Callable[[Enforcer], Enforcer]:
    """Register the decorated rule, method or class as the implementation of a behaviour.

    docs/parity.md lists these; each has a test marked `behaviour(key)`.
    """

    def register(enforcer: Enforcer) -> Enforcer:
        if key in BEHAVIOURS:
            raise ValueError(f"two behaviours are called {key}")
        BEHAVIOURS[key] = Behaviour(key, says, answer, source, moto)
        return enforcer

    return register
