"""Python runs this first: it pulls the plug of its own process at a step of writing a file.

TORTURE_PLUG is "fsync before 2": before the second os.fsync of a file (a folder's does not count, nor does
what becomes of the last good copy). Nothing where it is not set.
"""

import os
import signal
import stat
from typing import Any


def _of_the_file(name: str, given: tuple[Any, ...]) -> bool:
    if name == "fsync":
        return stat.S_ISREG(os.fstat(given[0]).st_mode)
    return not str(given[1]).endswith(".last")


def _plugged(name: str, moment: str, place: int) -> Any:
    real, count = getattr(os, name), 0

    def step(*given: Any, **named: Any) -> Any:
        nonlocal count
        if not _of_the_file(name, given):
            return real(*given, **named)
        count += 1
        if count == place and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        told = real(*given, **named)
        if count == place and moment == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return told

    return step


signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it

if plug := os.environ.get("TORTURE_PLUG"):
    call, when, number = plug.split()
    setattr(os, call, _plugged(call, when, int(number)))
