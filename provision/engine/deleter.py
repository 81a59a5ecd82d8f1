"""Delete the resources of a stack, dependents first."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from provision.clients import aws_errors
from provision.clock import Clock
from provision.engine import inspector
from provision.engine.executor import Report, Step, execute
from provision.engine.ownership import NotOurs, Ownership
from provision.errors import Pending, ProvisionError, UnknownState
from provision.i18n import _
from provision.resources.base import AccountWide, Clients, Live, Milestone, Resource, kinds
from provision.state.stack_file import Record, StackFile, State

HELD = 180  # seconds of trying what AWS may hold because of something that could not be looked at


@dataclass
class DeletionResult:
    """The result of a teardown.

    deleted: keys. kept: keys with the reason. left: keys, or descriptions of tagged resources, that should
    have been deleted. unlisted: kinds that could not be listed, with the error. unchecked: keys that were
    kept because they or their external uses could not be read, with the reason.
    """

    deleted: list[str] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    errors: list[ProvisionError] = field(default_factory=list)
    unlisted: dict[str, ProvisionError] = field(default_factory=dict)
    unchecked: dict[str, str] = field(default_factory=dict)

    @property
    def unknown(self) -> dict[str, str]:
        """Return what could not be inspected, by key or kind, with the reason."""
        return {**self.unchecked, **{kind: why.why for kind, why in self.unlisted.items()}}


class Deleter:
    """Delete recorded resources. write: writes a resource's record with a new state."""

    def __init__(
        self,
        file: StackFile,
        clients: Clients,
        clock: Clock,
        report: Report,
        write: Callable[[Resource, State], None],
        ownership: Ownership,
    ) -> None:
        self.file, self.clients, self.clock = file, clients, clock
        self.report, self._write = report, write
        self._ownership = ownership
        self.live: dict[str, Live] = {}  # live resources found in this run, by key
        self._delete_called: set[str] = set()  # keys whose delete call succeeded in this run
        self._first_tried: dict[str, float] = {}  # time of the first attempt in this run, by key

    def delete_all(
        self,
        resources: list[Resource],
        everything: bool,
        retained: Mapping[str, str],
        delay: float = 0.0,
        contents: Collection[str] = (),
    ) -> DeletionResult:
        """Delete these resources.

        retained: keys to keep, with the reason. delay: seconds before the first deletion. contents: keys of
        resources to delete together with contents that provision did not create.
        """
        result = DeletionResult()
        recorded = [r for r in resources if r.key in self.file.records]
        users = {
            r.key: [user.key for user in dependents(r, resources) if user in recorded]
            for r in recorded
        }
        not_before = self.clock.now() + delay

        def delete_step(resource: Resource) -> str:
            if why := retained.get(resource.key):
                result.kept[resource.key] = why
                return "kept"
            if self.clock.now() < not_before:
                raise Pending(_("replaced; resolvers and LINE may still lead to it"))
            resource.with_contents = resource.key in contents
            self._first_tried.setdefault(resource.key, self.clock.now())
            try:
                with aws_errors.reading(_("Could not look up {key}.", key=resource.key)):
                    return self.delete_step(resource, everything, result)
            except UnknownState as error:
                # Its dependencies are deleted all the same, if AWS permits.
                result.unchecked[resource.key] = error.why
                error.dependents_may_start = True
                raise
            except Pending as pending:
                if pending.refused and any(key in result.unchecked for key in users[resource.key]):
                    pending.timeout = HELD
                self._estimate_release(resource, users[resource.key], pending)
                raise
            except NotOurs as error:  # its dependencies are deleted anyway
                result.kept[resource.key] = error.why
                result.errors.append(error)
                return "kept"

        steps = [Step(resource, users[resource.key]) for resource in recorded]
        outcome = execute(steps, delete_step, self.clock, self.report)
        result.errors += outcome.errors + outcome.notes
        result.left = [
            r.key for r in recorded if r.key not in result.deleted and r.key not in result.kept
        ]
        return result

    def _estimate_release(self, resource: Resource, users: list[str], pending: Pending) -> None:
        """Set when AWS will probably allow the deletion. users: the keys of its dependents.

        While it still blocks its dependencies there is no estimate: it may release them earlier.
        """
        deletion = resource.deletion
        if deletion.release_delay and (deletion.immediate or pending.dependents_may_start):
            tried = [self._first_tried.get(key, math.inf) for key in (resource.key, *users)]
            pending.remaining = min(tried) + deletion.release_delay - self.clock.now()

    def delete_step(self, resource: Resource, everything: bool, result: DeletionResult) -> str:
        """Try to delete a resource. Return "gone", "kept" or "survives". Raise Pending or ProvisionError."""
        record = self.file.records[resource.key]
        resource.load_from_record(record.outputs)
        if why := reason_to_keep(resource, record, everything):
            result.kept[resource.key] = why
            if _preexisting(resource, record):
                self.file.forget(resource.key)
            return "kept"
        survives = False
        if resource.key not in self._delete_called and (live := self.find(resource)) is not None:
            self._ownership.verify(resource, live)
            self._call_delete(resource)
            survives = resource.deletion_state(live) == "survives"
        surely_gone = resource.deletion.immediate and resource.key in self._delete_called
        live = None if surely_gone else inspector.find(resource, self.clients)
        if live is not None:
            released = resource.deletion_state(live) == "released"
            raise Pending(_("waiting for its deletion"), dependents_may_start=released)
        if resource.key not in self._delete_called and record.fresh(self.clock.now()):
            raise Pending(_("made a moment ago; AWS may not show it yet"))
        self.file.forget(resource.key)
        self._delete_called.discard(resource.key)
        result.deleted.append(resource.key)
        return "survives" if survives else "gone"

    def find(self, resource: Resource) -> Live | None:
        """Return the live resource and load its outputs, because the record may be out of date."""
        live = self.live.get(resource.key) or inspector.find(resource, self.clients)
        if live is not None:
            resource.load_from_api(live)
            self.live[resource.key] = live
        return live

    def _call_delete(self, resource: Resource) -> None:
        self._write(resource, "deleting")
        self.report("deleting", resource, "")
        doing = _("Could not delete {key}.", key=resource.key)
        try:
            errors = resource.errors
            with aws_errors.translate_errors(doing, not_found=errors.not_found, retry=errors.retry):
                resource.delete(self.clients)
        except aws_errors.NotFound:
            return
        except Pending as why:
            if not why.refused:  # no response: it may have been deleted
                self.live.pop(resource.key, None)
            raise
        self._delete_called.add(resource.key)


