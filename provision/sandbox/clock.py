"""The sandbox's clock: simulated time."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol


class SimulatedClock(Protocol):
    """Simulated time. All instants are epoch seconds, all durations simulated seconds."""

    @property
    def speed(self) -> float:
        """Return the simulated seconds per real second."""

    def now(self) -> float:
        """Return the simulated time, in epoch seconds."""

    def sleep(self, seconds: float) -> None:
        """Return once `seconds` of simulated time have passed."""

    def hold(self) -> AbstractContextManager[None]:
        """Stop simulated time inside: something real (a process) is being started."""


class RunningClock:
    """Real time, `speed` times as fast, standing still while anyone holds it."""

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

    def _now(self) -> float:
        if self._holders:
            return self._simulated
        return self._simulated + (time.monotonic() - self._real) * self.speed

    def sleep(self, seconds: float) -> None:
        """Wait until the clock has advanced by these simulated seconds."""
        with self._changed:
            end = self._now() + seconds
            while (left := end - self._now()) > 0:
                self._changed.wait(None if self._holders else left / self.speed)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Stop the clock inside."""
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
    """Stands still until somebody sleeps on it or advances it; for tests.

    It moves in steps and runs the callbacks between them, so that everything goes on
    while the code under test sleeps.
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
        """Have `callback` run after every step (and at least once) of every advance."""
        self._callbacks.append(callback)

    def advance(self, seconds: float) -> None:
        """Move the clock in steps, with what is due at each."""
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

    def hold(self) -> AbstractContextManager[None]:
        """Do nothing: this clock stands still anyway."""
        return nullcontext()
