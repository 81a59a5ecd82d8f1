"""Compare the screens at 60, 80, 120 and 200 columns, in both languages, line by line."""

import io
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from rich.text import Text

from provision import i18n
from provision.cli import findings
from provision.engine.plan import Change, Plan
from provision.errors import ProvisionError
from provision.i18n import _
from provision.resources.base import Difference
from provision.sandbox.clock import ManualClock
from provision.settings import BY_KEY, Settings
from provision.ui.errors import show_error
from provision.ui.progress import Progress
from provision.ui.registrar import guide
from provision.ui.reports import show_plan, show_status, show_steps
from provision.ui.text import columns, indented, show
from provision.verify.tree import Check, Finding
from provision.wizard.prompts import _wrapped
from provision.wizard.questions import FIRST, NETWORK, hours
from tests.golden.golden_files import compare

ADDRESS = "arn:aws:iam::123456789012:role/news-bot"
DENIED = f"AccessDenied: {ADDRESS} is not authorized to perform: ecs:DescribeServices on this"
POLICIES = (
    {"Version": "2012-10-17", "Statement": [{"Sid": "Read", "Action": "*", "Resource": "*"}]},
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "Read", "Action": ["s3:GetObject"], "Resource": "*"},
            {"Sid": "List", "Action": ["s3:ListBucket"], "Resource": "*"},
        ],
    },
)
EVENT = "(service news-bot) registered 1 targets in (target-group targetgroup/news-bot/0123456789abcdef)"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _language() -> Iterator[None]:
    """English again, afterwards."""
    yield
    i18n.use("en")
    i18n.repeat_flags("")


def resource(key: str, expected: int = 0) -> Any:
    """Return what Progress reads of a resource."""
    return SimpleNamespace(key=key, polling=SimpleNamespace(expected=expected))


def questions(stream: Terminal) -> None:
    """The wizard's first questions, and the choices of hours."""
    for key in (*FIRST, *NETWORK):
        setting = BY_KEY[key]
        stream.write(f"? {_wrapped(setting.question())}{indented(setting.explanation())}\n")
    for _value, text in hours(Settings({"domain": "x.jp"})):
        stream.write(f"   {text}\n")


def plan(stream: Terminal) -> None:
    """Created, changed, adopted, unknown."""
    changes = [
        Change("zone/x.jp", "HostedZone", "create", monthly_usd=0.5),
        Change("https/x", "HttpsListener", "update", [Difference("Port", 8443, 443)]),
        Change("task_permissions", "TaskPermissions", "update", [Difference("Policy", *POLICIES)]),
        Change("load_balancer/x", "LoadBalancer", "keep", monthly_usd=28.69),
        Change("network/default", "ExistingNetwork", "adopt"),
        Change("image", "Image", None, reason=DENIED),
    ]
    show_plan(Plan(changes, [], 245), stream)


def status(stream: Terminal) -> None:
    """Ready, waiting, differing, unknown."""

    def entry(key: str, **more: Any) -> dict[str, Any]:
        plain = {"key": key, "state": "created", "reason": "", "drift": []}
        return {**plain, "checked": True, "live": True, "ready": True, **more}

    entries = [
        entry("zone/x"),
        entry("load_balancer/x", ready=False, reason="state: provisioning"),
        entry("image", drift=[{"path": "imageTag", "have": "a" * 20, "want": "b" * 20}]),
        entry("service/x", ready=None, reason=DENIED),
    ]
    document = {
        "resources": entries,
        "paused": False,
        "built": True,
        "tasks": {"running": 0, "wanted": 1, "rollout": [f"ECS: {EVENT}"]},
        "next": {"start": "2026-12-05T08:00+09:00", "stop": "2026-12-05T09:00+09:00"},
        "url": "https://bot.example.jp/webhook",
    }
    show_status(document, stream)


