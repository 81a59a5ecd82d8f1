"""What stack.yaml's lower half says: one record per resource, and how it is read."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import yaml

from provision.i18n import _
from provision.state import yaml_text

State = Literal["creating", "created", "adopted", "deleting"]
STATES: tuple[State, ...] = ("creating", "created", "adopted", "deleting")
FRESH = 60.0  # seconds in which AWS may not show yet what was made: its guides speak of seconds
Entry = tuple[yaml.Node, yaml.Node]  # a name and its value, with their places


@dataclass
class Record:
    """What is known of one resource: its class's name, its state, and what AWS decided about it.

    since: when it was made or changed, or its create call begun (epoch seconds); 0: nobody knows.
    """

    kind: str
    state: State
    outputs: dict[str, Any] = field(default_factory=dict)
    since: float = 0.0
    lines: dict[str, int] = field(default_factory=dict, compare=False, repr=False)  # "": its key's

    def shown(self) -> dict[str, Any]:
        """As it stands in the file."""
        told: dict[str, Any] = {"kind": self.kind, "state": self.state}
        if self.since:
            told["since"] = f"{datetime.fromtimestamp(self.since, UTC):%Y-%m-%dT%H:%M:%SZ}"
        return {**told, **self.outputs}

    def fresh(self, now: float) -> bool:
        """Whether it may be there though AWS does not show it. (A clock may have been set back.)"""
        return abs(now - self.since) < FRESH


def read_made_in(entry: Entry | None) -> dict[str, str]:
    """Account and region. Raises Malformed."""
    content = yaml_text.plain(entry[1]) if entry else {}
    if not isinstance(content, dict) or not all(isinstance(v, str) for v in content.values()):
        raise _strange(entry, "made_in")
    return content


def read_sandbox(entry: Entry | None) -> str:
    """The id of the sandbox that the records are of, "" where none is noted. Raises Malformed."""
    content = yaml_text.plain(entry[1]) if entry else ""
    if not isinstance(content, str):
        raise _strange(entry, "sandbox")
    return content


def read_paused(entry: Entry | None) -> bool:
    """The one mark of a pause. Raises Malformed."""
    if entry and yaml_text.plain(entry[1]) != "true":
        raise _strange(entry, "paused")
    return entry is not None


def read_records(entry: Entry | None) -> dict[str, Record]:
    """The records, in the order they came to be. Raises Malformed."""
    if entry is None or (isinstance(entry[1], yaml.ScalarNode) and not entry[1].value):
        return {}
    if not isinstance(entry[1], yaml.MappingNode):
        raise _strange(entry, "resources")
    records = {}
    for key, at, value in yaml_text.pairs(entry[1]):
        if not isinstance(value, yaml.MappingNode):
            raise _strange((at, value), key)
        content = {name: yaml_text.plain(node) for name, _at, node in yaml_text.pairs(value)}
        if not {"kind", "state"} <= set(content):
            raise _strange((at, value), key)
        places = {name: node.start_mark.line + 1 for name, node, _value in yaml_text.pairs(value)}
        kind, state = content.pop("kind"), content.pop("state")
        if state not in STATES:
            why = _("{key} takes {wanted}", key="state", wanted=", ".join(STATES))
            raise yaml_text.Malformed(places["state"], why)
        if not isinstance(kind, str):
            raise yaml_text.Malformed(places["kind"], _("{name} is one text", name="kind"))
        since = _epoch(content.pop("since", ""), places)
        lines = {**places, "": at.start_mark.line + 1}
        records[key] = Record(kind, state, content, since, lines)
    return records


def _epoch(told: Any, places: dict[str, int]) -> float:
    """Seconds, of a time as it stands in the file. Raises Malformed."""
    try:
        return datetime.fromisoformat(told).timestamp() if told else 0.0
    except (TypeError, ValueError):
        why = _("{key} takes {wanted}", key="since", wanted="2000-01-01T00:00:00Z")
        raise yaml_text.Malformed(places["since"], why) from None


def _strange(entry: Entry | None, name: str) -> yaml_text.Malformed:
    line = entry[0].start_mark.line + 1 if entry else 1
    return yaml_text.Malformed(line, _("{key} is not as provision wrote it", key=name))
