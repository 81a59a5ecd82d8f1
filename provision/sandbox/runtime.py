"""The file in which `--sandbox` finds the addresses of the running sandbox.

It contains keys and secrets, and commands connect to its addresses. So it must belong to this user, be
inaccessible to others, and be no link: in a shared temporary folder anyone can create a file in its place.
"""

import contextlib
import json
import os
import secrets
import stat
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from provision.clients.http import on_loopback
from provision.errors import ProvisionError
from provision.i18n import _

_NAME = "sandbox.json"
_ADDRESSES = ("aws", "dns", "line", "registrar", "page", "front", "registry", "gallery", "news")


def runtime_file(environ: Mapping[str, str] = os.environ) -> Path:
    """Return $XDG_RUNTIME_DIR/provision/sandbox.json, else a file in a temporary folder of this user."""
    base = environ.get("XDG_RUNTIME_DIR")
    if base:
        return Path(base) / "provision" / _NAME
    return Path(tempfile.gettempdir()) / f"provision-{os.getuid()}" / _NAME


def write_runtime(values: Mapping[str, Any], file: Path) -> None:
    """Replace the file atomically, mode 0600 in a folder of mode 0700. Raises ProvisionError if unsafe."""
    doing = _("Could not write {path}, by which --sandbox finds the sandbox.", path=file)
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _folder(file.parent, doing) as folder:
            os.fchmod(folder, 0o700)
            with contextlib.suppress(FileNotFoundError):
                os.close(_open(file, doing, folder))
            draft = f".{file.name}.{secrets.token_hex(8)}"
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=folder)
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                json.dump(dict(values), stream)
            os.replace(draft, file.name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError as error:
        raise _refused(doing, file, error.strerror or str(error)) from None


def read_runtime(file: Path | None = None) -> dict[str, Any] | None:
    """Return the values of the running sandbox; None if there is none, or its process has ended.

    Raises ProvisionError if the file is unsafe.
    """
    file = file or runtime_file()
    doing = _("Could not read {path}, by which --sandbox finds the sandbox.", path=file)
    try:
        with _folder(file.parent, doing, private=True) as folder:
            descriptor = _open(file, doing, folder, private=True)
        with os.fdopen(descriptor, encoding="utf-8") as stream:
            values: dict[str, Any] = json.load(stream)
        os.kill(int(values["pid"]), 0)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    remote = [name for name in _ADDRESSES if name in values and not _is_local(str(values[name]))]
    if remote:
        reason = _("its {names} points to another machine", names=", ".join(remote))
        raise _refused(doing, file, reason)
    return values


def remove_runtime(file: Path) -> None:
    """Remove the file if it is this process's; a later sandbox may have replaced it."""
    with contextlib.suppress(OSError, ProvisionError):
        values = read_runtime(file)
        if values is not None and values["pid"] == os.getpid():
            file.unlink()


def _is_local(address: str) -> bool:
    """Return whether a URL or host:port is on this machine."""
    return on_loopback(address if "://" in address else f"//{address}")


@contextlib.contextmanager
def _folder(path: Path, doing: str, *, private: bool = False) -> Iterator[int]:
    """Open a folder; paths opened relative to its descriptor stay in it even if it is renamed."""
    folder = _open(path, doing, flags=os.O_DIRECTORY, private=private)
    try:
        yield folder
    finally:
        os.close(folder)


def _open(
    path: Path, doing: str, folder: int | None = None, *, flags: int = 0, private: bool = False
) -> int:
    """Return the descriptor of a file or folder of this user; with `private`, others have no access.

    Raises FileNotFoundError, or ProvisionError if it is unsafe.
    """
    name = path if folder is None else path.name
    flags |= os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # opening a pipe would block
    try:
        descriptor = os.open(name, flags, dir_fd=folder)
    except FileNotFoundError:
        raise
    except OSError as error:
        link = _("it is a symbolic link") if path.is_symlink() else ""
        raise _refused(doing, path, link or error.strerror or str(error)) from None
    found, reason = os.fstat(descriptor), ""
    if found.st_uid != os.getuid():
        reason = _("it belongs to another user of this machine")
    elif not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
        reason = _("it is not a regular file")
    elif private and found.st_mode & 0o077:
        mode = f"{stat.S_IMODE(found.st_mode):o}"
        reason = _("other users of this machine may use it (its mode is {mode})", mode=mode)
    if reason:
        os.close(descriptor)
        raise _refused(doing, path, reason)
    return descriptor


def _refused(doing: str, path: Path, reason: str) -> ProvisionError:
    return ProvisionError(
        doing,
        f"{path}: {reason}",
        _(
            "Inspect and remove it, or set XDG_RUNTIME_DIR to a folder of your own "
            "(for both commands)."
        ),
    )