def reason_to_keep(resource: Resource, record: Record, everything: bool) -> str:
    """Return why a teardown keeps the resource; "" if it deletes it."""
    there_first = _("it was there before provision") if _preexisting(resource, record) else ""
    return resource.retention_reason(everything) or there_first


def _preexisting(resource: Resource, record: Record) -> bool:
    """Return whether provision did not create it: adopted, account-wide, or of a kind it never creates."""
    creatable = type(resource).create is not Resource.create
    return record.state == "adopted" or not creatable or isinstance(resource, AccountWide)


def dependents(
    resource: Resource, among: Iterable[Resource], through: type[Resource] = Milestone
) -> list[Resource]:
    """Return the resources that depend on it, directly or via dependents of the type `through`."""
    direct = [other for other in among if resource in other.needs()]
    steps = [other for other in direct if isinstance(other, through)]
    return direct + [user for other in steps for user in dependents(other, among, through)]


def from_record(key: str, record: Record, stack: str) -> Resource:
    """Return a resource built from its record only. Raise ProvisionError for an unknown kind."""
    kind = kinds().get(record.kind)
    if kind is None:
        raise ProvisionError(
            _("Could not read the record of {key}.", key=key),
            _("there is no kind of resource {kind}", kind=record.kind),
            _("Use the version of provision that wrote it."),
        )
    return kind.from_record(stack, key, record.outputs)
