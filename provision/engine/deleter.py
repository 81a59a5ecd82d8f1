"""Delete what is ours, dependents first."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from provision.clients import aws
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
    """What a teardown did: keys deleted, keys kept with the reason, what is left that should be gone.

    unasked: kinds whose list this account or endpoint does not give, with its refusal. unchecked: keys of
    what could not be looked at, or what others have to do with it, with the reason; it stays.
    """

    deleted: list[str] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    errors: list[ProvisionError] = field(default_factory=list)
    unasked: dict[str, ProvisionError] = field(default_factory=dict)
    unchecked: dict[str, str] = field(default_factory=dict)

    @property
    def unknown(self) -> dict[str, str]:
        """Return what could not be inspected, by key or kind, with the reason."""
        return {**self.unchecked, **{kind: why.why for kind, why in self.unasked.items()}}


class Deleter:
    """Delete recorded resources. write: writes a resource's record in a new state."""

    def __init__(
        self,
        file: StackFile,
        clients: Clients,
        clock: Clock,
        tell: Report,
        write: Callable[[Resource, State], None],
        ownership: Ownership,
    ) -> None:
        self.file, self.clients, self.clock, self.tell, self._write = (
            file,
            clients,
            clock,
            tell,
            write,
        )
        self._ownership = ownership
        self.seen: dict[str, Live] = {}  # as it was at a look of this run: not looked for again
        self._deleted: set[str] = set()  # the delete call of this run has been answered
        self._tried: dict[str, float] = {}  # when it was first tried in this run

    def delete_all(
        self,
        resources: list[Resource],
        everything: bool,
        retained: Mapping[str, str],
        rest: float = 0.0,
        contents: Collection[str] = (),
    ) -> DeletionResult:
        """Delete these. retained: keys that stay, and why. rest: seconds for which all of them stay.

        contents: keys of those that go with what others put into them.
        """
        gone = DeletionResult()
        real = [r for r in resources if r.key in self.file.records]
        lines = [
            Step(r, [user.key for user in dependents(r, resources) if user in real]) for r in real
        ]
        until = self.clock.now() + rest

        def remove(resource: Resource) -> str:
            if why := retained.get(resource.key):
                gone.kept[resource.key] = why
                return "kept"
            if self.clock.now() < until:
                raise Pending(_("replaced; resolvers and LINE may still lead to it"))
            resource.with_contents = resource.key in contents
            try:
                return self._timed(resource, everything, gone)
            except (
                UnknownState
            ) as refusal:  # what it rests on goes all the same, as far as AWS lets it
                gone.unchecked[resource.key] = refusal.why
                refusal.passable = True
                raise
            except Pending as pending:
                if pending.refused and any(
                    user.key in gone.unchecked for user in dependents(resource, real)
                ):
                    pending.timeout = HELD
                raise
            except NotOurs as refusal:  # what it would rest on goes all the same
                gone.kept[resource.key] = refusal.why
                gone.errors.append(refusal)
                return "kept"

        outcome = execute(lines, remove, self.clock, self.tell)
        gone.errors += outcome.errors + outcome.notes
        gone.left = [r.key for r in real if r.key not in gone.deleted and r.key not in gone.kept]
        return gone

    def _timed(self, resource: Resource, everything: bool, gone: DeletionResult) -> str:
        """Remove it; for what AWS holds for a known time, raise Pending with the rest of that time.

        What is not gone at once may let go before that: it is watched until it does, for others wait for it.
        """
        began = self._tried.setdefault(resource.key, self.clock.now())
        try:
            return self.remove(resource, everything, gone)
        except Pending as why:
            deletion = resource.deletion
            if deletion.release_delay and (deletion.immediate or why.passable):
                why.left = began + deletion.release_delay - self.clock.now()
            raise

    def remove(self, resource: Resource, everything: bool, gone: DeletionResult) -> str:
        """Take one step of a removal. Return "gone" or "kept". Raise Pending or ProvisionError."""
        record = self.file.records[resource.key]
        resource.load_from_record(record.outputs)
        if why := stays(resource, record, everything):
            gone.kept[resource.key] = why
            if _there_first(resource, record):
                self.file.forget(resource.key)
            return "kept"
        if resource.key not in self._deleted and (seen := self.find(resource)) is not None:
            self._ownership.prove(resource, seen)
            self._delete(resource)
        gone_now = resource.deletion.immediate and resource.key in self._deleted
        live = None if gone_now else inspector.find(resource, self.clients)
        if live is not None:
            released = resource.deletion_state(live) == "released"
            raise Pending(_("waiting for its deletion"), passable=released)
        if resource.key not in self._deleted and record.fresh(self.clock.now()):
            raise Pending(_("made a moment ago; AWS may not show it yet"))
        self.file.forget(resource.key)
        self._deleted.discard(resource.key)
        gone.deleted.append(resource.key)
        return "gone"

    def find(self, resource: Resource) -> Live | None:
        """Return it as AWS shows it, and learn from that: a record may say otherwise. None: there is none."""
        live = self.seen.get(resource.key) or inspector.find(resource, self.clients)
        if live is not None:
            resource.load_from_api(live)
            self.seen[resource.key] = live
        return live

    def _delete(self, resource: Resource) -> None:
        self._write(resource, "deleting")
        self.tell("deleting", resource, "")
        doing = _("Could not delete {key}.", key=resource.key)
        try:
            errors = resource.errors
            with aws.translate_errors(doing, not_found=errors.not_found, retry=errors.retry):
                resource.delete(self.clients)
        except aws.NotFound:
            return
        except Pending as why:
            if not why.refused:  # the answer was lost: it may be gone
                self.seen.pop(resource.key, None)
            raise
        self._deleted.add(resource.key)


def stays(resource: Resource, record: Record, everything: bool) -> str:
    """Return why a teardown keeps it; "" where it is deleted."""
    there_first = _("it was there before provision") if _there_first(resource, record) else ""
    return resource.retention_reason(everything) or there_first


def _there_first(resource: Resource, record: Record) -> bool:
    """Return whether it was adopted, is the whole account's, or is something that provision never creates."""
    made = type(resource).create is not Resource.create
    return record.state == "adopted" or not made or isinstance(resource, AccountWide)


def dependents(
    resource: Resource, among: Iterable[Resource], through: type[Resource] = Milestone
) -> list[Resource]:
    """Return everything that depends on it, also through dependents of the given type."""
    direct = [other for other in among if resource in other.needs()]
    steps = [other for other in direct if isinstance(other, through)]
    return direct + [user for other in steps for user in dependents(other, among, through)]


def from_record(key: str, record: Record, stack: str) -> Resource:
    """Return a recorded resource that the stack no longer has: its class, its outputs, and nothing else."""
    kind = kinds().get(record.kind)
    if kind is None:
        raise ProvisionError(
            _("Could not read the record of {key}.", key=key),
            _("there is no kind of resource {kind}", kind=record.kind),
            _("Use the version of provision that wrote it."),
        )
    return kind.from_record(stack, key, record.outputs)
