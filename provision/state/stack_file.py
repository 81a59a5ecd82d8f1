"""Read and write stack.yaml: the settings and the records.

The upper half has the settings. Provision writes the lower half (`made_in`, `sandbox`, `paused`, `resources`)
before and after every change: a temporary file in the same folder, fsync, os.replace.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from provision.errors import UsageError, os_error
from provision.i18n import _
from provision.settings import BY_KEY, Settings, read_setting
from provision.state import atomic_file, backup, yaml_edit, yaml_text
from provision.state.lock import locked
from provision.state.records import (
    FRESH,
    STOPPED,
    read_made_in,
    read_paused,
    read_records,
    read_sandbox,
)
from provision.state.records import Record as Record
from provision.state.records import State as State
from provision.state.yaml_text import MARK

LOWER_HALF = ("made_in", "sandbox", "paused", "resources")
HEADING = "# What exists, written by provision. Your settings are above."


class Damaged(UsageError):
    """The file is invalid. The message has the line, the reason and what to do."""


class StackFile:
    """One stack.yaml on disk."""

    def __init__(self, path: Path, disk: atomic_file.Disk = os) -> None:
        self.path, self._disk = path, disk
        self.read_only = False  # write nothing: changes are for this run only
        self._values: dict[str, Any] = {}
        # Settings for this run only; they override the file's.
        self.overrides: dict[str, Any] = {}
        self._lines: dict[str, int] = {}
        self._blocks: dict[str, tuple[dict[str, Any], str]] = {}  # each record as last composed
        self._text = self._load()
        try:
            self._upper = _upper_half(self._text)
            self._read(self._text.removeprefix(MARK))
        except yaml_text.Malformed as error:
            raise self.damaged(error.line, error.why) from None
        self._check_truncated()
        self._written_text = self._compose()

    @property
    def last(self) -> dict[str, Record]:
        """Return the records of the backup, as it was when first read."""
        return self._last[1]

    @property
    def last_made_in(self) -> dict[str, str]:
        """Return account and region of the backup."""
        return self._last[0]

    @cached_property
    def _last(self) -> tuple[dict[str, str], dict[str, Record]]:
        return backup.lower_half(self.path)

    def _load(self) -> str:
        """Return the file's current text; "" without a file. Raise ProvisionError."""
        if self.path.exists() and not self.path.is_file():  # a pipe would be waited for without end
            raise UsageError(
                _("Could not read the settings in {path}.", path=self.path),
                _("it is a folder, a pipe or a device"),
                _("Name a file: --stack FILE."),
            )
        try:
            with self.path.open("rb") as file:
                content = file.read(yaml_text.MAX_BYTES + 1)
            if len(content) > yaml_text.MAX_BYTES:
                raise UsageError(
                    _("Could not read the settings in {path}.", path=self.path),
                    _("it is larger than {limit} bytes", limit=yaml_text.MAX_BYTES),
                    _("Name a stack.yaml: --stack FILE."),
                )
            return content.decode("utf-8")
        except FileNotFoundError:
            return ""
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            why = _("it is not UTF-8 text: save it as UTF-8 in an editor")
            raise self.damaged(line, why) from None
        except OSError as error:
            raise os_error(
                _("Could not read the settings in {path}.", path=self.path), error
            ) from None

    def damaged(self, line: int, why: str) -> "Damaged":
        """Return the error for a line of the file."""
        doing = _("Could not read {path}, line {line}.", path=self.path, line=line)
        return Damaged(doing, why, backup.advice(self.path))

    def _check_truncated(self) -> None:
        """Raise Damaged if the file is a truncated copy of the backup."""
        in_file = backup.read(self.path).rstrip()
        if self._text.strip():
            cut = not self._text.endswith(("\n", "\r")) and in_file.startswith(self._text)
        else:
            cut = bool(in_file) and self.path.exists()
        if cut and len(self._text) < len(in_file):
            line = max(1, len(self._text.splitlines()))
            raise self.damaged(line, _("the file ends here, but the last valid backup is longer"))

    def _read(self, text: str) -> None:
        node = yaml_text.compose(text)
        entries = {key: (at, value) for key, at, value in yaml_text.pairs(node)} if node else {}
        for leaf in _settings([entries[key] for key in entries if key not in LOWER_HALF]):
            self._read_setting(leaf)
        self.made_in = read_made_in(entries.get("made_in"))
        self.made_in_line = entries["made_in"][0].start_mark.line + 1 if "made_in" in entries else 0
        self.sandbox = read_sandbox(entries.get("sandbox"))
        self.paused, self.stopped = read_paused(entries.get("paused"))
        self.records = read_records(entries.get("resources"))
        conflict = self.settings.conflict()
        if conflict and conflict[0] in self._lines:
            why = _("{key} takes {wanted}", key=conflict[0], wanted=conflict[1])
            raise yaml_text.Malformed(self._lines[conflict[0]], why)

    def _read_setting(self, leaf: yaml_text.Leaf) -> None:
        key, empty = leaf.key, leaf.value in ("", "~", "null", "Null", "NULL")
        if empty and any(known.startswith(f"{key}.") for known in BY_KEY):
            return  # a group whose settings are all commented out
        if key not in BY_KEY:
            raise yaml_text.Malformed(leaf.line, _("there is no setting {key}", key=key))
        if key in self._lines:
            raise yaml_text.Malformed(leaf.line, _("{key} appears twice", key=key))
        self._lines[key] = leaf.line
        if empty:
            return
        try:
            self._values[key] = BY_KEY[key].read(leaf.value)
        except ValueError as error:
            why = _("{key} takes {wanted}", key=key, wanted=error)
            raise yaml_text.Malformed(leaf.line, why) from None

    @property
    def settings(self) -> Settings:
        """Return the settings as they apply in this run."""
        return Settings({**self._values, **self.overrides})

    def has_value(self, key: str) -> bool:
        """Return whether the setting has a value in this run, even an empty one."""
        return key in self.overrides or self.in_file(key)

    def in_file(self, key: str) -> bool:
        """Return whether the file has the setting, even an empty one."""
        return key in self._values or key in self._lines

    def region(self, configured: Callable[[], str]) -> str:
        """Return the region: the setting's, else the records', the configured one or the default."""
        if self.has_value("region"):
            return str(self.settings["region"])
        return self.made_in.get("region") or configured() or str(self.settings["region"])

    def set(self, key: str, value: str | list[str], *, save: bool = True) -> None:
        """Set a setting. save: write it to the file; otherwise for this run only. Raise UsageError."""
        parsed = read_setting(key, value)
        if not save:
            self.overrides[key] = parsed
            return
        self.overrides.pop(key, None)
        if self._values.get(key) == parsed:
            return
        try:
            self._take_over_edits()
            self._upper = yaml_edit.insert(self._upper, key, parsed)
        except yaml_text.Malformed as error:
            raise self.damaged(error.line, error.why) from None
        self._values[key] = parsed
        self.save()

    def record(self, key: str, record: Record) -> None:
        """Write one resource's record. It is on the disk when this returns."""
        self.records = {**self.records, key: record}
        self.save()

    def begin(self, key: str, record: Record) -> None:
        """Record that a create call starts at `record.since`. The record is on the disk when this returns.

        The same write renews `since` of every `creating` record, so that those create calls need no write of
        their own. Otherwise a run that always crashes at its second write would make no progress.
        """
        known = self.records.get(key, Record("", "created"))
        recent = 0 <= record.since - known.since < FRESH / 2
        if recent and known == replace(record, since=known.since):
            return
        renewed = {
            name: replace(other, since=record.since) if other.state == "creating" else other
            for name, other in self.records.items()
        }
        self.records = {**renewed, key: record}
        self.save()

    def forget(self, key: str) -> None:
        """Delete one resource's record. The change is on the disk when this returns."""
        if key not in self.records:
            return
        self.records = {name: other for name, other in self.records.items() if name != key}
        if not self.records:
            self.made_in = {}
        self.save()

    def enter_sandbox(self, sandbox: str) -> bool:
        """Set the sandbox's id and drop the records of an earlier sandbox, whose resources no longer exist.

        Return whether records were dropped. The next write saves the change.
        """
        dropped = self.sandbox not in ("", sandbox) and bool(self.made_in)
        if dropped:
            self.records, self.made_in, self.paused, self.stopped = {}, {}, False, False
        self.sandbox = sandbox
        return dropped

    def sort(self, keys: list[str]) -> None:
        """Sort the records by these keys, unknown keys first. The next write saves the order."""
        order = {key: number for number, key in enumerate(keys)}
        self.records = dict(sorted(self.records.items(), key=lambda item: order.get(item[0], -1)))

    def mark_paused(self, paused: bool, *, stopped: bool = False) -> None:
        """Set `paused`, and whether the bot was stopped by then. It is on the disk when this returns."""
        if (self.paused, self.stopped) != (paused, stopped):
            self.paused, self.stopped = paused, stopped
            self.save()

    def save(self) -> None:
        """Replace the file and keep its mode (0600 for a new file). It is on the disk when this returns."""
        if self.read_only:
            return
        try:
            self._take_over_edits()
        except yaml_text.Malformed as error:
            raise self.damaged(error.line, error.why) from None
        text = self._compose()
        if text == self._written_text and self.path.exists():
            return
        try:
            content = text.encode("utf-8")
            atomic_file.replace(self.path, content, disk=self._disk, through_link=True)
        except OSError as error:
            raise os_error(_("Could not write {path}.", path=self.path), error) from None
        self._text = self._written_text = text
        backup.keep(self.path, text)

    def keep(self) -> None:
        """Write the text that was read to the backup."""
        if self._text and not self.read_only:
            backup.keep(self.path, self._text)

    def _take_over_edits(self) -> None:
        """Keep edits made to the settings since the file was read; they apply from the next run on."""
        text = self._load()
        if text not in ("", self._text):
            self._upper = _upper_half(text)
            self._text, self._written_text = text, ""

    def _compose(self) -> str:
        lower: dict[str, Any] = {}
        if self.made_in:
            lower["made_in"] = self.made_in
            if self.sandbox:
                lower["sandbox"] = self.sandbox
        if self.paused:
            lower["paused"] = STOPPED if self.stopped else "true"
        block = yaml_text.dump(lower) if lower else ""
        if self.records:
            block += "resources:\n" + "".join(self._block(key) for key in self.records)
        if not block:
            return self._upper
        upper = self._upper.removeprefix(MARK)
        end = yaml_edit.line_break(upper)
        missing_end = end if upper and not upper.endswith(("\n", "\r")) else ""
        block = yaml_edit.indent(block, yaml_edit.column(upper))
        return self._upper + missing_end + f"\n{HEADING}\n{block}".replace("\n", end)

    def _block(self, key: str) -> str:
        """Return a record as YAML; an unchanged one is not dumped again, as each change writes them all."""
        fields = self.records[key].to_dict()
        if self._blocks.get(key, ({}, ""))[0] != fields:
            text = yaml_edit.indent(yaml_text.dump({key: fields}), 2)
            self._blocks[key] = (fields, text)
        return self._blocks[key][1]

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the stack's lock, which allows one run at a time. Raise ProvisionError."""
        with locked(self.path):
            atomic_file.sweep(backup.place(self.path), through_link=False)
            yield


def _upper_half(text: str) -> str:
    """Return the text without the lower half and its heading, with its byte order mark."""
    body = text.removeprefix(MARK)
    lines = yaml_edit.without(body, LOWER_HALF).splitlines(keepends=True)
    while end := next((n for n, line in enumerate(lines) if line.strip() == HEADING), -1) + 1:
        blank = end > 1 and not lines[end - 2].strip()
        del lines[end - 2 if blank else end - 1 : end]
    return text[: len(text) - len(body)] + "".join(lines)


def _settings(entries: list[tuple[Any, Any]]) -> Iterator[yaml_text.Leaf]:
    """Yield the upper half's values by dotted key."""
    if entries:
        yield from yaml_text.leaves(yaml.MappingNode("", entries))
