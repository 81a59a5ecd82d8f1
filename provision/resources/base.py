"""Base classes of the resources. A resource is created by one create call.

Its dependencies are the constructor arguments that are resources. Methods without the parameter `clients`
do no I/O; the engine decides when each method is called.
"""

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeVar, dataclass_transform

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
    """The clients of all services. index: the Python package index."""

    aws: "Aws"
    dns: "Dns"
    line: "Line"
    registries: Registries = field(default_factory=Registries)
    index: PackageIndex = field(default_factory=PackageIndex)


# Seconds for which resolvers may still return a replaced address: Route 53 propagates a change within about
# 40, and an alias of a load balancer has a TTL of 60 (Route 53 Developer Guide, alias records).
REPLACED_DELAY = 100.0


@dataclass(frozen=True)
class Errors:
    """The meaning of the service's error codes: "Code", or "Code: part of the message".

    not_found: the resource does not exist. exists: the name is taken; find out by whom. retry: try again
    later. setting: the setting to change if the name is taken by somebody else. fatal: whether a failure
    fails the run; otherwise it is only reported.
    """

    not_found: tuple[str, ...] = ()
    exists: tuple[str, ...] = ()
    retry: tuple[str, ...] = ()
    setting: str = "name"
    fatal: bool = True


@dataclass(frozen=True)
class Polling:
    """Expected duration and polling intervals, in seconds.

    expected: from the create call until ready (medians from other tools' logs). timeout: maximum wait.
    interval: longest pause between polls; interval_near: shortest pause, near the expected end; interval_far:
    longest pause far from the expected end. checks: number of polls within the expected time.
    propagation_delay: until other AWS services know the resource. after_propagation: whether its create call
    must wait for the propagation of its dependencies.
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
    """How a resource is deleted.

    immediate: it no longer exists once the delete call has returned. release_delay: seconds from the first
    attempt to delete it or one of its dependents until AWS usually allows its deletion; 0: unknown.
    after_dependents: wait until its dependents are deleted; otherwise until they release it. retained_with:
    the name of the field with the dependency that, if kept, keeps this resource too. on_pause: it is charged
    by the hour, so a pause deletes it and its dependents. replaced_delay: seconds for which clients may still
    use it after its replacement.
    """

    immediate: bool = False
    release_delay: int = 0
    after_dependents: bool = False
    retained_with: str = ""
    on_pause: bool = False
    replaced_delay: float = 0.0


@dataclass(frozen=True)
class Permission:
    """IAM actions that the person who runs provision needs for a resource.

    purpose: read (every command), secret (reads one of LINE's; every command that changes something), deploy
    (setup, too), retire (deletes what deploy has replaced), create (setup, resume), or delete (teardown,
    pause, and setup after a changed setting). service: the prefix of the actions. actions: separated by
    spaces. resource: the parts of ARNs after the account, separated by spaces, each after "SERVICE::" if it
    is another service's; "*" for actions that take no resource. tag: whether the request or the resource must
    have the stack's tag. condition: a Condition element. any_region: it is used in other regions too.
    """

    purpose: Literal["read", "secret", "deploy", "retire", "create", "delete"]
    service: str
    actions: str
    resource: str = "*"
    tag: Literal["", "RequestTag", "ResourceTag"] = ""
    condition: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    any_region: bool = False


@dataclass(frozen=True)
class Batch:
    """A Describe call that takes a list of ids.

    parameter: the parameter for the ids. items_key: the key of the list in the response. id: the key of an
    item's id.
    """

    service: str
    call: str
    parameter: str
    items_key: str
    id: str


@dataclass(frozen=True)
class ExternalUse:
    """A use of a resource from outside the stack, which prevents its deletion.

    content: it is inside the resource (records in a zone, objects in a bucket) and would be deleted too.
    unknown: the check failed; `description` has what was checked and the reason.
    """

    description: str
    content: bool = False
    unknown: bool = False


@dataclass(frozen=True)
class UsageCheck:
    """A check for external uses that is run and retried separately. If it fails, the resource is kept.

    where: a description of the service that is read, such as "ACM in us-east-1".
    """

    where: str
    find: Callable[[], list[ExternalUse]]


def output(path: str, pattern: str = "", *, init: Literal[False] = False) -> Any:
    """Declare a field whose value AWS decides and stack.yaml records.

    path: a jmespath into the result of `find`. pattern: a regular expression for the value, or for each value
    of a list; "": any.
    """
    return field(default="", init=init, metadata={"path": path, "pattern": pattern})


def id_pattern(prefix: str) -> str:
    """Return the pattern of an EC2 id. Source: EC2 User Guide, Resource IDs (8 or 17 hexadecimal digits)."""
    return rf"{prefix}-[0-9a-f]{{8,}}"


def arn_pattern(resource_part: str = "") -> str:
    """Return the pattern of an ARN. resource_part: the beginning of its last part."""
    return rf"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]*:{re.escape(resource_part)}\S+"


_classes: list[type] = []  # made with @resource


@dataclass_transform(eq_default=False, field_specifiers=(field, output))
def resource(kind: type[T]) -> type[T]:
    """Make a resource class: a dataclass that is compared by identity; outputs are not in its constructor."""
    made = dataclass(eq=False, repr=False)(kind)
    _classes.append(made)
    return made


@resource
class Recorded:
    """Key, dependencies and recorded outputs of a resource."""

    logical_id: str = field(default="", init=False)  # its attribute's name in stack.py; set there
    stack: str = field(default="", init=False)  # the stack's name; set there
    recorded_key: str = field(default="", init=False)  # set if it was built from a record
    # The tags of the setting aws.tags, which the account may require; set in stack.py.
    required_tags: Mapping[str, str] = field(default_factory=dict, init=False)

    def identity(self) -> str:
        """Return the setting whose change replaces the resource; "" for none. It is part of the key."""
        return str(getattr(self, "name", ""))

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions that the person who runs provision needs; work from key and outputs alone.

        Listing resources by tag reads those of every kind, so a kind that the stack does not use is asked for
        its permissions to read too, with the stack's name as identity.
        """
        return []

    @property
    def kind(self) -> str:
        """Return the name of the class, as recorded."""
        return type(self).__name__

    @property
    def key(self) -> str:
        """Return its key in stack.yaml: its attribute's name in stack.py, "/", and its identity."""
        if self.recorded_key:
            return self.recorded_key
        identity = self.identity()
        return f"{self.logical_id}/{identity}" if identity else self.logical_id

    @property
    def tags(self) -> dict[str, str]:
        """Return the tags that identify it as this stack's, and those of the setting aws.tags."""
        return {**self.required_tags, **self.identifying_tags}

    @property
    def identifying_tags(self) -> dict[str, str]:
        """Return the tags that identify it as this stack's."""
        return {"provision:stack": self.stack, "provision:resource": self.key}

    def needs(self) -> list["Resource"]:
        """Return the resources it depends on."""
        values = [getattr(self, item.name) for item in dataclasses.fields(self)]
        return [value for value in values if isinstance(value, Resource)]

    def outputs(self) -> dict[str, Any]:
        """Return the known outputs by field name."""
        known = {
            f.name: getattr(self, f.name) for f in dataclasses.fields(self) if "path" in f.metadata
        }
        return {name: value for name, value in known.items() if value}

    def load_from_api(self, live: Live) -> None:
        """Set the outputs from a result of `find` or `create`."""
        for item in dataclasses.fields(self):
            if "path" in item.metadata:
                value = jmespath.search(item.metadata["path"], live)
                if value not in (None, ""):
                    setattr(self, item.name, value)

    def load_from_record(self, outputs: Mapping[str, Any]) -> None:
        """Set the outputs from stack.yaml; clear the others."""
        for item in dataclasses.fields(self):
            if "path" in item.metadata:
                setattr(self, item.name, outputs.get(item.name, ""))

    @classmethod
    def from_record(cls, stack: str, key: str, outputs: Mapping[str, Any]) -> Self:
        """Return a resource with this key and these outputs; its constructor arguments are None."""
        arguments: dict[str, Any] = {f.name: None for f in dataclasses.fields(cls) if f.init}
        found = cls(**arguments)
        found.logical_id, found.stack, found.recorded_key = key.partition("/")[0], stack, key
        found.load_from_record(outputs)
        return found


@resource
class Resource(Recorded):
    """A resource that is created, updated and deleted. Subclasses override what differs."""

    errors: ClassVar[Errors] = Errors()
    polling: ClassVar[Polling] = Polling()
    deletion: ClassVar[Deletion] = Deletion()
    batch: ClassVar[Batch | None] = None  # the call with which `find` reads a recorded one
    console: ClassVar[str] = "AWS"  # the service whose console shows it
    # name: a second create call is refused or returns the first one's resource. tags, record: a second create
    # call makes a duplicate, which can be recognized by its tags, or by an output recorded before the call.
    # surplus: as tags, and `find` returns the duplicates as the output `surplus`.
    identified_by: ClassVar[Literal["name", "tags", "record", "surplus"]] = "name"

    consented: bool = field(default=False, init=False)  # an adopted one may be changed
    with_contents: bool = field(default=False, init=False)  # also delete contents of others
    switch_after: "tuple[Resource, ...]" = field(
        default=(), init=False
    )  # an update waits for these

    # Finding -----------------------------------------------------------------------------------------

    @classmethod
    def list_tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """Return the resources of this kind with the stack's tags, as `find` returns them. stack: "" for any.

        Use the service's list calls: the tagging API supports neither Route 53 nor IAM, and returns deleted
        ECS resources. Omit resources that are being deleted, and those that belong to a listed one.
        """
        return []

    def lookup_needs(self) -> list["Resource"]:
        """Return the resources whose outputs `find` needs."""
        return self.needs()

    def exists_within(self) -> list["Resource"]:
        """Return the resources without which this one cannot exist."""
        return []

    def find(self, clients: Clients) -> Live | None:
        """Return the live resource, or None: by recorded id first, else by name or tag. Read only."""
        raise NotImplementedError(self.kind)

    def label(self, live: Live) -> str:
        """Return the ARN or id by which a person finds it in the console."""
        return identifier(self.outputs())

    def recovered_settings(self, live: Live) -> FoundSettings:
        """Return the settings that can be read from the live resource, for `recover`. Use no settings."""
        return {}

    # Ownership ---------------------------------------------------------------------------------------

    def tags_of(self, clients: Clients, live: Live) -> dict[str, str]:
        """Return the live resource's tags."""
        return tags_to_dict(live.get("Tags") or live.get("tags") or [])

    def owners(self, live: Live) -> "list[Resource] | None":
        """Return the resources of which one must be the stack's; None: its tags identify the stack."""
        return self.exists_within() if is_untaggable(type(self)) else None

    def holders(self, clients: Clients, live: Live) -> "Iterable[Resource]":
        """Return, for a resource without tags, the resources of which one must have the stack's tags.

        Derive them from the live resource, because a recorded one may no longer be in stack.py.
        """
        return []

    @classmethod
    def same(cls, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
        """Return whether two sets of outputs identify the same resource: all common outputs are equal."""
        both = one.keys() & other.keys()
        return bool(both) and all(one[name] == other[name] for name in both)

    def may_adopt(self, live: Live) -> bool:
        """Return whether an existing resource that is not the stack's is used unchanged."""
        return False

    # Creating and updating -----------------------------------------------------------------------------

    def preflight(self, clients: Clients) -> None:
        """Raise ProvisionError if it could not be created. Called while it does not exist. Read only."""

    def before_create(self, clients: Clients) -> dict[str, Any]:
        """Return the outputs to record before the create call. Read only."""
        return {}

    def create(self, clients: Clients) -> Live | None:
        """Send the create call. Return the response as `find` would return it, or None to call `find`.

        Include properties that the call does not set as None or empty; missing properties are read.
        """
        raise NotImplementedError(self.kind)

    def pending(self, live: Live) -> Pending | None:
        """Return what it waits for; None once it is ready for its dependents."""
        return None

    def desired(self) -> dict[str, Any]:
        """Return the desired values of all properties that can be updated, by jmespath."""
        return {}

    def update(self, clients: Clients, live: Live, differences: list["Difference"]) -> None:
        """Update the live resource to the desired values. Idempotent."""
        raise NotImplementedError(self.kind)

    def costs(self, prices: "Prices") -> float:
        """Return the price in USD of a month of 730 hours."""
        return 0.0

    def plan_notes(self) -> list[str]:
        """Return lines to show in a plan that creates or changes it."""
        return []

    # Deleting ----------------------------------------------------------------------------------------

    def retention_reason(self, everything: bool) -> str:
        """Return why teardown keeps it although it is the stack's; "" to delete it."""
        return ""

    def keep_on_replace(self, clients: Clients) -> str:
        """Return why it is kept after a changed setting has replaced it; "" to delete it. Read only."""
        return ""

    def external_uses(
        self, clients: Clients, ours: frozenset[str]
    ) -> Sequence[ExternalUse | UsageCheck]:
        """Return its uses from outside the stack, or checks for them. Called before a deletion. Read only.

        ours: all recorded ids and ARNs, and the outputs of each record joined by spaces.
        """
        return []

    def deletion_state(self, live: Live) -> Literal["", "leaving", "released", "survives"]:
        """Return the state of its deletion.

        leaving: AWS is deleting it. released: AWS is deleting it, and its dependencies may be deleted.
        survives: it exists even after a successful delete call.
        """
        return ""

    def delete(self, clients: Clients) -> None:
        """Send the delete call. Use outputs only, because the settings may have changed."""
        raise NotImplementedError(self.kind)


@resource
class AccountWide(Resource):
    """A resource of the whole account: created if it is missing, never owned or deleted."""


@resource
class Milestone(Resource):
    """A state that other resources wait for. It has no create call and is never recorded or deleted.

    `pending` returns what is missing; its argument is {} if `find` returns None.
    """

    outside: ClassVar[bool] = False  # a person or another company has to act
    unpredictable: ClassVar[bool] = False  # depends on a person: its duration cannot be estimated
    settling: ClassVar[float] = 0.0  # seconds from `ready_after` until it is usually reached

    ready_after: "tuple[Milestone, ...]" = field(default=(), init=False)  # not reached before these

    def poll(self, clients: Clients) -> Live | None:
        """Return as much of `find`'s result as `pending` needs. Called repeatedly while waiting."""
        return self.find(clients)

    def create(self, clients: Clients) -> Live | None:
        """Raise TypeError: a milestone is reached, not created."""
        raise TypeError(self.kind)


@dataclass(frozen=True)
class Difference:
    """A property that is not as desired. path: its jmespath."""

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
    """Return whether resources of this kind cannot have tags, so that `holders` decides their ownership."""
    return kind.holders is not Resource.holders


def name_conflict(resource: Resource, found: str) -> ProvisionError:
    """Return the error for a name that is taken by somebody else's resource. found: its label."""
    return ProvisionError(
        _("Could not create {key}.", key=resource.key),
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
    """Return the identity part of a key, for resources built from a record."""
    return key.partition("/")[2]


def identifier(outputs: Mapping[str, Any]) -> str:
    """Return the ARN in these outputs, else the id, else the first output."""
    return str(outputs.get("arn") or outputs.get("id") or next(iter(outputs.values()), "?"))


def tags_to_dict(tags: Any) -> dict[str, str]:
    """Return tags in the format of any service as a dict."""
    if isinstance(tags, dict):
        return dict(tags)
    return {tag.get("Key", tag.get("key")): tag.get("Value", tag.get("value")) for tag in tags}


def has_stack_tag(tags: Mapping[str, str], stack: str) -> bool:
    """Return whether the tags are the stack's. stack: "" for any."""
    name = tags.get("provision:stack")
    return bool(name) and stack in ("", name)


def tags_to_list(
    tags: Mapping[str, str], key: str = "Key", value: str = "Value"
) -> list[dict[str, str]]:
    """Return the tags as a list of key and value, as most services take them."""
    return [{key: name, value: content} for name, content in tags.items()]


def kinds() -> dict[str, type[Resource]]:
    """Return every class made with @resource by name."""
    return {
        kind.__name__: kind
        for kind in _classes
        if issubclass(kind, Resource) and kind is not Resource
    }
