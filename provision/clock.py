"""Provide the clock that the engine uses, so that tests need not sleep."""

import time
from collections.abc import Callable
from typing import Protocol


class Clock(Protocol):
    """A clock in seconds."""

    def now(self) -> float:
        """Return epoch seconds, comparable with those of earlier runs."""

    def sleep(self, seconds: float) -> None:
        """Let that many seconds of this clock pass."""


class WallClock:
    """The machine's time, unaffected when somebody sets the machine's clock."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        """Return epoch seconds."""
        return self._offset + time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Sleep for that many seconds."""
        time.sleep(seconds)


class SandboxClock:
    """A sandbox's simulated time, read over HTTP; `speed` times as fast as real time, and it may stop."""

    def __init__(self, speed: float, ask: Callable[[], float]) -> None:
        self._speed, self._ask = speed, ask

    def now(self) -> float:
        """Return the sandbox's seconds."""
        return self._ask()

    def sleep(self, seconds: float) -> None:
        """Sleep for the real time in which that many seconds pass in the sandbox."""
        time.sleep(seconds / self._speed)
