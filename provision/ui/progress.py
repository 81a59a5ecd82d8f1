"""Shows what the engine says: a live list on a terminal, one line per event elsewhere (on stderr)."""

import json
import sys
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any

from provision.clock import Clock
from provision.engine.plan import Change, Plan
from provision.i18n import _, can_show
from provision.pricing import YEN, yen
from provision.resources.base import Resource
from provision.ui.text import columns, wrap

ENDED = ("done", "gone", "kept")
COLOURS = {"done": "green", "gone": "green", "kept": "cyan", "waiting": "yellow", "failed": "red"}


def signs() -> dict[str, tuple[str, str]]:
    """Return the sign and the word for each event."""
    return {
        "creating": ("+", _("creating")),
        "updating": ("~", _("updating")),
        "deleting": ("-", _("deleting")),
        "adopted": ("=", _("there already, adopted")),
        "waiting": ("…", _("waiting")),
        "done": ("✓", _("done")),
        "gone": ("✓", _("gone")),
        "kept": ("=", _("kept")),
        "failed": ("✗", _("failed")),
    }


def show_json(document: Any) -> None:
    """Print one JSON document on stdout; with escapes where stdout's encoding lacks a character of it."""
    text = json.dumps(document, ensure_ascii=False, indent=2)
    print(text if can_show(text, sys.stdout) else json.dumps(document, indent=2))


