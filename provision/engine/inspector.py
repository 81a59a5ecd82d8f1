"""Read the live resources and compare them with the records. Change nothing.

`verdict` maps recorded state and live state to the action to take.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from provision import retries
from provision.clients import aws_errors
from provision.clock import Clock
from provision.engine.read_cache import cached_reads
from provision.errors import NotChecked, ProvisionError, UnknownState
from provision.i18n import _
from provision.resources.base import (
    AccountWide,
    Batch,
    Clients,
    Difference,
    Live,
    Milestone,
    Resource,
    differences,
)
from provision.state.stack_file import Record

Verdict = Literal["create", "adopt", "keep", "claim", "stranger", "vanished", "finish"]


@dataclass
class Observation:
    """The result of inspecting one resource.

    live: None if it does not exist. inspected: False if it could not be inspected yet. unknown: why it is not
    known whether it exists; "" if it is. answered: the operations whose responses were read. drift: the
    differences from the desired state.
    """

    resource: Resource
    record: Record | None
    live: Live | None = None
    inspected: bool = False
    ours: bool = False
    error: ProvisionError | None = None
    unknown: str = ""
    answered: list[str] = field(default_factory=list)
    drift: list[Difference] = field(default_factory=list)

    def compare(self) -> None:
        """Set `drift`; set `error` if the desired state is unknown (an image's files may be missing)."""
        if self.live is None:
            return
        try:
            with self._reading():
                if not isinstance(self.resource, Milestone):
                    self.drift = differences(self.resource, self.live)
        except ProvisionError as error:
            self.error = error
        if self.record is not None and self.record.state == "adopted":  # not tagged
            self.drift = [d for d in self.drift if not d.path.startswith("Tags.")]
        try:
            self._pending()
        except UnknownState as error:
            self.error = error
        except ProvisionError:
            pass  # `waiting` returns it

    def known(self) -> Live | None:
        """Return the live resource, or None if it does not exist. Raise ProvisionError if it is unknown."""
        if not self.unknown:
            return self.live
        raise self.error or UnknownState(
            _("Could not look up {key}.", key=self.resource.key),
            self.unknown,
            _("Run the same command again in a moment."),
        )

    def _pending(self) -> str:
        with self._reading():
            pending = self.resource.pending(self.live or {})
            return pending.reason if pending else ""

    def _reading(self) -> AbstractContextManager[None]:
        return aws_errors.reading(
            _("Could not look up {key}.", key=self.resource.key), self.answered
        )

    @property
    def verdict(self) -> Verdict:
        """Return the action to take."""
        may_adopt = self.live is not None and self.resource.may_adopt(self.live)
        found = verdict(self.record, self.live, self.ours, may_adopt)
        shared = isinstance(self.resource, AccountWide)
        return "create" if found == "vanished" and shared else found

    @property
    def waiting(self) -> str:
        """Return why it is not ready; "" if it is."""
        if self.unknown:
            return self.unknown
        if self.error:
            return self.error.why
        milestone = isinstance(self.resource, Milestone)
        if self.live is None and not (milestone and self.inspected):
            return _("not begun") if milestone else _("not there")
        try:
            return self._pending()
        except ProvisionError as error:
            return error.why


def verdict(record: Record | None, live: Live | None, ours: bool, may_adopt: bool) -> Verdict:
    """Return the action to take."""
    state = record.state if record else None
    if state == "deleting":
        return "finish"
    if live is None:
        return "vanished" if state == "adopted" else "create"
    if state in ("created", "adopted"):
        return "keep"
    if ours:
        return "claim"
    return "adopt" if may_adopt else "stranger"


def find(
    resource: Resource, clients: Clients, *, waiting: bool = False, retry: tuple[str, ...] = ()
) -> Live | None:
    """Return the live resource, or None if it does not exist. Raise Pending or ProvisionError.

    waiting: call a milestone's `poll` instead of `find`. retry: error codes that mean "not yet" (Pending).
    If the id of a resource that it is looked up in is unknown, find that resource first.
    """
    doing = _("Could not look up {key}.", key=resource.key)
    try:
        with aws_errors.reading(doing, not_found=resource.errors.not_found, retry=retry):
            if waiting and isinstance(resource, Milestone):
                return resource.poll(clients)
            return resource.find(clients)
    except aws_errors.NotFound:
        return None
    except aws_errors.UnknownId:
        progress = False
        for parent in resource.lookup_needs():
            if isinstance(parent, Milestone) or has_id(parent, parent.outputs()):
                continue
            live = find(parent, clients)
            if live is None:
                return None
            parent.load_from_api(live)
            progress = progress or has_id(parent, parent.outputs())
        if not progress:
            raise
    return find(resource, clients, waiting=waiting, retry=retry)


def ours(resource: Resource, clients: Clients, live: Live, our_keys: set[str]) -> bool:
    """Return whether a live resource is this stack's, by its tags or its owners.

    our_keys: keys of resources known to be this stack's.
    """
    if isinstance(resource, AccountWide):
        return False
    if (owners := resource.owners(live)) is not None:
        return any(owner.key in our_keys for owner in owners)
    with aws_errors.reading(_("Could not read the tags of {key}.", key=resource.key)):
        tags = resource.tags_of(clients, live)
    return tags.get("provision:stack") == resource.stack


def inspect(
    resource: Resource,
    clients: Clients,
    records: dict[str, Record],
    *,
    our_keys: set[str] | None = None,
    name_taken: bool = False,
) -> Observation:
    """Inspect one resource.

    our_keys: keys of resources known to be this stack's. name_taken: the create call answered "already
    exists", so a `creating` record does not prove ownership. A resource that is being deleted counts as not
    found, unless its record is `deleting`.
    """
    record = records.get(resource.key)
    if record:
        resource.load_from_record(record.outputs)
    observation = Observation(resource, record, inspected=True)
    with aws_errors.reading(_("Could not look up {key}.", key=resource.key), observation.answered):
        _inspect(observation, clients, records, our_keys or set(), name_taken)
    return observation


def _inspect(
    observation: Observation,
    clients: Clients,
    records: dict[str, Record],
    our_keys: set[str],
    name_taken: bool,
) -> None:
    resource, record = observation.resource, observation.record
    live = find(resource, clients)
    if live is not None and (not record or record.state != "deleting"):
        being_deleted = resource.deletion_state(live) in ("leaving", "released")
        live = None if being_deleted else live
    observation.live = live
    if observation.verdict == "create" and not isinstance(resource, Milestone):
        resource.preflight(clients)
    if live is not None and not isinstance(resource, Milestone):
        if record is None or name_taken:
            recorded_keys = {key for key, other in records.items() if other.state == "created"}
            observation.ours = ours(resource, clients, live, recorded_keys | our_keys)
        else:
            observation.ours = record.state == "creating"
        resource.load_from_api(live)


def load_records(resources: Iterable[Resource], records: Mapping[str, Record]) -> None:
    """Load all recorded outputs, before other threads read them."""
    for resource in resources:
        if record := records.get(resource.key):
            resource.load_from_record(record.outputs)


def account(clients: Clients, clock: Clock) -> str:
    """Return the account id. Raise ProvisionError if AWS cannot be reached or refuses the request."""
    return retries.call(
        clients.aws.account, clock, _("Could not find out which AWS account this is.")
    )


def inspect_all(
    resources: list[Resource], clients: Clients, records: dict[str, Record], clock: Clock
) -> dict[str, Observation]:
    """Inspect all resources, in parallel as far as their dependencies allow."""
    load_records(resources, records)
    clients = cached_reads(clients, _batched(resources, records))
    remaining = resources
    observations: dict[str, Observation] = {}
    while remaining:
        batch = [r for r in remaining if _can_inspect(r, observations, records)]
        remaining = [r for r in remaining if r not in batch]
        our_keys = {key for key, observation in observations.items() if observation.ours}
        inspections = {
            r.key: partial(_inspect_or_error, r, clients, records, our_keys)
            for r in batch
            if _is_recorded(r, records) or _dependencies_exist(r, observations)
        }
        found, unanswered = retries.call_all(inspections, clock)
        for key, why in unanswered.items():
            doing = _("Could not look up {key}.", key=key)
            found[key] = retries.no_response(doing, why)
        for resource in batch:
            observation = found.get(resource.key) or _uninspected(resource, observations)
            if isinstance(observation, ProvisionError):
                unknown = observation.why if isinstance(observation, UnknownState) else ""
                observation = Observation(resource, None, error=observation, unknown=unknown)
            observation.record = records.get(resource.key)
            observations[resource.key] = observation
    for observation in observations.values():  # only now are the outputs of all dependencies loaded
        observation.compare()
    return {resource.key: observations[resource.key] for resource in resources}


def _batched(resources: list[Resource], records: dict[str, Record]) -> Iterator[tuple[Batch, str]]:
    """Yield the resources that can be read by id in a batch, with that id."""
    for resource in resources:
        if batch := resource.batch:
            outputs = records[resource.key].outputs if resource.key in records else {}
            fields = dataclasses.fields(resource)
            ids = [outputs.get(f.name) for f in fields if f.metadata.get("path") == batch.id]
            if known_id := next(filter(None, ids), ""):
                yield batch, known_id


def _can_inspect(
    resource: Resource, observations: dict[str, Observation], records: dict[str, Record]
) -> bool:
    """Return whether the resources that its lookup needs are inspected or recorded."""
    recorded = resource.key in records and all(
        need.key in records and has_id(need, records[need.key].outputs) for need in resource.needs()
    )
    if not isinstance(resource, Milestone) and recorded:
        return True
    return all(need.key in observations for need in resource.lookup_needs())


def _is_recorded(resource: Resource, records: Mapping[str, Record]) -> bool:
    """Return whether a record has its own id, with which it is found even if a dependency is missing."""
    record = records.get(resource.key)
    if record is None or record.state == "creating" or not record.outputs:
        return False
    return has_id(resource, record.outputs)


def has_id(resource: Resource | type[Resource], outputs: Mapping[str, Any]) -> bool:
    """Return whether its first output, which identifies it, is among these outputs."""
    names = [item.name for item in dataclasses.fields(resource) if "path" in item.metadata]
    return not names or bool(outputs.get(names[0]))


def _dependencies_exist(resource: Resource, observations: dict[str, Observation]) -> bool:
    """Return whether none of the inspected resources that its lookup needs is missing."""
    return all(
        observations[need.key].inspected and (observations[need.key].live is not None)
        for need in resource.lookup_needs()
        if need.key in observations and not isinstance(need, Milestone)
    )


def _uninspected(resource: Resource, observations: dict[str, Observation]) -> Observation:
    """Return the observation of a resource whose dependency does not exist or could not be read."""
    needs = [observations.get(need.key) for need in resource.lookup_needs()]
    unknown = next((need for need in needs if need and need.unknown), None)
    if unknown is None:
        return Observation(resource, None)
    if isinstance(unknown.error, NotChecked):
        return Observation(resource, None, error=unknown.error, unknown=unknown.unknown)
    why = _("{key} could not be looked at", key=unknown.resource.key)
    return Observation(resource, None, unknown=why)


def _inspect_or_error(
    resource: Resource, clients: Clients, records: dict[str, Record], our_keys: set[str]
) -> Observation | ProvisionError:
    """Return the observation, or the error. Raise Pending."""
    try:
        return inspect(resource, clients, records, our_keys=our_keys)
    except aws_errors.UnknownId:  # it cannot be looked up yet
        return Observation(resource, records.get(resource.key))
    except ProvisionError as error:
        return error
