"""List the tagged resources of a stack with each service's list calls, all kinds in parallel."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from provision import retries
from provision.clients import aws_errors
from provision.clock import Clock
from provision.engine.read_cache import ReadCache, cached_reads
from provision.errors import Pending, ProvisionError
from provision.i18n import _
from provision.resources.base import (
    Clients,
    FoundSettings,
    Live,
    Resource,
    has_stack_tag,
    identifier,
    kinds,
)
from provision.state.stack_file import Record


@dataclass(frozen=True)
class TaggedResource:
    """A live resource with a stack's tags. key: from its tag `provision:resource`."""

    kind: type[Resource]
    key: str
    stack: str
    live: Live
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def logical_id(self) -> str:
        """Return its attribute's name in stack.py."""
        return self.key.partition("/")[0]

    def outputs(self) -> dict[str, Any]:
        """Return its outputs, as recorded in stack.yaml."""
        found = self.kind.from_record(self.stack, self.key, {})
        found.load_from_api(self.live)
        return found.outputs()

    def settings(self) -> FoundSettings:
        """Return the settings that can be read from it."""
        resource = self.kind.from_record(self.stack, self.key, {})
        return resource.recovered_settings(self.live)

    def record(self) -> Record:
        """Return its entry for stack.yaml."""
        return Record(self.kind.__name__, "created", self.outputs())

    def __str__(self) -> str:
        """Return its key and its ARN or id."""
        return f"{self.key} ({identifier(self.outputs())})"


@dataclass
class Inventory:
    """The tagged resources. unlisted: kinds that could not be listed, with the error."""

    tagged: list[TaggedResource] = field(default_factory=list)
    unlisted: dict[str, ProvisionError] = field(default_factory=dict)


def list_inventory(
    clients: Clients,
    clock: Clock,
    stack: str,
    only: tuple[type[Resource], ...] = (),
    tries: int = retries.MAX_TRIES,
) -> Inventory:
    """Return the resources with the stack's tags. stack: "" for any. only: the kinds to list; (): all."""
    wanted = {kind.__name__: kind for kind in only} or dict(sorted(kinds().items()))
    clients = cached_reads(clients)
    # A list, or another kind's with which it begins, may still contain what was deleted just before; reading
    # that says not found. Endpoints without the operation may answer 404.
    not_found = {code for kind in kinds().values() for code in kind.errors.not_found} - {"404"}
    lists, unanswered = retries.call_all(
        {name: partial(_listed, kind, clients, stack, not_found) for name, kind in wanted.items()},
        clock,
        tries,
    )
    found = Inventory(
        unlisted={name: retries.no_response(_doing(name), why) for name, why in unanswered.items()}
    )
    for name, listed in lists.items():
        if isinstance(listed, ProvisionError):  # no such API at this endpoint, or access denied
            found.unlisted[name] = listed
        else:
            found.tagged += listed
    return found


def remaining(
    clients: Clients, clock: Clock, stack: str, kept: list[Record], list_delay: float
) -> Inventory:
    """Return the tagged resources other than `kept`.

    list_delay: seconds for which list calls may still return deleted resources.
    """
    names = {(record.kind, identifier(record.outputs)) for record in kept}

    def strip(found: Inventory) -> Inventory:
        tagged = [
            h for h in found.tagged if (h.kind.__name__, identifier(h.outputs())) not in names
        ]
        return Inventory(tagged, found.unlisted)

    found = strip(list_inventory(clients, clock, stack))
    until = clock.now() + list_delay
    while found.tagged and clock.now() < until:
        clock.sleep(5)
        kinds_left = tuple({tagged.kind for tagged in found.tagged})
        found = Inventory(
            strip(list_inventory(clients, clock, stack, kinds_left)).tagged, unlisted=found.unlisted
        )
    return found


def _listed(
    kind: type[Resource], clients: Clients, stack: str, not_found: Collection[str]
) -> list[TaggedResource] | ProvisionError:
    try:
        with aws_errors.reading(_doing(kind.__name__), retry=(*not_found, *kind.errors.not_found)):
            return [
                TaggedResource(
                    kind,
                    tags.get("provision:resource", kind.__name__),
                    tags["provision:stack"],
                    live,
                    tags,
                )
                for tags, live in kind.list_tagged(clients, stack)
                if has_stack_tag(tags, stack)  # some AWS-compatible endpoints ignore filters
            ]
    except Pending:
        if isinstance(clients.aws, ReadCache):
            clients.aws.clear()
        raise
    except ProvisionError as error:
        return error


def _doing(kind: str) -> str:
    return _("Could not list the resources of kind {kind}.", kind=kind)
