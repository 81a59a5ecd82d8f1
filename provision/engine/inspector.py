"""Looking, which changes nothing: what is there, side by side with what is recorded, and what follows.

`verdict` is the table of records: recorded state against what AWS shows.
"""

import dataclasses
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, TypeVar

from provision import parallel
from provision.clients import aws
from provision.clock import Clock
from provision.engine.read_cache import once
from provision.errors import NoAnswer, NotYet, Refusal, Unknown
from provision.i18n import _
from provision.resources.base import Batch, Difference, Doors, Live, Milestone, Resource
from provision.state.stack_file import Record

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")
Verdict = Literal["create", "adopt", "keep", "claim", "stranger", "vanished", "finish"]
TRIES = 10  # of a question that is throttled or not answered
FEWEST = 5  # of them, however long each takes
PATIENCE = 60.0  # seconds after which no question is asked again


@dataclass
class Sight:
    """One resource, looked at. live None: there is none. seen False: it could not be looked at yet.

    unknown: why nobody can say whether there is one; "" where that is known. answered: the operation whose
    answer was read last.
    """

    resource: Resource
    record: Record | None
    live: Live | None = None
    seen: bool = False
    ours: bool = False
    refusal: Refusal | None = None
    unknown: str = ""
    answered: list[str] = field(default_factory=list)
    drift: list[Difference] = field(default_factory=list)  # where it is not as wanted

    def compare(self) -> None:
        """Takes the drift. What is wanted cannot always be told: an image's files may be out of reach."""
        if self.live is None:
            return
        try:
            with self._reading():
                if not isinstance(self.resource, Milestone):
                    self.drift = self.resource.differences(self.live)
        except Refusal as refusal:
            self.refusal = refusal
        if self.record is not None and self.record.state == "adopted":  # never given our tags
            self.drift = [d for d in self.drift if not d.path.startswith("Tags.")]
        try:
            self._pending()
        except Unknown as refusal:
            self.refusal = refusal
        except Refusal:
            pass  # `waiting` says so

    def _pending(self) -> str:
        with self._reading():
            return self.resource.pending(self.live or {})

    def _reading(self) -> aws.reading:
        return aws.reading(_("Looking for {key}.", key=self.resource.key), self.answered)

    @property
    def verdict(self) -> Verdict:
        """What has to be done about it."""
        may_adopt = self.live is not None and self.resource.may_adopt(self.live)
        found = verdict(self.record, self.live, self.ours, may_adopt)
        return "create" if found == "vanished" and self.resource.shared else found

    @property
    def waiting(self) -> str:
        """What it still waits for; "" when it is ready."""
        if self.unknown:
            return self.unknown
        if self.refusal:
            return self.refusal.why
        milestone = isinstance(self.resource, Milestone)
        if self.live is None and not (milestone and self.seen):
            return _("not begun") if milestone else _("not there")
        try:
            return self._pending()
        except Refusal as refusal:
            return refusal.why


def verdict(record: Record | None, live: Live | None, ours: bool, may_adopt: bool) -> Verdict:
    """The table of records. "claim": ours, though not yet recorded as created; "finish": a deletion."""
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
    resource: Resource, doors: Doors, *, waiting: bool = False, patient: tuple[str, ...] = ()
) -> Live | None:
    """The live thing. Raises NotYet or Refusal.

    waiting: only what tells whether it is ready. patient: error codes that mean "not yet".
    Where the id of what it lies in is not known, that is looked for first.
    """
    doing = _("Looking for {key}.", key=resource.key)
    try:
        with aws.reading(doing, absent=resource.absent, patient=patient):
            return resource.glance(doors) if waiting else resource.find(doors)
    except aws.Absent:
        return None
    except aws.UnknownId:
        learned = False
        for place in _places(resource):
            if isinstance(place, Milestone) or _is_known(place, place.outputs()):
                continue
            live = find(place, doors)
            if live is None:
                return None
            place.learn(live)
            learned = learned or _is_known(place, place.outputs())
        if not learned:
            raise
    return find(resource, doors, waiting=waiting, patient=patient)


