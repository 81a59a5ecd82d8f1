"""Why a container ended, out of its log: the last exception with file and line, else its last lines. Pure."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

LINES = 3  # of a log without a traceback, shown
LONGEST = 400  # characters of a line, shown
_GROUP = re.compile(r"^\s*[|+] ?")  # before the lines of an exception group
_HEAD = re.compile(r"\s*(?:Exception Group )?Traceback \(most recent call last\):")
_FRAME = re.compile(r'\s*File "(?P<file>[^"]+)", line (?P<line>\d+)')
_ERROR = re.compile(r"[A-Za-z_][\w.]*(?:: .*|:)?")  # as in `KeyError: 'a'`, `bot.settings.Missing`
_FIELDS = ("traceback", "exc_info", "exception", "stack_trace", "stack")  # of JSON lines
_COMMON = ("time", "level", "logger", "message", "error", "where", "request")  # of the bot's lines
_ENDINGS = ("SystemExit", "KeyboardInterrupt", "gunicorn.errors.HaltServer")  # follow the real one
_LIBRARIES = re.compile(r"/(?:site-packages|packages|lib/python3[.\d]*)/|^<")


def words(messages: Sequence[str]) -> list[str]:
    """Return what tells best why it ended: `file:line: exception`, else the newest lines."""
    found = _exceptions(messages)
    causes = [error for error in found if not error.text.startswith(_ENDINGS)]
    if last := (causes or found)[-1:]:
        own = [frame for frame in last[0].frames if not _LIBRARIES.search(frame)]
        return [_printable(f"{(own or last[0].frames)[-1]}: {last[0].text}")]
    return [_printable(_text(message)) for message in messages if message.strip()][-LINES:]


def readable(message: str) -> tuple[str, str]:
    """Return level and text of a line of a log; without a level where it is no JSON with one.

    The text of an exception is where it happened and its last line: `messages.py:72 SyntaxError: ...`.
    """
    fields = _fields(message)
    if fields is None:
        return "", _printable(message)
    level = str(fields.get("level", "")).upper()
    if _exceptions([message]):
        place, _colon, error = words([message])[0].partition(": ")
        return level, f"{place.rpartition('/')[2]} {error}"
    said = [str(fields[name]) for name in ("message", "error") if fields.get(name)]
    more = [f"{name}={fields[name]}" for name in fields if name not in _COMMON]
    where = [str(fields["where"])] if fields.get("where") else []
    return level, _printable(" ".join([*where, ": ".join(said), *more]))


def has_exception(messages: Sequence[str]) -> bool:
    """Whether a traceback is among the messages."""
    return bool(_exceptions(messages))


class _Error(NamedTuple):
    """A traceback: at which message it ends, its frames as file:line, and its last line."""

    place: int
    frames: list[str]
    text: str


def _exceptions(messages: Sequence[str]) -> list[_Error]:
    """Return the tracebacks in order. A JSON line has a whole one, other lines have one line of it each."""
    found, plain = list[_Error](), list[tuple[int, str]]()
    for place, message in enumerate(messages):
        fields = _fields(message)
        if fields is None:
            plain += [(place, line) for line in message.splitlines()]
            continue
        for name in (*_FIELDS, "message"):
            found += _in_lines([(place, line) for line in str(fields.get(name, "")).splitlines()])
    return sorted([*found, *_in_lines(plain)], key=lambda error: error.place)


def _in_lines(lines: Iterable[tuple[int, str]]) -> Iterator[_Error]:
    frames: list[str] = []
    indent = 0
    for place, given in lines:
        line = _GROUP.sub("", given)
        blank = len(line) - len(line.lstrip())
        if _HEAD.match(line):
            frames, indent = [], blank
        elif frame := _FRAME.match(line):
            frames.append(f"{frame['file']}:{frame['line']}")
        elif frames and line.strip() and blank <= indent:
            if _ERROR.fullmatch(line.strip()):
                yield _Error(place, frames, line.strip())
            frames, indent = [], 0


def _text(message: str) -> str:
    """Return a message as a person reads it: of JSON only the message, with its error."""
    fields = _fields(message) or {}
    said = [str(fields[name]) for name in ("message", "error") if fields.get(name)]
    return ": ".join(said) or message.rstrip()


def _fields(message: str) -> dict[str, object] | None:
    try:
        fields = json.loads(message)
    except ValueError:
        return None
    return fields if isinstance(fields, dict) else None


def _printable(text: str) -> str:
    """Return the text without what would steer a terminal, and not endless."""
    plain = "".join(sign if sign.isprintable() else " " for sign in text).strip()
    return plain if len(plain) <= LONGEST else plain[: LONGEST - 1] + "…"
