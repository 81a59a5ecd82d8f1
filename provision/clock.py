"""The clock that the engine uses; tests replace it."""

import time
from collections.abc import Callable
from typing import Protocol


class Clock(Protocol):
    """A clock in seconds."""

    def now(self) -> float:
        """Return epoch seconds."""

    def sleep(self, seconds: float) -> None:
        """Sleep for that many seconds of this clock."""


class WallClock:
    """The machine's time, from the monotonic clock: changes to the system time have no effect."""

    def __init__(self) -> None:
        self._offset = time.time() - time.monotonic()

    def now(self) -> float:
        """Return epoch seconds."""
        return self._offset + time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Sleep for that many seconds."""
        time.sleep(seconds)


class SandboxClock:
    """A sandbox's simulated time, read over HTTP. speed: simulated seconds per real second."""

    def __init__(self, speed: float, get_time: Callable[[], float]) -> None:
        self._speed, self._get_time = speed, get_time

    def now(self) -> float:
        """Return the sandbox's epoch seconds."""
        return self._get_time()

    def sleep(self, seconds: float) -> None:
        """Sleep for the equivalent real time."""
        time.sleep(seconds / self._speed)
