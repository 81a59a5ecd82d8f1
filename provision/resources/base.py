"""Define what a resource is: one thing, made by one create call.

A resource declares, and the engine acts. Constructor arguments that are resources are its dependencies.
Methods without the argument `clients` are pure.
"""

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Literal,
    Self,
    TypeVar,
    dataclass_transform,
)

import jmespath

from provision.clients.package_index import PackageIndex
from provision.clients.registry import Registries
from provision.errors import Pending, ProvisionError
from provision.i18n import _

if TYPE_CHECKING:
    from provision.clients.aws import Aws
    from provision.clients.dns import Dns
    from provision.clients.line import Line
    from provision.pricing import Prices

Live = dict[str, Any]
Tagged = tuple[dict[str, str], Live]  # a live resource and its tags
FoundSettings = dict[str, str | list[str]]  # as a person would type them
T = TypeVar("T")


@dataclass(frozen=True)
class Clients:
    """The clients of everything outside this process. index: of Python packages."""

    aws: "Aws"
    dns: "Dns"
    line: "Line"
    registries: Registries = field(default_factory=Registries)
    index: PackageIndex = field(default_factory=PackageIndex)


# Seconds in which resolvers may still lead to what was replaced: Route 53 needs about 40 to answer with a
# change everywhere, and an alias of a load balancer is remembered for 60 (its Developer Guide, alias TTL).
REPLACED_DELAY = 100.0


@dataclass(frozen=True)
class Errors:
    """Declare what the service's error codes mean. A code may be followed by a part of the message.

    not_found: there is none. exists: somebody has one, so find out whose it is. retry: not possible yet.
    setting: the setting to change where somebody else has the name. fatal: False where a failure is reported
    but does not fail the run.
    """

    not_found: tuple[str, ...] = ()
    exists: tuple[str, ...] = ()
    retry: tuple[str, ...] = ()
    setting: str = "name"
    fatal: bool = True


@dataclass(frozen=True)
class Polling:
    """How long a resource takes and how often it is polled, in seconds.

    expected: from its create call until it is ready; medians, from other tools' logs. timeout: until waiting
    for it is given up. interval: the longest pause; interval_near: when it may be ready at any moment;
    interval_far: while its end is far, because it may fail earlier. checks: how often it is polled in the
    expected time. propagation_delay: until AWS's other services know it. after_propagation: its create call
    has another service use its dependencies, so they must be known by then.
    """

    expected: int = 1
    timeout: int = 600
    interval: float = 10.0
    interval_near: float = 2.0
    interval_far: float = 900.0
    checks: int = 2
    propagation_delay: float = 0.0
    after_propagation: bool = False


@dataclass(frozen=True)
class Deletion:
    """When a resource is deleted, and what happens then.

    immediate: it is gone when its delete call has been answered. release_delay: seconds from the first
    attempt until AWS usually permits it; 0: not known. after_dependents: it is deleted when its dependents
    are gone, not when they release it. retained_with: the field of the dependency with which it stays.
    on_pause: it is paid by the hour, so a pause deletes it and its dependents. replaced_delay: seconds for
    which clients may still use it after it was replaced.
    """

    immediate: bool = False
    release_delay: int = 0
    after_dependents: bool = False
    retained_with: str = ""
    on_pause: bool = False
    replaced_delay: float = 0.0


@dataclass(frozen=True)
class Batch:
    """A describing call that takes many ids. listed: the list in its answer; id: an item's id.

    by_name: the id is a name that a setting gives, so that it is known before the resource is recorded.
    """

    service: str
    call: str
    parameter: str
    listed: str
    id: str
    by_name: bool = False


@dataclass(frozen=True)
class ExternalUse:
    """A use by somebody else that prevents a deletion.

    content: it is inside the resource (records in a zone, objects in a bucket) and would be deleted too.
    unknown: whether there is any is not known; `told` has the question and the reason.
    """

    description: str
    content: bool = False
    unknown: bool = False


@dataclass(frozen=True)
class UsageCheck:
    """A question about external uses that is asked by itself; unanswered, it keeps the resource.

    where: what is asked, such as "ACM in us-east-1".
    """

    where: str
    find: Callable[[], list[ExternalUse]]


