"""Lock a stack's file, so that only one process changes the stack at a time."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from provision.errors import ProvisionError, os_error
from provision.i18n import _
from provision.state import atomic_file


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file of `path`. Raise ProvisionError if another process holds it, or on OSError.

    The kernel releases the lock when the process ends. The lock file's content (process id and time) is only
    for the error message. New folders of a file that was not written are removed at the end.
    """
    import filelock

    lock_path = path.with_name(f".{path.name}.lock")
    lock = filelock.FileLock(lock_path, timeout=0)
    new_folders = [folder for folder in lock_path.parents if not folder.exists()]
    try:
        lock_path.parent.mkdir(parents=True, exist_ok=True)
        if lock_path.is_symlink():  # the folder may come from somebody else
            raise OSError(
                _(
                    "{place} is a symbolic link; provision does not write through it",
                    place=lock_path,
                )
            )
        lock.acquire()
        lock_path.write_text(f"{os.getpid()}\n{datetime.now():%H:%M:%S}\n")
        atomic_file.sweep(path)
    except filelock.Timeout:
        pid, since = _read_holder(lock_path)
        raise ProvisionError(
            _("Could not lock {path}.", path=path),
            _(
                "another run (process {pid}) has been using it since {since}",
                pid=pid,
                since=since,
            ),
            _("Wait until it ends, then run the same command again."),
        ) from None
    except OSError as error:
        lock.release()
        raise os_error(_("Could not write {path}.", path=lock_path), error) from None
    try:
        yield
    finally:
        if new_folders and not path.exists():
            lock_path.unlink(missing_ok=True)
            with suppress(OSError):  # somebody else's files are in one
                for folder in new_folders:
                    folder.rmdir()
        lock.release()


def _read_holder(lock_path: Path) -> tuple[str, str]:
    """Return process id and time of the lock's holder; "?" if they are not written yet."""
    words: list[str] = []
    with suppress(OSError, UnicodeDecodeError):
        words = lock_path.read_text().split()
    return (words[0], words[1]) if len(words) == 2 else ("?", "?")