def verify(stream: Terminal, *, verbose: bool = False) -> None:
    """A line for what is OK; NG with the next step. What is skipped because of it is not listed."""
    checks: list[Check[Any]] = [
        Check(_("Domain"), "zone", _("hosted zone"), lambda _context: Finding("OK")),
        Check(_("Bot"), "image", _("image"), lambda _context: Finding("OK")),
        Check("LINE", "active", _('"Use webhook"'), lambda _context: Finding("OK")),
        Check("LINE", "message", _("send a message now"), lambda _context: Finding("OK")),
    ]
    found = {
        "zone": Finding("OK"),
        "image": Finding("OK", "news-bot:provision-0123456789abcdef0123"),
        "active": Finding(
            "NG",
            _(
                '"Use webhook" is off: turn it on at {console} (your channel, tab "Messaging API")',
                console="https://developers.line.biz/console/",
            ),
            _("Run the same command again in a moment."),
        ),
        "message": Finding("SKIP", _("needs: {title}", title=_('"Use webhook"'))),
    }
    show(findings.headline(checks, found), stream)
    findings.show(checks, found, stream, verbose=verbose)


def verify_verbose(stream: Terminal) -> None:
    """Each check: OK, NG with the next step, SKIP."""
    verify(stream, verbose=True)


def teardown(stream: Terminal) -> None:
    """Print the list of a teardown: deletions, and what stays with its reason."""
    changes = [
        Change("zone/x", "HostedZone", "delete", monthly_usd=0.5),
        Change("load_balancer/x", "LoadBalancer", "delete", monthly_usd=28.69),
        Change("https/x", "HttpsListener", "delete"),
    ]
    show_steps(changes, stream)
    shared = _("it belongs to the whole account, costs nothing, and other ECS services may use it")
    role = _("service-linked role of ECS")
    show(_("stays: {key}: {why}", key=role, why=shared), stream, hanging=2)


def error(_stream: Terminal) -> None:
    """Cause and next step."""
    doing = _("Could not look up {key}.", key="service/news-bot")
    show_error(ProvisionError(doing, DENIED, _("Run `provision setup`.")))


def registrar(stream: Terminal) -> None:
    """The name servers stay in sight, and where to enter them."""
    members, clock = [resource("zone/x.jp"), resource("delegation")], ManualClock()
    with Progress(members, clock, stream) as progress:
        progress.report("done", members[0], "")
        servers = [f"    ns-{number}.awsdns-0{number}.example" for number in range(1, 5)]
        progress.pin("delegation", "\n".join(servers), guide())
        waiting = _(
            "{above} doesn't list these name servers yet: {servers}; it lists {named}, which resolvers may "
            "remember for {hours} hours",
            above=_("your registrar"),
            servers=", ".join(server.strip() for server in servers),
            named="ns1.example.jp, ns2.example.jp",
            hours=24,
        )
        progress.report("waiting", members[1], waiting)
        clock.advance(3700)


def build(stream: Terminal) -> None:
    """Certificate, load balancer and tasks at the same time."""
    reasons = {
        "issued_certificate": _("waiting for ACM to find the validation record"),
        "load_balancer/x": _("the load balancer is {state}", state="provisioning"),
        "steady_service": f"{_('{running} of {wanted} tasks running', running=1, wanted=1)}; {EVENT}",
    }
    members, clock = [resource(key, 160) for key in reasons], ManualClock()
    progress = Progress(members, clock, stream)
    progress.expect(245)
    with progress:
        for each in members:
            progress.report("waiting", each, reasons[each.key])
            clock.advance(30)


SCREENS: tuple[Callable[[Terminal], None], ...] = (
    questions,
    plan,
    status,
    verify,
    verify_verbose,
    teardown,
    error,
    registrar,
    build,
)


def test_screens(update: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last frame of what is drawn anew; no line is wider than the window, unless it is one word."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("LINES", "30")
    found: dict[str, dict[str, list[str]]] = {}
    for language in ("en", "ja"):
        i18n.use(language)
        for width in (60, 80, 120, 200):
            monkeypatch.setenv("COLUMNS", str(width))
            shown = found[f"{language} {width:3}"] = {}
            for screen in SCREENS:
                stream = Terminal()
                monkeypatch.setattr("sys.stderr", stream)
                screen(stream)
                text = Text.from_ansi(stream.getvalue().rpartition("\x1b[2K")[2]).plain
                shown[screen.__name__] = [line.rstrip() for line in text.splitlines()]
    compare("screens", found, update)
    wide = [
        line
        for name, screens in found.items()
        for lines in screens.values()
        for line in lines
        if columns(line) > int(name[-3:]) and len(line.split()) > 1
    ]
    assert [] == wide
