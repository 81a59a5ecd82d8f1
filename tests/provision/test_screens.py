"""What a terminal shows: steps and names, wrapped lines, the name servers that stay in sight, errors."""

import io
import os
import pty
import sys
import termios
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console, ConsoleDimensions
from rich.text import Text

from provision import i18n
from provision.cli.commands import introduction
from provision.cli.first_message import exchange, outcome_of
from provision.cli.main import program_name
from provision.cli.outcome import print_hours
from provision.engine.plan import Change, Plan
from provision.errors import Cancelled, ProvisionError, WaitingOnExternal
from provision.resources.base import Difference
from provision.sandbox.clock import ManualClock
from provision.settings import Settings
from provision.stack import Stack, steps
from provision.state.stack_file import StackFile
from provision.ui import registrar
from provision.ui.errors import show_error
from provision.ui.frame import Frame
from provision.ui.names import by_step, name_of
from provision.ui.progress import Progress, clock_time
from provision.ui.reports import headline, show_plan, show_status, show_steps
from provision.ui.text import columns, day_and_time, note, wrap
from tests.provision.conftest import ANSWERS


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True

    def lines(self) -> list[str]:
        """Return the lines of the last frame that was drawn, without colours."""
        frame = self.getvalue().rpartition("\x1b[2K")[2]
        return [line.rstrip() for line in Text.from_ansi(frame).plain.splitlines()]


@pytest.fixture(autouse=True)
def _terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """60 columns, 24 lines, English."""
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("LINES", "24")
    monkeypatch.setenv("TERM", "xterm")
    yield
    i18n.use("en")
    i18n.use_program("provision")
    i18n.repeat_flags("")


def resource(key: str) -> Any:
    """Return what Progress reads of a resource."""
    return SimpleNamespace(key=key, polling=SimpleNamespace(expected=120))


KEYS = ("zone/x.jp", "delegation", "certificate/x.jp", "issued_certificate", "load_balancer/x")


def run(clock: ManualClock, stream: Terminal) -> Progress:
    """Show a run that waits for the registrar, and return it."""
    progress = Progress([resource(key) for key in KEYS], clock, stream)
    progress.expect(245)
    with progress:
        progress.report("done", resource("zone/x.jp"), "")
        progress.pin("delegation", "Name servers of x.jp to enter there:\n    ns-1.awsdns-01.org")
        progress.report("done", resource("certificate/x.jp"), "")
        progress.report("waiting", resource("delegation"), "your registrar lists others")
        clock.advance(75)
        progress.report("waiting", resource("load_balancer/x"), "state: provisioning; " + "a" * 40)
    return progress


def test_live_list_at_60_columns() -> None:
    """A row per step with sign, seconds and reason; long reasons and the name servers stand below."""
    stream = Terminal()
    run(ManualClock(), stream)
    assert [
        ">  Domain         1:15/2:00  1/2",
        ".  Certificate               1/2",
        ">  Load balancer  0:00/2:00  0/1",
        "1:15 so far, of about 4:05",
        "name servers at the registrar: your registrar lists others",
        "load balancer: state: provisioning;",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "Name servers of x.jp to enter there:",
        "    ns-1.awsdns-01.org",
    ] == [line for line in stream.lines() if line][-9:]


def test_live_list_in_japanese_at_120_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Double-width letters shift nothing; a reason that fits stands in its row."""
    monkeypatch.setenv("COLUMNS", "120")
    i18n.use("ja")
    stream = Terminal()
    run(ManualClock(), stream)
    rows = [line for line in stream.lines() if line][-6:-2]
    assert [
        ">  ドメイン          1:15/2:00  レジストラのネームサーバー: your registrar lists others",
        ".  証明書                       1/2",
        ">  ロードバランサー  0:00/2:00  ロードバランサー: state: provisioning; " + "a" * 40,
        "経過 1:15（目安 4:05）",
    ] == rows


def test_typing_is_not_shown_in_the_live_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enter would move the list and leave a line behind; afterwards the terminal is as before."""
    master, slave = pty.openpty()
    with open(slave, encoding="utf-8") as keyboard:
        monkeypatch.setattr(sys, "stdin", keyboard)

        def shown() -> bool:
            return bool(termios.tcgetattr(slave)[3] & termios.ECHO)

        before = shown()
        with Progress([resource("zone/x.jp")], ManualClock(), Terminal()):
            during = shown()
        after = shown()
    os.close(master)
    assert (True, False, True) == (before, during, after)


