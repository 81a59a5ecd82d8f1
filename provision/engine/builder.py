"""Create, adopt or update one resource, and check that it is ready."""

from provision.clients import aws_errors
from provision.clock import Clock
from provision.engine import inspector
from provision.engine.creator import Creator, Write, dependencies
from provision.engine.deleter import Deleter, DeletionResult
from provision.engine.executor import Report
from provision.engine.inspector import Observation
from provision.engine.ownership import Ownership
from provision.errors import Pending, ProvisionError
from provision.i18n import _
from provision.resources.base import (
    AccountWide,
    Clients,
    Difference,
    Live,
    Milestone,
    Resource,
    differences,
    is_untaggable,
    name_conflict,
)
from provision.state.stack_file import StackFile, State


class Builder:
    """Bring resources to their desired state, one at a time.

    observations: what the last inspection found, by key; each is used once.
    """

    def __init__(
        self,
        file: StackFile,
        clients: Clients,
        clock: Clock,
        report: Report,
        write: Write,
        ownership: Ownership,
        deleter: Deleter,
    ) -> None:
        self.file, self.clients, self.clock = file, clients, clock
        self.report, self._write = report, write
        self._ownership, self._deleter = ownership, deleter
        self._creator = Creator(file, clients, clock, report, write)
        # By key:
        self.observations: dict[str, Observation] = {}
        self._last_unreached: dict[str, float] = {}  # when a milestone was last polled unreached
        self._updated: dict[str, list[Difference]] = {}  # what was sent last; it is not repeated
        self._completed: set[str] = set()  # done in this run
        self._live: dict[str, Live] = {}  # live resources read in this run

    def build(self, resource: Resource) -> str:
        """Create, adopt or update a resource. Return "done", or raise Pending or ProvisionError."""
        observation = self.observations.pop(resource.key, None)
        if isinstance(resource, Milestone):
            unchanged = not any(f.key in self._creator.modified for f in dependencies(resource))
            return self.check_milestone(
                resource, observation.live if observation and unchanged else None
            )
        if self._creator.cannot_exist(resource):
            resource.preflight(self.clients)
            observation = Observation(resource, self.file.records.get(resource.key), inspected=True)
        if observation is None or not observation.inspected or observation.error:
            name_taken = resource.key in self._creator.name_taken
            observation = inspector.inspect(
                resource, self.clients, self.file.records, name_taken=name_taken
            )
        live = observation.live
        if live is None and self._creator.may_be_hidden(resource):
            raise Pending(_("made a moment ago; AWS may not show it yet"))
        match observation.verdict:
            case "stranger":
                self.file.forget(resource.key)
                raise name_conflict(resource, resource.label(live or {}))
            case "vanished":
                raise vanished(resource)
            case "finish":
                self._deleter.delete_step(resource, everything=True, result=DeletionResult())
                live = self._create(resource)
            case "create":
                live = self._create(resource)
            case "adopt":
                self.report("adopted", resource, "")
                self._write(resource, "adopted")
            case "claim":
                self._write(resource, "created")
        if live is None or not self._creator.is_complete(resource, live):
            live = inspector.find(resource, self.clients)
        if live is None:
            raise Pending(_("created; waiting until AWS shows it"))
        self._update_until_ready(resource, live)
        self._completed.add(resource.key)
        return "done"

    def _create(self, resource: Resource) -> Live | None:
        """Create a resource after verifying the ownership of its dependencies."""
        self._updated.pop(resource.key, None)
        for need in resource.needs():
            record = self.file.records.get(need.key)
            recorded = record is not None and record.state == "created"
            if (
                recorded
                and not is_untaggable(type(need))
                and need.key not in self._creator.modified
            ):
                self.verify_ownership(need, self._live.get(need.key))
        return self._creator.create(resource)

    def verify_ownership(self, resource: Resource, live: Live | None = None) -> None:
        """Raise ProvisionError unless the tags of the live resource are this stack's."""
        live = live or inspector.find(resource, self.clients)
        if live is not None:
            self._ownership.verify(resource, live)

    def check_milestone(self, milestone: Milestone, live: Live | None = None) -> str:
        """Return "done" if the milestone is reached, else raise Pending. live: its state, if just read."""
        remaining = self._remaining(milestone)
        if not live:
            retry = self._creator.retry(milestone)
            live = inspector.find(milestone, self.clients, waiting=True, retry=retry) or {}
        if pending := milestone.pending(live):
            self._last_unreached[milestone.key] = self.clock.now()
            # A wait that has a timeout (DNS does not answer) is not for a person.
            pending.outside = milestone.outside and pending.timeout is None
            pending.remaining = remaining
            raise pending
        milestone.load_from_api(live)
        self._completed.add(milestone.key)
        if (missed := self._last_unreached.get(milestone.key)) is not None:
            # A person may have acted any time since the last poll; AWS started its work then.
            reached = missed if milestone.unpredictable else self.clock.now()
            self._creator.started_at[milestone.key] = reached
        return "done"

    def _remaining(self, milestone: Milestone) -> float | None:
        """Return the expected seconds until the milestone is reached; None if they cannot be estimated."""
        if milestone.unpredictable:
            return None
        started_at = self._creator.started_at
        ends = [
            started_at[n.key]
            + (0 if isinstance(n, Milestone) else n.polling.expected)
            + milestone.polling.expected
            for n in milestone.needs()
            if n.key in started_at
        ]
        if before := [started_at[m.key] for m in milestone.ready_after if m.key in started_at]:
            ends = [max(before) + milestone.settling]
        return max(ends) - self.clock.now() if ends else None

    def _update_until_ready(self, resource: Resource, live: Live) -> None:
        """Record the live resource, update what differs from the desired state, and check that it is ready.

        Do not change adopted resources without consent. Raise Pending while it is not ready.
        """
        resource.load_from_api(live)
        self._live[resource.key] = live
        record = self.file.records[resource.key]
        shared = record.state == "adopted" or isinstance(resource, AccountWide)
        state: State = "adopted" if shared else "created"
        self._write(resource, state)
        ours = state == "created" or resource.consented
        drift = differences(resource, live) if ours else []
        if drift and drift == self._updated.get(resource.key):
            raise _not_shown(drift)
        if drift:
            if not resource.consented and resource.key not in self._creator.modified:
                self.verify_ownership(resource, live)
            self._wait_for_switch(resource)
            self.report("updating", resource, ", ".join(d.path for d in drift))
            doing = _("Could not update {key}.", key=resource.key)
            with aws_errors.translate_errors(doing, retry=self._creator.retry(resource)):
                resource.update(self.clients, live, drift)
            self._write(resource, state, touch=True)  # outputs may change: a new revision's ARN
            self._creator.modified.add(resource.key)
            self._updated[resource.key] = drift
            if resource.key not in self._creator.started_at:  # not created in this run
                live = self._read_back(resource, state)
        if pending := resource.pending(live):
            if (started_at := self._creator.started_at.get(resource.key)) is not None:
                pending.remaining = started_at + resource.polling.expected - self.clock.now()
            raise pending

    def _read_back(self, resource: Resource, state: State) -> Live:
        """Return the live resource after an update. Raise Pending until the whole change is visible."""
        live = inspector.find(resource, self.clients)
        if live is None:
            raise Pending(_("changed; waiting until AWS shows it"))
        resource.load_from_api(live)
        self._write(resource, state)
        if remaining := differences(resource, live):
            raise _not_shown(remaining)
        return live

    def _wait_for_switch(self, resource: Resource) -> None:
        """Raise Pending until the resources to which traffic will be switched are ready."""
        missing = [other.key for other in resource.switch_after if other.key not in self._completed]
        if missing:
            keys = ", ".join(missing)
            why = _("it still points to the old one until these are ready: {keys}", keys=keys)
            raise Pending(why, outside=True)  # the timeouts of those resources apply


def _not_shown(drift: list[Difference]) -> Pending:
    paths = ", ".join(difference.path for difference in drift)
    return Pending(_("waiting until AWS shows the change of {paths}", paths=paths))


def vanished(resource: Resource) -> ProvisionError:
    """Return the error for an adopted resource that no longer exists: provision must not create it."""
    return ProvisionError(
        _("Could not look up {key}.", key=resource.key),
        _("it was there before provision and is gone now"),
        _("Restore it, or remove its entry from stack.yaml so that provision creates one."),
    )
