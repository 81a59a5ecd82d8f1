"""The file by which `--sandbox` finds the sandbox that runs on this machine."""

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_NAME = "sandbox.json"


def runtime_file(environ: Mapping[str, str] = os.environ) -> Path:
    """$XDG_RUNTIME_DIR/provision/sandbox.json, else in a folder of this user's own in temp."""
    base = environ.get("XDG_RUNTIME_DIR")
    if base:
        return Path(base) / "provision" / _NAME
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    return Path(tempfile.gettempdir()) / f"provision-{user}" / _NAME


def write_runtime(told: Mapping[str, Any], file: Path) -> None:
    """Write it whole, for this user's eyes only: the LINE channel's secrets are in it.

    PermissionError where the folder is somebody else's (in a shared temp folder anyone may have
    made it first).
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if hasattr(os, "getuid") and file.parent.stat().st_uid != os.getuid():
        raise PermissionError(f"{file.parent} belongs to somebody else")
    file.parent.chmod(0o700)
    descriptor, draft = tempfile.mkstemp(dir=file.parent)  # made with mode 0600
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(dict(told), stream)
    os.replace(draft, file)


def read_runtime(file: Path | None = None) -> dict[str, Any] | None:
    """What the running sandbox wrote; None when there is none, or its process is gone."""
    try:
        told: dict[str, Any] = json.loads((file or runtime_file()).read_text(encoding="utf-8"))
        os.kill(int(told["pid"]), 0)
    except PermissionError:
        return None  # a file or a process of somebody else's
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return told


def remove_runtime(file: Path) -> None:
    """Remove it, if it is this process's: a younger sandbox may have replaced it."""
    told = read_runtime(file)
    if told is not None and told["pid"] == os.getpid():
        with contextlib.suppress(OSError):
            file.unlink()