class Progress:
    """Listens to a walk. On a terminal every resource has a line that changes; elsewhere events are lines."""

    def __init__(self, resources: Iterable[Resource], clock: Clock, stream: Any = None) -> None:
        self._stream = stream or sys.stderr
        self._clock = clock
        self._began = clock.now()
        self._words = signs()
        self._rows: dict[str, tuple[str, str, float]] = {r.key: ("", "", 0.0) for r in resources}
        self._told: set[tuple[str, str, str]] = set()
        self._below: list[str] = []
        self._pinned: dict[str, str] = {}
        self._screen: Any = None
        self._console: Any = None

    def __enter__(self) -> "Progress":
        self._began = self._clock.now()
        if self._stream.isatty():
            from rich.console import Console
            from rich.live import Live

            self._console = Console(file=self._stream, highlight=False)
            self._screen = Live(
                get_renderable=self._shown, console=self._console, refresh_per_second=2
            )
            self._screen.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._screen:
            self._screen.stop()

    def tell(self, event: str, resource: Resource, detail: str) -> None:
        """Show one event of a run."""
        seconds = self._clock.now() - self._began
        before = self._rows.get(resource.key, ("", "", 0.0))
        since = before[2] if before[0] == event else seconds
        self._rows = {**self._rows, resource.key: (event, detail, since)}
        if not self._screen and (resource.key, event, detail) not in self._told:
            sign, word = self._words[event]
            said = f": {detail}" if detail else ""
            print(
                f"{seconds:6.0f} s  {sign} {resource.key}  {word}{said}",
                file=self._stream,
                flush=True,
            )
        self._told.add((resource.key, event, detail))
        if event in ENDED:
            self._pinned.pop(resource.key, None)

    def pin(self, key: str, text: str) -> None:
        """Keep a text under the live list until the resource with this key is done."""
        self._pinned[key] = text

    def say(self, text: str) -> None:
        """Print words beside the list: what the person has to do."""
        if self._screen:
            self._console.print(text, markup=False)
        else:
            print(text, file=self._stream, flush=True)

    def below(self, lines: list[str], expected: float) -> None:
        """Show details of the resource that is waited for; without a terminal print what is new.

        expected: seconds that it takes as a rule.
        """
        seconds = self._clock.now() - self._began
        if self._screen:
            head = _("{seconds:.0f} s of about {expected:.0f}", seconds=seconds, expected=expected)
            self._below = [head, *lines]
            return
        for line in lines:
            if line not in self._below:
                print(f"{seconds:6.0f} s    {line}", file=self._stream, flush=True)
        self._below = lines

    def _shown(self) -> Any:
        """Return the list, then the reasons that are too long for it, then what is pinned or watched."""
        from rich.console import Group
        from rich.text import Text

        console = self._console
        pinned = [line for text in self._pinned.values() for line in text.splitlines()]
        notes = [part for line in (*pinned, *self._below) for part in wrap(line, console.width)]
        table, reasons = self._table(console.height - 2 - len(notes), console.width)
        return Group(table, *(Text(line, no_wrap=True) for line in (*reasons, *notes)))

    def _table(self, height: int, width: int) -> tuple[Any, list[str]]:
        """Return the table, and the wrapped reasons that do not fit into it.

        A line per resource; where these are more than `height`, those that are done are counted, then those
        that have not begun.
        """
        from rich.table import Table

        table = Table(box=None, show_header=False, pad_edge=False, expand=True)
        table.add_column()
        table.add_column(no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        rows = dict(self._rows)
        ended = [key for key, (event, _detail, _since) in rows.items() if event in ENDED]
        if len(rows) > height and len(ended) < len(rows):
            table.add_row("✓", _("{count} done", count=len(ended)), "", "", style="green")
            rows = {key: row for key, row in rows.items() if key not in ended}
        later = [key for key, (event, _detail, _since) in rows.items() if not event]
        if len(rows) > height and later:
            rows = {key: row for key, row in rows.items() if key not in later}
        else:
            later = []
        now = self._clock.now() - self._began
        room = width - max((columns(key) for key in rows), default=0) - 12  # sign, seconds, gaps
        reasons: list[str] = []
        for key, (event, detail, since) in rows.items():
            sign, word = self._words.get(event, ("·", ""))
            text = f"{word}: {detail}" if detail else word
            if columns(text) > room:
                reasons += wrap(f"{key}: {detail}", width)
                text = word
            waited = f"{now - since:.0f} s" if event and event not in ENDED else ""
            table.add_row(sign, key, waited, text, style=COLOURS.get(event, "" if event else "dim"))
        if later:
            table.add_row("·", _("{count} to come", count=len(later)), "", "", style="dim")
        return table, reasons[: max(0, height - len(rows))]


def actions() -> dict[str, tuple[str, str]]:
    """Return sign and word for each action of a plan."""
    return {
        "create": ("+", _("create")),
        "adopt": ("=", _("adopt (yours stays as it is)")),
        "keep": (" ", _("keep")),
        "update": ("~", _("update")),
        "replace": ("±", _("replace")),
        "delete": ("-", _("delete")),
    }


def unknown(reason: str) -> str:
    """Return the word for what could not be looked at."""
    return _("unknown: {reason}", reason=reason)


def show_plan(plan: Plan, stream: Any, inexact: str = "") -> None:
    """Print the plan as a list, with cost and time. inexact: a region that has no price list here."""
    show_steps(plan.steps, stream)
    print(
        _(
            "{changes} changes. Takes about {minutes:.0f} minutes, plus the wait for your registrar.\n"
            "About {cost:.2f} USD ({yen} yen) a month while it runs (list prices without tax and traffic; "
            "{rate} yen to the dollar).",
            changes=len(plan.changes),
            cost=plan.monthly_usd,
            yen=yen(plan.monthly_usd),
            rate=YEN,
            minutes=plan.seconds / 60,
        ),
        file=stream,
    )
    if inexact:
        print(unlisted(inexact), file=stream)


def show_steps(steps: Sequence[Change], stream: Any) -> None:
    """Print what would be done with each, and what differs."""
    words = actions()
    width = max((len(step.key) for step in steps), default=0)
    for step in steps:
        sign, word = words[step.action] if step.action else ("?", unknown(step.reason))
        cost = f"{step.monthly_usd:8.2f}" if step.monthly_usd else " " * 8
        print(f"  {sign} {step.key:{width}} {cost}  {word}", file=stream)
        for difference in step.differences:
            print(
                f"      {difference.path}: {difference.have!r} -> {difference.want!r}", file=stream
            )
        for note in step.notes:
            print(f"      {note}", file=stream)


def unlisted(region: str) -> str:
    """Return the sentence that a region is calculated with Tokyo's prices."""
    return _("(reckoned with Tokyo's prices: those of {region} are not listed here)", region=region)


def headline(document: dict[str, Any]) -> str:
    """Return the one sentence that sums up what `status --json` says."""
    entries = document["resources"]
    unknown = [entry for entry in entries if None in (entry["live"], entry["ready"])]
    differing = [entry for entry in entries if entry["drift"]]
    waiting = [entry for entry in entries if entry["ready"] is False]
    if unknown:
        return _("{count} resources could not be looked at.", count=len(unknown))
    if document["paused"]:
        return _("Paused: `provision resume` creates again what the pause deleted.")
    if not any(entry["live"] for entry in entries if entry["state"] != "milestone"):
        return _("Nothing is built yet: `provision setup`.")
    if differing:
        return _("{count} resources differ: `provision plan` shows how.", count=len(differing))
    if waiting:
        return _("{count} resources are not ready.", count=len(waiting))
    return _("All is well.")


def show_status(document: dict[str, Any], stream: Any) -> None:
    """Show a headline, each resource (ready or why not, and its differences), tasks, hours and URL."""
    print(headline(document), file=stream)
    entries = document["resources"]
    width = max((len(entry["key"]) for entry in entries), default=0)
    for entry in entries:
        sign = "✓" if entry["ready"] else "✗" if entry["live"] else "·"
        sign = "?" if entry["ready"] is None else sign
        told = f"  {sign} {entry['key']:{width}}  {entry['state']:9} {entry['reason']}"
        print(told.rstrip(), file=stream)
        for drift in entry["drift"] or []:
            print(f"      {drift['path']}: {drift['have']!r} -> {drift['want']!r}", file=stream)
    tasks = document["tasks"]
    if tasks["running"] is None:
        print(_("Tasks: unknown: {reason}", reason=tasks["reason"]), file=stream)
    else:
        print(_("Tasks: {running} of {wanted} run", **tasks), file=stream)
    for line in tasks["rollout"]:
        print(f"  {line}", file=stream)
    if document["next"]["start"] and document["next"]["stop"]:
        print(_("Next start {start}, next stop {stop}", **document["next"]), file=stream)
    print(_("The bot's URL: {url}", url=document["url"]), file=stream)
