"""Wrap text to the terminal's width; Japanese letters take two columns, and have no spaces between them."""

import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from provision.i18n import _

# What a terminal obeys rather than shows: control characters but tab and newline, and what reverses text.
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
# What stays on one line: a run of ASCII, or one letter, with the letters that may not begin a line.
# Source: JLREQ, "Characters not starting a line".
PIECE = re.compile(
    r"[「『（【〈]*(?:[!-~]+|.)"
    r"[、。，．）」』】〉！？ー…々：；ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ]* *"
)


def width() -> int:
    """Return the terminal's width in columns; 80 where there is no terminal."""
    return shutil.get_terminal_size().columns


def columns(text: str) -> int:
    """Return how many columns the text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def account_number(digits: str) -> str:
    """Return the account id as AWS's console shows it: 1234-5678-9012."""
    return f"{digits[:4]}-{digits[4:8]}-{digits[8:]}"


def wrap(text: str, limit: int) -> list[str]:
    """Return the text in lines of at most `limit` columns (at least 20), broken between words or letters."""
    limit = max(20, limit)
    lines = []
    for paragraph in text.splitlines():
        line = ""
        for piece in PIECE.findall(paragraph):
            if line.strip() and columns((line + piece).rstrip()) > limit:
                lines.append(line.rstrip())
                line = ""
            line += piece
        lines.append(line.rstrip())
    return lines


def listed(names: Iterable[str]) -> str:
    """Return the names as a person lists them: a, b; in Japanese a、b."""
    return _(", ").join(names)


def day_and_time(iso: str) -> str:
    """Return a time in ISO 8601 as a person reads it, with its day of the week."""
    at = datetime.fromisoformat(iso)
    days = (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun"))
    return _(
        "{weekday} {year}-{month:02}-{day:02} {time}",
        weekday=days[at.weekday()],
        year=at.year,
        month=at.month,
        day=at.day,
        time=f"{at:%H:%M}",
    )


def indented(text: str) -> str:
    """Return the text in indented lines that fit the terminal, each on a line of its own."""
    return "".join(f"\n  {line}" for line in wrap(text, width() - 3))


def printable(text: str) -> str:
    """Return the text with control characters as JSON writes them, so that a JSON document stays the same."""
    return CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


@contextmanager
def note(text: str) -> Iterator[None]:
    """Show a text at a terminal while something takes its time, and remove it afterwards."""
    shown = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"  # which cannot remove it
    if shown:
        print(text, end="", file=sys.stderr, flush=True)
    try:
        yield
    finally:
        if shown:
            print("\r\x1b[2K", end="", file=sys.stderr, flush=True)


def echo(text: str, stream: Any = None) -> None:
    """Print a text, on stdout if no other stream is given; everything that is printed goes through here.

    AWS, LINE, registries, feeds and files may have written parts of it: no control character gets through.
    """
    print(printable(text), file=stream or sys.stdout, flush=True)


def show(text: str, stream: Any, hanging: int = 0) -> None:
    """Print a text for a person; on a terminal wrapped to its width.

    hanging: the columns by which lines that continue another are indented.
    """
    if stream.isatty():
        lines = []
        for paragraph in printable(text).splitlines():
            first, *more = wrap(paragraph, width() - 1 - hanging) or [""]
            lines += [first, *(f"{'':{hanging}}{line}" for line in more)]
        text = "\n".join(lines)
    echo(text, stream)