def ours(resource: Resource, doors: Doors, live: Live, parents: set[str]) -> bool:
    """Whether a found thing is this stack's: by its tags, or because it hangs on something of ours.

    parents: the keys of what is known to be ours.
    """
    if resource.shared:
        return False
    if resource.within:
        return any(parent.key in parents for parent in resource.hangs_on(live))
    with aws.reading(_("Reading the tags of {key}.", key=resource.key)):
        tags = resource.tags_of(doors, live)
    return tags.get("provision:stack") == resource.stack


def look(
    resource: Resource,
    doors: Doors,
    records: dict[str, Record],
    *,
    parents: set[str] | None = None,
    doubted: bool = False,
) -> Sight:
    """One look. doubted: a record that says `creating` is no proof, because the name was taken.

    What is on its way out counts as none, unless it is we who take it away.
    """
    record = records.get(resource.key)
    if record:
        resource.recall(record.outputs)
    sight = Sight(resource, record, seen=True)
    with aws.reading(_("Looking for {key}.", key=resource.key), sight.answered):
        _look(sight, doors, records, parents or set(), doubted)
    return sight


def _look(
    sight: Sight, doors: Doors, records: dict[str, Record], parents: set[str], doubted: bool
) -> None:
    resource, record = sight.resource, sight.record
    live = find(resource, doors)
    if live is not None and resource.leaving(live) and (not record or record.state != "deleting"):
        live = None
    sight.live = live
    if sight.verdict == "create" and not isinstance(resource, Milestone):
        resource.foresee(doors)
    if live is not None and not isinstance(resource, Milestone):
        if record is None or doubted:
            known = {key for key, other in records.items() if other.state == "created"}
            sight.ours = ours(resource, doors, live, known | parents)
        else:
            sight.ours = record.state == "creating"
        resource.learn(live)


def answers(
    questions: Mapping[K, Callable[[], T]], clock: Clock, tries: int = TRIES
) -> tuple[dict[K, T], dict[K, NotYet]]:
    """Side by side: each question's answer; of those that kept saying "not yet", what they said last.

    They are asked again, with longer and longer pauses: each as often as `tries` says, but after PATIENCE
    seconds only to make up FEWEST. Raises what else a question raises.
    """
    found: dict[K, T] = {}
    unanswered: dict[K, NotYet] = {}
    left, waited = dict(questions), 0.5
    until = clock.now() + PATIENCE if left else 0.0
    with parallel.pool() as pool:
        for attempt in range(tries):
            if not left or (attempt >= FEWEST and clock.now() >= until):
                break
            if attempt:
                clock.sleep(waited := waited * 1.5)
            under_way = {key: pool.submit(question) for key, question in left.items()}
            for key, asking in under_way.items():
                try:
                    found[key] = asking.result()
                except NotYet as why:
                    unanswered[key] = why
                else:
                    del left[key]
                    unanswered.pop(key, None)
    return found, unanswered


def recall(resources: Iterable[Resource], records: Mapping[str, Record]) -> None:
    """Fill in every recorded output, before any thread may read one of them."""
    for resource in resources:
        if record := records.get(resource.key):
            resource.recall(record.outputs)


def ask(question: Callable[[], T], clock: Clock, doing: str, tries: int = TRIES) -> T:
    """Return one question's answer, asked as `answers` does. Raises NoAnswer, and what else it raises."""
    found, silent = answers({doing: question}, clock, tries)
    for why in silent.values():
        raise unanswered(doing, why)
    return found[doing]


def account(doors: Doors, clock: Clock) -> str:
    """Return the account's number. Raises Refusal where AWS cannot be reached or nobody is signed in."""
    return ask(doors.aws.account, clock, _("Asking AWS which account this is."))


def unanswered(doing: str, why: NotYet) -> NoAnswer:
    """Return the refusal for a question that kept being unanswered."""
    return NoAnswer(doing, why.reason, _("Run the same command again in a moment."))


