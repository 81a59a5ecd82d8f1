"""What an account holds of a stack, by each service's own lists: every kind is asked, side by side."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from provision.clients import aws
from provision.clock import Clock
from provision.engine.inspector import TRIES, answers, unanswered
from provision.engine.read_cache import once
from provision.errors import Refusal
from provision.i18n import _
from provision.resources.base import Doors, Live, Resource, called, kinds
from provision.state.stack_file import Record


@dataclass(frozen=True)
class Held:
    """A thing that carries the stack's tags: its class, its key (a tag too), whose it is, and itself."""

    kind: type[Resource]
    key: str
    stack: str
    live: Live

    @property
    def line(self) -> str:
        """Its line in stack.py."""
        return self.key.partition("/")[0]

    def outputs(self) -> dict[str, Any]:
        """What stack.yaml would say of it."""
        bare = self.kind.__new__(self.kind)
        bare.recall({})
        bare.learn(self.live)
        return bare.outputs()

    def record(self) -> Record:
        """Its entry in stack.yaml."""
        return Record(self.kind.__name__, "created", self.outputs())

    def __str__(self) -> str:
        """Key, and what AWS calls it."""
        return f"{self.key} ({called(self.outputs())})"


@dataclass
class Holdings:
    """What was found, and the kinds that could not be asked for, with the reason."""

    held: list[Held] = field(default_factory=list)
    unasked: dict[str, Refusal] = field(default_factory=dict)


def holdings(
    doors: Doors,
    clock: Clock,
    stack: str,
    only: tuple[type[Resource], ...] = (),
    tries: int = TRIES,
) -> Holdings:
    """Everything that carries the stack's tags ("": any stack's). only: of these kinds."""
    asked = {kind.__name__: kind for kind in only} or dict(sorted(kinds().items()))
    doors = once(doors)
    lists, silent = answers(
        {name: partial(_listed, kind, doors, stack) for name, kind in asked.items()}, clock, tries
    )
    found = Holdings(unasked={name: unanswered(_doing(name), why) for name, why in silent.items()})
    for name, listed in lists.items():
        if isinstance(listed, Refusal):  # this endpoint has no such API, or we may not ask
            found.unasked[name] = listed
        else:
            found.held += listed
    return found


def left(doors: Doors, clock: Clock, stack: str, kept: list[Record], patience: float) -> Holdings:
    """What there is besides what was kept. patience: seconds in which a list may still show what has gone."""
    names = {(record.kind, called(record.outputs)) for record in kept}

    def strip(found: Holdings) -> Holdings:
        held = [h for h in found.held if (h.kind.__name__, called(h.outputs())) not in names]
        return Holdings(held, found.unasked)

    found = strip(holdings(doors, clock, stack))
    until = clock.now() + patience
    while found.held and clock.now() < until:
        clock.sleep(5)
        kinds_left = tuple({held.kind for held in found.held})
        found = Holdings(
            strip(holdings(doors, clock, stack, kinds_left)).held, unasked=found.unasked
        )
    return found


def _listed(kind: type[Resource], doors: Doors, stack: str) -> list[Held] | Refusal:
    try:
        with aws.reading(_doing(kind.__name__)):
            return [
                Held(
                    kind,
                    tags.get("provision:resource", kind.__name__),
                    tags["provision:stack"],
                    live,
                )
                for tags, live in kind.tagged(doors, stack)
            ]
    except Refusal as refusal:
        return refusal


def _doing(kind: str) -> str:
    return _("Listing what is there of the kind {kind}.", kind=kind)
