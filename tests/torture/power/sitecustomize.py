"""Python runs this first: it pulls the plug of its own process at a step of writing a file.

TORTURE_PLUG is "fsync before 2": before the second os.fsync. Nothing where it is not set.
"""

import os
import signal
from typing import Any


def _plugged(name: str, moment: str, place: int) -> Any:
    real, count = getattr(os, name), 0

    def step(*given: Any, **named: Any) -> Any:
        nonlocal count
        count += 1
        if count == place and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        told = real(*given, **named)
        if count == place and moment == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return told

    return step


if plug := os.environ.get("TORTURE_PLUG"):
    call, when, number = plug.split()
    setattr(os, call, _plugged(call, when, int(number)))
