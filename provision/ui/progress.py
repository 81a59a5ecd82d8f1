"""Print progress, plans and status. Progress is a live table on a terminal, else one line per event."""

import json
import sys
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any

from provision.clock import Clock
from provision.engine.plan import Change, Plan
from provision.i18n import _, can_show
from provision.resources.base import Resource

FINISHED = ("done", "gone", "kept")
COLOURS = {"done": "green", "gone": "green", "kept": "cyan", "waiting": "yellow", "failed": "red"}


def event_labels() -> dict[str, tuple[str, str]]:
    """Return the sign and the text for each event."""
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
    """Print a JSON document on stdout; escape non-ASCII characters if stdout cannot encode them."""
    text = json.dumps(document, ensure_ascii=False, indent=2)
    print(text if can_show(text, sys.stdout) else json.dumps(document, indent=2))


class Progress:
    """Show the progress of a run: a table of resources on a terminal, else one line per event."""

    def __init__(self, resources: Iterable[Resource], clock: Clock, stream: Any = None) -> None:
        self._stream = stream or sys.stderr
        self._clock = clock
        self._started = clock.now()
        self._words = event_labels()
        self._rows: dict[str, tuple[str, str, float]] = {r.key: ("", "", 0.0) for r in resources}
        self._printed: set[tuple[str, str, str]] = set()
        self._details: list[str] = []
        self._screen: Any = None

    def __enter__(self) -> "Progress":
        self._started = self._clock.now()
        if self._stream.isatty():
            from rich.console import Console
            from rich.live import Live

            console = Console(file=self._stream, highlight=False)
            self._screen = Live(get_renderable=self._render, console=console, refresh_per_second=2)
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

    def report(self, event: str, resource: Resource, detail: str) -> None:
        """Show an event; the arguments are those of `executor.Report`."""
        seconds = self._clock.now() - self._started
        before = self._rows.get(resource.key, ("", "", 0.0))
        since = before[2] if before[0] == event else seconds
        self._rows = {**self._rows, resource.key: (event, detail, since)}
        if not self._screen and (resource.key, event, detail) not in self._printed:
            sign, word = self._words[event]
            suffix = f": {detail}" if detail else ""
            print(
                f"{seconds:6.0f} s  {sign} {resource.key}  {word}{suffix}",
                file=self._stream,
                flush=True,
            )
        self._printed.add((resource.key, event, detail))

    def print_message(self, text: str) -> None:
        """Print a text for the person, above the table."""
        if self._screen:
            self._screen.console.print(text, markup=False)
        else:
            print(text, file=self._stream, flush=True)

    def show_details(self, lines: list[str], expected: float) -> None:
        """Show details under the table; without a terminal print the new lines.

        expected: the expected duration in seconds.
        """
        seconds = self._clock.now() - self._started
        if self._screen:
            head = _("{seconds:.0f} s of about {expected:.0f}", seconds=seconds, expected=expected)
            self._details = [head, *lines]
            return
        for line in lines:
            if line not in self._details:
                print(f"{seconds:6.0f} s    {line}", file=self._stream, flush=True)
        self._details = lines

    def _render(self) -> Any:
        """Return the table and the details."""
        from rich.console import Group
        from rich.text import Text

        return Group(self._table(), *(Text(line, overflow="ellipsis") for line in self._details))

    def _table(self) -> Any:
        """Return the table, with a row per resource; omit finished ones if the screen is too small."""
        from rich.table import Table

        table = Table(box=None, show_header=False, pad_edge=False)
        table.add_column()
        table.add_column(no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        rows = dict(self._rows)
        finished = [key for key, (event, _detail, _since) in rows.items() if event in FINISHED]
        if (
            self._screen
            and len(rows) > self._screen.console.height - 2 - len(self._details)
            and len(finished) < len(rows)
        ):
            table.add_row("✓", _("{count} done", count=len(finished)), "", "", style="green")
            rows = {key: row for key, row in rows.items() if key not in finished}
        now = self._clock.now() - self._started
        for key, (event, detail, since) in rows.items():
            sign, word = self._words.get(event, ("·", ""))
            text = f"{word}: {detail}" if detail else word
            waited = f"{now - since:.0f} s" if event and event not in FINISHED else ""
            table.add_row(sign, key, waited, text, style=COLOURS.get(event, "" if event else "dim"))
        return table


def action_labels() -> dict[str, tuple[str, str]]:
    """Return the sign and the text for each action of a plan."""
    return {
        "create": ("+", _("create")),
        "adopt": ("=", _("adopt (yours stays as it is)")),
        "keep": (" ", _("keep")),
        "update": ("~", _("update")),
        "replace": ("±", _("replace")),
        "delete": ("-", _("delete")),
    }


def unknown(reason: str) -> str:
    """Return the text for an unknown action."""
    return _("unknown: {reason}", reason=reason)


def show_plan(plan: Plan, stream: Any, inexact: str = "") -> None:
    """Print the plan with cost and time. inexact: a region without its own prices; "" otherwise."""
    show_steps(plan.steps, stream)
    print(
        _(
            "{changes} changes. About {cost:.2f} USD a month while it runs (list prices, "
            "excluding tax and traffic). Takes about {minutes:.0f} minutes, plus the wait "
            "for your registrar.",
            changes=len(plan.changes),
            cost=plan.monthly_usd,
            minutes=plan.seconds / 60,
        ),
        file=stream,
    )
    if inexact:
        print(price_note(inexact), file=stream)


def show_steps(steps: Sequence[Change], stream: Any) -> None:
    """Print each step with its action, cost and differences."""
    words = action_labels()
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


def price_note(region: str) -> str:
    """Return the note that Tokyo's prices are used for a region."""
    return _("(calculated with Tokyo's prices: there is no price list for {region})", region=region)


def show_status(document: dict[str, Any], stream: Any) -> None:
    """Print the status document: resources with their differences, then tasks, hours and URL."""
    entries = document["resources"]
    width = max((len(entry["key"]) for entry in entries), default=0)
    for entry in entries:
        sign = "✓" if entry["ready"] else "✗" if entry["live"] else "·"
        sign = "?" if entry["ready"] is None else sign
        text = f"  {sign} {entry['key']:{width}}  {entry['state']:9} {entry['reason']}"
        print(text.rstrip(), file=stream)
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


def wrap(text: str) -> str:
    """Return the text wrapped to the terminal's width and indented; wide characters take two columns."""
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True)
    lines = Text(text).wrap(console, max(20, console.width - 3))
    return "".join(f"\n  {line.plain.rstrip()}" for line in lines)
