"""Create a resource, and track during a run which create calls may have succeeded."""

import re
from dataclasses import replace
from typing import Protocol

from provision.clients import aws_errors
from provision.clock import Clock
from provision.engine.executor import Report
from provision.errors import Pending, ProvisionError
from provision.i18n import _
from provision.resources.base import AccountWide, Clients, Live, Milestone, Resource, differences
from provision.state.stack_file import Record, StackFile, State

OPTIONAL_TIMEOUT = 30  # seconds to retry creating an optional resource while AWS does not respond


class Write(Protocol):
    """A function that writes a resource's record to disk."""

    def __call__(self, resource: Resource, state: State, touch: bool = False) -> None:
        """Write the record; it is on disk when this returns. touch: set `since` to the current time."""


class Creator:
    """Create resources. Write a `creating` record before each create call."""

    def __init__(
        self, file: StackFile, clients: Clients, clock: Clock, report: Report, write: Write
    ) -> None:
        self.file, self.clients, self.clock = file, clients, clock
        self.report, self._write = report, write
        # Keys of resources:
        self.modified: set[str] = set()  # created or updated in this run; may not be visible yet
        self.started_at: dict[str, float] = {}  # when it was created, or a milestone was reached
        self.name_taken: set[str] = set()  # create answered "already exists": check its tags
        self._never_created: set[str] = set()  # AWS refused every create call
        self._last_call_refused: set[str] = set()
        # `since` of the records that an earlier run left as `creating`, until this run calls create.
        self._earlier_since = {k: r.since for k, r in file.records.items() if r.state == "creating"}

    def create(self, resource: Resource) -> Live | None:
        """Send the create call, once per run. Return None if the resource must be read back.

        Raise Pending or ProvisionError.
        """
        if resource.key in self.modified:
            return None
        if (remaining := self._propagation_remaining(resource)) > 0:
            why = _(
                "something it depends on was just created; waiting a few seconds for AWS to catch up"
            )
            raise Pending(why, remaining=remaining, exact=True)
        before_create = dict(resource.before_create(self.clients))
        record = self.file.records.get(resource.key)
        kept = record.outputs if record and record.state == "creating" else {}
        resource.load_from_record({**before_create, **kept})
        self._last_call_refused.discard(resource.key)
        self._earlier_since.pop(resource.key, None)
        self._write(resource, "creating", touch=True)
        self.report("creating", resource, "")
        doing = _("Could not create {key}.", key=resource.key)
        try:
            retry = self.retry(resource)
            with aws_errors.translate_errors(doing, exists=resource.errors.exists, retry=retry):
                live = resource.create(self.clients)
        except aws_errors.AlreadyExists:
            self.name_taken.add(resource.key)
            raise Pending(_("the name is taken; checking the owner")) from None
        except ProvisionError as error:
            # A refusal proves only that this call created nothing.
            if error.answered and not self._may_exist(resource.key, record):
                self.file.forget(resource.key)
            raise
        except Pending as why:
            self._record_pending(resource.key, why, recorded=record is not None)
            if not resource.errors.fatal and not why.refused:
                why.timeout = OPTIONAL_TIMEOUT
            raise
        self.modified.add(resource.key)
        self.started_at[resource.key] = self.clock.now()
        if live is not None:
            resource.load_from_api(live)
            shared = isinstance(resource, AccountWide)
            self._write(resource, "adopted" if shared else "created", touch=True)
        return live

    def _may_exist(self, key: str, record: Record | None) -> bool:
        """Return whether an earlier create call may have succeeded. record: as it was before this call."""
        return record is not None and record.state == "creating" and key not in self._never_created

    def _record_pending(self, key: str, why: Pending, *, recorded: bool) -> None:
        """Update what is known after a create call that raised Pending.

        recorded: a record existed before, so an earlier call may have succeeded.
        """
        if why.refused:
            self._last_call_refused.add(key)
        if why.refused and (not recorded or key in self._never_created):
            self._never_created.add(key)
        else:  # a response was lost, now or in an earlier run
            self._never_created.discard(key)

    def _propagation_remaining(self, resource: Resource) -> float:
        """Return the seconds until dependencies created in this run are visible to other services."""
        if not resource.polling.after_propagation:
            return 0.0
        dependencies_created = [r for r in dependencies(resource) if r.key in self.started_at]
        visible_at = [
            self.started_at[r.key] + r.polling.propagation_delay for r in dependencies_created
        ]
        return max(visible_at, default=0.0) - self.clock.now()

    def retry(self, resource: Resource) -> tuple[str, ...]:
        """Return the error codes to retry, including "not found" for resources modified in this run."""
        related = [resource, *resource.needs()]
        related += [n for need in related if isinstance(need, Milestone) for n in need.needs()]
        not_found = [code for r in related if r.key in self.modified for code in r.errors.not_found]
        return (*resource.errors.retry, *not_found)

    def cannot_exist(self, resource: Resource) -> bool:
        """Return whether it certainly does not exist, so that a read can be skipped."""
        key = resource.key
        within = any(place.key in self.started_at for place in resource.exists_within())
        new = key not in self.file.records and within
        return (new or key in self._never_created) and key not in self.name_taken

    def may_be_hidden(self, resource: Resource) -> bool:
        """Return whether AWS may not show it yet, so that another create call would make a duplicate.

        False for resources identified by name: their create call answers "already exists" at once.
        """
        record, key = self.file.records.get(resource.key), resource.key
        if (
            record is None
            or record.state == "deleting"
            or key in self.modified | self._last_call_refused
        ):
            return False
        record = replace(record, since=self._earlier_since.get(key, record.since))
        return resource.identified_by != "name" and record.fresh(self.clock.now())

    def is_complete(self, resource: Resource, live: Live) -> bool:
        """Return whether the create call's response has every property that must be compared."""
        if resource.key not in self.started_at:
            return True
        return all(re.split(r"\W", d.path)[0] in live for d in differences(resource, live))


def dependencies(resource: Resource) -> list[Resource]:
    """Return the resources it depends on, directly or through others."""
    direct = resource.needs()
    return direct + [deeper for need in direct for deeper in dependencies(need)]