def look_at_all(
    resources: list[Resource], doors: Doors, records: dict[str, Record], clock: Clock
) -> dict[str, Sight]:
    """Everything, as few round trips long as the needs allow: what is recorded needs no other look first."""
    recall(resources, records)
    doors = once(doors, _batched(resources, records))
    left = resources
    sights: dict[str, Sight] = {}
    while left:
        wave = [r for r in left if _may_look(r, sights, records)]
        left = [r for r in left if r not in wave]
        known = {key for key, sight in sights.items() if sight.ours}
        looks = {r.key: partial(_seen, r, doors, records, known) for r in wave if _rests(r, sights)}
        found, silent = answers(looks, clock)
        for key, why in silent.items():
            doing = _("Looking for {key}.", key=key)
            found[key] = unanswered(doing, why)
        for resource in wave:
            sight = found.get(resource.key) or _not_looked_at(resource, sights)
            if isinstance(sight, Refusal):
                unknown = sight.why if isinstance(sight, Unknown) else ""
                sight = Sight(resource, None, refusal=sight, unknown=unknown)
            sight.record = records.get(resource.key)
            sights[resource.key] = sight
    for sight in sights.values():  # now that what each is built on is known
        sight.compare()
    return {resource.key: sights[resource.key] for resource in resources}


def _batched(resources: list[Resource], records: dict[str, Record]) -> Iterator[tuple[Batch, str]]:
    """What will be looked for by an id that is known, where one call tells of several."""
    for resource in resources:
        if batch := resource.batch:
            known = records[resource.key].outputs if resource.key in records else {}
            fields = dataclasses.fields(resource)
            ids = [known.get(f.name) for f in fields if f.metadata.get("path") == batch.id]
            if id := next(filter(None, ids), resource.identity() if batch.by_name else ""):
                yield batch, id


def _may_look(resource: Resource, sights: dict[str, Sight], records: dict[str, Record]) -> bool:
    """Whether its turn has come: all that its look needs to know of others is known."""
    recorded = resource.key in records and all(
        need.key in records and _is_known(need, records[need.key].outputs)
        for need in resource.needs()
    )
    if not isinstance(resource, Milestone) and (resource.by_name or recorded):
        return True
    return all(need.key in sights for need in _places(resource))


def _is_known(resource: Resource, outputs: Mapping[str, Any]) -> bool:
    """Whether AWS's name for it is among these outputs: its first one, by which others ask for it."""
    names = [item.name for item in dataclasses.fields(resource) if "path" in item.metadata]
    return not names or bool(outputs.get(names[0]))


def _rests(resource: Resource, sights: dict[str, Sight]) -> bool:
    """Whether everything it needs is there (or not looked at yet because it is recorded)."""
    return resource.by_name or all(
        sights[need.key].seen and (sights[need.key].live is not None)
        for need in _places(resource)
        if need.key in sights and not isinstance(need, Milestone)
    )


def _places(resource: Resource) -> list[Resource]:
    """The needs that have to be there for it to be looked for."""
    return [getattr(resource, resource.looked_in)] if resource.looked_in else resource.needs()


def _not_looked_at(resource: Resource, sights: dict[str, Sight]) -> Sight:
    """Return what is to be said of it while what it rests on is not there, or nobody knows whether it is."""
    unknown = [
        need.key for need in _places(resource) if need.key in sights and sights[need.key].unknown
    ]
    why = _("{key} could not be looked at", key=unknown[0]) if unknown else ""
    return Sight(resource, None, unknown=why)


def _seen(
    resource: Resource, doors: Doors, records: dict[str, Record], parents: set[str]
) -> Sight | Refusal:
    """Return one look, or why it was refused. Raises NotYet."""
    try:
        return look(resource, doors, records, parents=parents)
    except aws.UnknownId:  # nothing is wrong, but it could not be asked for
        return Sight(resource, records.get(resource.key))
    except Refusal as refusal:
        return refusal
