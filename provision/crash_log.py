"""Extract from a container's log why it ended."""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

SHOWN_LINES = 3  # of a log without a traceback
MAX_LENGTH = 400  # characters of a line
_GROUP = re.compile(r"^\s*[|+] ?")  # prefix of an exception group's lines
_HEAD = re.compile(r"\s*(?:Exception Group )?Traceback \(most recent call last\):")
_FRAME = re.compile(r'\s*File "(?P<file>[^"]+)", line (?P<line>\d+)')
_ERROR = re.compile(r"[A-Za-z_][\w.]*(?:: .*|:)?")  # as in `KeyError: 'a'`, `bot.settings.Missing`
_FIELDS = ("traceback", "exc_info", "exception", "stack_trace", "stack")  # of JSON lines
_COMMON_FIELDS = ("time", "level", "logger", "message", "error", "where", "request")
# Exceptions that follow the one that caused the exit.
_CONSEQUENCES = ("SystemExit", "KeyboardInterrupt", "gunicorn.errors.HaltServer")
_LIBRARIES = re.compile(r"/(?:site-packages|packages|lib/python3[.\d]*)/|^<")


def excerpt(messages: Sequence[str]) -> list[str]:
    """Return the last exception as `file:line: exception`, else the newest lines."""
    tracebacks = _find_tracebacks(messages)
    causes = [
        traceback for traceback in tracebacks if not traceback.error.startswith(_CONSEQUENCES)
    ]
    if last := (causes or tracebacks)[-1:]:
        own = [frame for frame in last[0].frames if not _LIBRARIES.search(frame)]
        return [_printable(f"{(own or last[0].frames)[-1]}: {last[0].error}")]
    return [_printable(_text(message)) for message in messages if message.strip()][-SHOWN_LINES:]


def readable(message: str) -> tuple[str, str]:
    """Return level and text of a log line; level "" if it is not JSON with a level.

    The text of an exception is its position and its last line: `messages.py:72 SyntaxError: ...`.
    """
    fields = _fields(message)
    if fields is None:
        return "", _printable(message)
    level = str(fields.get("level", "")).upper()
    if _find_tracebacks([message]):
        place, _colon, error = excerpt([message])[0].partition(": ")
        return level, f"{place.rpartition('/')[2]} {error}"
    texts = [str(fields[name]) for name in ("message", "error") if fields.get(name)]
    own = {name: value for name, value in fields.items() if name not in _COMMON_FIELDS}
    groups = (value if isinstance(value, dict) else {name: value} for name, value in own.items())
    more = [f"{name}={value}" for group in groups for name, value in group.items()]
    where = [str(fields["where"])] if fields.get("where") else []
    return level, _printable(" ".join([*where, ": ".join(texts), *more]))


def has_exception(messages: Sequence[str]) -> bool:
    """Return whether the messages contain a traceback."""
    return bool(_find_tracebacks(messages))


class _Traceback(NamedTuple):
    """A traceback: the position of its last message, its frames as file:line, and its last line."""

    position: int
    frames: list[str]
    error: str


def _find_tracebacks(messages: Sequence[str]) -> list[_Traceback]:
    """Return the tracebacks in order: a JSON message has a whole one, other messages one line each."""
    found, plain = list[_Traceback](), list[tuple[int, str]]()
    for index, message in enumerate(messages):
        fields = _fields(message)
        if fields is None:
            plain += [(index, line) for line in message.splitlines()]
            continue
        for name in (*_FIELDS, "message"):
            lines = str(fields.get(name, "")).splitlines()
            found += _parse_lines([(index, line) for line in lines])
    return sorted([*found, *_parse_lines(plain)], key=lambda traceback: traceback.position)


def _parse_lines(lines: Iterable[tuple[int, str]]) -> Iterator[_Traceback]:
    frames: list[str] = []
    indent = 0
    for index, text in lines:
        line = _GROUP.sub("", text)
        depth = len(line) - len(line.lstrip())
        if _HEAD.match(line):
            frames, indent = [], depth
        elif frame := _FRAME.match(line):
            frames.append(f"{frame['file']}:{frame['line']}")
        elif frames and line.strip() and depth <= indent:
            if _ERROR.fullmatch(line.strip()):
                yield _Traceback(index, frames, line.strip())
            frames, indent = [], 0


def _text(message: str) -> str:
    """Return the text of a message; of JSON its fields `message` and `error`."""
    fields = _fields(message) or {}
    parts = [str(fields[name]) for name in ("message", "error") if fields.get(name)]
    return ": ".join(parts) or message.rstrip()


def _fields(message: str) -> dict[str, object] | None:
    try:
        fields = json.loads(message)
    except ValueError:
        return None
    return fields if isinstance(fields, dict) else None


def _printable(text: str) -> str:
    """Return the text without control characters, shortened to MAX_LENGTH."""
    plain = "".join(char if char.isprintable() else " " for char in text).strip()
    return plain if len(plain) <= MAX_LENGTH else plain[: MAX_LENGTH - 1] + "…"
