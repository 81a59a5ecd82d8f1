"""Inspect what exists, without changing anything, and compare it with what is recorded.

`verdict` is the table of records: recorded state against what AWS shows.
"""

import dataclasses
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, TypeVar

from provision import parallel
from provision.clients import aws
from provision.clock import Clock
from provision.engine.read_cache import cached_reads
from provision.errors import NoResponse, Pending, ProvisionError, UnknownState
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

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")
Verdict = Literal["create", "adopt", "keep", "claim", "stranger", "vanished", "finish"]
TRIES = 10  # of a question that is throttled or not answered
FEWEST = 5  # of them, however long each takes
PATIENCE = 60.0  # seconds after which no question is asked again


@dataclass
class Observation:
    """One inspected resource. live None: there is none. seen False: it could not be inspected yet.

    unknown: why nobody can say whether there is one; "" where that is known. answered: the operation whose
    answer was read last.
    """

    resource: Resource
    record: Record | None
    live: Live | None = None
    seen: bool = False
    ours: bool = False
    refusal: ProvisionError | None = None
    unknown: str = ""
    answered: list[str] = field(default_factory=list)
    drift: list[Difference] = field(default_factory=list)  # where it is not as wanted

    def compare(self) -> None:
        """Set the drift, or the error where what is desired is unknown (an image's files may be missing)."""
        if self.live is None:
            return
        try:
            with self._reading():
                if not isinstance(self.resource, Milestone):
                    self.drift = differences(self.resource, self.live)
        except ProvisionError as refusal:
            self.refusal = refusal
        if self.record is not None and self.record.state == "adopted":  # never given our tags
            self.drift = [d for d in self.drift if not d.path.startswith("Tags.")]
        try:
            self._pending()
        except UnknownState as refusal:
            self.refusal = refusal
        except ProvisionError:
            pass  # `waiting` says so

    def _pending(self) -> str:
        with self._reading():
            pending = self.resource.pending(self.live or {})
            return pending.reason if pending else ""

    def _reading(self) -> AbstractContextManager[None]:
        return aws.reading(_("Could not look up {key}.", key=self.resource.key), self.answered)

    @property
    def verdict(self) -> Verdict:
        """Return what has to be done about it."""
        may_adopt = self.live is not None and self.resource.may_adopt(self.live)
        found = verdict(self.record, self.live, self.ours, may_adopt)
        shared = isinstance(self.resource, AccountWide)
        return "create" if found == "vanished" and shared else found

    @property
    def waiting(self) -> str:
        """Return what it still waits for; "" when it is ready."""
        if self.unknown:
            return self.unknown
        if self.refusal:
            return self.refusal.why
        milestone = isinstance(self.resource, Milestone)
        if self.live is None and not (milestone and self.seen):
            return _("not begun") if milestone else _("not there")
        try:
            return self._pending()
        except ProvisionError as refusal:
            return refusal.why


def verdict(record: Record | None, live: Live | None, ours: bool, may_adopt: bool) -> Verdict:
    """Return what has to be done about it."""
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
    """Return the live resource. Raise Pending, ProvisionError.

    waiting: only what tells whether it is ready. patient: error codes that mean "not yet".
    Where the id of what it lies in is not known, that is looked for first.
    """
    doing = _("Could not look up {key}.", key=resource.key)
    try:
        with aws.reading(doing, not_found=resource.errors.not_found, retry=retry):
            if waiting and isinstance(resource, Milestone):
                return resource.poll(clients)
            return resource.find(clients)
    except aws.NotFound:
        return None
    except aws.UnknownId:
        learned = False
        for place in resource.lookup_needs():
            if isinstance(place, Milestone) or _is_known(place, place.outputs()):
                continue
            live = find(place, clients)
            if live is None:
                return None
            place.load_from_api(live)
            learned = learned or _is_known(place, place.outputs())
        if not learned:
            raise
    return find(resource, clients, waiting=waiting, retry=retry)


