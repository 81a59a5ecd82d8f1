"""stack.yaml: settings in, records out, replaced whole.

Upper half: the person's settings. Lower half (`made_in`, `paused`, `resources`): what exists, written by
provision before and after every mutation. A write is a temporary file in the same folder, fsync, os.replace.
"""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from provision import yamltext
from provision.errors import Refusal, Usage
from provision.settings import BY_KEY, Settings
from provision.words import _

State = Literal["creating", "created", "adopted", "deleting"]
STATES: tuple[State, ...] = ("creating", "created", "adopted", "deleting")
LOWER_HALF = ("made_in", "paused", "resources")
HEADING = "# What exists, written by provision. Your settings are above."


@dataclass
class Record:
    """What is known of one resource: its class's name, its state, and what AWS decided about it."""

    kind: str
    state: State
    outputs: dict[str, Any] = field(default_factory=dict)


class StackFile:
    """One stack.yaml on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._upper = ""
        self._given: dict[str, Any] = {}
        self._lines: dict[str, int] = {}
        text = ""
        if path.exists():
            try:
                text = path.read_bytes().decode("utf-8")
            except UnicodeDecodeError as error:
                raise self._refused(1, _("it is not UTF-8 text: {error}", error=error)) from None
        try:
            self._read(text)
        except yamltext.Malformed as error:
            raise self._refused(error.line, error.why) from None

    def _refused(self, line: int, why: str) -> Usage:
        return Usage(
            _("Reading {path}, line {line}.", path=self.path, line=line),
            why,
            _("Mend that line and run the same command again; the file was not changed."),
        )

    def _read(self, text: str) -> None:
        node = yamltext.compose(text)
        entries = {key: (at, value) for key, at, value in yamltext.pairs(node)} if node else {}
        upper = [(key, *entries[key]) for key in entries if key not in LOWER_HALF]
        for leaf in _settings(upper):
            if leaf.key not in BY_KEY:
                raise yamltext.Malformed(leaf.line, _("there is no setting {key}", key=leaf.key))
            self._lines[leaf.key] = leaf.line
            if leaf.value in ("", "~", "null"):
                continue
            try:
                self._given[leaf.key] = BY_KEY[leaf.key].parse(leaf.value)
            except ValueError as error:
                why = _("{key} takes {wanted}", key=leaf.key, wanted=error)
                raise yamltext.Malformed(leaf.line, why) from None
        self.made_in = _texts(entries.get("made_in"), "made_in")
        self.paused = "paused" in entries
        self.records = _records(entries.get("resources"))
        self._upper = yamltext.without(text, LOWER_HALF)
        end = yamltext.line_break(text)
        self._upper = self._upper.replace(f"{end}{HEADING}{end}", "", 1)
        conflict = self.settings.conflict()
        if conflict and conflict[0] in self._lines:
            why = _("{key} takes {wanted}", key=conflict[0], wanted=conflict[1])
            raise yamltext.Malformed(self._lines[conflict[0]], why)

    @property
    def settings(self) -> Settings:
        """The upper half."""
        return Settings(self._given)

    def region(self, from_environment: str | None) -> str:
        """The region: as set, else where things were made, else the environment's, else the default."""
        if "region" in self._given:
            return str(self._given["region"])
        return self.made_in.get("region") or from_environment or str(self.settings["region"])

    def answer(self, key: str, value: str | list[str], *, save: bool = True) -> None:
        """Sets one setting; with `save` as a line in the file, at once. Raises Usage."""
        try:
            parsed = BY_KEY[key].parse(value)
        except ValueError as error:
            raise Usage(
                _("Setting {key}.", key=key),
                _("{key} takes {wanted}", key=key, wanted=error),
                _("Give another value."),
            ) from None
        if self._given.get(key) == parsed:
            return
        if not save:
            self._given[key] = parsed
            return
        try:
            self._upper = yamltext.insert(self._upper, key, parsed)
        except yamltext.Malformed as error:
            raise self._refused(error.line, error.why) from None
        self._given[key] = parsed
        self.save()

    def record(self, key: str, record: Record) -> None:
        """Writes down one resource. On disk when this returns."""
        self.records[key] = record
        self.save()

    def forget(self, key: str) -> None:
        """Strikes one resource out. On disk when this returns."""
        if self.records.pop(key, None):
            if not self.records:
                self.made_in = {}
            self.save()

    def save(self) -> None:
        """Replaces the file whole, keeping its mode (0600 for a new one)."""
        text = self._composed()
        mode = stat.S_IMODE(self.path.stat().st_mode) if self.path.exists() else 0o600
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=f".{self.path.name}.", dir=self.path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(text.encode("utf-8"))
                file.flush()
                os.fsync(file.fileno())
            os.chmod(temporary, mode)
            os.replace(temporary, self.path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def _composed(self) -> str:
        lower: dict[str, Any] = {}
        if self.made_in:
            lower["made_in"] = self.made_in
        if self.paused:
            lower["paused"] = "true"
        if self.records:
            lower["resources"] = {
                key: {"kind": record.kind, "state": record.state, **record.outputs}
                for key, record in self.records.items()
            }
        if not lower:
            return self._upper
        end = yamltext.line_break(self._upper)
        ended = (
            self._upper
            if self._upper.endswith(("\n", "\r")) or not self._upper
            else self._upper + end
        )
        return ended + f"\n{HEADING}\n{yamltext.dump(lower)}".replace("\n", end)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One run at a time per stack; a dead holder's lock is taken over. Raises Refusal."""
        import filelock

        place = self.path.with_name(f".{self.path.name}.lock")
        place.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.SoftFileLock(place, timeout=0)
        try:
            lock.acquire()
        except filelock.Timeout:
            since = datetime.fromtimestamp(place.stat().st_mtime) if place.exists() else None
            raise Refusal(
                _("Beginning to work on {path}.", path=self.path),
                _(
                    "another run (process {pid}) works on it since {since}",
                    pid=lock.pid,
                    since=f"{since:%H:%M:%S}" if since else "?",
                ),
                _("Wait until it has ended, then run the same command again."),
            ) from None
        try:
            yield
        finally:
            lock.release()


def _settings(entries: list[tuple[str, Any, Any]]) -> Iterator[yamltext.Leaf]:
    """The upper half's values, dotted."""
    import yaml

    if entries:
        pairs = [(key_node, value) for _key, key_node, value in entries]
        yield from yamltext.leaves(yaml.MappingNode("", pairs))


def _texts(entry: tuple[Any, Any] | None, name: str) -> dict[str, str]:
    content = yamltext.plain(entry[1]) if entry else {}
    if not isinstance(content, dict) or not all(isinstance(v, str) for v in content.values()):
        line = entry[0].start_mark.line + 1 if entry else 1
        raise yamltext.Malformed(line, _("{key} is not as provision wrote it", key=name))
    return content


def _records(entry: tuple[Any, Any] | None) -> dict[str, Record]:
    """The lower half's entries, in the order they came to be."""
    import yaml

    if entry is None or (isinstance(entry[1], yaml.ScalarNode) and not entry[1].value):
        return {}
    if not isinstance(entry[1], yaml.MappingNode):
        line = entry[0].start_mark.line + 1
        raise yamltext.Malformed(line, _("{key} is not as provision wrote it", key="resources"))
    records = {}
    for key, at, value in yamltext.pairs(entry[1]):
        content = yamltext.plain(value)
        if (
            not isinstance(content, dict)
            or content.get("state") not in STATES
            or not isinstance(content.get("kind"), str)
        ):
            raise yamltext.Malformed(
                at.start_mark.line + 1, _("{key} is not as provision wrote it", key=key)
            )
        kind, state = content.pop("kind"), content.pop("state")
        records[key] = Record(kind, state, content)
    return records
