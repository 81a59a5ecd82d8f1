"""Resolve the `creating` records of an interrupted run: record the resource, forget it, or wait for AWS."""

from collections.abc import Callable, Collection, Mapping

from provision.clock import Clock
from provision.engine.executor import Report
from provision.engine.inspector import Observation
from provision.engine.inventory import Inventory
from provision.i18n import _
from provision.resources.base import kinds
from provision.state.stack_file import Record, StackFile

POLL_INTERVAL = 5.0  # seconds


def settle(
    file: StackFile,
    stack_keys: Collection[str],
    list_tagged: Callable[[], Inventory],
    record: Callable[[str, Record], None],
    clock: Clock,
) -> dict[str, str]:
    """Resolve `creating` records whose key the settings no longer produce.

    Such a resource can be found only by its tags. Record it if it exists; forget the record if it does not.
    stack_keys: keys of the current stack. list_tagged: lists the resources with the stack's tags. record:
    writes a record. Return the unresolved keys, whose kind could not be listed, with the reason.
    """
    unresolved: dict[str, str] = {}
    pending = _unfinished_orphans(file, stack_keys)
    while pending:
        inventory = list_tagged()
        found = {tagged.key: tagged for tagged in inventory.tagged if tagged.key in pending}
        for key, tagged in found.items():
            record(key, tagged.record())
        pending = _unfinished_orphans(file, stack_keys)
        unresolved = {
            key: inventory.unlisted[entry.kind].why
            for key, entry in pending.items()
            if entry.kind in inventory.unlisted
        }
        pending = {key: entry for key, entry in pending.items() if key not in unresolved}
        if not any(entry.fresh(clock.now()) for entry in pending.values()):
            break
        clock.sleep(POLL_INTERVAL)
    for key in pending:
        file.forget(key)
    return unresolved


def _unfinished_orphans(file: StackFile, stack_keys: Collection[str]) -> dict[str, Record]:
    """Return the `creating` records that are not in the stack and can be found without their record."""
    classes = kinds()
    return {
        key: record
        for key, record in file.records.items()
        if record.state == "creating" and key not in stack_keys
        if record.kind in classes and classes[record.kind].identified_by != "record"
    }


def await_shown(
    file: StackFile, inspect: Callable[[], Mapping[str, Observation]], report: Report, clock: Clock
) -> None:
    """Wait for eventual consistency: a resource just created may use another one of the stack."""
    why = _("made a moment ago; AWS may not show it yet")

    def just_created(record: Record) -> bool:
        return record.state == "creating" and record.fresh(clock.now())

    while any(map(just_created, file.records.values())):
        observations = inspect().values()
        hidden = [o for o in observations if o.live is None and o.record and just_created(o.record)]
        if not hidden:
            return
        for observation in hidden:
            report("waiting", observation.resource, why)
        clock.sleep(POLL_INTERVAL)
