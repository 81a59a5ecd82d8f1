"""The clock that the engine uses; tests replace it."""

import math
import time
from collections.abc import Callable
from typing import Protocol

_MAX_AGE = 0.05  # real seconds for which a reading of the sandbox's clock is used


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
    """A sandbox's simulated time, read at most every 50 ms; in between it goes on at the sandbox's speed.

    read: returns epoch seconds and the speed, in simulated seconds per real second. monotonic: real seconds.
    """

    def __init__(
        self,
        read: Callable[[], tuple[float, float]],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read, self._monotonic = read, monotonic
        self._last = (-math.inf, 0.0, 1.0)  # when it was read, what, and the speed

    def now(self) -> float:
        """Return the sandbox's epoch seconds."""
        when, simulated, speed = self._last
        if self._monotonic() - when > _MAX_AGE:
            simulated, speed = self._read()
            when = self._monotonic()
            self._last = (when, simulated, speed)
        return simulated + (self._monotonic() - when) * speed

    def sleep(self, seconds: float) -> None:
        """Sleep for the equivalent real time."""
        self.now()
        time.sleep(seconds / self._last[2])
