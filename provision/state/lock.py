"""One run at a time per stack: a lock that ends with the process that holds it, power cut or not."""

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
    """Hold the lock beside `path`. Raises ProvisionError: who holds it since when, or why there is none.

    The kernel holds the lock and lets go when the process is gone; what stands in the lock's file (process
    and time) is only for the refusal to tell.
    """
    import filelock

    place = path.with_name(f".{path.name}.lock")
    lock = filelock.FileLock(place, timeout=0)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.is_symlink():  # it may come with a folder from elsewhere
            raise OSError(_("{place} is a link; nothing is written through it", place=place))
        lock.acquire()
        place.write_text(f"{os.getpid()}\n{datetime.now():%H:%M:%S}\n")
        atomic_file.sweep(path)
    except filelock.Timeout:
        pid, since = _holder(place)
        raise ProvisionError(
            _("Beginning to work on {path}.", path=path),
            _(
                "another run (process {pid}) works on it since {since}",
                pid=pid,
                since=since,
            ),
            _("Wait until it has ended, then run the same command again."),
        ) from None
    except OSError as error:
        lock.release()
        raise os_error(_("Writing {path}.", path=place), error) from None
    try:
        yield
    finally:
        lock.release()


def _holder(place: Path) -> tuple[str, str]:
    """Process and time, "?" where the holder has not written them yet."""
    told: list[str] = []
    with suppress(OSError, UnicodeDecodeError):
        told = place.read_text().split()
    return (told[0], told[1]) if len(told) == 2 else ("?", "?")