def ours(resource: Resource, clients: Clients, live: Live, parents: set[str]) -> bool:
    """Return whether a live resource is this stack's: by its tags, or through its owner.

    parents: the keys of what is known to be ours.
    """
    if isinstance(resource, AccountWide):
        return False
    if (owners := resource.owners(live)) is not None:
        return any(owner.key in parents for owner in owners)
    with aws.reading(_("Could not read the tags of {key}.", key=resource.key)):
        tags = resource.tags_of(clients, live)
    return tags.get("provision:stack") == resource.stack


def inspect(
    resource: Resource,
    clients: Clients,
    records: dict[str, Record],
    *,
    parents: set[str] | None = None,
    doubted: bool = False,
) -> Observation:
    """Inspect one resource. doubted: a record that says `creating` is no proof, because the name was taken.

    What is on its way out counts as none, unless it is we who take it away.
    """
    record = records.get(resource.key)
    if record:
        resource.load_from_record(record.outputs)
    observation = Observation(resource, record, seen=True)
    with aws.reading(_("Could not look up {key}.", key=resource.key), observation.answered):
        _inspect(observation, clients, records, parents or set(), doubted)
    return observation


def _inspect(
    observation: Observation,
    clients: Clients,
    records: dict[str, Record],
    parents: set[str],
    doubted: bool,
) -> None:
    resource, record = observation.resource, observation.record
    live = find(resource, clients)
    if live is not None and (not record or record.state != "deleting"):
        leaving = resource.deletion_state(live) in ("leaving", "released")
        live = None if leaving else live
    observation.live = live
    if observation.verdict == "create" and not isinstance(resource, Milestone):
        resource.preflight(clients)
    if live is not None and not isinstance(resource, Milestone):
        if record is None or doubted:
            known = {key for key, other in records.items() if other.state == "created"}
            observation.ours = ours(resource, clients, live, known | parents)
        else:
            observation.ours = record.state == "creating"
        resource.load_from_api(live)


def ask_all(
    questions: Mapping[K, Callable[[], T]], clock: Clock, tries: int = TRIES
) -> tuple[dict[K, T], dict[K, Pending]]:
    """Ask the questions in parallel. Return each answer, and of those that stay pending the last reason.

    What is pending is asked again after longer and longer pauses, `tries` times; after PATIENCE seconds only
    until it was asked FEWEST times. Raise what else a question raises.
    """

    def answer(question: Callable[[], T]) -> T | Pending:
        try:
            return question()
        except Pending as why:
            return why

    found: dict[K, T] = {}
    pending: dict[K, Pending] = {}
    left, waited = dict(questions), 0.5
    until = clock.now() + PATIENCE if left else 0.0
    for attempt in range(tries):
        if not left or (attempt >= FEWEST and clock.now() >= until):
            break
        if attempt:
            clock.sleep(waited := waited * 1.5)
        for key, got in zip(tuple(left), parallel.run_all(answer, left.values()), strict=True):
            if isinstance(got, Pending):
                pending[key] = got
            else:
                found[key] = got
                del left[key]
                pending.pop(key, None)
    return found, pending


def load_records(resources: Iterable[Resource], records: Mapping[str, Record]) -> None:
    """Fill in every recorded output, before any thread may read one of them."""
    for resource in resources:
        if record := records.get(resource.key):
            resource.load_from_record(record.outputs)


def ask(question: Callable[[], T], clock: Clock, doing: str, tries: int = TRIES) -> T:
    """Return one question's answer, asked as `answers` does. Raises NoAnswer, and what else it raises."""
    found, silent = ask_all({doing: question}, clock, tries)
    for why in silent.values():
        raise unanswered(doing, why)
    return found[doing]


def account(clients: Clients, clock: Clock) -> str:
    """Return the account's number. Raises ProvisionError where AWS cannot be reached or refuses."""
    return ask(clients.aws.account, clock, _("Could not find out which AWS account this is."))


