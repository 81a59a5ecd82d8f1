"""Read the lower half of stack.yaml: one record per resource."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import yaml

from provision.i18n import _
from provision.state import yaml_text

State = Literal["creating", "created", "adopted", "deleting"]
STATES: tuple[State, ...] = ("creating", "created", "adopted", "deleting")
STOPPED = "stopped"  # `paused` of a stack whose bot was stopped before the pause
FRESH = 60.0  # seconds of eventual consistency for a new resource; AWS's guides say "seconds"
Entry = tuple[yaml.Node, yaml.Node]  # a key and its value, with their positions


@dataclass
class Record:
    """The record of one resource.

    kind: the name of its class. outputs: the values that AWS decided. since: when it was created or changed,
    or when its create call started (epoch seconds); 0: unknown. lines: the line of each field in the file; ""
    is the record's key.
    """

    kind: str
    state: State
    outputs: dict[str, Any] = field(default_factory=dict)
    since: float = 0.0
    lines: dict[str, int] = field(default_factory=dict, compare=False, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the record as it is written to the file."""
        fields: dict[str, Any] = {"kind": self.kind, "state": self.state}
        if self.since:
            fields["since"] = f"{datetime.fromtimestamp(self.since, UTC):%Y-%m-%dT%H:%M:%SZ}"
        return {**fields, **self.outputs}

    def fresh(self, now: float) -> bool:
        """Return whether the resource is so new that AWS may not show it yet."""
        return abs(now - self.since) < FRESH  # abs: the machine's clock may have been set back


def read_made_in(entry: Entry | None) -> dict[str, str]:
    """Return account and region. Raise Malformed."""
    content = yaml_text.plain(entry[1]) if entry else {}
    if not isinstance(content, dict) or not all(isinstance(v, str) for v in content.values()):
        raise _unexpected(entry, "made_in")
    return content


def read_sandbox(entry: Entry | None) -> str:
    """Return the id of the sandbox that the records belong to, "" without one. Raise Malformed."""
    content = yaml_text.plain(entry[1]) if entry else ""
    if not isinstance(content, str):
        raise _unexpected(entry, "sandbox")
    return content


def read_paused(entry: Entry | None) -> tuple[bool, bool]:
    """Return whether the stack is paused, and whether the bot was stopped by then. Raise Malformed."""
    state = yaml_text.plain(entry[1]) if entry else ""
    if entry and state not in ("true", STOPPED):
        raise _unexpected(entry, "paused")
    return entry is not None, state == STOPPED


def read_records(entry: Entry | None) -> dict[str, Record]:
    """Return the records in the order of creation. Raise Malformed."""
    if entry is None or (isinstance(entry[1], yaml.ScalarNode) and not entry[1].value):
        return {}
    if not isinstance(entry[1], yaml.MappingNode):
        raise _unexpected(entry, "resources")
    records = {}
    for key, at, value in yaml_text.pairs(entry[1]):
        if not isinstance(value, yaml.MappingNode):
            raise _unexpected((at, value), key)
        content = {name: yaml_text.plain(node) for name, _at, node in yaml_text.pairs(value)}
        if not {"kind", "state"} <= set(content):
            raise _unexpected((at, value), key)
        lines = {name: node.start_mark.line + 1 for name, node, _value in yaml_text.pairs(value)}
        kind, state = content.pop("kind"), content.pop("state")
        if state not in STATES:
            why = _("{key} takes {wanted}", key="state", wanted=", ".join(STATES))
            raise yaml_text.Malformed(lines["state"], why)
        if not isinstance(kind, str):
            raise yaml_text.Malformed(
                lines["kind"], _("{name} must be a single string", name="kind")
            )
        since = _parse_time(content.pop("since", ""), lines)
        lines[""] = at.start_mark.line + 1
        records[key] = Record(kind, state, content, since, lines)
    return records


def _parse_time(text: Any, lines: dict[str, int]) -> float:
    """Return the epoch seconds of a time in the file. Raise Malformed."""
    try:
        return datetime.fromisoformat(text).timestamp() if text else 0.0
    except (TypeError, ValueError):
        why = _("{key} takes {wanted}", key="since", wanted="2000-01-01T00:00:00Z")
        raise yaml_text.Malformed(lines["since"], why) from None


def _unexpected(entry: Entry | None, name: str) -> yaml_text.Malformed:
    line = entry[0].start_mark.line + 1 if entry else 1
    return yaml_text.Malformed(line, _("{key} is not as provision writes it", key=name))