def output(path: str, pattern: str = "", *, init: Literal[False] = False) -> Any:
    """Declare a field that AWS decides: a jmespath into what `find` returns, recorded in stack.yaml.

    pattern: a regular expression for the value (for each one of a list), as AWS writes it; "": any.
    """
    return field(default="", init=init, metadata={"path": path, "pattern": pattern})


def id_pattern(prefix: str) -> str:
    """Return the pattern of an id of EC2's. EC2 User Guide, Resource IDs: 8 or 17 hexadecimal digits."""
    return rf"{prefix}-[0-9a-f]{{8,}}"


def arn_pattern(resource_part: str = "") -> str:
    """Return the pattern of an ARN. resource_part: what its last part begins with."""
    return rf"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]*:{re.escape(resource_part)}\S+"


@dataclass_transform(eq_default=False, field_specifiers=(field, output))
def resource(kind: type[T]) -> type[T]:
    """Declare a resource class: a dataclass compared by identity, whose outputs are no arguments."""
    return dataclass(eq=False, repr=False)(kind)


@resource
class Recorded:
    """The part of a resource that is the same for all: its key, dependencies and recorded outputs."""

    logical_id: str = field(default="", init=False)  # its attribute's name in stack.py; set there
    stack: str = field(default="", init=False)  # the stack's name; set there
    recorded_key: str = field(default="", init=False)  # where it was made from a record

    def identity(self) -> str:
        """Return the setting that cannot change without another resource; "" for none. See `identity_in`."""
        return str(getattr(self, "name", ""))

    @property
    def kind(self) -> str:
        """Return the class's name, as recorded."""
        return type(self).__name__

    @property
    def key(self) -> str:
        """Return its name in stack.yaml: its attribute in stack.py, and after a slash its identity."""
        if self.recorded_key:
            return self.recorded_key
        identity = self.identity()
        return f"{self.logical_id}/{identity}" if identity else self.logical_id

    @property
    def tags(self) -> dict[str, str]:
        """Return the tags that mark it as this stack's."""
        return {"provision:stack": self.stack, "provision:resource": self.key}

    def needs(self) -> list["Resource"]:
        """Return the resources it depends on."""
        values = [getattr(self, item.name) for item in dataclasses.fields(self)]
        return [value for value in values if isinstance(value, Resource)]

    def outputs(self) -> dict[str, Any]:
        """Return what AWS decided about it, by field name; only what is known."""
        known = {
            f.name: getattr(self, f.name) for f in dataclasses.fields(self) if "path" in f.metadata
        }
        return {name: value for name, value in known.items() if value}

    def load_from_api(self, live: Live) -> None:
        """Set the outputs from what `find` or `create` returned."""
        for item in dataclasses.fields(self):
            if "path" in item.metadata:
                value = jmespath.search(item.metadata["path"], live)
                if value not in (None, ""):
                    setattr(self, item.name, value)

    def load_from_record(self, outputs: Mapping[str, Any]) -> None:
        """Set the outputs from stack.yaml; clear those that are not there."""
        for item in dataclasses.fields(self):
            if "path" in item.metadata:
                setattr(self, item.name, outputs.get(item.name, ""))

    @classmethod
    def from_record(cls, stack: str, key: str, outputs: Mapping[str, Any]) -> Self:
        """Return a resource of which only key and outputs are known; all of its settings are None."""
        arguments: dict[str, Any] = {f.name: None for f in dataclasses.fields(cls) if f.init}
        found = cls(**arguments)
        found.logical_id, found.stack, found.recorded_key = key.partition("/")[0], stack, key
        found.load_from_record(outputs)
        return found