def unanswered(doing: str, why: Pending) -> NoResponse:
    """Return the refusal for a question that kept being unanswered."""
    return NoResponse(doing, why.reason, _("Run the same command again in a moment."))


def inspect_all(
    resources: list[Resource], clients: Clients, records: dict[str, Record], clock: Clock
) -> dict[str, Observation]:
    """Inspect everything in as few round trips as the dependencies allow."""
    load_records(resources, records)
    clients = cached_reads(clients, _batched(resources, records))
    left = resources
    observations: dict[str, Observation] = {}
    while left:
        wave = [r for r in left if _may_look(r, observations, records)]
        left = [r for r in left if r not in wave]
        known = {key for key, observation in observations.items() if observation.ours}
        looks = {
            r.key: partial(_seen, r, clients, records, known)
            for r in wave
            if _rests(r, observations)
        }
        found, silent = ask_all(looks, clock)
        for key, why in silent.items():
            doing = _("Could not look up {key}.", key=key)
            found[key] = unanswered(doing, why)
        for resource in wave:
            observation = found.get(resource.key) or _not_looked_at(resource, observations)
            if isinstance(observation, ProvisionError):
                unknown = observation.why if isinstance(observation, UnknownState) else ""
                observation = Observation(resource, None, refusal=observation, unknown=unknown)
            observation.record = records.get(resource.key)
            observations[resource.key] = observation
    for observation in observations.values():  # now that what each is built on is known
        observation.compare()
    return {resource.key: observations[resource.key] for resource in resources}


def _batched(resources: list[Resource], records: dict[str, Record]) -> Iterator[tuple[Batch, str]]:
    """Yield what will be looked for by a known id, where one call describes several."""
    for resource in resources:
        if batch := resource.batch:
            known = records[resource.key].outputs if resource.key in records else {}
            fields = dataclasses.fields(resource)
            ids = [known.get(f.name) for f in fields if f.metadata.get("path") == batch.id]
            name = resource.identity() if batch.by_name else ""
            if known_id := next(filter(None, ids), name):
                yield batch, known_id


def _may_look(
    resource: Resource, observations: dict[str, Observation], records: dict[str, Record]
) -> bool:
    """Return whether everything that its inspection needs to know of others is known."""
    recorded = resource.key in records and all(
        need.key in records and _is_known(need, records[need.key].outputs)
        for need in resource.needs()
    )
    if not isinstance(resource, Milestone) and recorded:
        return True
    return all(need.key in observations for need in resource.lookup_needs())


def _is_known(resource: Resource, outputs: Mapping[str, Any]) -> bool:
    """Return whether its first output, by which AWS and others name it, is among these outputs."""
    names = [item.name for item in dataclasses.fields(resource) if "path" in item.metadata]
    return not names or bool(outputs.get(names[0]))


def _rests(resource: Resource, observations: dict[str, Observation]) -> bool:
    """Return whether everything it needs is there (or not inspected yet because it is recorded)."""
    return all(
        observations[need.key].seen and (observations[need.key].live is not None)
        for need in resource.lookup_needs()
        if need.key in observations and not isinstance(need, Milestone)
    )


def _not_looked_at(resource: Resource, observations: dict[str, Observation]) -> Observation:
    """Return what is to be said of it while what it rests on is not there, or nobody knows whether it is."""
    unknown = [
        need.key
        for need in resource.lookup_needs()
        if need.key in observations and observations[need.key].unknown
    ]
    why = _("{key} could not be looked at", key=unknown[0]) if unknown else ""
    return Observation(resource, None, unknown=why)


def _seen(
    resource: Resource, clients: Clients, records: dict[str, Record], parents: set[str]
) -> Observation | ProvisionError:
    """Return one look, or why it was refused. Raises Pending."""
    try:
        return inspect(resource, clients, records, parents=parents)
    except aws.UnknownId:  # nothing is wrong, but it could not be asked for
        return Observation(resource, records.get(resource.key))
    except ProvisionError as refusal:
        return refusal
