"""The file by which `--sandbox` finds the sandbox that runs on this machine.

The sandbox's keys and LINE's secrets are in it, and a command goes where it says. So it has to be this user's
own, closed to others, and no link: in a shared temporary folder anyone may have made something in its place.
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
    """Return $XDG_RUNTIME_DIR/provision/sandbox.json, else a file in this user's own folder in temp."""
    base = environ.get("XDG_RUNTIME_DIR")
    if base:
        return Path(base) / "provision" / _NAME
    return Path(tempfile.gettempdir()) / f"provision-{os.getuid()}" / _NAME


def write_runtime(values: Mapping[str, Any], file: Path) -> None:
    """Write it whole, mode 0600 in a folder of mode 0700. Raises ProvisionError where that is not safe."""
    doing = _("Could not write {path}, by which --sandbox finds the sandbox.", path=file)
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _folder(file.parent, doing) as folder:
            os.fchmod(folder, 0o700)
            with contextlib.suppress(FileNotFoundError):
                os.close(_opened(file, doing, folder))
            draft = f".{file.name}.{secrets.token_hex(8)}"
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=folder)
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                json.dump(dict(values), stream)
            os.replace(draft, file.name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError as error:
        raise _refused(doing, file, error.strerror or str(error)) from None


def read_runtime(file: Path | None = None) -> dict[str, Any] | None:
    """Return what the running sandbox wrote; None when there is none, or its process is gone.

    Raises ProvisionError where it is not safe to follow.
    """
    file = file or runtime_file()
    doing = _("Could not read {path}, by which --sandbox finds the sandbox.", path=file)
    try:
        with _folder(file.parent, doing, private=True) as folder:
            descriptor = _opened(file, doing, folder, private=True)
        with os.fdopen(descriptor, encoding="utf-8") as stream:
            values: dict[str, Any] = json.load(stream)
        os.kill(int(values["pid"]), 0)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    away = [name for name in _ADDRESSES if name in values and not _is_here(str(values[name]))]
    if away:
        why = _("its {names} leads to another machine", names=", ".join(away))
        raise _refused(doing, file, why)
    return values


def remove_runtime(file: Path) -> None:
    """Remove it, if it is this process's: a younger sandbox may have replaced it."""
    with contextlib.suppress(OSError, ProvisionError):
        values = read_runtime(file)
        if values is not None and values["pid"] == os.getpid():
            file.unlink()


def _is_here(address: str) -> bool:
    """Return whether a URL, or host:port, is this machine's."""
    return on_loopback(address if "://" in address else f"//{address}")


@contextlib.contextmanager
def _folder(path: Path, doing: str, *, private: bool = False) -> Iterator[int]:
    """Return the folder's descriptor: what is opened through it is in this folder, even if it is renamed."""
    folder = _opened(path, doing, flags=os.O_DIRECTORY, private=private)
    try:
        yield folder
    finally:
        os.close(folder)


def _opened(
    path: Path, doing: str, folder: int | None = None, *, flags: int = 0, private: bool = False
) -> int:
    """Return the descriptor of this user's own file or folder. `private`: nobody else may use it.

    Raises FileNotFoundError where there is none, ProvisionError where it is something else.
    """
    name = path if folder is None else path.name
    flags |= os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe would wait for its writer
    try:
        descriptor = os.open(name, flags, dir_fd=folder)
    except FileNotFoundError:
        raise
    except OSError as error:
        link = _("it is a symbolic link") if path.is_symlink() else ""
        raise _refused(doing, path, link or error.strerror or str(error)) from None
    found, why = os.fstat(descriptor), ""
    if found.st_uid != os.getuid():
        why = _("it belongs to another user of this machine")
    elif not (stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)):
        why = _("it is no regular file")
    elif private and found.st_mode & 0o077:
        mode = f"{stat.S_IMODE(found.st_mode):o}"
        why = _("other users of this machine may use it (its mode is {mode})", mode=mode)
    if why:
        os.close(descriptor)
        raise _refused(doing, path, why)
    return descriptor


def _refused(doing: str, path: Path, why: str) -> ProvisionError:
    return ProvisionError(
        doing,
        f"{path}: {why}",
        _(
            "Have a look at it and remove it, or set XDG_RUNTIME_DIR to a folder of your own "
            "(for both commands)."
        ),
    )
