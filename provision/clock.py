"""Time, as the engine sees it: one clock, injected, so that tests never sleep."""

import time
from collections.abc import Callable
from typing import Protocol


class Clock(Protocol):
    """What the engine needs of time. Seconds throughout."""

    def now(self) -> float:
        """Epoch seconds, comparable with those that an earlier run wrote down."""

    def sleep(self, seconds: float) -> None:
        """Lets that many seconds of this clock pass."""


class WallClock:
    """The machine's own time; somebody who sets its clock meanwhile moves nothing."""

    def __init__(self) -> None:
        self._began = time.time() - time.monotonic()

    def now(self) -> float:
        """Epoch seconds."""
        return self._began + time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Sleeps for real."""
        time.sleep(seconds)


class SandboxClock:
    """A sandbox's simulated time, told over HTTP: `speed` times as fast as ours, and it may stand still."""

    def __init__(self, speed: float, ask: Callable[[], float]) -> None:
        self._speed, self._ask = speed, ask

    def now(self) -> float:
        """The sandbox's own seconds."""
        return self._ask()

    def sleep(self, seconds: float) -> None:
        """Sleeps the real time in which the sandbox lets that many seconds pass."""
        time.sleep(seconds / self._speed)
