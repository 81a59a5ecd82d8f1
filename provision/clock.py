"""Time, as the engine sees it: one clock, injected, so that tests never sleep."""

import http.client
import json
import math
import time
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Protocol

from provision.connections import on_loopback
from provision.errors import Refusal
from provision.words import _

NO_CLOCK = (OSError, http.client.HTTPException, ValueError, KeyError, TypeError)


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


def told_by(endpoint: str) -> Clock:
    """The clock of the sandbox at this URL on this machine; the wall clock where there is none."""
    if not on_loopback(endpoint):
        return WallClock()

    def ask() -> dict[str, float]:
        url = f"{endpoint.rstrip('/')}/_sandbox/clock"
        with urllib.request.urlopen(url, timeout=5) as answer:
            told = json.load(answer)
        return {"now": float(told["now"]), "speed": float(told["speed"])}

    def now() -> float:
        try:
            return ask()["now"]
        except NO_CLOCK as error:
            raise Refusal(
                _("Asking the sandbox for its time."),
                str(error),
                _("Start the sandbox again: provision sandbox"),
            ) from None

    try:
        speed = ask()["speed"]
    except NO_CLOCK:
        return WallClock()
    return SandboxClock(speed, now) if 0 < speed < math.inf else WallClock()
