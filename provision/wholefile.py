"""Writing a file whole: all of the new content or all of the old, even when the power goes."""

import contextlib
import glob
import os
import stat
import tempfile
from pathlib import Path
from typing import Protocol

HALF = ".half"  # how the names of new contents end until they are in their place


class Disk(Protocol):
    """What decides how much of a write a power cut leaves; the module `os` is the real one."""

    def fsync(self, fd: int, /) -> None:
        """As os.fsync."""

    def replace(self, src: str, dst: Path, /) -> None:
        """As os.replace."""


def replace(path: Path, content: bytes, *, flushed: bool = True, disk: Disk = os) -> None:
    """Puts the content in the file's place. Keeps its mode (0600 for a new one). Raises OSError.

    flushed: it is on the disk when this returns. Without, a power cut may leave the old one or an empty one.
    """
    place = Path(os.path.realpath(path))  # a link stays one
    new = [folder for folder in place.parents if not folder.exists()]
    place.parent.mkdir(parents=True, exist_ok=True)
    mode = stat.S_IMODE(place.stat().st_mode) if place.exists() else 0o600
    descriptor, temporary = tempfile.mkstemp(HALF, f".{place.name}.", place.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            if flushed:
                disk.fsync(file.fileno())
        os.chmod(temporary, mode)
        disk.replace(temporary, place)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    if not flushed:
        return
    for folder in (place.parent, *(made.parent for made in new)):
        with contextlib.suppress(OSError):  # not every file system lets a folder be flushed
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                disk.fsync(descriptor)
            finally:
                os.close(descriptor)


def sweep(path: Path) -> None:
    """Takes away what writes of this file that were cut short have left; for who alone writes it now."""
    place = Path(os.path.realpath(path))
    for half in place.parent.glob(f".{glob.escape(place.name)}.*{HALF}"):
        half.unlink(missing_ok=True)
