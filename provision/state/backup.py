"""Keep a copy of the last valid stack.yaml in the same folder.

A symbolic link at the copy's path is not followed, because the folder may come from somebody else.
"""

import contextlib
import shlex
from datetime import datetime
from pathlib import Path

from provision.i18n import _
from provision.state import atomic_file, yaml_text
from provision.state.records import Record, read_made_in, read_records
from provision.state.yaml_text import MARK


def place(path: Path) -> Path:
    """Return the path of the copy."""
    return path.with_name(f".{path.name}.last")


def keep(path: Path, text: str) -> None:
    """Write the copy, with mode 0600. Ignore OSError.

    Do not fsync it, because every change would wait for the disk twice.
    """
    with contextlib.suppress(OSError):
        if read(path) != text:
            atomic_file.replace(place(path), text.encode("utf-8"), flushed=False)


def read(path: Path) -> str:
    """Return the copy's text, "" without a copy."""
    try:
        if place(path).is_symlink():
            return ""
        with place(path).open("rb") as file:
            content = file.read(yaml_text.MAX_BYTES + 1)
        return content.decode("utf-8") if len(content) <= yaml_text.MAX_BYTES else ""
    except (OSError, UnicodeDecodeError):
        return ""


def lower_half(path: Path) -> tuple[dict[str, str], dict[str, Record]]:
    """Return the copy's account and region, and its records by key; both empty without a copy."""
    with contextlib.suppress(yaml_text.Malformed):
        node = yaml_text.compose(read(path).removeprefix(MARK))
        entries = {key: (at, value) for key, at, value in yaml_text.pairs(node)} if node else {}
        return read_made_in(entries.get("made_in")), read_records(entries.get("resources"))
    return {}, {}


def advice(path: Path) -> str:
    """Return what to do about a damaged file."""
    correct = _("Fix that line and run the same command again. The file was not changed.")
    if not read(path):
        recover = _("Or let `provision recover` rebuild it from the account.")
        return f"{correct} {recover}"
    copy = place(path)
    since = datetime.fromtimestamp(copy.stat().st_mtime)
    restore = _(
        "Or restore the last valid backup, of {since}: cp {copy} {path}. Or let `provision "
        "recover` rebuild it from the account.",
        since=f"{since:%Y-%m-%d %H:%M:%S}",
        copy=shlex.quote(str(copy)),
        path=shlex.quote(str(path)),
    )
    return f"{correct} {restore}"
