"""The last good copy of stack.yaml, kept beside it for the day on which somebody damages it.

A link in its place may come with a folder from elsewhere, so it is neither read nor written through.
"""

import contextlib
from datetime import datetime
from pathlib import Path

from provision.i18n import _
from provision.state import atomic_file, yaml_text
from provision.state.records import Record, read_made_in, read_records
from provision.state.yaml_text import MARK


def place(path: Path) -> Path:
    """Where the copy of the file at `path` stands."""
    return path.with_name(f".{path.name}.last")


def keep(path: Path, text: str) -> None:
    """Makes this the last good copy, 0600. Not worth stopping for: a copy that cannot be written is none.

    Not flushed to the disk, as the file itself is: every mutation would wait for it twice.
    """
    with contextlib.suppress(OSError):
        if read(path) != text:
            atomic_file.replace(place(path), text.encode("utf-8"), flushed=False)


def read(path: Path) -> str:
    """The last good copy, "" where there is none."""
    try:
        if place(path).is_symlink():
            return ""
        return place(path).read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def lower_half(path: Path) -> tuple[dict[str, str], dict[str, Record]]:
    """Return account and region, and the records by key, as it has them; nothing where there is none."""
    with contextlib.suppress(yaml_text.Malformed):
        node = yaml_text.compose(read(path).removeprefix(MARK))
        entries = {key: (at, value) for key, at, value in yaml_text.pairs(node)} if node else {}
        return read_made_in(entries.get("made_in")), read_records(entries.get("resources"))
    return {}, {}


def advice(path: Path) -> str:
    """What to do with a damaged file, in a sentence or two."""
    mend = _("Mend that line and run the same command again; the file was not changed.")
    if not read(path):
        anew = _("Or let `provision recover` write it anew from the account.")
        return f"{mend} {anew}"
    copy = place(path)
    since = datetime.fromtimestamp(copy.stat().st_mtime)
    back = _(
        "Or put back the last good copy, of {since}: cp {copy} {path}. "
        "Or let `provision recover` write it anew from the account.",
        since=f"{since:%Y-%m-%d %H:%M:%S}",
        copy=copy,
        path=path,
    )
    return f"{mend} {back}"
