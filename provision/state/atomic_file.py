"""Replace files atomically: after a power cut a file has all of the new content, or all of the old."""

import contextlib
import glob
import os
import stat
import tempfile
from pathlib import Path
from typing import Protocol

TEMPORARY_SUFFIX = ".half"  # of a temporary file's name until it replaces the target


class Disk(Protocol):
    """The calls whose order matters for a power cut; tests replace them. The default is the module `os`."""

    def fsync(self, fd: int, /) -> None:
        """Flush a file, as os.fsync."""

    def replace(self, src: str, dst: Path, /) -> None:
        """Replace a file, as os.replace."""


def replace(
    path: Path,
    content: bytes,
    *,
    flushed: bool = True,
    through_link: bool = False,
    disk: Disk = os,
) -> None:
    """Replace the file's content and keep its mode (0600 for a new file). Raise OSError.

    flushed: whether the content is on the disk when this returns; if not, a power cut may leave the old file
    or an empty one. through_link: write the file that a link at `path` points to; otherwise replace the link.
    """
    target = Path(os.path.realpath(path)) if through_link else path
    new_folders = [folder for folder in target.parents if not folder.exists()]
    target.parent.mkdir(parents=True, exist_ok=True)
    is_file = target.is_file() and not target.is_symlink()
    mode = stat.S_IMODE(target.lstat().st_mode) if is_file else 0o600
    descriptor, temporary = tempfile.mkstemp(TEMPORARY_SUFFIX, f".{target.name}.", target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            if flushed:
                disk.fsync(file.fileno())
        os.chmod(temporary, mode)
        disk.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    if not flushed:
        return
    for folder in (target.parent, *(new.parent for new in new_folders)):
        with contextlib.suppress(OSError):  # not every file system can flush a folder
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                disk.fsync(descriptor)
            finally:
                os.close(descriptor)


def sweep(path: Path, *, through_link: bool = True) -> None:
    """Delete the temporary files of interrupted writes. The caller must be the only writer of the file."""
    target = Path(os.path.realpath(path)) if through_link else path
    pattern = f".{glob.escape(target.name)}.*{TEMPORARY_SUFFIX}"
    for temporary in target.parent.glob(pattern):
        temporary.unlink(missing_ok=True)
