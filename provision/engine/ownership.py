"""Prove by a resource's own tags whose it is, before it is changed, deleted or used.

A record is no proof: stack.yaml, and the copy beside it, may come from somebody else. What cannot carry tags
is ours where what holds it is ours.
"""

from collections.abc import Iterable

from provision.clients import aws
from provision.clock import Clock
from provision.engine import inspector, inventory
from provision.engine.inventory import TaggedResource
from provision.errors import Pending, ProvisionError
from provision.i18n import _
from provision.resources.base import Clients, Live, Resource, is_untaggable
from provision.state.stack_file import StackFile


class NotOurs(ProvisionError):
    """The tags of what a record names do not say that it is this stack's."""


class Ownership:
    """The proofs of one run: each resource is read once."""

    def __init__(self, file: StackFile, clients: Clients, clock: Clock) -> None:
        self.file, self.clients, self.clock = file, clients, clock
        self.listed: list[
            TaggedResource
        ] = []  # what carries the stack's tags, where it was listed anyway
        self._lines = {key: record.lines.get("", 0) for key, record in file.records.items()}
        self._proven: set[str] = set()  # keys
        self._holders: dict[str, bool] = {}  # whether a thing that holds others is ours
        self._moved: dict[
            str, bool
        ] = {}  # whether all that carries another name's tags is recorded

    def prove(self, resource: Resource, live: Live) -> None:
        """Raise NotOurs unless it is this stack's; Pending where AWS may not show its tags yet.

        live: as `find` saw it, and as it was learnt.
        """
        if resource.key in self._proven:
            return
        if not self._is_ours(resource, live):
            record = self.file.records.get(resource.key)
            if record and record.fresh(self.clock.now()):
                raise Pending(_("made a moment ago; AWS may not show it yet"))
            raise self._refusal(resource, live)
        self._proven.add(resource.key)

    def _is_ours(self, resource: Resource, live: Live) -> bool:
        if any(_same(tagged, resource) for tagged in self.listed):
            return True
        with aws.translate_errors(_("Could not read the tags of {key}.", key=resource.key)):
            if is_untaggable(type(resource)):
                return self._held_by_ours(resource.holders(self.clients, live))
            tags = resource.tags_of(self.clients, live)
        return self._means_us(tags.get("provision:stack", ""), resource.stack)

    def _held_by_ours(self, holders: Iterable[Resource]) -> bool:
        """Return whether one of the holders is ours; True where none exists any more."""
        there = False
        for holder in holders:
            name = f"{holder.kind} {sorted(holder.outputs().items())}"
            if name not in self._holders:
                live = inspector.find(holder, self.clients)
                if live is None:
                    continue
                holder.load_from_api(live)
                self._holders[name] = self._is_ours(holder, live)
            if self._holders[name]:
                return True
            there = True
        return not there

    def _means_us(self, name: str, stack: str) -> bool:
        """Return whether a stack tag is ours: by name, or by the former name of a renamed stack.

        Of a stack that goes on under another name, all that carries the former name's tags is recorded here.
        """
        if name in ("", stack):
            return bool(name)
        if name not in self._moved:
            found = inventory.list_inventory(self.clients, self.clock, name).tagged
            self._moved[name] = all(map(self._recorded, found))
        return self._moved[name]

    def _recorded(self, tagged: TaggedResource) -> bool:
        if is_untaggable(tagged.kind):
            return True  # it is in something that carries tags
        return any(
            record.kind == tagged.kind.__name__
            and tagged.kind.same(tagged.outputs(), record.outputs)
            for record in self.file.records.values()
        )

    def _refusal(self, resource: Resource, live: Live) -> NotOurs:
        return NotOurs(
            _(
                "Could not confirm that {key} belongs to this stack ({path}, line {line}).",
                key=resource.key,
                path=self.file.path,
                line=self._lines.get(resource.key, 0),
            ),
            _(
                "what the record names does not carry this stack's tags: {service} {found}",
                service=resource.console,
                found=resource.shown(live),
            ),
            _(
                "It was left as it is. If it is not this stack's, remove its record from {path}. If it is, "
                "give it the tag provision:stack = {stack}, then run the same command again.",
                path=self.file.path,
                stack=resource.stack,
            ),
        )


def _same(tagged: TaggedResource, resource: Resource) -> bool:
    return tagged.kind is type(resource) and tagged.kind.same(tagged.outputs(), resource.outputs())
