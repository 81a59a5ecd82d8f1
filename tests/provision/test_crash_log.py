"""Finding in a container's log why it ended."""

import json

import pytest

from provision.cli.logs import _format_event
from provision.crash_log import excerpt, readable

TRACEBACK = """Traceback (most recent call last):
  File "/app/packages/gunicorn/arbiter.py", line 608, in spawn_worker
    worker.init_process()
  File "/app/bot/app.py", line 12, in <module>
    from bot import phrases
  File "/app/bot/phrases.py", line 72
    HELP = (
           ^
SyntaxError: '(' was never closed"""
LIBRARY = """Traceback (most recent call last):
  File "/app/bot/settings.py", line 9, in needed
    return client.get()
  File "/usr/local/lib/python3.12/json/decoder.py", line 337, in decode
    raise error
json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)"""
CHAIN = (
    TRACEBACK
    + "\n\nDuring handling of the above exception, another exception occurred:\n\n"
    + LIBRARY
)
ENDING = """Traceback (most recent call last):
  File "/usr/local/lib/python3.12/runpy.py", line 198, in _run
    exit()
SystemExit: 3"""
GROUP = """  + Exception Group Traceback (most recent call last):
  |   File "/app/bot/app.py", line 5, in <module>
  |     raise group
  | ExceptionGroup: two of them (2 sub-exceptions)"""
EXPECTED = "/app/bot/phrases.py:72: SyntaxError: '(' was never closed"
LATER = "/app/bot/settings.py:9: json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)"
MESSAGES = ["Worker (pid:7) exited with code 3.", "Shutting down: Master", "Worker failed to boot."]


def line(message: str, **more: str) -> str:
    """Return a line of the bot's log."""
    return json.dumps({"time": "2026-11-29T08:00:00.000+00:00", "message": message, **more})


MANY = [line(f"request {number}") for number in range(2000)]


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        (
            [line("Exception in worker process", traceback=TRACEBACK), *map(line, MESSAGES)],
            [EXPECTED],
        ),
        ([*TRACEBACK.splitlines(), *map(line, MESSAGES), *MANY], [EXPECTED]),
        (
            [line("boot"), *TRACEBACK.splitlines()[:5], *MANY, *TRACEBACK.splitlines()[5:]],
            [EXPECTED],
        ),
        ([TRACEBACK, "bye"], [EXPECTED]),
        ([TRACEBACK.replace("\n", "\r")], [EXPECTED]),
        ([line(f"oh\n{TRACEBACK}")], [EXPECTED]),
        ([json.dumps({"level": "error", "exc_info": TRACEBACK})], [EXPECTED]),
        ([TRACEBACK.partition("\n")[2]], [EXPECTED]),
        ([line("x", traceback=CHAIN)], [LATER]),
        ([line("x", traceback=TRACEBACK), line("x", traceback=LIBRARY)], [LATER]),
        ([*LIBRARY.splitlines(), line("x", traceback=TRACEBACK)], [EXPECTED]),
        ([line("x", traceback=TRACEBACK), *ENDING.splitlines()], [EXPECTED]),
        (ENDING.splitlines(), ["/usr/local/lib/python3.12/runpy.py:198: SystemExit: 3"]),
        (GROUP.splitlines(), ["/app/bot/app.py:5: ExceptionGroup: two of them (2 sub-exceptions)"]),
        (["The variable PORT is missing.\n"], ["The variable PORT is missing."]),
        ([line("early"), *map(line, MESSAGES)], MESSAGES),
        ([line("no news", error="timeout"), ""], ["no news: timeout"]),
        (["\x1b]0;owned\x07 exec format error"], ["]0;owned  exec format error"]),
        (["[1, 2]", "{"], ["[1, 2]", "{"]),
        ([], []),
    ],
)
def test_reason_from_log(messages: list[str], expected: list[str]) -> None:
    """The last exception with its place in the bot's own code; otherwise the last lines, readable."""
    assert expected == excerpt(messages)


def test_long_line_is_truncated() -> None:
    """It is cut to 400 characters."""
    (said,) = excerpt(["x" * 5000])
    assert (400, "…") == (len(said), said[-1])


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            line("Exception in worker process", level="error", traceback=TRACEBACK),
            ("ERROR", "phrases.py:72 SyntaxError: '(' was never closed"),
        ),
        (
            line("no answer", level="error", error="KeyError", where="handlers.py:40"),
            ("ERROR", "handlers.py:40 no answer: KeyError"),
        ),
        (
            line("event", level="info", request="Root=1", event="message", outcome="taken"),
            ("INFO", "event event=message outcome=taken"),
        ),
        (
            line("collected", level="info", counts={"feeds": 1, "read": 0}, seconds=2),
            ("INFO", "collected feeds=1 read=0 seconds=2"),
        ),
        ("exec format error", ("", "exec format error")),
    ],
)
def test_readable(message: str, expected: tuple[str, str]) -> None:
    """The format of `provision logs`."""
    assert expected == readable(message)


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        ("debug", ["INFO", "WARNING", "ERROR", ""]),
        ("warning", ["WARNING", "ERROR", ""]),
        ("error", ["ERROR", ""]),
    ],
)
def test_lines_of_a_level(level: str, shown: list[str]) -> None:
    """Lines of the level, more severe ones, and lines without a level are shown."""
    messages = {name: f'{{"level": "{name}", "message": "x"}}' for name in shown if name}
    messages |= {"": "x", "INFO": '{"level": "INFO", "message": "x"}'}
    found = {
        name: _format_event({"message": message, "timestamp": 0}, level, as_json=True)
        for name, message in messages.items()
    }
    assert sorted(shown) == sorted(name for name, line in found.items() if line)
