"""The behaviours of AWS that the sandbox emulates, as docs/parity.md describes them."""

from collections.abc import Callable
from typing import Any, TypeVar

Implementation = TypeVar("Implementation", bound=Callable[..., Any])

BEHAVIOURS: set[str] = set()


def behaves(*keys: str) -> Callable[[Implementation], Implementation]:
    """Register the decorated rule, method or class as the implementation of these behaviours.

    A key is "<service>.<name>". docs/parity.md has a row for each: what AWS does, the error code and HTTP
    status or another result, the source, and the tests, which are marked `behaviour(key)`.
    """

    def register(implementation: Implementation) -> Implementation:
        if repeated := BEHAVIOURS.intersection(keys):
            raise ValueError(f"registered twice: {', '.join(repeated)}")
        BEHAVIOURS.update(keys)
        return implementation

    return register