def test_deletion_shows_no_expected_time() -> None:
    """Only the duration of a creation is known."""
    stream, clock = Terminal(), ManualClock()
    with Progress([resource("service/x")], clock, stream) as progress:
        progress.report("deleting", resource("service/x"), "")
        progress.report("waiting", resource("service/x"), "waiting for its deletion")
        clock.advance(130)
    assert ">  Bot  2:10  service: waiting for its deletion" in stream.lines()


REGISTRAR = "name servers at the registrar: your registrar lists others"
PROVISIONING = f"load balancer: state: provisioning; {'a' * 40}"


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (
            "80",
            [
                ">  Domain         1:15/2:00  1/2",
                ".  Certificate               1/2",
                ">  Load balancer  0:00/2:00  0/1",
                "1:15 so far, of about 4:05",
                REGISTRAR,
                PROVISIONING,
            ],
        ),
        (
            "200",
            [
                f">  Domain         1:15/2:00  {REGISTRAR}",
                ".  Certificate               1/2",
                f">  Load balancer  0:00/2:00  {PROVISIONING}",
                "1:15 so far, of about 4:05",
            ],
        ),
    ],
)
def test_live_list_at_other_widths(
    columns: str, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reason stands in its row where it fits; sign, name, seconds and count are always there."""
    monkeypatch.setenv("COLUMNS", columns)
    stream = Terminal()
    run(ManualClock(), stream)
    assert expected == [line for line in stream.lines() if line][-2 - len(expected) : -2]


def test_long_address_is_not_cut() -> None:
    """It goes on in the next line, without an empty line before it."""
    stream = Terminal()
    with Progress([resource("delegation")], ManualClock(), stream) as progress:
        progress.pin(
            "delegation", f"The form:\n    http://127.0.0.1:46007/?view=registrar#{'a' * 32}"
        )
    assert [
        "The form:",
        "    http://127.0.0.1:46007/?view=registrar#aaaaaaaaaaaaaaaaa",
        "aaaaaaaaaaaaaaa",
    ] == stream.lines()[-3:]


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([(60, 24), (60, 24)], [0, 0]),
        ([(60, 24), (30, 24), (60, 24)], [0, 1, 0]),  # two lines have become of one
        ([(60, 24), (20, 24)], [0, 3]),
        ([(60, 24), (60, 2), (60, 24)], [0, 0, 1]),  # a line went into the scrollback, and is back
        ([(60, 24), (30, 3), (60, 24)], [0, 1, 1]),
        ([(60, 24), (30, 3), (30, 3), (60, 24)], [0, 1, 0, 1]),
        ([(60, 24), (20, 2), (60, 24)], [0, 3, 3]),  # what was wrapped is one line again
        ([(60, 24), (25, 24)], [0, 1]),
        ([(60, 24), (15, 24)], [0, 4]),  # of double width are seven letters in a line
    ],
)
def test_resized_terminal_keeps_no_old_lines(
    sizes: list[tuple[int, int]], expected: list[int]
) -> None:
    """The cursor moves up by the lines that were added when the terminal wrapped what was drawn."""
    console = Console(file=Terminal(), force_terminal=True)
    frame, moves = None, []
    for size in sizes:
        console.size = ConsoleDimensions(*size)
        frame = frame or Frame(console)
        with console.capture() as captured:
            frame.fit([Text("a"), Text("b" * 25), Text("ニュース" * 6)])
        moves.append(captured.get().count("\x1b[2K\x1b[1A"))
    assert expected == moves


def test_name_servers_go_when_the_registrar_has_them() -> None:
    """The pinned text is shown until its resource is done."""
    stream, clock = Terminal(), ManualClock()
    progress = Progress([resource("delegation")], clock, stream)
    with progress:
        progress.pin("delegation", "ns-1.awsdns-01.org")
        progress.report("done", resource("delegation"), "")
    assert ["✓  Domain", "0:00 so far"] == [line for line in stream.lines() if line][-2:]


def test_more_is_shown_where_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name servers always; the steps at registrars only in a window that is high enough."""
    shown = []
    for lines in ("12", "8"):
        monkeypatch.setenv("LINES", lines)
        stream = Terminal()
        progress = Progress([resource("delegation")], ManualClock(), stream)
        with progress:
            progress.report("waiting", resource("delegation"), "slow")
            progress.pin("delegation", "a\nb", "one\ntwo\nthree")
        shown.append([line for line in stream.lines() if line][2:])
    assert [["a", "b", "one", "two", "three"], ["a", "b"]] == shown


def test_finished_steps_make_room_for_the_name_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a low window; otherwise the end of the pinned text would be cut off."""
    shown = []
    for lines in ("6", "5"):
        monkeypatch.setenv("LINES", lines)
        stream = Terminal()
        with Progress(map(resource, KEYS[1:3]), ManualClock(), stream) as progress:
            progress.report("waiting", resource("delegation"), "slow")
            progress.pin("delegation", "a\nb\nc")
            progress.report("done", resource("certificate/x.jp"), "")
        shown.append(stream.lines())
    waits = ">  Domain       0:00/2:00  0/1"
    assert [[waits, "✓  Certificate", "0:00 so far"], [waits, "0:00 so far"]] == [
        [line for line in lines if line][:-3] for lines in shown
    ]


def test_bell_at_the_end_of_a_long_wait() -> None:
    """After a minute of waiting for a person, and at the end of a run that took one; else none."""
    stream, clock = Terminal(), ManualClock()
    with Progress([resource("delegation")], clock, stream) as progress:
        progress.pin("delegation", "ns-1.awsdns-01.org")
        progress.report("waiting", resource("delegation"), "slow")
        clock.advance(61)
        progress.report("done", resource("delegation"), "")
        assert 1 == stream.getvalue().count("\a")
    assert 2 == stream.getvalue().count("\a")
    quick = Terminal()
    with Progress([], clock, quick):
        clock.advance(59)
    assert 0 == quick.getvalue().count("\a")


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0, "0:00"), (65.9, "1:05"), (3605, "1:00:05"), (90061, "25:01:01")]
)
def test_clock_time(seconds: float, expected: str) -> None:
    """Minutes and seconds; hours only where there are any."""
    assert expected == clock_time(seconds)


def test_without_a_terminal_each_event_is_a_line() -> None:
    """Logs have the keys, once each."""
    stream, clock = io.StringIO(), ManualClock()
    with Progress([], clock, stream) as progress:
        for _ in range(2):
            progress.report("waiting", resource("delegation"), "slow")
        clock.advance(3)
        progress.report("done", resource("delegation"), "")
    assert ["     0 s  > delegation  waiting: slow", "     3 s  ✓ delegation  done"] == (
        stream.getvalue().splitlines()
    )


def test_dumb_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal that cannot redraw shows each event, as a log does."""
    monkeypatch.setenv("TERM", "dumb")
    stream = Terminal()
    with Progress([resource("delegation")], ManualClock(), stream) as progress:
        progress.report("done", resource("delegation"), "")
    assert "     0 s  ✓ delegation  done\n" == stream.getvalue()


def test_every_resource_has_a_name_and_a_step() -> None:
    """Of every stack, and no name is left over."""
    hours = {"schedule.start": "cron(0 8 ? * SAT *)", "schedule.stop": "cron(0 9 ? * SAT *)"}
    optional = {"load_balancer.access_logs": "on", "load_balancer.rate_limit": "5000"}
    more = {**hours, **optional, "network.vpc": "new", "image.uri": ""}
    found = {r.logical_id for r in Stack(Settings({**ANSWERS, **more})).resources}
    assert found == {name for members in steps().values() for name in members}


def test_steps_are_in_order_and_strangers_last() -> None:
    """A key that no step has is shown by its key under Other."""
    keys = ["webhook/x", "former/x", "zone/x", "https/x"]
    assert {
        "Domain": ["zone/x"],
        "Load balancer": ["https/x"],
        "LINE": ["webhook/x"],
        "Other": ["former/x"],
    } == by_step(keys)
    assert ["HTTPS listener", "former/x"] == [name_of("https/x"), name_of("former/x")]


CHANGES = [
    Change("zone/x.jp", "HostedZone", "create", monthly_usd=0.5),
    Change("delegation", "Delegation", "create"),
    Change("https/x", "HttpsListener", "update", [Difference("Port", 8443, 443)]),
    Change("load_balancer/x", "LoadBalancer", "keep", monthly_usd=28.69),
    Change("network/default", "ExistingNetwork", "adopt"),
    Change("image", "Image", None, reason="AccessDenied"),
]


def test_plan_by_step(capsys: pytest.CaptureFixture[str]) -> None:
    """What is created or kept is counted; what is changed, adopted or unknown has a line of its own."""
    show_steps(CHANGES, sys.stdout)
    assert [
        "  + Domain            0.50  create 2",
        "    Network",
        "    = network: adopt (yours stays as it is)",
        "    Load balancer    28.69  keep 1",
        "    ~ HTTPS listener: update",
        "      Port: 8443 -> 443",
        "    Bot",
        "    ? image: unknown: AccessDenied",
    ] == capsys.readouterr().out.splitlines()


def test_note_is_shown_while_something_takes_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """And removed afterwards; a log and a terminal that cannot remove it do without."""
    shown = []
    for stream, term in ((Terminal(), "xterm"), (Terminal(), "dumb"), (io.StringIO(), "xterm")):
        monkeypatch.setattr("sys.stderr", stream)
        monkeypatch.setenv("TERM", term)
        with note("Looking."):
            shown.append(stream.getvalue())
        shown.append(stream.getvalue())
    assert ["Looking.", "Looking.\r\x1b[2K", "", "", "", ""] == shown


LONG = "AccessDenied: you are not authorized to do this here, with this role"


@pytest.mark.parametrize(
    ("width", "plan", "status"),
    [
        (
            "60",
            [
                "    ? image: unknown: AccessDenied: you are not",
                "      authorized to do this here, with this role",
            ],
            [
                "    ✗ image: AccessDenied: you are not authorized to",
                "      do this here, with this role",
            ],
        ),
        (
            "80",
            [
                "    ? image: unknown: AccessDenied: you are not authorized to do this",
                "      here, with this role",
            ],
            [
                "    ✗ image: AccessDenied: you are not authorized to do this here, with",
                "      this role",
            ],
        ),
        ("200", [f"    ? image: unknown: {LONG}"], [f"    ✗ image: {LONG}"]),
    ],
)
def test_plan_and_status_at_widths(
    width: str, plan: list[str], status: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long lines are wrapped between words, and what continues them is indented."""
    monkeypatch.setenv("COLUMNS", width)
    stream = Terminal()
    show_steps([Change("image", "Image", None, reason=LONG)], stream)
    assert ["    Bot", *plan] == stream.getvalue().splitlines()
    stream = Terminal()
    show_status(document(entry("image", ready=False, reason=LONG)), stream)
    assert status == stream.getvalue().splitlines()[2:-2]


@pytest.mark.parametrize(
    ("changes", "registrar", "expected"),
    [
        (CHANGES[:2], True, "Changes: 2. Takes about 4 min, plus the wait for your registrar."),
        (CHANGES[2:3], False, "Changes: 1. Takes about 4 min."),
        (CHANGES[3:4], True, "Nothing to change."),
    ],
)
def test_headline_of_a_plan(
    changes: list[Change],
    *,
    registrar: bool,
    expected: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The wait for the registrar is named only where there is one."""
    show_plan(Plan(changes, [], 245), sys.stdout, registrar=registrar)
    assert expected == capsys.readouterr().out.splitlines()[0]


def test_plan_by_resource(capsys: pytest.CaptureFixture[str]) -> None:
    """--verbose: one line per resource, with its key."""
    show_steps(CHANGES[:3], sys.stdout, verbose=True)
    assert [
        "  + zone/x.jp      0.50  create",
        "  + delegation           create",
        "  ~ https/x              update",
        "      Port: 8443 -> 443",
    ] == capsys.readouterr().out.splitlines()


def entry(key: str, **more: Any) -> dict[str, Any]:
    """Return an entry of `status --json`: created and ready, unless said otherwise."""
    plain = {"key": key, "state": "created", "reason": "", "drift": []}
    return {**plain, "checked": True, "live": True, "ready": True, **more}


def document(
    *entries: dict[str, Any],
    paused: bool = False,
    built: bool = True,
    wanted: int = 1,
    start: str | None = None,
) -> dict[str, Any]:
    """Return a document of `status --json`."""
    return {
        "resources": list(entries),
        "paused": paused,
        "built": built,
        "tasks": {"running": wanted, "wanted": wanted, "rollout": []},
        "next": {"start": start, "stop": None},
        "url": "https://x.jp/webhook",
    }


ABSENT = {"live": False, "ready": False, "reason": "not there", "state": "none"}


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (document(entry("zone/x")), "All is well."),
        (document(entry("zone/x"), entry("https/x", **ABSENT)), "Resources that are not ready: 1."),
        (
            document(entry("zone/x", **ABSENT), entry("network/x", state="adopted"), built=False),
            "There is no stack. `provision setup` builds one.",
        ),
        (
            document(
                entry("zone/x"), entry("news_bucket"), entry("https/x", **ABSENT), built=False
            ),
            "There is no stack, only: hosted zone, news bucket. `provision setup` builds it.",
        ),
        (
            document(entry("zone/x", drift=[{"path": "a", "have": 1, "want": 2}])),
            "Resources that differ: 1. `provision plan` shows how.",
        ),
        (
            document(entry("zone/x", ready=None)),
            "Resources that could not be looked at: 1.",
        ),
        (
            document(entry("zone/x"), entry("webhook/x", ready=None, checked=False)),
            "What could be checked is well; resources that were not: 1.",
        ),
        (
            document(entry("zone/x"), wanted=0),
            "All is well, but the bot is stopped: `provision start` starts it.",
        ),
        (
            document(entry("zone/x"), wanted=0, start="2026-12-05T08:00+09:00"),
            "All is well: the bot is stopped until Sat 2026-12-05 08:00.",
        ),
        (
            document(entry("zone/x"), paused=True),
            "Paused: `provision resume` creates again what the pause deleted.",
        ),
    ],
)
def test_headline(shown: dict[str, Any], expected: str) -> None:
    """The first sentence sums up the whole."""
    assert expected == headline(shown)


