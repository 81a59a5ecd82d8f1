"""The engine: walks the stack forwards to set up and backwards to tear down.

State is on disk before and after each mutation. Nothing here knows which resources there are.
"""

from dataclasses import dataclass, field
from typing import Any

from provision import aws, look
from provision.clock import Clock
from provision.errors import NotYet, Refusal
from provision.look import Sight
from provision.resource import Doors, Live, Milestone, Resource, kinds
from provision.stackfile import Record, StackFile, State
from provision.walk import Line, Outcome, Tell, walk
from provision.words import _

# Seconds in which resolvers may still lead to what was replaced: Route 53 needs about 40 to answer with a
# change everywhere, and an alias of a load balancer is remembered for 60 (its Developer Guide, alias TTL).
OLD_ANSWERS = 100.0


@dataclass
class Gone:
    """What a teardown did: keys deleted, keys kept with the reason, keys left that should be gone."""

    deleted: list[str] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


class Engine:
    """One stack, its file, the doors to the outside, a clock, and somebody to tell."""

    def __init__(
        self, resources: list[Resource], file: StackFile, doors: Doors, clock: Clock, tell: Tell
    ) -> None:
        self.resources, self.file, self.doors, self.clock, self.tell = (
            resources,
            file,
            doors,
            clock,
            tell,
        )
        self._here: dict[str, str] = {}
        self._sights: dict[str, Sight] = {}
        self._made: set[str] = set()  # created in this run: "not found" means "not yet visible"
        self._doubted: set[str] = set()  # create said "taken": ours only if its tags say so
        self._done: set[str] = set()  # done in this walk
        self._deleted: set[str] = set()  # the delete call of this run has been answered

    def look(self) -> dict[str, Sight]:
        """Looks at everything; the next walk begins with what was seen."""
        self._sights = look.look_at_all(self.resources, self.doors, self.file.records)
        return dict(self._sights)

    def begin(self) -> None:
        """Notes account and region at the first record; refuses to work in others than the noted ones."""
        here = {"account": self.doors.aws.account(), "region": self.doors.aws.region}
        if self.file.made_in and self.file.made_in != here:
            raise Refusal(
                _("Comparing this account with the one {path} was made in.", path=self.file.path),
                _(
                    "made in {made}, but this is {here}",
                    made=_place(self.file.made_in),
                    here=_place(here),
                ),
                _("Sign in to that account and set that region, or use another --stack file."),
            )
        self._here = here

    # Forwards --------------------------------------------------------------------------------------

    def setup(self, wait: float | None) -> Outcome:
        """Brings everything to be. wait: seconds to wait for what is outside; None: without bound."""
        outcome = self.bring(self.resources, wait)
        if not outcome.refusals and not outcome.outside:
            orphans = self.orphans()
            rest = OLD_ANSWERS if any(orphan.remembered for orphan in orphans) else 0.0
            outcome.refusals += self._take_away(orphans, everything=True, rest=rest).refusals
        return outcome

    def bring(self, resources: list[Resource], wait: float | None = None) -> Outcome:
        """Brings these to be, in their order; nothing that they replace goes."""
        lines = [Line(r, [need.key for need in r.needs()]) for r in resources]
        return walk(lines, self._build, self.clock, self.tell, wait)

    def note(self, resource: Resource) -> None:
        """Writes down what is known of one that is recorded already."""
        self._write(resource, self.file.records[resource.key].state)

    def _build(self, resource: Resource) -> str:
        if isinstance(resource, Milestone):
            return self.reach(resource)
        sight = self._sights.pop(resource.key, None)
        if sight is None or not sight.seen or sight.refusal:
            doubted = resource.key in self._doubted
            sight = look.look(resource, self.doors, self.file.records, doubted=doubted)
        live = sight.live
        match sight.verdict:
            case "stranger":
                self.file.forget(resource.key)
                raise stranger(resource)
            case "vanished":
                raise vanished(resource)
            case "finish":
                self._remove(resource, everything=True, gone=Gone())
                live = self._create(resource)
            case "create":
                live = self._create(resource)
            case "adopt":
                self.tell("adopted", resource, "")
                self._write(resource, "adopted")
            case "claim":
                self._write(resource, "created")
        if live is None or (resource.key in self._made and resource.wants()):
            live = look.find(resource, self.doors)
        if live is None:
            raise NotYet(_("created; waiting until AWS shows it"))
        self._keep(resource, live)
        self._done.add(resource.key)
        return "done"

    def reach(self, milestone: Milestone, live: Live | None = None) -> str:
        """Whether it is reached; live: as it was seen, if it was. Raises NotYet with what is missing."""
        live = live or look.find(milestone, self.doors) or {}
        if reason := milestone.pending(live):
            raise NotYet(reason, outside=milestone.outside, bound=milestone.patience(live))
        milestone.learn(live)
        self._done.add(milestone.key)
        return "done"

    def _create(self, resource: Resource) -> Live | None:
        if resource.key in self._made:
            return None
        intent = dict(resource.intent(self.doors))
        record = self.file.records.get(resource.key)
        kept = record.outputs if record and record.state == "creating" else {}
        resource.recall({**intent, **kept})
        self._write(resource, "creating")
        self.tell("creating", resource, "")
        doing = _("Creating {key}.", key=resource.key)
        try:
            patient = self._patient(resource)
            with aws.understood(doing, taken=resource.taken, patient=patient):
                live = resource.create(self.doors)
        except aws.Taken:
            self._doubted.add(resource.key)
            raise NotYet(_("the name is taken; looking whose it is")) from None
        except Refusal:
            self.file.forget(resource.key)  # AWS said no, so there is none
            raise
        self._made.add(resource.key)
        if live is not None:
            resource.learn(live)
            self._write(resource, "adopted" if resource.shared else "created")
        return live

    def _patient(self, resource: Resource) -> tuple[str, ...]:
        """What may succeed later. "There is none" too, of what this run made: not all of AWS knows it yet."""
        built_on = [resource, *resource.needs()]
        built_on += [n for need in built_on if isinstance(need, Milestone) for n in need.needs()]
        unseen = [code for one in built_on if one.key in self._made for code in one.absent]
        return (*resource.patient, *unseen)

    def _keep(self, resource: Resource, live: Live) -> None:
        """Records what was seen, cures what differs, waits until it is ready.

        Of what was adopted nothing is changed, unless the person said so.
        """
        resource.learn(live)
        record = self.file.records[resource.key]
        state: State = "adopted" if record.state == "adopted" or resource.shared else "created"
        self._write(resource, state)
        ours = state == "created" or resource.consented
        differences = resource.differences(live) if ours else []
        if differences:
            self._wait_to_switch(resource)
            self.tell("updating", resource, ", ".join(d.path for d in differences))
            doing = _("Updating {key}.", key=resource.key)
            with aws.understood(doing, patient=self._patient(resource)):
                resource.update(self.doors, live, differences)
            live = look.find(resource, self.doors) or live
            resource.learn(live)
            self._write(resource, state)
            if left := resource.differences(live):
                paths = ", ".join(difference.path for difference in left)
                raise NotYet(_("waiting until AWS shows the change of {paths}", paths=paths))
        if reason := resource.pending(live):
            raise NotYet(reason, bound=resource.patience(live))

    def _wait_to_switch(self, resource: Resource) -> None:
        """What moves traffic moves it only to what stands: the old way stays open until then."""
        missing = [other.key for other in resource.switch_after if other.key not in self._done]
        if missing:
            keys = ", ".join(missing)
            why = _("it leads to the old one until these stand: {keys}", keys=keys)
            raise NotYet(why, outside=True)  # their own lines say how long they may take

    def _write(self, resource: Resource, state: State) -> None:
        """On disk when this returns; no write where nothing changed."""
        record = Record(resource.kind, state, resource.outputs())
        if not self.file.made_in:
            self.file.made_in = dict(self._here)
        if self.file.records.get(resource.key) != record:
            self.file.record(resource.key, record)

    # Backwards -------------------------------------------------------------------------------------

    def orphans(self) -> list[Resource]:
        """What is recorded and no longer in the stack (its key changed), newest first."""
        known = {resource.key for resource in self.resources}
        gone = [(key, record) for key, record in self.file.records.items() if key not in known]
        return [revived(key, record, self.resources) for key, record in reversed(gone)]

    def teardown(self, everything: bool) -> Gone:
        """Takes away what is ours. everything: also what is kept because it holds something dear."""
        for sight in self.look().values():
            if sight.verdict == "claim" and not isinstance(sight.resource, Milestone):
                self._write(sight.resource, "created")
        return self._take_away(self.orphans() + self.resources[::-1], everything)

    def pause(self) -> Gone:
        """Takes away what is paid by the hour and everything that needs it."""
        self.file.mark_paused(True)
        self.look()
        paid = [r for r in self.resources if r.hourly]
        gone = {id(user) for r in paid for user in (r, *_users(r, self.resources, Resource))}
        return self._take_away([r for r in self.resources[::-1] if id(r) in gone], everything=True)

    def _take_away(self, resources: list[Resource], everything: bool, rest: float = 0.0) -> Gone:
        """Takes these away, what rests on others first. rest: seconds for which all of them stay."""
        gone = Gone()
        real = [r for r in resources if r.key in self.file.records]
        lines = [Line(r, [user.key for user in _users(r, resources) if user in real]) for r in real]
        until = self.clock.now() + rest

        def remove(resource: Resource) -> str:
            if self.clock.now() < until:
                raise NotYet(_("replaced; resolvers and LINE may still lead to it"))
            return self._remove(resource, everything, gone)

        outcome = walk(lines, remove, self.clock, self.tell)
        gone.refusals = outcome.refusals
        gone.left = [r.key for r in real if r.key not in gone.deleted and r.key not in gone.kept]
        return gone

    def _remove(self, resource: Resource, everything: bool, gone: Gone) -> str:
        record = self.file.records[resource.key]
        resource.recall(record.outputs)
        if record.state == "adopted":
            gone.kept[resource.key] = resource.kept(everything) or _(
                "it was there before provision"
            )
            self.file.forget(resource.key)
            return "kept"
        if why := resource.kept(everything):
            gone.kept[resource.key] = why
            return "kept"
        if resource.key not in self._deleted:
            live = look.find(resource, self.doors)
            if live is not None:
                resource.learn(live)
                self._delete(resource)
        live = look.find(resource, self.doors)
        if live is not None:
            raise NotYet(_("waiting until it is gone"), passable=resource.lets_go(live))
        self.file.forget(resource.key)
        self._deleted.discard(resource.key)
        gone.deleted.append(resource.key)
        return "gone"

    def _delete(self, resource: Resource) -> None:
        self._write(resource, "deleting")
        self.tell("deleting", resource, "")
        doing = _("Deleting {key}.", key=resource.key)
        try:
            with aws.understood(doing, absent=resource.absent, patient=resource.patient):
                resource.delete(self.doors)
        except aws.Absent:
            return
        self._deleted.add(resource.key)


