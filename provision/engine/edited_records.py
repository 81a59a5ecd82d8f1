"""Prove records that somebody edited by the tags of what they name, or refuse them.

An id of the right form may be that of something of somebody else's, and `adopted` turned into `created`
would let teardown delete what was there first. The last good copy tells what was changed, AWS whose it is.
"""

from dataclasses import replace

from provision.clock import Clock
from provision.engine import inventory
from provision.i18n import _
from provision.resources.base import Clients, Resource, kinds
from provision.state.stack_file import Record, StackFile


def prove(file: StackFile, clients: Clients, clock: Clock) -> None:
    """Ask AWS about records that were edited. Raise Damaged with the line of one that is not ours."""
    asked = {key: name for key, name in _changed(file).items() if _taggable(file.records[key])}
    if not asked:
        return
    of_kind = tuple({kinds()[file.records[key].kind] for key in asked})
    found = inventory.list_inventory(clients, clock, file.settings["name"], of_kind)
    for key, name in asked.items():
        record = file.records[key]
        kind = kinds()[record.kind]
        mine = [
            tagged
            for tagged in found.tagged
            if tagged.kind is kind and kind.same(tagged.outputs(), record.outputs)
        ]
        if not mine and record.kind not in found.unasked:
            why = _(
                "{key} was changed since provision wrote it, and what it names now does not carry this "
                "stack's tags",
                key=key,
            )
            raise file.damaged(record.lines.get(name, record.lines[""]), why)
        if mine:  # maybe a newer revision of the same family: an older copy of the file came back
            file.record(key, replace(record, outputs={**record.outputs, **mine[0].outputs()}))


def _changed(file: StackFile) -> dict[str, str]:
    """Return the keys of records that differ from the last good copy, each with what differs."""
    changed = {}
    for key, record in file.records.items():
        before = file.last.get(key)
        if before is None or record.state == "adopted":
            continue
        names = [
            name
            for name, value in record.outputs.items()
            if before.outputs.get(name, value) != value
        ]
        if names or before.state == "adopted":
            changed[key] = names[0] if names else "state"
    return changed


def _taggable(record: Record) -> bool:
    """Return whether AWS can list resources of this kind by tags; the others belong to one that is listed."""
    kind = kinds().get(record.kind, Resource)
    return kind.tagged.__func__ is not Resource.tagged.__func__  # type: ignore[attr-defined]