def test_status_by_step(capsys: pytest.CaptureFixture[str]) -> None:
    """A step in which something is not ready has the worst sign, and names it with the reason."""
    waiting = entry("load_balancer/x", ready=False, reason="state: provisioning")
    show_status(document(entry("zone/x"), waiting, entry("https/x", **ABSENT)), sys.stdout)
    assert [
        "Resources that are not ready: 2.",
        "  ✓ Domain",
        "  ✗ Load balancer",
        "    ✗ load balancer: state: provisioning",
        "    . HTTPS listener: not there",
        "Tasks: 1 of 1 run",
        "The bot's URL: https://x.jp/webhook",
    ] == capsys.readouterr().out.splitlines()


def test_status_in_a_pause(capsys: pytest.CaptureFixture[str]) -> None:
    """Resources that the pause deleted are not listed; one that is missing otherwise is."""
    lost = entry("task_role/x", live=False, ready=False, reason="not there")
    absent = [
        entry("https/x", **ABSENT),
        entry("steady_service", **{**ABSENT, "state": "milestone"}),
    ]
    unknown = entry("service/x", live=None, ready=None, reason="AccessDenied", state="none")
    shown = document(entry("zone/x"), lost, *absent, unknown, paused=True, wanted=0)
    show_status(shown, sys.stdout)
    assert [
        "Resources that could not be looked at: 1.",
        "  ✓ Domain",
        "  . Roles",
        "    . bot's role: not there",
        "  . Load balancer",
        "  ? Bot",
        "    ? service: AccessDenied",
    ] == capsys.readouterr().out.splitlines()[:7]


