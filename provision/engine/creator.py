"""Forwards, one thing: the create call, and what is known of the thing from how AWS answered it."""

from dataclasses import replace
from typing import Protocol

from provision.clients import aws
from provision.clock import Clock
from provision.engine.executor import Tell
from provision.errors import NotYet, Refusal
from provision.i18n import _
from provision.resources.base import Doors, Live, Milestone, Resource
from provision.state.stack_file import Record, StackFile, State

UNANSWERED = 30  # seconds of asking for what is optional, where AWS gives no proper answer


class Write(Protocol):
    """Puts a resource's record on disk. made: it was made or changed just now."""

    def __call__(self, resource: Resource, state: State, made: bool = False) -> None:
        """On disk when this returns."""


class Creation:
    """Makes what is recorded as about to be made, and remembers for this run what came of it."""

    def __init__(
        self, file: StackFile, doors: Doors, clock: Clock, tell: Tell, write: Write
    ) -> None:
        self.file, self.doors, self.clock, self.tell, self._write = file, doors, clock, tell, write
        self.made: set[str] = set()  # made or changed in this run: not found is not yet visible
        self.begun: dict[str, float] = {}  # when it was made, or seen reached after a wait
        self.doubted: set[str] = set()  # create said "taken": ours only if its tags say so
        self._refused: set[str] = set()  # create said "not yet", every time: there is none
        self._denied: set[str] = set()  # AWS said no to the last create call: it made none
        # When an earlier run began what this run has not called yet: others' writes renew the records.
        self._earlier = {k: r.since for k, r in file.records.items() if r.state == "creating"}

    def create(self, resource: Resource) -> Live | None:
        """The one create call, once in a run. None: it is to be looked for. Raises NotYet or Refusal."""
        if resource.key in self.made:
            return None
        if (left := self._unripe(resource)) > 0:
            why = _("what it is built on is new; AWS's services need some seconds to know it")
            raise NotYet(why, left=left, sure=True)
        intent = dict(resource.intent(self.doors))
        record = self.file.records.get(resource.key)
        kept = record.outputs if record and record.state == "creating" else {}
        resource.recall({**intent, **kept})
        self._denied.discard(resource.key)
        self._earlier.pop(resource.key, None)
        self._write(resource, "creating", made=True)
        self.tell("creating", resource, "")
        doing = _("Creating {key}.", key=resource.key)
        try:
            patient = self.patient(resource)
            with aws.understood(doing, taken=resource.taken, patient=patient):
                live = resource.create(self.doors)
        except aws.Taken:
            self.doubted.add(resource.key)
            raise NotYet(_("the name is taken; looking whose it is")) from None
        except Refusal as refusal:
            # Only the service's own no proves that there is none, and only of this call.
            if refusal.answered and not self._may_be_there(resource.key, record):
                self.file.forget(resource.key)
            raise
        except NotYet as why:
            self._not_yet(resource.key, why, known=record is not None)
            if resource.optional and not why.refused:
                why.bound = UNANSWERED
            raise
        self.made.add(resource.key)
        self.begun[resource.key] = self.clock.now()
        if live is not None:
            resource.learn(live)
            self._write(resource, "adopted" if resource.shared else "created", made=True)
        return live

    def _may_be_there(self, key: str, record: Record | None) -> bool:
        """Whether an earlier create call may have made it. record: as it was before this one."""
        return record is not None and record.state == "creating" and key not in self._refused

    def _not_yet(self, key: str, why: NotYet, *, known: bool) -> None:
        """Whether there is none after that. known: an earlier call may have made it."""
        if why.refused:
            self._denied.add(key)
        if why.refused and (not known or key in self._refused):
            self._refused.add(key)
        else:  # an answer was lost, now or in an earlier run: it may be there
            self._refused.discard(key)

    def _unripe(self, resource: Resource) -> float:
        """Seconds until another service knows what it is built on: roles and a certificate of this run."""
        if not resource.through_others:
            return 0.0
        made = [r for r in foundations(resource) if r.ripens and r.key in self.begun]
        return max((self.begun[r.key] + r.ripens - self.clock.now() for r in made), default=0.0)

    def patient(self, resource: Resource) -> tuple[str, ...]:
        """What may succeed later. "There is none" too, of what this run made: not all of AWS knows it yet."""
        built_on = [resource, *resource.needs()]
        built_on += [n for need in built_on if isinstance(need, Milestone) for n in need.needs()]
        unseen = [code for one in built_on if one.key in self.made for code in one.absent]
        return (*resource.patient, *unseen)

    def cannot_be(self, resource: Resource) -> bool:
        """Whether there is none for sure, so that nobody need look for it."""
        key = resource.key
        new = key not in self.file.records and resource.cannot_be(self.begun)
        return (new or key in self._refused) and key not in self.doubted

    def hidden(self, resource: Resource) -> bool:
        """Whether it may be there, made a moment ago, and would be made a second time.

        Where another create call makes no second one, its answer tells sooner than waiting.
        """
        record, key = self.file.records.get(resource.key), resource.key
        if record is None or record.state == "deleting" or key in self.made | self._denied:
            return False
        record = replace(record, since=self._earlier.get(key, record.since))
        return not resource.single and record.fresh(self.clock.now())

    def whole(self, resource: Resource, live: Live) -> bool:
        """Whether its create call has answered all that need be known of it."""
        if resource.key not in self.begun:
            return True
        return all(d.path.startswith(resource.later) for d in resource.differences(live))


def foundations(resource: Resource) -> list[Resource]:
    """What it is built on, what that is built on, and so on."""
    direct = resource.needs()
    return direct + [deeper for need in direct for deeper in foundations(need)]