@resource
class Resource(Recorded):
    """One thing that is created, kept as desired, and deleted. Subclasses override what differs."""

    errors: ClassVar[Errors] = Errors()
    polling: ClassVar[Polling] = Polling()
    deletion: ClassVar[Deletion] = Deletion()
    batch: ClassVar[Batch | None] = None  # the call by which `find` looks for a recorded one
    console: ClassVar[str] = "AWS"  # the service in whose console a person finds it
    # A second create call finds the first one's by name, or makes another, known by its tags only or by
    # what was recorded before the call.
    identified_by: ClassVar[Literal["name", "tags", "record"]] = "name"

    consented: bool = field(default=False, init=False)  # the person lets an adopted one be changed
    with_contents: bool = field(default=False, init=False)  # what others put in it is deleted too
    switch_after: "tuple[Resource, ...]" = field(
        default=(), init=False
    )  # an update waits for these

    # Finding -----------------------------------------------------------------------------------------

    @classmethod
    def tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """Return every resource of this kind with the stack's tags ("": any stack's), in `find`'s shape.

        Use the service's own lists: the tagging API knows neither Route 53 nor IAM, and lists resources of
        ECS that are gone. Leave out what is being deleted, and what belongs to something that is listed.
        """
        return []

    def lookup_needs(self) -> list["Resource"]:
        """Return the resources that must be known before this one can be looked for."""
        return self.needs()

    def exists_within(self) -> list["Resource"]:
        """Return the resources without which this one cannot exist."""
        return []

    def find(self, clients: Clients) -> Live | None:
        """Return the live resource: by recorded id first, else by name or tag. Read only."""
        raise NotImplementedError(self.kind)

    def shown(self, live: Live) -> str:
        """Return what a person finds it by: its ARN or id."""
        return called(self.outputs())

    def recovered_settings(self, live: Live) -> FoundSettings:
        """Return the settings that the live resource shows, as `recover` writes them. Use no settings."""
        return {}

    # Ownership ---------------------------------------------------------------------------------------

    def tags_of(self, clients: Clients, live: Live) -> dict[str, str]:
        """Return the live resource's tags."""
        return flat(live.get("Tags") or live.get("tags") or [])

    def owners(self, live: Live) -> "list[Resource] | None":
        """Return the resources of which one must be the stack's; None: its own tags tell."""
        return self.exists_within() if is_untaggable(type(self)) else None

    def holders(self, clients: Clients, live: Live) -> "Iterable[Resource]":
        """Return, for what cannot carry tags, resources of which one must carry the stack's.

        From what AWS shows, so that it works for a record that is no longer in stack.py.
        """
        return []

    @classmethod
    def same(cls, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
        """Return whether two sets of outputs name one resource: nothing that both have differs."""
        both = one.keys() & other.keys()
        return bool(both) and all(one[name] == other[name] for name in both)

    def may_adopt(self, live: Live) -> bool:
        """Return whether an existing one that is not the stack's is used as it is."""
        return False

    # Creating and updating -----------------------------------------------------------------------------

    def preflight(self, clients: Clients) -> None:
        """Raise ProvisionError where it could not be created. Called while there is none. Read only."""

    def before_create(self, clients: Clients) -> dict[str, Any]:
        """Return the outputs that must be on disk before the create call. Read only."""
        return {}

    def create(self, clients: Clients) -> Live | None:
        """Make the one create call. Return AWS's answer in `find`'s shape; None: the engine finds it.

        A property that the call does not set is in the answer as None or empty; one that the answer lacks is
        read again.
        """
        raise NotImplementedError(self.kind)

    def pending(self, live: Live) -> Pending | None:
        """Return what it still waits for; None once others may depend on it."""
        return None

    def desired(self) -> dict[str, Any]:
        """Return what `find` should return, by jmespath: everything that can be updated."""
        return {}

    def update(self, clients: Clients, live: Live, differences: list["Difference"]) -> None:
        """Make the live resource as desired. Idempotent."""
        raise NotImplementedError(self.kind)

    def costs(self, prices: "Prices") -> float:
        """Return the price in USD of a month of 730 hours."""
        return 0.0

    def plan_notes(self) -> list[str]:
        """Return lines that a plan shows where it would create or change it."""
        return []

    # Deleting ----------------------------------------------------------------------------------------

    def retention_reason(self, everything: bool) -> str:
        """Return why teardown keeps it although it is the stack's; "" where it is deleted."""
        return ""

    def keep_on_replace(self, clients: Clients) -> str:
        """Return why it stays after a setting has replaced it; "" where it is deleted. Read only."""
        return ""

    def external_uses(
        self, clients: Clients, ours: frozenset[str]
    ) -> Sequence[ExternalUse | UsageCheck]:
        """Return what others use of it; called before it is deleted. Read only.

        ours: every recorded id and ARN, and the outputs of each record joined by spaces.
        """
        return []

    def deletion_state(self, live: Live) -> Literal["", "leaving", "released", "survives"]:
        """Return how far its deletion is.

        leaving: AWS is deleting it. released: the same, but its dependencies may be deleted already.
        survives: its delete call leaves it as it is, so that finding it does not tell whether it was called.
        """
        return ""

    def delete(self, clients: Clients) -> None:
        """Make the one delete call. Use outputs only: settings may have changed since."""
        raise NotImplementedError(self.kind)


@resource
class AccountWide(Resource):
    """A resource that the whole account uses: created where it is missing, never the stack's own."""


@resource
class Milestone(Resource):
    """A state that other resources wait for, without a create call. Never recorded, never deleted.

    `pending` returns what is still missing; it is given {} where `find` finds nothing.
    """

    outside: ClassVar[bool] = False  # a person or another company has to act
    whenever: ClassVar[bool] = False  # a person acts at any time: no duration can be estimated
    settling: ClassVar[float] = 0.0  # seconds from `ready_after` until it is usually reached

    ready_after: "tuple[Milestone, ...]" = field(default=(), init=False)  # not reached before these

    def poll(self, clients: Clients) -> Live | None:
        """Return as much of `find` as `pending` needs, while it is waited for."""
        return self.find(clients)

    def create(self, clients: Clients) -> Live | None:
        """Raise TypeError: a milestone is reached, not created."""
        raise TypeError(self.kind)


@dataclass(frozen=True)
class Difference:
    """One property that is not as desired: its jmespath, the live value and the desired one."""

    path: str
    have: Any
    want: Any

    def to_dict(self) -> dict[str, Any]:
        """Return it as `plan --json` prints it."""
        return {"path": self.path, "have": self.have, "want": self.want}


def differences(resource: Resource, live: Live) -> list[Difference]:
    """Return the properties of the live resource that are not as desired."""
    pairs = ((path, jmespath.search(path, live), want) for path, want in resource.desired().items())
    return [Difference(path, have, want) for path, have, want in pairs if have != want]


def is_untaggable(kind: type[Resource]) -> bool:
    """Return whether resources of this kind cannot carry tags, so that their holders tell whose they are."""
    return kind.holders is not Resource.holders


def name_conflict(resource: Resource, found: str) -> ProvisionError:
    """Return the error for somebody else's resource of that name. found: what a person finds it by."""
    return ProvisionError(
        _("Creating {key}.", key=resource.key),
        _(
            "there is one already that is not this stack's: {service} {found}",
            service=resource.console,
            found=found,
        ),
        _(
            "Choose another `{setting}` in stack.yaml, or remove the other one if it is yours "
            "and nothing needs it.",
            setting=resource.errors.setting,
        ),
    )


def identity_in(key: str) -> str:
    """Return the identity in a key, which is known where only the record of a resource is."""
    return key.partition("/")[2]


def called(outputs: Mapping[str, Any]) -> str:
    """Return its ARN, else its id, else the first output."""
    return str(outputs.get("arn") or outputs.get("id") or next(iter(outputs.values()), "?"))


def flat(tags: Any) -> dict[str, str]:
    """Return the tags of any service's shape as a dict."""
    if isinstance(tags, dict):
        return dict(tags)
    return {tag.get("Key", tag.get("key")): tag.get("Value", tag.get("value")) for tag in tags}


def marked(tags: Mapping[str, str], stack: str) -> bool:
    """Return whether the tags are the stack's; "": any stack's."""
    name = tags.get("provision:stack")
    return bool(name) and stack in ("", name)


def listed(tags: Mapping[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Return the tags as most services take them."""
    return [{key: name, value: content} for name, content in tags.items()]


def kinds() -> dict[str, type[Resource]]:
    """Return every resource class by name."""
    found: dict[str, type[Resource]] = {}
    open_ones = [Resource]
    while open_ones:
        for child in open_ones.pop().__subclasses__():
            found[child.__name__] = child
            open_ones.append(child)
    return found
