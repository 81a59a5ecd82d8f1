"""Show the progress of a run on stderr: a live list of its steps on a terminal, else a line per event."""

import sys
from collections.abc import Iterable
from types import TracebackType
from typing import Any

from provision.clock import Clock
from provision.i18n import _
from provision.resources.base import Resource
from provision.ui.names import by_step, name_of
from provision.ui.text import columns, wrap

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


class Progress:
    """Show the progress of a run: a row per step on a terminal, else a line per event."""

    def __init__(self, resources: Iterable[Resource], clock: Clock, stream: Any = None) -> None:
        self._stream = stream or sys.stderr
        self._clock = clock
        self._started = clock.now()
        self._words = event_labels()
        self._rows: dict[str, tuple[str, str, float]] = {r.key: ("", "", 0.0) for r in resources}
        self._printed: set[tuple[str, str, str]] = set()
        self._details: list[str] = []
        self._pinned: dict[str, str] = {}
        self._screen: Any = None
        self._console: Any = None

    def __enter__(self) -> "Progress":
        self._started = self._clock.now()
        if self._stream.isatty():
            from rich.console import Console
            from rich.live import Live

            self._console = Console(file=self._stream, highlight=False)
            self._screen = Live(
                get_renderable=self._render, console=self._console, refresh_per_second=2
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
        if event in FINISHED:
            self._pinned.pop(resource.key, None)

    def pin(self, key: str, text: str) -> None:
        """Keep a text under the table until the resource with this key is done."""
        self._pinned[key] = text

    def print_message(self, text: str) -> None:
        """Print a text for the person, above the table."""
        if self._screen:
            self._console.print("\n".join(wrap(text, self._console.width)), markup=False)
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
        """Return the table, the reasons that are too long for it, the pinned texts and the details."""
        from rich.console import Group
        from rich.text import Text

        console = self._console
        pinned = [line for text in self._pinned.values() for line in text.splitlines()]
        notes = [part for line in (*pinned, *self._details) for part in wrap(line, console.width)]
        table, reasons = self._table(console.width)
        room = max(0, console.height - 2 - table.row_count - len(notes))
        return Group(table, *(Text(line, no_wrap=True) for line in (*reasons[:room], *notes)))

    def _table(self, width: int) -> tuple[Any, list[str]]:
        """Return a table with a line per step, and the wrapped reasons that do not fit into it."""
        from rich.table import Table

        table = Table(box=None, show_header=False, pad_edge=False, expand=True)
        table.add_column()
        table.add_column(no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        rows, now = dict(self._rows), self._clock.now() - self._started
        groups = by_step(rows)
        room = width - max(map(columns, groups), default=0) - 12  # sign, seconds, gaps
        reasons: list[str] = []
        for step, keys in groups.items():
            done = sum(rows[key][0] in FINISHED for key in keys)
            begun = [
                (*rows[key], name_of(key)) for key in keys if rows[key][0] not in ("", *FINISHED)
            ]
            if done == len(keys):
                event = rows[keys[-1]][0]
                table.add_row(self._words[event][0], step, "", "", style=COLOURS[event])
                continue
            text = f"{done}/{len(keys)}"
            if not begun:
                table.add_row("·", step, "", text, style="dim")
                continue
            event, _text, since, _name = min(begun, key=lambda each: (each[0] != "failed", each[2]))
            told = [
                f"{name}: {detail or self._words[what][1]}" for what, detail, _at, name in begun
            ]
            if len(told) == 1 and columns(told[0]) <= room:
                text = told[0]
            else:
                reasons += [line for each in told for line in wrap(each, width)]
            seconds, style = f"{now - since:.0f} s", COLOURS.get(event, "")
            table.add_row(self._words[event][0], step, seconds, text, style=style)
        return table, reasons