def test_status_of_what_differs(capsys: pytest.CaptureFixture[str]) -> None:
    """A ready resource that differs from its settings is marked with ~."""
    image = entry("image", drift=[{"path": "imageTag", "have": "a", "want": "b"}])
    show_status(document(entry("zone/x"), image, entry("service/x")), sys.stdout)
    assert [
        "Resources that differ: 1. `provision plan` shows how.",
        "  ✓ Domain",
        "  ~ Bot",
        "    ~ image",
        "      imageTag: 'a' -> 'b'",
    ] == capsys.readouterr().out.splitlines()[:5]


def test_status_without_a_stack(capsys: pytest.CaptureFixture[str]) -> None:
    """The headline says all; what could not be looked at is shown nevertheless."""
    show_status(document(entry("https/x", **ABSENT), built=False), sys.stdout)
    assert "There is no stack. `provision setup` builds one.\n" == capsys.readouterr().out
    unknown = entry("https/x", live=None, ready=None, reason="AccessDenied")
    show_status(document(unknown, built=False), sys.stdout)
    assert [
        "Resources that could not be looked at: 1.",
        "  ? Load balancer",
        "    ? HTTPS listener: AccessDenied",
    ] == capsys.readouterr().out.splitlines()[:3]


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("one two three four five six", 20, ["one two three four", "five six"]),
        ("ネームサーバーを登録してください。", 20, ["ネームサーバーを登録", "してください。"]),
        (
            "次は `provision setup` です（あとで）。",
            24,
            ["次は `provision setup`", "です（あとで）。"],
        ),
        ("ここではチャネルのチャネル", 20, ["ここではチャネルの", "チャネル"]),
        ("    ns-1.awsdns-01.org", 40, ["    ns-1.awsdns-01.org"]),
        ("a" * 30, 20, ["a" * 30]),
        ("one\n\ntwo", 20, ["one", "", "two"]),
    ],
)
def test_wrap(text: str, limit: int, expected: list[str]) -> None:
    """Between words, or Japanese letters, which take two columns; none begins with ：、ャ or such."""
    assert expected == wrap(text, limit)
    assert max(map(columns, expected)) <= limit or " " not in text


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ProvisionError("It failed.", "why", "do"), "Error: It failed.\n  why:  why\n  next: do\n"),
        (Cancelled("Cancelled. Nothing was created."), "Cancelled. Nothing was created.\n"),
        (WaitingOnExternal("Built.", "ACM", "wait"), "Built.\n  why:  ACM\n  next: wait\n"),
    ],
)
def test_error(error: ProvisionError, expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    """An error is marked as one; an answer of no, and waiting for somebody else, are none."""
    show_error(error)
    assert expected == capsys.readouterr().err


def test_error_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Red, and wrapped below its first word."""
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    show_error(
        ProvisionError(
            "It failed.", "a reason that is longer than sixty columns are wide, yes", "do"
        )
    )
    assert (
        "\x1b[1;31mError:\x1b[0m It failed.\n"
        "  why:  a reason that is longer than sixty columns are wide,\n"
        "        yes\n"
        "  next: do\n"
    ) == stream.getvalue()


def test_recommended_commands_repeat_the_flags() -> None:
    """Options that say which stack is meant go in front of the verb; the sandbox's own verb has none."""
    i18n.repeat_flags("--sandbox --stack 'my bot.yaml'")
    assert "Run `provision --sandbox --stack 'my bot.yaml' resume`." == i18n._(
        "Run `provision resume`."
    )
    assert "Start one in another terminal: `provision sandbox`" == (
        i18n._("Start one in another terminal: `provision sandbox`")
    )


def test_recommended_commands_begin_as_they_are_typed() -> None:
    """Somebody who runs it from a virtual environment that is not active can copy them."""
    i18n.use_program(".venv/bin/provision")
    i18n.repeat_flags("--sandbox")
    assert (
        "Run `.venv/bin/provision --sandbox resume`.",
        "Start one in another terminal: `.venv/bin/provision sandbox`",
        "Try it without AWS:  .venv/bin/provision sandbox",
    ) == (
        i18n._("Run `provision resume`."),
        i18n._("Start one in another terminal: `provision sandbox`"),
        introduction().splitlines()[0],
    )


def test_program_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The path as it was typed, unless the shell finds the program by its name."""
    program = tmp_path / "my bin/provision"
    program.parent.mkdir()
    program.write_text("")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", "/nowhere")
    outside = program_name(str(program))
    monkeypatch.setenv("PATH", str(program.parent))
    inside = program_name(str(program))
    module = program_name("/lib/provision/__main__.py")
    assert (f"'{program}'", "provision", "provision") == (outside, inside, module)


@pytest.mark.parametrize(
    ("now", "tasks", "expected"),
    [
        (
            datetime(2026, 11, 30, 12, tzinfo=UTC),  # a Monday
            1,
            "The bot runs although it is outside its hours, until Sat 2026-12-05 09:00. To stop it now, "
            "until Sat 2026-12-05 08:00: `provision stop`.\n",
        ),
        (datetime(2026, 12, 4, 23, 30, tzinfo=UTC), 1, ""),  # Saturday 8:30 in Tokyo
        (
            datetime(2026, 11, 30, 12, tzinfo=UTC),
            0,
            "All is well: the bot is stopped until Sat 2026-12-05 08:00.\n",
        ),
    ],
)
def test_bot_outside_its_hours(
    now: datetime, tasks: int, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Setup starts a new bot whatever the hours, and says when the schedule stops or starts it."""
    file = StackFile(tmp_path / "stack.yaml")
    file.set("schedule.start", "cron(0 8 ? * SAT,SUN *)")
    file.set("schedule.stop", "cron(0 9 ? * SAT,SUN *)")
    stack = SimpleNamespace(steady_service=SimpleNamespace(desired_count=tasks))
    print_hours(SimpleNamespace(file=file, clock=ManualClock(now.timestamp()), stack=stack))
    assert expected == capsys.readouterr().err


def test_time_in_both_languages() -> None:
    """With the day of the week, which a schedule is about."""
    assert "Sat 2026-12-05 08:00" == day_and_time("2026-12-05T08:00+09:00")
    i18n.use("ja")
    assert "2026/12/5（土）08:00" == day_and_time("2026-12-05T08:00+09:00")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"message": "event", "event": "message", "outcome": "taken"}', "taken"),
        ('{"message": "event", "event": "follow", "outcome": "taken"}', ""),
        ('{"message": "event", "event": "message", "outcome": "refused"}', "refused"),
        ("Traceback (most recent call last):", ""),
        ("[]", ""),
    ],
)
def test_outcome_of_a_message(line: str, expected: str) -> None:
    """From a line of the bot's log; a greeting and other lines are none."""
    assert expected == outcome_of(line)


