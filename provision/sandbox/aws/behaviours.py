"""The list of AWS's behaviours that the sandbox has and moto has not; docs/parity.md is written from it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

Enforcer = TypeVar("Enforcer", bound=Callable[..., Any])


@dataclass(frozen=True)
class Behaviour:
    """One thing that AWS does, the document that says so, and where the sandbox does it.

    `key` is "<service>.<what>", as the tests name it; `answer` is the code and HTTP status, or what
    is seen; `moto` says why its test passes on plain moto too, and is empty where it fails there.
    """

    key: str
    says: str
    answer: str
    source: str
    moto: str
    enforced_by: str


BEHAVIOURS: dict[str, Behaviour] = {}


def behaves(
    key: str, says: str, answer: str, source: str, moto: str = ""
) -> Callable[[Enforcer], Enforcer]:
    """The decorated rule, method or class is what makes the sandbox behave so.

    docs/parity.md is the list of these; a test marked `behaviour(key)` holds each of them.
    """

    def register(enforcer: Enforcer) -> Enforcer:
        if key in BEHAVIOURS:
            raise ValueError(f"two behaviours are called {key}")
        where = f"{enforcer.__module__}.{enforcer.__qualname__}"
        BEHAVIOURS[key] = Behaviour(key, says, answer, source, moto, where)
        return enforcer

    return register
