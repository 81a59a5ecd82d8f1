"""Show the progress of a run on stderr: a live list of its steps on a terminal, else a line per event."""

import os
import sys
import termios
from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from provision.clock import Clock
from provision.i18n import _, one_line
from provision.resources.base import Resource
from provision.ui.names import by_step, name_of
from provision.ui.text import columns, echo, printable, wrap

FINISHED = ("done", "gone", "survives", "kept")
BELL_AFTER = 60.0  # seconds of a wait at whose end the terminal rings
COLOURS = {
    "done": "green",
    "gone": "green",
    "survives": "cyan",
    "kept": "cyan",
    "waiting": "yellow",
    "failed": "red",
}


def event_labels() -> dict[str, tuple[str, str]]:
    """Return the sign and the text for each event."""
    return {
        "creating": ("+", _("creating")),
        "updating": ("~", _("updating")),
        "deleting": ("-", _("deleting")),
        "adopted": ("=", _("there already, adopted")),
        "waiting": (">", _("waiting")),
        "done": ("✓", _("done")),
        "gone": ("✓", _("gone")),
        "survives": ("=", _("stays: it cannot be deleted")),
        "kept": ("=", _("kept")),
        "failed": ("✗", _("failed")),
    }


def clock_time(seconds: float) -> str:
    """Return a duration as minutes and seconds, 1:05, or with hours, 1:00:05."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _in_foreground() -> bool:
    """Return whether the keyboard is this process's; a shell's background job may not change the terminal."""
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except OSError:  # not the controlling terminal, so no shell's
        return True


@dataclass(frozen=True)
class _Row:
    """The last event of a resource. since: seconds from the beginning of the run."""

    event: str = ""
    detail: str = ""
    since: float = 0.0


class Progress:
    """Show the progress of a run: a row per step on a terminal, else a line per event."""

    def __init__(self, resources: Iterable[Resource], clock: Clock, stream: Any = None) -> None:
        self._stream = stream or sys.stderr
        self._clock = clock
        self._started = clock.now()
        self._words = event_labels()
        resources = list(resources)
        self._rows = {resource.key: _Row() for resource in resources}
        self._expected = {  # seconds; how long a person takes is not known
            r.key: 0 if getattr(r, "outside", False) else r.polling.expected for r in resources
        }
        self._total = 0.0
        self._printed: set[tuple[str, str, str]] = set()
        self._details: list[str] = []
        self._pinned: dict[str, tuple[str, str]] = {}
        self._screen: Any = None
        self._console: Any = None
        self._frame: Any = None
        self._keyboard: list[Any] | None = None  # the terminal's attributes before the live list

    def expect(self, seconds: float) -> None:
        """Show beside the time that has passed how long the whole is expected to take."""
        self._total = seconds

    def __enter__(self) -> "Progress":
        self._started = self._clock.now()
        if self._stream.isatty() and os.environ.get("TERM") != "dumb":  # which cannot redraw lines
            from rich.console import Console
            from rich.live import Live

            from provision.ui.frame import Frame

            self._console = Console(file=self._stream, highlight=False, markup=False, emoji=False)
            self._frame = Frame(self._console)
            self._screen = Live(
                get_renderable=self._render, console=self._console, refresh_per_second=2
            )
            self._screen.start()
            self._stop_echo()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._screen:
            self._screen.stop()
            self._ring(self._clock.now() - self._started)
        if self._keyboard and _in_foreground():
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, self._keyboard)

    def _stop_echo(self) -> None:
        """Stop the terminal from showing what is typed: an Enter would leave a line of the list behind."""
        if sys.stdin.isatty() and _in_foreground():
            self._keyboard = termios.tcgetattr(sys.stdin)
            changed = termios.tcgetattr(sys.stdin)
            changed[3] &= ~(termios.ECHO | termios.ECHONL)
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, changed)

    def _ring(self, seconds: float) -> None:
        """Ring the terminal's bell after a wait that was long enough to look away."""
        if self._screen and seconds >= BELL_AFTER:
            self._console.bell()

    def report(self, event: str, resource: Resource, detail: str) -> None:
        """Show an event; the arguments are those of `executor.Report`."""
        detail = printable(one_line(detail))
        seconds = self._clock.now() - self._started
        before = self._rows.get(resource.key, _Row())
        since = before.since if before.event == event else seconds
        ended = before.event == "waiting" and event in (*FINISHED, "failed")
        if ended and resource.key in self._pinned:
            self._ring(seconds - before.since)
        self._rows = {**self._rows, resource.key: _Row(event, detail, since)}
        if event == "deleting":
            self._expected[resource.key] = 0  # known only of its creation
        if not self._screen and (resource.key, event, detail) not in self._printed:
            sign, word = self._words[event]
            suffix = f": {detail}" if detail else ""
            echo(f"{seconds:6.0f} s  {sign} {resource.key}  {word}{suffix}", self._stream)
        self._printed.add((resource.key, event, detail))
        if event in FINISHED:
            self._pinned.pop(resource.key, None)

    def pin(self, key: str, text: str, more: str = "") -> None:
        """Keep a text under the table until the resource with this key is done; `more` if there is room."""
        self._pinned[key] = (text, more)

    def print_message(self, text: str) -> None:
        """Print a text for the person, above the table."""
        if self._screen:
            # What can be copied, such as a name server, is not broken into lines.
            lines = [
                line
                for paragraph in printable(text).splitlines()
                for line in (
                    [paragraph]
                    if paragraph.startswith(" ")
                    else wrap(paragraph, self._console.width)
                )
            ]
            self._screen.refresh()  # in case the terminal has another size by now
            self._console.print("\n".join(lines), soft_wrap=True)
        else:
            echo(text, self._stream)

    def show_details(self, lines: list[str]) -> None:
        """Show details under the table; without a terminal print the new lines."""
        seconds = self._clock.now() - self._started
        for line in lines:
            if not self._screen and line not in self._details:
                echo(f"{seconds:6.0f} s    {line}", self._stream)
        self._details = lines

    def _render(self) -> Any:
        """Return the steps, the reasons that are too long for them, the pinned texts and the details."""
        from rich.cells import chop_cells
        from rich.text import Text

        size = self._console.size

        def wrapped(lines: Iterable[str]) -> list[str]:
            parts = (part for line in lines for part in wrap(line, size.width))
            return [piece for part in parts for piece in chop_cells(part, size.width) or [""]]

        rows, reasons = self._steps(size.width)
        pinned = [line for text, _more in self._pinned.values() for line in text.splitlines()]
        notes = wrapped([*pinned, *self._details])
        more = wrapped(line for _text, more in self._pinned.values() for line in more.splitlines())
        if len(rows) + 1 + len(notes) > size.height:
            rows, reasons = self._steps(size.width, finished=False)
        room = max(0, size.height - 3 - len(rows) - len(notes))
        reasons = reasons[:room]
        if len(more) > room - len(reasons):
            more = []
        lines = [printable(line) for line in (self._duration(), *reasons, *notes, *more)]
        return self._frame.fit([*rows, *map(Text, lines)])

    def _duration(self) -> str:
        """Return how long the run has taken so far, and how long it is expected to take."""
        passed = clock_time(self._clock.now() - self._started)
        if not self._total:
            return _("{passed} so far", passed=passed)
        return _("{passed} so far, of about {total}", passed=passed, total=clock_time(self._total))

    def _steps(self, width: int, *, finished: bool = True) -> tuple[list[Any], list[str]]:
        """Return a line per step, and the wrapped reasons that do not fit into it.

        finished: steps that are finished have a line, too.
        """
        from rich.text import Text

        rows, now = dict(self._rows), self._clock.now() - self._started
        groups = by_step(rows)
        widest = max(map(columns, groups), default=0)
        room = width - widest - 17  # sign, times, gaps
        shown: list[tuple[str, str, str, str, str]] = []  # sign, step, seconds, text, style
        reasons: list[str] = []
        for step, keys in groups.items():
            done = sum(rows[key].event in FINISHED for key in keys)
            begun = {key: rows[key] for key in keys if rows[key].event not in ("", *FINISHED)}
            if done == len(keys):
                event = rows[keys[-1]].event
                if finished:
                    shown.append((self._words[event][0], step, "", "", COLOURS[event]))
                continue
            text = f"{done}/{len(keys)}"
            if not begun:
                shown.append((".", step, "", text, "dim"))
                continue
            key, row = min(
                begun.items(), key=lambda item: (item[1].event != "failed", item[1].since)
            )
            texts = [
                f"{name_of(key)}: {row.detail or self._words[row.event][1]}"
                for key, row in begun.items()
            ]
            if len(texts) == 1 and columns(texts[0]) <= room:
                text = texts[0]
            else:
                reasons += [line for each in texts for line in wrap(each, width)]
            seconds, expected = clock_time(now - row.since), self._expected.get(key, 0)
            if expected > 1 and row.event == "waiting":
                seconds += f"/{clock_time(expected)}"
            sign, style = self._words[row.event][0], COLOURS.get(row.event, "")
            shown.append((sign, step, seconds, text, style))
        longest = max((len(seconds) for _s, _step, seconds, _t, _style in shown), default=0)
        return [
            Text(
                f"{sign}  {step}{'':{widest - columns(step)}}  {seconds:>{longest}}  {text}".rstrip(),
                style=style,
            )
            for sign, step, seconds, text, style in shown
        ], reasons
