"""Resolve what an interrupted run had started: record it, forget it, or wait until AWS shows it."""

from collections.abc import Callable, Collection, Mapping

from provision.clock import Clock
from provision.engine.executor import Report
from provision.engine.inspector import Observation
from provision.engine.inventory import Inventory
from provision.i18n import _
from provision.resources.base import kinds
from provision.state.stack_file import Record, StackFile

AGAIN = 5.0  # seconds between two looks at what AWS may not show yet


def settle(
    file: StackFile,
    known: Collection[str],
    tagged: Callable[[], Inventory],
    record: Callable[[str, Record], None],
    clock: Clock,
) -> dict[str, str]:
    """Record or forget what was begun under settings that have changed since.

    Of such a record nothing but the key is known: no setting tells its name any more, but its tags do.
    known: the keys that settings name today. held: what carries the stack's tags. Returns, by key, why
    nobody knows whether there is one: its kind could not be listed, so that its record stays.
    """
    unknown: dict[str, str] = {}
    begun = _begun_and_gone(file, known)
    while begun:
        listed = tagged()
        found = {one.key: one for one in listed.tagged if one.key in begun}
        for key, one in found.items():
            record(key, one.record())
        left = _begun_and_gone(file, known)
        unknown = {
            key: listed.unasked[entry.kind].why
            for key, entry in left.items()
            if entry.kind in listed.unasked
        }
        begun = {key: entry for key, entry in left.items() if key not in unknown}
        if not any(entry.fresh(clock.now()) for entry in begun.values()):
            break
        clock.sleep(AGAIN)
    for key in begun:
        file.forget(key)
    return unknown


def _begun_and_gone(file: StackFile, known: Collection[str]) -> dict[str, Record]:
    classes = kinds()
    return {
        key: record
        for key, record in file.records.items()
        if record.state == "creating" and key not in known
        if record.kind in classes and classes[record.kind].identified_by != "record"
    }


def await_shown(
    file: StackFile, look: Callable[[], Mapping[str, Observation]], tell: Report, clock: Clock
) -> None:
    """Wait for what was begun a moment ago: it may use something of ours."""
    why = _("made a moment ago; AWS may not show it yet")

    def just_begun(record: Record) -> bool:
        return record.state == "creating" and record.fresh(clock.now())

    while any(map(just_begun, file.records.values())):
        observations = look().values()
        hidden = [s for s in observations if s.live is None and s.record and just_begun(s.record)]
        if not hidden:
            return
        for observation in hidden:
            tell("waiting", observation.resource, why)
        clock.sleep(AGAIN)
