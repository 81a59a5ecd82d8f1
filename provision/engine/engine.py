"""Go through the stack forwards to set up and backwards to tear down.

State is on disk before and after each change. Nothing here knows which resources there are.
"""

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

from provision import parallel
from provision.clients import aws
from provision.clock import Clock
from provision.engine import external_use, inspector, interrupted, inventory
from provision.engine.creator import Creator, dependencies
from provision.engine.deleter import Deleter, DeletionResult, dependents, from_record, stays
from provision.engine.executor import Outcome, Report, Step, execute
from provision.engine.inspector import Observation
from provision.engine.ownership import NotOurs, Ownership
from provision.engine.read_cache import cached_reads
from provision.errors import Pending, ProvisionError, UnknownState
from provision.i18n import _
from provision.resources.base import (
    AccountWide,
    Clients,
    Live,
    Milestone,
    Resource,
    differences,
    is_untaggable,
    name_conflict,
)
from provision.state.stack_file import Record, StackFile, State

LISTS_LAG = 60.0  # seconds for which a service's list may still show what it has deleted


class Engine:
    """Create, change and delete one stack. tell: is called with every event."""

    def __init__(
        self,
        resources: list[Resource],
        file: StackFile,
        clients: Clients,
        clock: Clock,
        tell: Report,
    ) -> None:
        self.resources, self.file, self.clients, self.clock, self.tell = (
            resources,
            file,
            clients,
            clock,
            tell,
        )
        self.here: dict[str, str] = {}
        self._sights: dict[str, Observation] = {}
        self._missed: dict[str, float] = {}  # when a milestone was last seen not to be reached
        self._done: set[str] = set()  # done in this walk
        self._unknown: dict[
            str, str
        ] = {}  # begun under former settings, and could not be looked for
        self._lives: dict[str, Live] = {}  # as they were seen in this walk
        self._checked_uses: external_use.ExternalUses | None = None  # as it was shown to the person
        self.unchecked: dict[
            str, str
        ] = {}  # of what settings have replaced; why it stays unlooked at
        self._creation = Creator(file, clients, clock, tell, self._write)
        self._ownership = Ownership(file, clients, clock)
        self._removal = Deleter(file, clients, clock, tell, self._write, self._ownership)

    @property
    def stack(self) -> str:
        """Return the stack's name."""
        return self.resources[0].stack if self.resources else ""

    def inspect(self, clients: Clients | None = None) -> dict[str, Observation]:
        """Inspect everything; the next run starts with these observations. clients: others to use."""
        clients, records = clients or self.clients, self.file.records
        self._sights = inspector.inspect_all(self.resources, clients, records, self.clock)
        self._removal.seen = {k: s.live for k, s in self._sights.items() if s.live is not None}
        return dict(self._sights)

    def begin(self) -> None:
        """Record account and region with the first record. Raise ProvisionError in any other."""
        self.here = account_and_region(self.clients, self.clock)
        if self.file.made_in and self.file.made_in != self.here:
            raise ProvisionError(
                _(
                    "This is not the account or region that {path} was made in.",
                    path=self.file.path,
                ),
                made_elsewhere(self.file.made_in, self.here),
                _(
                    "Sign in to that account and set that region, or use another --stack file. "
                    "Where the file is wrong about that, `provision recover` writes it anew."
                ),
            )
        known = {resource.key for resource in self.resources}
        self._unknown = interrupted.settle(
            self.file, known, self._inventory, self._record, self.clock
        )

    def _inventory(self) -> inventory.Inventory:
        return inventory.list_inventory(self.clients, self.clock, self.stack)

    # Creating --------------------------------------------------------------------------------------

    def setup(self, wait: float | None) -> Outcome:
        """Create everything. wait: seconds to wait for what is outside; None: without limit."""
        outcome = self.create_all(self.resources, wait)
        if not outcome.errors and not outcome.outside:
            orphans, stay = self.orphans(), self.retained_orphans()
            rest = max((orphan.deletion.replaced_delay for orphan in orphans), default=0.0)
            gone = self._removal.delete_all(orphans, everything=True, retained=stay, rest=rest)
            outcome.errors += gone.errors
        outcome.errors += self._not_looked_for()
        outcome.errors += [_unchecked(key, why) for key, why in self.unchecked.items()]
        return outcome

    def create_all(self, resources: list[Resource], wait: float | None = None) -> Outcome:
        """Create these; nothing that they replace is deleted."""
        lines = [Step(r, [need.key for need in r.needs()]) for r in resources]
        return execute(lines, self._build, self.clock, self.tell, wait)

    def note(self, resource: Resource) -> None:
        """Record what is known of a resource that is recorded already."""
        self._write(resource, self.file.records[resource.key].state)

    def retained_orphans(self) -> dict[str, str]:
        """Return the replaced resources that stay, with the reason: others use them, or they hold data.

        What could not be looked at stays, too; `unchecked` has the reasons.
        """
        orphans = self.orphans()
        uses = self._uses(orphans)
        self.unchecked = external_use.unchecked(uses)
        stay = external_use.retained(uses, [*orphans, *self.resources])
        for orphan in orphans:
            try:
                why = inspector.ask(
                    partial(self._reason_to_keep, orphan),
                    self.clock,
                    external_use.checking_uses(orphan.key),
                )
            except ProvisionError as refusal:
                self.unchecked.setdefault(orphan.key, refusal.why)
                why = _("it could not be looked at: {why}", why=refusal.why)
            if why:
                stay.setdefault(orphan.key, why)
        return stay

    def _reason_to_keep(self, orphan: Resource) -> str:
        try:
            with aws.reading(
                external_use.checking_uses(orphan.key), not_found=orphan.errors.not_found
            ):
                return orphan.keep_on_replace(self.clients)
        except aws.NotFound:
            return ""

    def _uses(
        self, resources: list[Resource], clients: Clients | None = None
    ) -> external_use.ExternalUses:
        return external_use.uses(
            resources, self.file.records, cached_reads(clients or self.clients), self.clock
        )

    def _build(self, resource: Resource) -> str:
        observation = self._sights.pop(resource.key, None)
        if isinstance(resource, Milestone):
            still = not any(f.key in self._creation.made for f in dependencies(resource))
            return self.reach(resource, observation.live if observation and still else None)
        if self._creation.cannot_be(resource):
            resource.preflight(self.clients)
            observation = Observation(resource, self.file.records.get(resource.key), seen=True)
        if observation is None or not observation.seen or observation.refusal:
            doubted = resource.key in self._creation.doubted
            observation = inspector.inspect(
                resource, self.clients, self.file.records, doubted=doubted
            )
        live = observation.live
        if live is None and self._creation.hidden(resource):
            raise Pending(_("made a moment ago; AWS may not show it yet"))
        match observation.verdict:
            case "stranger":
                self.file.forget(resource.key)
                raise name_conflict(resource, resource.shown(live or {}))
            case "vanished":
                raise vanished(resource)
            case "finish":
                self._removal.remove(resource, everything=True, gone=DeletionResult())
                live = self._create(resource)
            case "create":
                live = self._create(resource)
            case "adopt":
                self.tell("adopted", resource, "")
                self._write(resource, "adopted")
            case "claim":
                self._write(resource, "created")
        if live is None or not self._creation.whole(resource, live):
            live = inspector.find(resource, self.clients)
        if live is None:
            raise Pending(_("created; waiting until AWS shows it"))
        self._keep(resource, live)
        self._done.add(resource.key)
        return "done"

    def _create(self, resource: Resource) -> Live | None:
        """Create it, after proving that everything it depends on is ours or adopted."""
        for need in resource.needs():
            record = self.file.records.get(need.key)
            recorded = record is not None and record.state == "created"
            if recorded and not is_untaggable(type(need)) and need.key not in self._creation.made:
                self.prove(need, self._lives.get(need.key))
        return self._creation.create(resource)

    def prove(self, resource: Resource, live: Live | None = None) -> None:
        """Raise ProvisionError unless it is this stack's by its own tags. live: as it was seen."""
        live = live or inspector.find(resource, self.clients)
        if live is not None:
            self._ownership.prove(resource, live)

    def ownership_errors(self, resources: list[Resource]) -> list[ProvisionError]:
        """Return what speaks against changing or deleting these: those that are not this stack's."""
        found: list[ProvisionError] = []
        for resource in resources:
            observation, record = (
                self._sights.get(resource.key),
                self.file.records.get(resource.key),
            )
            if record is None or stays(resource, record, everything=True):
                continue
            try:
                self.prove(resource, observation.live if observation else None)
            except NotOurs as refusal:
                found.append(refusal)
            except (Pending, ProvisionError):
                continue  # asked again before it is changed
        return found

    def reach(self, milestone: Milestone, live: Live | None = None) -> str:
        """Return "done" where it is reached. live: as it was seen. Raise Pending with what is missing."""
        left = self._left(milestone)
        if not live:
            retry = self._creation.retry(milestone)
            live = inspector.find(milestone, self.clients, waiting=True, retry=retry) or {}
        if pending := milestone.pending(live):
            self._missed[milestone.key] = self.clock.now()
            pending.outside, pending.left = milestone.outside, left
            raise pending
        milestone.load_from_api(live)
        self._done.add(milestone.key)
        if (missed := self._missed.get(milestone.key)) is not None:
            # What AWS does once a person has acted began then, be it long before we noticed.
            reached = missed if milestone.whenever else self.clock.now()
            self._creation.begun[milestone.key] = reached
        return "done"

    def _left(self, milestone: Milestone) -> float | None:
        """Return the seconds until it is usually reached; None where its beginning is not known."""
        if milestone.whenever:
            return None
        begun = self._creation.begun
        ends = [
            begun[n.key]
            + (0 if isinstance(n, Milestone) else n.polling.expected)
            + milestone.polling.expected
            for n in milestone.needs()
            if n.key in begun
        ]
        if before := [begun[m.key] for m in milestone.ready_after if m.key in begun]:
            ends = [max(before) + milestone.settling]
        return max(ends) - self.clock.now() if ends else None

    def _keep(self, resource: Resource, live: Live) -> None:
        """Record what was seen, update what differs, and wait until it is ready.

        Of what was adopted nothing is changed, unless the person said so.
        """
        resource.load_from_api(live)
        self._lives[resource.key] = live
        record = self.file.records[resource.key]
        shared = record.state == "adopted" or isinstance(resource, AccountWide)
        state: State = "adopted" if shared else "created"
        self._write(resource, state)
        ours = state == "created" or resource.consented
        drift = differences(resource, live) if ours else []
        if drift:
            if not resource.consented and resource.key not in self._creation.made:
                self.prove(resource, live)
            self._wait_to_switch(resource)
            self.tell("updating", resource, ", ".join(d.path for d in drift))
            doing = _("Could not update {key}.", key=resource.key)
            with aws.translate_errors(doing, retry=self._creation.retry(resource)):
                resource.update(self.clients, live, drift)
            self._write(resource, state, made=True)  # maybe another: a task definition's revision
            self._creation.made.add(resource.key)
            if (
                resource.key not in self._creation.begun
            ):  # of what this run has made, the answer is believed
                live = self._changed(resource, state)
        if pending := resource.pending(live):
            if (begun := self._creation.begun.get(resource.key)) is not None:
                pending.left = begun + resource.polling.expected - self.clock.now()
            raise pending

    def _changed(self, resource: Resource, state: State) -> Live:
        """Return it as AWS shows it after a change. Raise Pending while the change shows only in part."""
        live = inspector.find(resource, self.clients)
        if live is None:
            raise Pending(_("changed; waiting until AWS shows it"))
        resource.load_from_api(live)
        self._write(resource, state)
        if left := differences(resource, live):
            paths = ", ".join(difference.path for difference in left)
            raise Pending(_("waiting until AWS shows the change of {paths}", paths=paths))
        return live

    def _wait_to_switch(self, resource: Resource) -> None:
        """Raise Pending until what the traffic is switched to is ready."""
        missing = [other.key for other in resource.switch_after if other.key not in self._done]
        if missing:
            keys = ", ".join(missing)
            why = _("it still points to the old one until these are ready: {keys}", keys=keys)
            raise Pending(why, outside=True)  # their own lines say how long they may take

    def _write(self, resource: Resource, state: State, made: bool = False) -> None:
        """Write the record if it has changed; it is on disk when this returns. made: just now."""
        known = self.file.records.get(resource.key)
        since = self.clock.now() if made else known.since if known else 0.0
        self._record(resource.key, Record(resource.kind, state, resource.outputs(), since))

    def _record(self, key: str, record: Record) -> None:
        if not self.file.made_in:
            self.file.made_in = dict(self.here)
        if record.state == "creating":
            self.file.begin(key, record)
        elif self.file.records.get(key) != record:
            self.file.record(key, record)

    # Deleting --------------------------------------------------------------------------------------

    def orphans(self) -> list[Resource]:
        """Return what is recorded and no longer in the stack (its key changed), newest first."""
        known = {*(resource.key for resource in self.resources), *self._unknown}
        gone = [(key, record) for key, record in self.file.records.items() if key not in known]
        return [from_record(key, record, self.stack) for key, record in reversed(gone)]

    def _not_looked_for(self) -> list[ProvisionError]:
        """Return a refusal for each record of which nobody knows whether there is anything behind it."""
        return [
            ProvisionError(
                _("Could not look up {key}.", key=key),
                why,
                _("Run the same command again in a moment."),
            )
            for key, why in self._unknown.items()
        ]

    def check_teardown(self, everything: bool) -> external_use.ExternalUses:
        """Return what others use of what a teardown would delete, by key. Delete nothing."""
        interrupted.await_shown(self.file, self.inspect, self.tell, self.clock)
        inspector.load_records(self.resources, self.file.records)
        clients, known = cached_reads(self.clients), self.file.records
        with parallel.pool() as threads:  # as the file has it, which as a rule is how it is
            listed = threads.submit(inventory.list_inventory, clients, self.clock, self.stack)
            asked = threads.submit(self._used, everything, clients)
            observations = self.inspect(clients)
        self._ownership.listed = listed.result().tagged
        if self._list(listed.result().tagged):
            observations = self.inspect(clients)
        self._claim(observations)
        still = known == self.file.records
        self._checked_uses = asked.result() if still else self._used(everything, clients)
        return self._checked_uses

    def _used(self, everything: bool, clients: Clients) -> external_use.ExternalUses:
        return self._uses(
            [r for r in self._deletion_order() if not r.retention_reason(everything)], clients
        )

    def _deletion_order(self) -> list[Resource]:
        """Return everything that a teardown deletes, in its order."""
        return [*self.orphans(), *self.resources[::-1]]

    def teardown_preview(self, everything: bool, contents: Collection[str] = ()) -> dict[str, str]:
        """Return, after check_teardown, why each resource would stay, by key; "" where it would go."""
        going = self._deletion_order()
        retained = external_use.retained(self._checked_uses or {}, going, contents)
        records = self.file.records
        return {
            r.key: retained.get(r.key) or stays(r, records[r.key], everything)
            for r in going
            if r.key in records
        }

    def teardown(self, everything: bool, contents: Collection[str] = ()) -> DeletionResult:
        """Delete what is ours and nobody else uses, then list what is left.

        everything: also what is kept because it holds something dear. contents: keys of zones, buckets and
        the like that go with what others put into them.
        """
        uses = self.check_teardown(everything) if self._checked_uses is None else self._checked_uses
        going = self._deletion_order()
        stay = external_use.retained(uses, going, contents)
        gone = self._removal.delete_all(going, everything, stay, contents=contents)
        kept = [self.file.records[key] for key in gone.kept if key in self.file.records]
        patience = 0.0 if gone.left else LISTS_LAG
        found = inventory.left(self.clients, self.clock, self.stack, kept, patience)
        gone.left += [str(tagged) for tagged in found.tagged if tagged.key not in gone.left]
        gone.left += [key for key in self._unknown if key not in gone.left]
        gone.errors += self._not_looked_for()
        gone.unasked = found.unasked
        gone.unchecked |= external_use.unchecked(uses)
        return gone

    def recover(self) -> dict[str, str]:
        """Record what the account has of this stack and the file does not.

        Also what setup would adopt, and what a teardown may have left as it was. Returns what could not be
        looked at, by kind or key, with the reason.
        """
        clients = cached_reads(self.clients)
        found = inventory.list_inventory(clients, self.clock, self.stack)
        self._list(found.tagged)
        observations = self.inspect(clients)
        self._claim(observations, adopt=True)
        unknown = {kind: refusal.why for kind, refusal in found.unasked.items()}
        return unknown | {
            key: observation.unknown
            for key, observation in observations.items()
            if observation.unknown
        }

    def _list(self, listed: list[inventory.TaggedResource]) -> bool:
        """Record what carries our tags and is not recorded yet. Return whether there was any."""
        new = [tagged for tagged in listed if tagged.key not in self.file.records]
        for tagged in new:
            self._record(tagged.key, tagged.record())
        return bool(new)

    def _claim(self, observations: Mapping[str, Observation], adopt: bool = False) -> None:
        """Record what is ours without a record: it belongs to something that carries our tags.

        adopt: as `recover` has it.
        """
        states: dict[str, State] = {"claim": "created", **({"adopt": "adopted"} if adopt else {})}
        for observation in observations.values():
            if isinstance(observation.resource, Milestone) or observation.live is None:
                continue
            if (
                not observation.record
                and not adopt
                and observation.resource.deletion_state(observation.live) == "survives"
            ):
                continue
            if (
                observation.verdict == "keep" and observation.record
            ):  # with what only a look can tell
                self._write(observation.resource, observation.record.state)
            elif observation.verdict in states:
                self._write(observation.resource, states[observation.verdict])

    def check_pause(self) -> external_use.ExternalUses:
        """Return what others use of what a pause would delete, by key. Delete nothing."""
        clients = cached_reads(self.clients)
        self.inspect(clients)
        self._checked_uses = self._uses(self._paused(), clients)
        return self._checked_uses

    def pause(self, contents: Collection[str] = ()) -> DeletionResult:
        """Delete what is paid by the hour and everything that depends on it. contents: as for teardown."""
        uses = self.check_pause() if self._checked_uses is None else self._checked_uses
        self.file.mark_paused(True)
        stay = external_use.retained(uses, self.resources, contents)
        gone = self._removal.delete_all(self._paused(), True, stay, contents=contents)
        gone.unchecked |= external_use.unchecked(uses)
        return gone

    def _paused(self) -> list[Resource]:
        paid = [r for r in self.resources if r.deletion.on_pause]
        gone = {id(user) for r in paid for user in (r, *dependents(r, self.resources, Resource))}
        return [r for r in self.resources[::-1] if id(r) in gone]


def vanished(resource: Resource) -> ProvisionError:
    """Return the error for an adopted resource that is gone: it is not ours to create again."""
    return ProvisionError(
        _("Could not look up {key}.", key=resource.key),
        _("it was there before provision and is gone now"),
        _("Put it back, or strike its entry out of stack.yaml so that provision makes one."),
    )


def _unchecked(key: str, why: str) -> UnknownState:
    then = _("It stays until then: run the same command again once that can be looked at.")
    return UnknownState(external_use.checking_uses(key), why, then)


def account_and_region(clients: Clients, clock: Clock) -> dict[str, str]:
    """Return account and region as they are noted in stack.yaml. Raises ProvisionError."""
    return {"account": inspector.account(clients, clock), "region": clients.aws.region}


def made_elsewhere(made: dict[str, str], here: dict[str, str]) -> str:
    """Return why records of one account and region cannot be used in another."""
    return _("made in {made}, but this is {here}", made=_place(made), here=_place(here))


def _place(where: dict[str, Any]) -> str:
    return f"{where.get('account')} {where.get('region')}"
