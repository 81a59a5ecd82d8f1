"""The list of behaviours that the sandbox has and moto lacks, from which docs/parity.md is written."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

Enforcer = TypeVar("Enforcer", bound=Callable[..., Any])


@dataclass(frozen=True)
class Behaviour:
    """One thing that AWS does, and the document that says so.

    `key` is "<service>.<what>", as the tests name it; `answer` is the code and HTTP status, or what
    is seen; `moto` says why its test passes on plain moto too, and is empty where it fails there.
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
    """Register the decorated rule, method or class as the enforcer of a behaviour.

    docs/parity.md is the list of these; a test marked `behaviour(key)` holds each of them.
    """

    def register(enforcer: Enforcer) -> Enforcer:
        if key in BEHAVIOURS:
            raise ValueError(f"two behaviours are called {key}")
        BEHAVIOURS[key] = Behaviour(key, says, answer, source, moto)
        return enforcer

    return register
