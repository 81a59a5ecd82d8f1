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


def replace(
    path: Path,
    content: bytes,
    *,
    flushed: bool = True,
    through_link: bool = False,
    disk: Disk = os,
) -> None:
    """Puts the content in the file's place. Keeps its mode (0600 for a new one). Raises OSError.

    flushed: it is on the disk when this returns. Without, a power cut may leave the old one or an empty one.
    through_link: where the path is a link, write the file that it leads to; without, replace the link.
    """
    place = Path(os.path.realpath(path)) if through_link else path
    new = [folder for folder in place.parents if not folder.exists()]
    place.parent.mkdir(parents=True, exist_ok=True)
    mode = stat.S_IMODE(place.lstat().st_mode) if _is_file(place) else 0o600
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


def _is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def sweep(path: Path, *, through_link: bool = True) -> None:
    """Takes away what writes of this file that were cut short have left; for who alone writes it now."""
    place = Path(os.path.realpath(path)) if through_link else path
    for half in place.parent.glob(f".{glob.escape(place.name)}.*{HALF}"):
        half.unlink(missing_ok=True)