def _users(
    resource: Resource, among: list[Resource], through: type[Resource] = Milestone
) -> list[Resource]:
    """Everything that rests on it; also what rests on those of its users that are of the given type."""
    direct = [other for other in among if resource in other.needs()]
    steps = [other for other in direct if isinstance(other, through)]
    return direct + [user for other in steps for user in _users(other, among, through)]


def revived(key: str, record: Record, like: list[Resource]) -> Resource:
    """A recorded resource whose line is gone: its class, its outputs, and nothing else."""
    kind = kinds().get(record.kind)
    if kind is None:
        raise Refusal(
            _("Reading the record of {key}.", key=key),
            _("there is no kind of resource {kind}", kind=record.kind),
            _("Use the version of provision that wrote it."),
        )
    resource = kind.__new__(kind)
    line, _slash, identity = key.partition("/")
    resource.line, resource.stack = line, like[0].stack if like else ""
    resource.identity = lambda: identity  # type: ignore[method-assign]
    resource.recall(record.outputs)
    return resource


def stranger(resource: Resource) -> Refusal:
    """Something of that name is there, and it is not this stack's."""
    return Refusal(
        _("Creating {key}.", key=resource.key),
        _("there is one already, and it does not carry this stack's tags"),
        _("Choose another `name` in stack.yaml, or remove the other one if it is yours."),
    )


def vanished(resource: Resource) -> Refusal:
    """What was adopted is no longer there; it was never ours to make again."""
    return Refusal(
        _("Looking for {key}.", key=resource.key),
        _("it was there before provision and is gone now"),
        _("Put it back, or strike its entry out of stack.yaml so that provision makes one."),
    )


def _place(where: dict[str, Any]) -> str:
    return f"{where.get('account')} {where.get('region')}"
