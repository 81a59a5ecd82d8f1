"""Simulated time."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol


class SimulatedClock(Protocol):
    """A clock of simulated time, in epoch seconds and simulated seconds."""

    @property
    def speed(self) -> float:
        """Return the simulated seconds per real second."""

    def now(self) -> float:
        """Return the simulated time, in epoch seconds."""

    def sleep(self, seconds: float) -> None:
        """Return once `seconds` of simulated time have passed."""

    def change_speed(self, speed: float) -> None:
        """Set the speed from now on. Raises ValueError for a clock that does not run by itself."""

    def hold(self) -> AbstractContextManager[None]:
        """Return a context manager that stops simulated time while a process is started."""


class RunningClock:
    """Real time, `speed` times as fast, except while held."""

    def __init__(self, speed: float = 1.0) -> None:
        if speed <= 0:
            raise ValueError(f"speed must be above 0, not {speed}")
        self.speed = speed
        self._changed = threading.Condition()
        self._simulated = time.time()
        self._real = time.monotonic()
        self._holders = 0

    def now(self) -> float:
        """Return the simulated time."""
        with self._changed:
            return self._now()

    def change_speed(self, speed: float) -> None:
        """Set the speed from now on. Raises ValueError."""
        if not 0 < speed < math.inf:
            raise ValueError(f"speed must be above 0, not {speed}")
        with self._changed:
            self._simulated = self._now()
            self._real = time.monotonic()
            self.speed = speed
            self._changed.notify_all()

    def _now(self) -> float:
        if self._holders:
            return self._simulated
        return self._simulated + (time.monotonic() - self._real) * self.speed

    def sleep(self, seconds: float) -> None:
        """Wait until these simulated seconds have passed."""
        with self._changed:
            end = self._now() + seconds
            while (left := end - self._now()) > 0:
                self._changed.wait(None if self._holders else left / self.speed)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Stop the clock in the context."""
        with self._changed:
            self._simulated = self._now()
            self._holders += 1
        try:
            yield
        finally:
            with self._changed:
                self._holders -= 1
                if not self._holders:
                    self._real = time.monotonic()
                    self._changed.notify_all()


class ManualClock:
    """A clock for tests, which advances only by `sleep` and `advance`.

    It advances in steps and runs the callbacks after each, so that the emulation goes on while the code under
    test sleeps.
    """

    speed = 1.0
    step = 1.0

    def __init__(self, start: float = 1_780_000_000.0) -> None:
        self._now = start
        self._callbacks: list[Callable[[], None]] = []

    def now(self) -> float:
        """Return the simulated time."""
        return self._now

    def on_advance(self, callback: Callable[[], None]) -> None:
        """Run `callback` after every step, at least once per advance."""
        self._callbacks.append(callback)

    def advance(self, seconds: float) -> None:
        """Advance the clock in steps, and run the callbacks after each."""
        end = self._now + seconds
        while True:
            self._now = min(end, self._now + self.step)
            for callback in list(self._callbacks):
                callback()
            if self._now >= end:
                return

    def sleep(self, seconds: float) -> None:
        """Advance the clock."""
        self.advance(seconds)

    def change_speed(self, speed: float) -> None:
        """Raise ValueError."""
        raise ValueError("this clock advances only when it is told to")

    def hold(self) -> AbstractContextManager[None]:
        """Do nothing: this clock does not run."""
        return nullcontext()