def say(text: str, chat: str = "U1") -> dict[str, Any]:
    """Return an entry of the sandbox's chat: a person's text."""
    return {"chat": chat, "sender": "U1", "message": {"type": "text", "text": text}}


def answer(*messages: dict[str, Any], chat: str = "U1") -> dict[str, Any]:
    """Return an entry of the sandbox's chat: the bot's messages."""
    return {"chat": chat, "sender": "bot", "messages": list(messages)}


CAROUSEL = {"type": "flex", "altText": "New: " + "a" * 80}
GREETING = answer({"type": "text", "text": "Hello!"})


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        (
            [GREETING, say("latest"), answer(CAROUSEL)],
            f"You wrote: latest\nThe bot answered: New: {'a' * 55}…\nIt works, from LINE to AWS and back.",
        ),
        (
            [
                say("a\nb"),
                answer({"type": "text", "text": "One."}, {"type": "text", "text": "Two\nthree."}),
            ],
            "You wrote: a b\nThe bot answered: One. Two three.\nIt works, from LINE to AWS and back.",
        ),
        (
            [{"chat": "U1", "sender": "U1", "message": {"type": "sticker"}}, GREETING],
            "You wrote: (sticker)\nThe bot answered: Hello!\nIt works, from LINE to AWS and back.",
        ),
        ([{"chat": "U1", "sender": "U1", "event": "follow"}, GREETING], ""),
        ([say("latest", chat="C1"), GREETING], ""),
        ([say("latest"), {"chat": "U1", "sender": "", "reason": "REQUEST_TIMEOUT"}], ""),
        ([say("latest"), {"chat": "U1", "sender": "line", "messages": []}], ""),
        ([], ""),
    ],
)
def test_first_exchange(entries: list[dict[str, Any]], expected: str) -> None:
    """A message and the bot's answer in the same chat; a greeting, LINE's own answer and errors are none."""
    assert expected == exchange(entries)


@pytest.mark.parametrize(
    ("language", "onamae", "squarespace"),
    [
        (
            "en",
            "onamae.com: ネームサーバーの設定 (name servers), ネームサーバーの変更 (change), その他 (other), "
            "その他のネームサーバーを使う (use others)",
            "Squarespace: Domains, the domain, DNS, Domain Nameservers, Use Custom Nameservers",
        ),
        (
            "ja",
            "お名前.com: 「ネームサーバーの設定」→「ネームサーバーの変更」→「その他」→"
            "「その他のネームサーバーを使う」",
            "Squarespace: 「Domains」→ ドメイン名 →「DNS」→「Domain Nameservers」→"
            "「Use Custom Nameservers」",
        ),
    ],
)
def test_registrars_menus_in_their_own_language(
    language: str, onamae: str, squarespace: str
) -> None:
    """Menus are named as the registrar's page shows them, whatever the language of the terminal."""
    i18n.use(language)
    lines = registrar.guide().splitlines()
    assert (onamae, squarespace) == (lines[0], lines[2])
