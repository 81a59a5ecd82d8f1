"""List what an account has of a stack, by each service's own lists, all kinds in parallel."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from provision.clients import aws
from provision.clock import Clock
from provision.engine.inspector import TRIES, ask_all, unanswered
from provision.engine.read_cache import cached_reads
from provision.errors import ProvisionError
from provision.i18n import _
from provision.resources.base import (
    Clients,
    FoundSettings,
    Live,
    Resource,
    called,
    kinds,
)
from provision.state.stack_file import Record


@dataclass(frozen=True)
class TaggedResource:
    """A resource with the stack's tags: its class, its key (also a tag), the stack and the live resource."""

    kind: type[Resource]
    key: str
    stack: str
    live: Live

    @property
    def logical_id(self) -> str:
        """Return its attribute in stack.py."""
        return self.key.partition("/")[0]

    def outputs(self) -> dict[str, Any]:
        """Return its record for stack.yaml."""
        found = self.kind.from_record(self.stack, self.key, {})
        found.load_from_api(self.live)
        return found.outputs()

    def settings(self) -> FoundSettings:
        """Return the settings that it shows."""
        resource = self.kind.from_record(self.stack, self.key, {})
        return resource.recovered_settings(self.live)

    def record(self) -> Record:
        """Return its entry for stack.yaml."""
        return Record(self.kind.__name__, "created", self.outputs())

    def __str__(self) -> str:
        """Return its key and its ARN or id."""
        return f"{self.key} ({called(self.outputs())})"


@dataclass
class Inventory:
    """The tagged resources, and the kinds that could not be listed, with the reason."""

    tagged: list[TaggedResource] = field(default_factory=list)
    unasked: dict[str, ProvisionError] = field(default_factory=dict)


def list_inventory(
    clients: Clients,
    clock: Clock,
    stack: str,
    only: tuple[type[Resource], ...] = (),
    tries: int = TRIES,
) -> Inventory:
    """Return everything that has the stack's tags ("": any stack's). only: of these kinds."""
    asked = {kind.__name__: kind for kind in only} or dict(sorted(kinds().items()))
    clients = cached_reads(clients)
    lists, silent = ask_all(
        {name: partial(_listed, kind, clients, stack) for name, kind in asked.items()}, clock, tries
    )
    found = Inventory(unasked={name: unanswered(_doing(name), why) for name, why in silent.items()})
    for name, listed in lists.items():
        if isinstance(listed, ProvisionError):  # this endpoint has no such API, or we may not ask
            found.unasked[name] = listed
        else:
            found.tagged += listed
    return found


def left(
    clients: Clients, clock: Clock, stack: str, kept: list[Record], patience: float
) -> Inventory:
    """Return what is left besides `kept`. patience: seconds for which lists may show deleted things."""
    names = {(record.kind, called(record.outputs)) for record in kept}

    def strip(found: Inventory) -> Inventory:
        tagged = [h for h in found.tagged if (h.kind.__name__, called(h.outputs())) not in names]
        return Inventory(tagged, found.unasked)

    found = strip(list_inventory(clients, clock, stack))
    until = clock.now() + patience
    while found.tagged and clock.now() < until:
        clock.sleep(5)
        kinds_left = tuple({tagged.kind for tagged in found.tagged})
        found = Inventory(
            strip(list_inventory(clients, clock, stack, kinds_left)).tagged, unasked=found.unasked
        )
    return found


def _listed(
    kind: type[Resource], clients: Clients, stack: str
) -> list[TaggedResource] | ProvisionError:
    try:
        with aws.reading(_doing(kind.__name__)):
            return [
                TaggedResource(
                    kind,
                    tags.get("provision:resource", kind.__name__),
                    tags["provision:stack"],
                    live,
                )
                for tags, live in kind.tagged(clients, stack)
            ]
    except ProvisionError as refusal:
        return refusal


def _doing(kind: str) -> str:
    return _("Could not list the resources of kind {kind}.", kind=kind)
