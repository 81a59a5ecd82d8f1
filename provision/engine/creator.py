"""Create one resource, and keep what AWS's answer says about it."""

import re
from dataclasses import replace
from typing import Protocol

from provision.clients import aws
from provision.clock import Clock
from provision.engine.executor import Report
from provision.errors import Pending, ProvisionError
from provision.i18n import _
from provision.resources.base import AccountWide, Clients, Live, Milestone, Resource, differences
from provision.state.stack_file import Record, StackFile, State

UNANSWERED = 30  # seconds of asking for what is optional, where AWS gives no proper answer


class Write(Protocol):
    """A function that writes a resource's record. made: it was created or changed just now."""

    def __call__(self, resource: Resource, state: State, made: bool = False) -> None:
        """Write the record; it is on disk when this returns."""


class Creator:
    """Create resources whose intent is recorded first, and keep for this run what came of it."""

    def __init__(
        self, file: StackFile, clients: Clients, clock: Clock, tell: Report, write: Write
    ) -> None:
        self.file, self.clients, self.clock, self.tell, self._write = (
            file,
            clients,
            clock,
            tell,
            write,
        )
        self.made: set[str] = set()  # made or changed in this run: not found is not yet visible
        self.begun: dict[str, float] = {}  # when it was made, or seen reached after a wait
        self.doubted: set[str] = set()  # create said "taken": ours only if its tags say so
        self._refused: set[str] = set()  # create said "not yet", every time: there is none
        self._denied: set[str] = set()  # AWS said no to the last create call: it made none
        # When an earlier run began what this run has not called yet: others' writes renew the records.
        self._earlier = {k: r.since for k, r in file.records.items() if r.state == "creating"}

    def create(self, resource: Resource) -> Live | None:
        """Make the create call, once in a run. None: look for it. Raises Pending, ProvisionError."""
        if resource.key in self.made:
            return None
        if (left := self._unripe(resource)) > 0:
            why = _(
                "something it depends on was just created; waiting a few seconds for AWS to catch up"
            )
            raise Pending(why, left=left, sure=True)
        before_create = dict(resource.before_create(self.clients))
        record = self.file.records.get(resource.key)
        kept = record.outputs if record and record.state == "creating" else {}
        resource.load_from_record({**before_create, **kept})
        self._denied.discard(resource.key)
        self._earlier.pop(resource.key, None)
        self._write(resource, "creating", made=True)
        self.tell("creating", resource, "")
        doing = _("Could not create {key}.", key=resource.key)
        try:
            retry = self.retry(resource)
            with aws.translate_errors(doing, exists=resource.errors.exists, retry=retry):
                live = resource.create(self.clients)
        except aws.AlreadyExists:
            self.doubted.add(resource.key)
            raise Pending(_("the name is taken; looking whose it is")) from None
        except ProvisionError as refusal:
            # Only the service's own no proves that there is none, and only of this call.
            if refusal.answered and not self._may_be_there(resource.key, record):
                self.file.forget(resource.key)
            raise
        except Pending as why:
            self._not_yet(resource.key, why, known=record is not None)
            if not resource.errors.fatal and not why.refused:
                why.timeout = UNANSWERED
            raise
        self.made.add(resource.key)
        self.begun[resource.key] = self.clock.now()
        if live is not None:
            resource.load_from_api(live)
            shared = isinstance(resource, AccountWide)
            self._write(resource, "adopted" if shared else "created", made=True)
        return live

    def _may_be_there(self, key: str, record: Record | None) -> bool:
        """Return whether an earlier create call may have created it. record: from before this call."""
        return record is not None and record.state == "creating" and key not in self._refused

    def _not_yet(self, key: str, why: Pending, *, known: bool) -> None:
        """Note whether there is none after that create call. known: an earlier call may have made it."""
        if why.refused:
            self._denied.add(key)
        if why.refused and (not known or key in self._refused):
            self._refused.add(key)
        else:  # an answer was lost, now or in an earlier run: it may be there
            self._refused.discard(key)

    def _unripe(self, resource: Resource) -> float:
        """Return the seconds until other services know the roles and the certificate of this run."""
        if not resource.polling.after_propagation:
            return 0.0
        created = [r for r in dependencies(resource) if r.key in self.begun]
        known = [self.begun[r.key] + r.polling.propagation_delay for r in created]
        return max(known, default=0.0) - self.clock.now()

    def retry(self, resource: Resource) -> tuple[str, ...]:
        """Return the error codes to retry; "not found" too, of what this run made."""
        built_on = [resource, *resource.needs()]
        built_on += [n for need in built_on if isinstance(need, Milestone) for n in need.needs()]
        unseen = [code for one in built_on if one.key in self.made for code in one.errors.not_found]
        return (*resource.errors.retry, *unseen)

    def cannot_be(self, resource: Resource) -> bool:
        """Return whether there is certainly none, so that nobody needs to look for it."""
        key = resource.key
        within = any(place.key in self.begun for place in resource.exists_within())
        new = key not in self.file.records and within
        return (new or key in self._refused) and key not in self.doubted

    def hidden(self, resource: Resource) -> bool:
        """Return whether it may exist without being shown yet, and would be created twice.

        Where another create call makes no second one, its answer tells sooner than waiting.
        """
        record, key = self.file.records.get(resource.key), resource.key
        if record is None or record.state == "deleting" or key in self.made | self._denied:
            return False
        record = replace(record, since=self._earlier.get(key, record.since))
        return resource.identified_by != "name" and record.fresh(self.clock.now())

    def whole(self, resource: Resource, live: Live) -> bool:
        """Return whether its create call has answered everything that must be known of it."""
        if resource.key not in self.begun:
            return True
        return all(re.split(r"\W", d.path)[0] in live for d in differences(resource, live))


def dependencies(resource: Resource) -> list[Resource]:
    """Return the resources it depends on, directly or through others."""
    direct = resource.needs()
    return direct + [deeper for need in direct for deeper in dependencies(need)]
