"""Create, update and delete the resources of a stack.

Write stack.yaml before and after each change. Nothing here refers to a particular resource.
"""

import itertools
from collections.abc import Collection, Mapping
from functools import partial
from typing import Any

from provision import parallel, retries
from provision.clients import aws_errors
from provision.clock import Clock
from provision.engine import external_use, inspector, interrupted, inventory
from provision.engine.builder import Builder
from provision.engine.deleter import (
    Deleter,
    DeletionResult,
    dependents,
    from_record,
    reason_to_keep,
)
from provision.engine.executor import Outcome, Report, Step, execute
from provision.engine.inspector import Observation
from provision.engine.ownership import NotOurs, Ownership
from provision.engine.read_cache import cached_reads
from provision.errors import Pending, ProvisionError, UnknownState
from provision.i18n import _
from provision.resources.base import Clients, Milestone, Resource
from provision.state.stack_file import Record, StackFile, State

LIST_DELAY = 60.0  # seconds for which list calls may still return deleted resources


class Engine:
    """Create, update and delete one stack. report: called with every event."""

    def __init__(
        self,
        resources: list[Resource],
        file: StackFile,
        clients: Clients,
        clock: Clock,
        report: Report,
    ) -> None:
        self.resources, self.file, self.clients = resources, file, clients
        self.clock, self.report = clock, report
        self.account_region: dict[str, str] = {}
        self._unresolved: dict[str, str] = {}  # by key; see interrupted.settle
        self._checked_uses: external_use.ExternalUses | None = None  # as shown to the person
        self.unchecked: dict[str, str] = {}  # replaced resources that could not be read; why
        self._ownership = Ownership(file, clients, clock)
        self._deleter = Deleter(file, clients, clock, report, self._write, self._ownership)
        self.builder = Builder(
            file, clients, clock, report, self._write, self._ownership, self._deleter
        )

    @property
    def stack(self) -> str:
        """Return the stack's name."""
        return self.resources[0].stack if self.resources else ""

    def inspect(self, clients: Clients | None = None) -> dict[str, Observation]:
        """Inspect all resources. The next run uses these observations. clients: used instead of the own."""
        clients, records = clients or self.clients, self.file.records
        self.builder.observations = inspector.inspect_all(
            self.resources, clients, records, self.clock
        )
        self._deleter.live = {
            k: s.live for k, s in self.builder.observations.items() if s.live is not None
        }
        return dict(self.builder.observations)

    def begin(self) -> None:
        """Check the account and region, and resolve interrupted creations.

        Raise ProvisionError if stack.yaml belongs to another account or region.
        """
        self.account_region = account_and_region(self.clients, self.clock)
        if self.file.made_in and self.file.made_in != self.account_region:
            raise ProvisionError(
                _(
                    "This is not the account or region that {path} was made in.",
                    path=self.file.path,
                ),
                account_mismatch(self.file.made_in, self.account_region),
                _(
                    "Sign in to that account and set that region, or use another --stack file. "
                    "If the file is wrong about that, `provision recover` rebuilds it."
                ),
            )
        stack_keys = {resource.key for resource in self.resources}
        self._unresolved = interrupted.settle(
            self.file, stack_keys, self._inventory, self._record, self.clock
        )

    def _inventory(self) -> inventory.Inventory:
        return inventory.list_inventory(self.clients, self.clock, self.stack)

    # Creating --------------------------------------------------------------------------------------

    def setup(self, wait: float | None) -> Outcome:
        """Create or update all resources, then delete the replaced ones.

        wait: seconds to wait for a person or another company; None: no limit.
        """
        outcome = self.create_all(self.resources, wait)
        if not outcome.errors and not outcome.outside:
            orphans, retained = self.orphans(), self.retained_orphans()
            delay = max((orphan.deletion.replaced_delay for orphan in orphans), default=0.0)
            result = self._deleter.delete_all(
                orphans, everything=True, retained=retained, delay=delay
            )
            outcome.errors += result.errors
        outcome.errors += self._unresolved_errors()
        outcome.errors += [_unchecked(key, why) for key, why in self.unchecked.items()]
        return outcome

    def create_all(self, resources: list[Resource], wait: float | None = None) -> Outcome:
        """Create or update these resources; delete nothing."""
        steps = [Step(r, [need.key for need in r.needs()]) for r in resources]
        return execute(steps, self.builder.build, self.clock, self.report, wait)

    def refresh_record(self, resource: Resource) -> None:
        """Write the current outputs of a recorded resource."""
        self._write(resource, self.file.records[resource.key].state)

    def retained_orphans(self) -> dict[str, str]:
        """Return the replaced resources to keep, with the reason: in external use, or they hold data.

        Resources that could not be read are kept too; `unchecked` has the reasons.
        """
        orphans = self.orphans()
        uses = self._uses(orphans)
        self.unchecked = external_use.unchecked(uses)
        retained = external_use.retained(uses, [*orphans, *self.resources])
        for orphan in orphans:
            try:
                why = retries.call(
                    partial(self._replacement_retention, orphan),
                    self.clock,
                    external_use.checking_uses(orphan.key),
                )
            except ProvisionError as error:
                self.unchecked.setdefault(orphan.key, error.why)
                why = _("it could not be looked at: {why}", why=error.why)
            if why:
                retained.setdefault(orphan.key, why)
        return retained

    def _replacement_retention(self, orphan: Resource) -> str:
        try:
            with aws_errors.reading(
                external_use.checking_uses(orphan.key), not_found=orphan.errors.not_found
            ):
                return orphan.keep_on_replace(self.clients)
        except aws_errors.NotFound:
            return ""

    def _uses(
        self, resources: list[Resource], clients: Clients | None = None
    ) -> external_use.ExternalUses:
        return external_use.uses(
            resources, self.file.records, cached_reads(clients or self.clients), self.clock
        )

    def ownership_errors(self, resources: list[Resource]) -> list[ProvisionError]:
        """Return an error for each of these resources that is recorded but is not this stack's."""
        found: list[ProvisionError] = []
        for resource in resources:
            observation = self.builder.observations.get(resource.key)
            record = self.file.records.get(resource.key)
            if record is None or reason_to_keep(resource, record, everything=True):
                continue
            try:
                self.builder.verify_ownership(resource, observation.live if observation else None)
            except NotOurs as error:
                found.append(error)
            except (Pending, ProvisionError):
                continue  # checked again before it is changed
        return found

    def _write(self, resource: Resource, state: State, touch: bool = False) -> None:
        """Write the record if it has changed; it is on disk when this returns. touch: renew `since`."""
        recorded = self.file.records.get(resource.key)
        since = self.clock.now() if touch else recorded.since if recorded else 0.0
        self._record(resource.key, Record(resource.kind, state, resource.outputs(), since))

    def _record(self, key: str, record: Record) -> None:
        if not self.file.made_in:
            self.file.made_in = dict(self.account_region)
        if record.state == "creating":
            self.file.begin(key, record)
        elif self.file.records.get(key) != record:
            self.file.record(key, record)

    # Deleting --------------------------------------------------------------------------------------

    def orphans(self) -> list[Resource]:
        """Return the recorded resources that are no longer in the stack, newest first."""
        keys = {*(resource.key for resource in self.resources), *self._unresolved}
        orphans = [(key, record) for key, record in self.file.records.items() if key not in keys]
        return [from_record(key, record, self.stack) for key, record in reversed(orphans)]

    def _unresolved_errors(self) -> list[ProvisionError]:
        """Return an error for each interrupted creation that could not be resolved."""
        return [
            ProvisionError(
                _("Could not look up {key}.", key=key),
                why,
                _("Run the same command again in a moment."),
            )
            for key, why in self._unresolved.items()
        ]

    def check_teardown(self, everything: bool) -> external_use.ExternalUses:
        """Return the external uses of the resources that a teardown would delete, by key. Delete nothing."""
        interrupted.await_shown(self.file, self.inspect, self.report, self.clock)
        inspector.load_records(self.resources, self.file.records)
        clients, records = cached_reads(self.clients), self.file.records
        with parallel.pool() as threads:  # assume that the records are complete; checked below
            tagged = threads.submit(inventory.list_inventory, clients, self.clock, self.stack)
            uses = threads.submit(self._uses_for_teardown, everything, clients)
            observations = self.inspect(clients)
        self._ownership.listed = tagged.result().tagged
        if self._record_tagged(tagged.result().tagged):
            observations = self.inspect(clients)
        self._record_claimed(observations)
        records_unchanged = records == self.file.records
        self._checked_uses = (
            uses.result() if records_unchanged else self._uses_for_teardown(everything, clients)
        )
        return self._checked_uses

    def _uses_for_teardown(self, everything: bool, clients: Clients) -> external_use.ExternalUses:
        return self._uses(
            [r for r in self._deletion_order() if not r.retention_reason(everything)], clients
        )

    def _deletion_order(self) -> list[Resource]:
        """Return all resources in the order in which a teardown deletes them."""
        return [*self.orphans(), *self.resources[::-1]]

    def teardown_preview(self, everything: bool, contents: Collection[str] = ()) -> dict[str, str]:
        """Return why each recorded resource would be kept, by key; "" if deleted. Needs check_teardown."""
        order = self._deletion_order()
        retained = external_use.retained(self._checked_uses or {}, order, contents)
        records = self.file.records
        return {
            r.key: retained.get(r.key) or reason_to_keep(r, records[r.key], everything)
            for r in order
            if r.key in records
        }

    def teardown(self, everything: bool, contents: Collection[str] = ()) -> DeletionResult:
        """Delete the stack's resources that have no external uses, then list what is left.

        everything: also delete the hosted zone and stored data. contents: keys of resources to delete
        together with contents that provision did not create.
        """
        uses = self.check_teardown(everything) if self._checked_uses is None else self._checked_uses
        order = self._deletion_order()
        retained = external_use.retained(uses, order, contents)
        result = self._deleter.delete_all(order, everything, retained, contents=contents)
        kept = [self.file.records[key] for key in result.kept if key in self.file.records]
        list_delay = 0.0 if result.left else LIST_DELAY
        found = inventory.remaining(self.clients, self.clock, self.stack, kept, list_delay)
        result.left += [str(tagged) for tagged in found.tagged if tagged.key not in result.left]
        result.left += [key for key in self._unresolved if key not in result.left]
        result.errors += self._unresolved_errors()
        result.unlisted = found.unlisted
        result.unchecked |= external_use.unchecked(uses)
        return result

    def recover(self) -> dict[str, str]:
        """Record the stack's resources that exist in the account and are not in the file.

        Include resources that setup would adopt. Return the kinds and keys that could not be read, with the
        reason.
        """
        clients = cached_reads(self.clients)
        found = inventory.list_inventory(clients, self.clock, self.stack)
        self._record_tagged(found.tagged)
        observations = self.inspect(clients)
        self._record_claimed(observations, adopt=True)
        unknown = {kind: error.why for kind, error in found.unlisted.items()}
        return unknown | {
            key: observation.unknown
            for key, observation in observations.items()
            if observation.unknown
        }

    def _record_tagged(self, resources: list[inventory.TaggedResource]) -> bool:
        """Record the tagged resources that are not recorded yet. Return whether there were any.

        There may be several with the same tag `provision:resource`, where AWS allows that: they get keys of
        their own, such as certificate.2/HOST.
        """
        before = self.file.records
        for tagged in resources:
            recorded = self.file.records.get(tagged.key)
            if recorded is None:
                self._record(tagged.key, tagged.record())
            elif self._is_another(tagged, recorded):
                name, slash, identity = tagged.key.partition("/")
                keys = (f"{name}.{number}{slash}{identity}" for number in itertools.count(2))
                key = next(key for key in keys if key not in self.file.records)
                self._record(key, tagged.record())
        return self.file.records != before

    def _is_another(self, tagged: inventory.TaggedResource, recorded: Record) -> bool:
        """Return whether it is none of the recorded resources. recorded: the one that has its key."""
        if tagged.kind.identified_by in ("name", "surplus") or recorded.state == "creating":
            return False
        same, outputs = tagged.kind.same, tagged.outputs()
        if not inspector.has_id(tagged.kind, outputs):  # AWS's answer lacks its id
            return False
        records = self.file.records.values()
        return not any(
            each.kind == tagged.kind.__name__ and same(outputs, each.outputs) for each in records
        )

    def _record_claimed(self, observations: Mapping[str, Observation], adopt: bool = False) -> None:
        """Record untagged resources that belong to a tagged one. adopt: also those that setup would adopt."""
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
            if observation.verdict == "keep" and observation.record:  # outputs may have changed
                self._write(observation.resource, observation.record.state)
            elif observation.verdict in states:
                self._write(observation.resource, states[observation.verdict])

    def check_pause(self) -> external_use.ExternalUses:
        """Return the external uses of the resources that a pause would delete, by key. Delete nothing."""
        clients = cached_reads(self.clients)
        self.inspect(clients)
        self._checked_uses = self._uses(self._paused(), clients)
        return self._checked_uses

    def pause(self, contents: Collection[str] = ()) -> DeletionResult:
        """Delete the resources charged by the hour and their dependents. contents: as for teardown."""
        uses = self.check_pause() if self._checked_uses is None else self._checked_uses
        self.file.mark_paused(True, stopped=self.file.stopped)
        retained = external_use.retained(uses, self.resources, contents)
        result = self._deleter.delete_all(self._paused(), True, retained, contents=contents)
        result.unchecked |= external_use.unchecked(uses)
        return result

    def _paused(self) -> list[Resource]:
        paid = [r for r in self.resources if r.deletion.on_pause]
        result = {id(user) for r in paid for user in (r, *dependents(r, self.resources, Resource))}
        return [r for r in self.resources[::-1] if id(r) in result]


def _unchecked(key: str, why: str) -> UnknownState:
    then = _("It stays until then: run the same command again once that can be looked at.")
    return UnknownState(external_use.checking_uses(key), why, then)


def account_and_region(clients: Clients, clock: Clock) -> dict[str, str]:
    """Return account and region as recorded in stack.yaml. Raise ProvisionError."""
    return {"account": inspector.account(clients, clock), "region": clients.aws.region}


def account_mismatch(recorded: dict[str, str], here: dict[str, str]) -> str:
    """Return the message for records that belong to another account or region."""
    return _("made in {made}, but this is {here}", made=_place(recorded), here=_place(here))


def _place(where: dict[str, Any]) -> str:
    return f"{where.get('account')} {where.get('region')}"
