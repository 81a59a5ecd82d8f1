"""Verify edited records by the tags of the resources they name.

An edited id may be somebody else's resource, and `adopted` edited to `created` would let teardown delete a
resource that provision did not create. Compare with the last good copy to find edits, then check the tags.
"""

from dataclasses import replace

from provision.clock import Clock
from provision.engine import inventory
from provision.i18n import _
from provision.resources.base import Clients, Resource, kinds
from provision.state.stack_file import Record, StackFile


def verify(file: StackFile, clients: Clients, clock: Clock) -> None:
    """Check edited records against AWS. Raise Damaged with the line of a record that is not this stack's."""
    suspects = {key: name for key, name in _changed(file).items() if _taggable(file.records[key])}
    if not suspects:
        return
    classes = tuple({kinds()[file.records[key].kind] for key in suspects})
    found = inventory.list_inventory(clients, clock, file.settings["name"], classes)
    for key, name in suspects.items():
        record = file.records[key]
        kind = kinds()[record.kind]
        ours = [
            tagged
            for tagged in found.tagged
            if tagged.kind is kind and kind.same(tagged.outputs(), record.outputs)
        ]
        if not ours and record.kind not in found.unlisted:
            why = _(
                "{key} was changed since provision wrote it, and what it names now does not carry this "
                "stack's tags",
                key=key,
            )
            raise file.damaged(record.lines.get(name, record.lines[""]), why)
        if ours:  # an older copy of the file was restored: take over the newest revision
            file.record(key, replace(record, outputs={**record.outputs, **ours[0].outputs()}))


def _changed(file: StackFile) -> dict[str, str]:
    """Return the keys of records that differ from the last good copy, each with the first field changed."""
    changed = {}
    for key, record in file.records.items():
        before = file.last.get(key)
        if before is None or record.state == "adopted":
            continue
        changed_outputs = [
            name
            for name, value in record.outputs.items()
            if before.outputs.get(name, value) != value
        ]
        if changed_outputs or before.state == "adopted":
            changed[key] = changed_outputs[0] if changed_outputs else "state"
    return changed


def _taggable(record: Record) -> bool:
    """Return whether resources of this kind can be listed by tags; the others belong to one that can."""
    kind = kinds().get(record.kind, Resource)
    return kind.list_tagged.__func__ is not Resource.list_tagged.__func__  # type: ignore[attr-defined]
