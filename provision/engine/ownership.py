"""Verify by its tags that a resource is this stack's before changing, deleting or using it.

A record is no proof, because stack.yaml and its backup may come from somebody else. A resource that cannot
have tags is this stack's if its holder is.
"""

from collections.abc import Iterable

from provision.clients import aws_errors
from provision.clock import Clock
from provision.engine import inspector, inventory
from provision.engine.inventory import TaggedResource
from provision.errors import Pending, ProvisionError, UnknownState
from provision.i18n import _
from provision.resources.base import Clients, Live, Resource, is_untaggable
from provision.state.stack_file import StackFile


class NotOurs(ProvisionError):
    """The resource that a record names does not have this stack's tags."""


class Ownership:
    """Verify ownership in one run; verify each resource once."""

    def __init__(self, file: StackFile, clients: Clients, clock: Clock) -> None:
        self.file, self.clients, self.clock = file, clients, clock
        self.listed: list[TaggedResource] = []  # resources with the stack's tags, if listed before
        self._lines = {key: record.lines.get("", 0) for key, record in file.records.items()}
        self._verified: set[str] = set()  # keys
        self._holders: dict[str, bool] = {}  # by holder: whether it is this stack's
        self._renamed: dict[str, bool] = {}  # by stack tag: whether it is the stack's former name

    def verify(self, resource: Resource, live: Live) -> None:
        """Raise NotOurs unless the resource is this stack's; Pending if its tags may not be visible yet.

        live: the result of `find`; its outputs must be loaded.
        """
        if resource.key in self._verified:
            return
        if not self._is_ours(resource, live):
            record = self.file.records.get(resource.key)
            if record and record.fresh(self.clock.now()):
                raise Pending(_("made a moment ago; AWS may not show it yet"))
            raise self._error(resource, live)
        self._verified.add(resource.key)

    def _is_ours(self, resource: Resource, live: Live) -> bool:
        if any(_same(tagged, resource) for tagged in self.listed):
            return True
        with aws_errors.translate_errors(_("Could not read the tags of {key}.", key=resource.key)):
            if is_untaggable(type(resource)):
                return self._is_holder_ours(resource.holders(self.clients, live))
            tags = resource.tags_of(self.clients, live)
        return self._is_our_name(tags.get("provision:stack", ""), resource.stack)

    def _is_holder_ours(self, holders: Iterable[Resource]) -> bool:
        """Return whether one of the holders is this stack's; True if none exists."""
        exists = False
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
            exists = True
        return not exists

    def _is_our_name(self, name: str, stack: str) -> bool:
        """Return whether a stack tag is this stack's: its name, or its former name.

        It is a former name if every resource with that tag is recorded in this file. Raise UnknownState if
        that is not known because a kind could not be listed.
        """
        if name in ("", stack):
            return bool(name)
        if name not in self._renamed:
            found = inventory.list_inventory(self.clients, self.clock, name)
            recorded = bool(found.tagged) and all(map(self._recorded, found.tagged))
            if recorded or not found.tagged:
                for error in found.unlisted.values():
                    raise UnknownState(error.what, error.why, error.then)
            self._renamed[name] = recorded
        return self._renamed[name]

    def _recorded(self, tagged: TaggedResource) -> bool:
        if is_untaggable(tagged.kind):
            return True  # its holder has tags
        return any(
            record.kind == tagged.kind.__name__
            and tagged.kind.same(tagged.outputs(), record.outputs)
            for record in self.file.records.values()
        )

    def _error(self, resource: Resource, live: Live) -> NotOurs:
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
                found=resource.label(live),
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
