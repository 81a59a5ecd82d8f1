"""Imported by Python at startup: kills its own process at a step of writing a file.

TORTURE_KILL_AT is "fsync before 2": before the second os.fsync of a file, without counting folders and the
backup. Nothing happens if it is not set.
"""

import os
import signal
import stat
from typing import Any


def _is_counted(name: str, given: tuple[Any, ...]) -> bool:
    if name == "fsync":
        return stat.S_ISREG(os.fstat(given[0]).st_mode)
    return not str(given[1]).endswith(".last")


def _killing(name: str, moment: str, place: int) -> Any:
    real, count = getattr(os, name), 0

    def step(*given: Any, **named: Any) -> Any:
        nonlocal count
        if not _is_counted(name, given):
            return real(*given, **named)
        count += 1
        if count == place and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*given, **named)
        if count == place and moment == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return step


signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored by a shell's background jobs

if kill_at := os.environ.get("TORTURE_KILL_AT"):
    call, when, number = kill_at.split()
    setattr(os, call, _killing(call, when, int(number)))
