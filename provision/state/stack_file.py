"""stack.yaml: settings in, records out, replaced whole.

Upper half: the person's settings. Lower half (`made_in`, `sandbox`, `paused`, `resources`): what exists,
written by provision before and after every mutation. A write is a temporary file in the same folder, fsync,
os.replace.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from provision.errors import UsageError, os_error
from provision.i18n import _
from provision.settings import BY_KEY, Settings
from provision.state import atomic_file, backup, yaml_edit, yaml_text
from provision.state.lock import locked
from provision.state.records import FRESH, read_made_in, read_paused, read_records, read_sandbox
from provision.state.records import Record as Record
from provision.state.records import State as State
from provision.state.yaml_text import MARK

LOWER_HALF = ("made_in", "sandbox", "paused", "resources")
HEADING = "# What exists, written by provision. Your settings are above."


class Damaged(UsageError):
    """The file cannot be read: its line, why, and what to do. It was not changed."""


class StackFile:
    """One stack.yaml on disk."""

    def __init__(self, path: Path, disk: atomic_file.Disk = os) -> None:
        self.path, self._disk = path, disk
        self.on_trial = False  # nothing is written: what is said and found counts for this run only
        self._given: dict[str, Any] = {}
        self.trial: dict[
            str, Any
        ] = {}  # said for this run only; it comes before what the file says
        self._lines: dict[str, int] = {}
        self._text = self._load()
        try:
            self._upper = _upper_half(self._text)
            self._read(self._text.removeprefix(MARK))
        except yaml_text.Malformed as error:
            raise self.damaged(error.line, error.why) from None
        self._cut_off()
        self._same = self._composed()

    @property
    def last(self) -> dict[str, Record]:
        """The records as the last good copy had them when this was first asked."""
        return self._last[1]

    @property
    def last_made_in(self) -> dict[str, str]:
        """Account and region as the last good copy had them."""
        return self._last[0]

    @cached_property
    def _last(self) -> tuple[dict[str, str], dict[str, Record]]:
        return backup.lower_half(self.path)

    def _load(self) -> str:
        """The file as it is now; "" where there is none. Raises ProvisionError."""
        try:
            content = self.path.read_bytes()
            return content.decode("utf-8")
        except FileNotFoundError:
            return ""
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            raise self.damaged(line, _("it is not UTF-8 text: {error}", error=error)) from None
        except OSError as error:
            raise os_error(_("Reading the settings in {path}.", path=self.path), error) from None

    def damaged(self, line: int, why: str) -> "Damaged":
        """What is wrong with which line, and what to do."""
        doing = _("Reading {path}, line {line}.", path=self.path, line=line)
        return Damaged(doing, why, backup.advice(self.path))

    def _cut_off(self) -> None:
        """Raises Damaged where the file ends in the middle of what was written."""
        written = backup.read(self.path).rstrip()
        if self._text.strip():
            cut = not self._text.endswith(("\n", "\r")) and written.startswith(self._text)
        else:
            cut = bool(written) and self.path.exists()
        if cut and len(self._text) < len(written):
            line = max(1, len(self._text.splitlines()))
            raise self.damaged(line, _("the file ends here, and the last good copy goes on"))

    def _read(self, text: str) -> None:
        node = yaml_text.compose(text)
        entries = {key: (at, value) for key, at, value in yaml_text.pairs(node)} if node else {}
        for leaf in _settings([entries[key] for key in entries if key not in LOWER_HALF]):
            self._read_setting(leaf)
        self.made_in = read_made_in(entries.get("made_in"))
        self.made_in_line = entries["made_in"][0].start_mark.line + 1 if "made_in" in entries else 0
        self.sandbox = read_sandbox(entries.get("sandbox"))
        self.paused = read_paused(entries.get("paused"))
        self.records = read_records(entries.get("resources"))
        conflict = self.settings.conflict()
        if conflict and conflict[0] in self._lines:
            why = _("{key} takes {wanted}", key=conflict[0], wanted=conflict[1])
            raise yaml_text.Malformed(self._lines[conflict[0]], why)

    def _read_setting(self, leaf: yaml_text.Leaf) -> None:
        key, empty = leaf.key, leaf.value in ("", "~", "null", "Null", "NULL")
        if empty and any(known.startswith(f"{key}.") for known in BY_KEY):
            return  # a heading whose settings are all commented out
        if key not in BY_KEY:
            raise yaml_text.Malformed(leaf.line, _("there is no setting {key}", key=key))
        if key in self._lines:
            raise yaml_text.Malformed(leaf.line, _("{key} stands here twice", key=key))
        self._lines[key] = leaf.line
        if empty:
            return
        try:
            self._given[key] = BY_KEY[key].read(leaf.value)
        except ValueError as error:
            why = _("{key} takes {wanted}", key=key, wanted=error)
            raise yaml_text.Malformed(leaf.line, why) from None

    @property
    def settings(self) -> Settings:
        """The upper half, as it counts in this run."""
        return Settings({**self._given, **self.trial})

    def stands(self, key: str) -> bool:
        """Whether the setting was answered, be it with nothing."""
        return key in self.trial or self.written(key)

    def written(self, key: str) -> bool:
        """Return whether the file itself answers the setting, be it with nothing."""
        return key in self._given or key in self._lines

    def region(self, from_environment: str | None) -> str:
        """The region: as set, else where things were made, else the environment's, else the default."""
        if self.stands("region"):
            return str(self.settings["region"])
        return self.made_in.get("region") or from_environment or str(self.settings["region"])

    def answer(self, key: str, value: str | list[str], *, save: bool = True) -> None:
        """Sets one setting; with `save` as a line in the file at once, else on trial. Raises Usage."""
        try:
            parsed = BY_KEY[key].read(value)
        except ValueError as error:
            raise UsageError(
                _("Setting {key}.", key=key),
                _("{key} takes {wanted}", key=key, wanted=error),
                _("Give another value."),
            ) from None
        if not save:
            self.trial[key] = parsed
            return
        self.trial.pop(key, None)
        if self._given.get(key) == parsed:
            return
        try:
            self._take_over_edits()
            self._upper = yaml_edit.insert(self._upper, key, parsed)
        except yaml_text.Malformed as error:
            raise self.damaged(error.line, error.why) from None
        self._given[key] = parsed
        self.save()

    def record(self, key: str, record: Record) -> None:
        """Writes down one resource. On disk when this returns."""
        self.records = {**self.records, key: record}
        self.save()

    def begin(self, key: str, record: Record) -> None:
        """Write down that a create call begins at `record.since`. On disk when this returns.

        The same write renews every record in state `creating`: their calls are about to begin too, and then
        need no write of their own. Otherwise a run that always dies at its second write would get nowhere.
        """
        known = self.records.get(key, Record("", "created"))
        recent = 0 <= record.since - known.since < FRESH / 2
        if recent and known == replace(record, since=known.since):
            return
        renewed = {
            name: replace(one, since=record.since) if one.state == "creating" else one
            for name, one in self.records.items()
        }
        self.records = {**renewed, key: record}
        self.save()

    def forget(self, key: str) -> None:
        """Strikes one resource out. On disk when this returns."""
        if key not in self.records:
            return
        self.records = {known: of for known, of in self.records.items() if known != key}
        if not self.records:
            self.made_in = {}
        self.save()

    def enter_sandbox(self, id: str) -> bool:
        """Note the sandbox in use, and drop what another one had. Return whether anything was dropped.

        What a sandbox had ends with it. The next write puts both on disk.
        """
        ended = self.sandbox not in ("", id) and bool(self.made_in)
        if ended:
            self.records, self.made_in, self.paused = {}, {}, False
        self.sandbox = id
        return ended

    def sort(self, keys: list[str]) -> None:
        """The records in this order, those of no key in it first. The next write puts it on disk."""
        place = {key: number for number, key in enumerate(keys)}
        self.records = dict(sorted(self.records.items(), key=lambda item: place.get(item[0], -1)))

    def mark_paused(self, paused: bool) -> None:
        """The one mark of a pause. On disk when this returns."""
        if self.paused != paused:
            self.paused = paused
            self.save()

    def save(self) -> None:
        """Replaces the file whole, keeping its mode (0600 for a new one). On disk when this returns."""
        if self.on_trial:
            return
        try:
            self._take_over_edits()
        except yaml_text.Malformed as error:
            raise self.damaged(error.line, error.why) from None
        text = self._composed()
        if text == self._same and self.path.exists():
            return
        try:
            content = text.encode("utf-8")
            atomic_file.replace(self.path, content, disk=self._disk, through_link=True)
        except OSError as error:
            raise os_error(_("Writing {path}.", path=self.path), error) from None
        self._text = self._same = text
        backup.keep(self.path, text)

    def keep(self) -> None:
        """Remembers the file as it was read, beside it: it was good."""
        if self._text and not self.on_trial:
            backup.keep(self.path, self._text)

    def _take_over_edits(self) -> None:
        """The settings as somebody has edited them since we read them; they count from the next run on."""
        text = self._load()
        if text not in ("", self._text):
            self._upper = _upper_half(text)
            self._text, self._same = text, ""

    def _composed(self) -> str:
        lower: dict[str, Any] = {}
        if self.made_in:
            lower["made_in"] = self.made_in
            if self.sandbox:
                lower["sandbox"] = self.sandbox
        if self.paused:
            lower["paused"] = "true"
        if self.records:
            lower["resources"] = {key: record.shown() for key, record in self.records.items()}
        if not lower:
            return self._upper
        upper = self._upper.removeprefix(MARK)
        end = yaml_edit.line_break(upper)
        ended = end if upper and not upper.endswith(("\n", "\r")) else ""
        block = yaml_edit.indented(yaml_text.dump(lower), yaml_edit.column(upper))
        return self._upper + ended + f"\n{HEADING}\n{block}".replace("\n", end)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One run at a time per stack; a dead holder's lock is free. Raises ProvisionError."""
        with locked(self.path):
            atomic_file.sweep(backup.place(self.path), through_link=False)
            yield


def _upper_half(text: str) -> str:
    """The text without the lower half and its heading, with its byte order mark."""
    body = text.removeprefix(MARK)
    lines = yaml_edit.without(body, LOWER_HALF).splitlines(keepends=True)
    while place := next((n for n, line in enumerate(lines) if line.strip() == HEADING), -1) + 1:
        blank = place > 1 and not lines[place - 2].strip()
        del lines[place - 2 if blank else place - 1 : place]
    return text[: len(text) - len(body)] + "".join(lines)


def _settings(entries: list[tuple[Any, Any]]) -> Iterator[yaml_text.Leaf]:
    """The upper half's values, dotted."""
    if entries:
        yield from yaml_text.leaves(yaml.MappingNode("", entries))
