"""What a resource is: one thing, made by one create call.

A resource declares; the engine acts. Constructor arguments that are resources are its needs. The signature
tells which methods are pure: those that are not handed `doors`.
"""

import dataclasses
from collections.abc import Callable, Collection, Iterable, Mapping
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
from provision.errors import ProvisionError
from provision.i18n import _

if TYPE_CHECKING:
    from provision.clients.aws import Aws
    from provision.clients.dns import Dns
    from provision.clients.line import Line
    from provision.pricing import Prices

Live = dict[str, Any]
Tagged = tuple[dict[str, str], Live]  # a live thing and its tags
T = TypeVar("T")


@dataclass(frozen=True)
class Clients:
    """The outsides a resource can talk to. index: of Python packages."""

    aws: "Aws"
    dns: "Dns"
    line: "Line"
    registries: Registries = field(default_factory=Registries)
    index: PackageIndex = field(default_factory=PackageIndex)


@dataclass(frozen=True)
class Batch:
    """A reading call that takes many ids. listed: the list in its answer; id: where it tells an item's."""

    service: str
    call: str
    parameter: str
    listed: str
    id: str
    by_name: bool = False  # the id is the name that a setting gives, so that it is known before


@dataclass(frozen=True)
class ExternalUse:
    """Something of others' that keeps a thing of ours from going.

    content: it lies in ours (records in a zone, objects in a bucket), so it would go with it.
    unknown: whether there is any could not be looked at; told says which question and why.
    """

    told: str
    content: bool = False
    unknown: bool = False


UsageChecks = dict[
    str, "Callable[[], list[ExternalUse]]"
]  # by where each is asked, such as "ACM in us-east-1"


def output(path: str, *, init: Literal[False] = False) -> Any:
    """Declare a field that AWS decides: a jmespath into what `find` returns, recorded in stack.yaml."""
    return field(default="", init=init, metadata={"path": path})


@dataclass_transform(eq_default=False, field_specifiers=(field, output))
def resource(kind: type[T]) -> type[T]:
    """Declare a resource class: a dataclass compared by identity, whose outputs are no arguments."""
    return dataclass(eq=False, repr=False)(kind)


@resource
class Resource:
    """One thing that comes to be, is kept as wanted, and goes."""

    not_found: ClassVar[tuple[str, ...]] = ()  # error codes that mean "there is none"
    exists: ClassVar[tuple[str, ...]] = ()  # "somebody has it": look whose it is
    retry: ClassVar[tuple[str, ...]] = ()  # "not yet": ask again later
    owned_via: ClassVar[str] = ""  # untaggable: ours when the resource in this field is ours
    retraceable: ClassVar[bool] = (
        False  # found by its key and by what is on disk before the create call
    )
    single: ClassVar[bool] = True  # created twice it is one: its name sees to that
    by_name: ClassVar[bool] = False  # can be looked for before what it is built on is there
    exists_within: ClassVar[str] = (
        ""  # taggable, but there is none before the need in this field is there
    )
    lookup_scope: ClassVar[str] = ""  # can be looked for as soon as the need in this field is there
    console: ClassVar[str] = "AWS"  # the service in whose console a person finds it
    setting: ClassVar[str] = "name"  # with another value of it somebody else's is not in the way
    hourly: ClassVar[bool] = False  # paid by the hour: a pause takes it and all that needs it
    account_wide: ClassVar[bool] = False  # the whole account uses it: ensured, then never ours
    optional: ClassVar[bool] = (
        False  # where it fails, that is told, and the rest stands all the same
    )
    remembered: ClassVar[bool] = False  # resolvers lead to it for a while after it was replaced
    expected: ClassVar[int] = (
        1  # seconds from its create call until it is ready (medians, other tools' logs)
    )
    timeout: ClassVar[int] = 600  # seconds after which waiting for it is given up
    propagation_delay: ClassVar[float] = (
        0.0  # seconds for which AWS's other services may not know of it yet
    )
    through_others: ClassVar[bool] = (
        False  # its create call has another service use what it is built on
    )
    batch: ClassVar[Batch | None] = None  # the call by which `find` looks at what is recorded
    poll_interval: ClassVar[float] = 10.0  # seconds between two looks at it, at most
    poll_interval_near: ClassVar[float] = 2.0  # the same when it may be there any moment
    poll_interval_far: ClassVar[float] = (
        900.0  # the same while its end is far: it may fail on the way
    )
    looks: ClassVar[int] = 2  # in the time that is left, were they as far apart as the first
    last: ClassVar[bool] = (
        False  # goes when what rests on it has gone for good, not when that lets it go
    )
    release_delay: ClassVar[int] = (
        0  # seconds from the first try until AWS usually lets it go; 0: not known
    )
    at_once: ClassVar[bool] = False  # gone when its delete call has been answered
    later: ClassVar[tuple[str, ...]] = ()  # first names in `wants` that the create call cannot set
    retained_with: ClassVar[str] = ""  # where the need in this field stays, this stays too

    logical_id: str = field(default="", init=False)  # its attribute's name in stack.py; set there
    stack: str = field(default="", init=False)  # the stack's name; set there
    consented: bool = field(default=False, init=False)  # the person lets an adopted one be changed
    with_contents: bool = field(default=False, init=False)  # what others put in goes too
    switch_after: "tuple[Resource, ...]" = field(
        default=(), init=False
    )  # an update waits for these
    ready_after: "tuple[Milestone, ...]" = field(
        default=(), init=False
    )  # it is not reached before these

    @property
    def kind(self) -> str:
        """The class's name, as recorded."""
        return type(self).__name__

    def identity(self) -> str:
        """Return the setting that cannot change without another one of these; "" for none."""
        return str(getattr(self, "name", ""))

    @property
    def key(self) -> str:
        """Its name in stack.yaml: the line of stack.py, and after a slash what cannot change."""
        identity = self.identity()
        return f"{self.logical_id}/{identity}" if identity else self.logical_id

    @property
    def tags(self) -> dict[str, str]:
        """What marks it as this stack's."""
        return {"provision:stack": self.stack, "provision:resource": self.key}

    def needs(self) -> list["Resource"]:
        """Return the resources it depends on."""
        values = [getattr(self, item.name, None) for item in dataclasses.fields(self)]
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
    def tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """Everything of this kind that carries the stack's tags ("": any stack's), in `find`'s shape.

        By the service's own lists: the tagging API knows neither Route 53 nor IAM, and lists things of ECS's
        that have gone. What is on its way out, and what hangs on something else that is listed, is left out.
        """
        return []

    # What a class says of itself. -----------------------------------------------------------------

    def before_create(self, clients: Clients) -> dict[str, Any]:
        """Return what must be on disk before the create call. Read only."""
        return {}

    def preflight(self, clients: Clients) -> None:
        """Asked while there is none: raises ProvisionError where it could not come to be. Read-only."""

    def find(self, clients: Clients) -> Live | None:
        """Return the live resource: by recorded id first, else by name or tag. Read only."""
        raise NotImplementedError(self.kind)

    def poll(self, clients: Clients) -> Live | None:
        """As `find`, while it is waited for: what `pending` needs, and no more."""
        return self.find(clients)

    def cannot_be(self, made: Collection[str]) -> bool:
        """Whether nobody need look for it: it hangs on what this run has made. made: the keys of that."""
        place = self.owned_via or self.exists_within
        return bool(place) and getattr(self, place).key in made

    def create(self, clients: Clients) -> Live | None:
        """Make the one create call. Return AWS's answer in `find`'s shape; None: the engine finds it."""
        raise NotImplementedError(self.kind)

    def tags_of(self, clients: Clients, live: Live) -> dict[str, str]:
        """Return the live resource's tags."""
        return flat(live.get("Tags") or live.get("tags") or [])

    def holders(self, clients: Clients, live: Live) -> "Iterable[Resource]":
        """Return, for what cannot carry tags, what holds it: it is ours where one of these is.

        From what AWS shows, so that it works for a record whose line is gone.
        """
        return []

    @classmethod
    def untaggable(cls) -> bool:
        """Return whether it cannot carry tags, so that its holders tell whose it is."""
        return cls.holders is not Resource.holders

    @classmethod
    def same(cls, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
        """Return whether two sets of outputs name one thing: nothing that both know differs."""
        both = one.keys() & other.keys()
        return bool(both) and all(one[name] == other[name] for name in both)

    @classmethod
    def named_by(cls, stack: str, **outputs: Any) -> Self:
        """Return a bare resource of this kind that knows these outputs only."""
        bare = cls.__new__(cls)
        bare.stack = stack
        bare.identity = lambda: str(next(iter(outputs.values()), ""))  # type: ignore[method-assign]
        bare.load_from_record(outputs)
        return bare

    def owners(self, live: Live) -> list["Resource"]:
        """Of what is untaggable: the things by which it is ours when one of them is."""
        return [getattr(self, self.owned_via)] if self.owned_via else []

    def shown(self, live: Live) -> str:
        """Return what a person finds it by: its ARN or id."""
        return called(self.outputs())

    def in_the_way(self, found: str) -> ProvisionError:
        """Somebody else's stands where it would come to be. found: what a person finds that by."""
        return ProvisionError(
            _("Creating {key}.", key=self.key),
            _(
                "there is one already that is not this stack's: {service} {found}",
                service=self.console,
                found=found,
            ),
            _(
                "Choose another `{setting}` in stack.yaml, or remove the other one if it is yours "
                "and nothing needs it.",
                setting=self.setting,
            ),
        )

    def pending(self, live: Live) -> str:
        """Return what is waited for; "" once others may depend on it."""
        return ""

    def may_adopt(self, live: Live) -> bool:
        """Whether one that was there first is taken as it is."""
        return False

    def patience(self, live: Live) -> int:
        """Seconds after which waiting for it is given up, judged by what is seen."""
        return self.timeout

    def desired(self) -> dict[str, Any]:
        """Return what `find` should return, by jmespath: everything that can be updated."""
        return {}

    def shown_in_plan(self) -> list[str]:
        """Return what a plan that makes or changes it says of it besides, in lines."""
        return []

    def update(self, clients: Clients, live: Live, differences: list["Difference"]) -> None:
        """Cures the differences. Idempotent."""
        raise NotImplementedError(self.kind)

    def costs(self, prices: "Prices") -> float:
        """USD a month (730 hours) while it exists."""
        return 0.0

    def retention_reason(self, everything: bool) -> str:
        """Why teardown leaves it although it is ours, in a sentence; "" where it goes."""
        return ""

    def external_uses(self, clients: Clients, ours: frozenset[str]) -> list[ExternalUse]:
        """Return what others use of it, asked before it is deleted. Read only.

        ours: every id and ARN that is recorded, and the outputs of each record with spaces between.
        """
        return []

    def usage_checks(self, clients: Clients, ours: frozenset[str]) -> UsageChecks:
        """Return questions about use by others that are asked in several places. Read-only.

        One that stays without an answer, unlike `used_by`, keeps the resource. ours: as for `used_by`.
        """
        return {}

    def keep_on_replace(self, clients: Clients) -> str:
        """Why it stays though a setting has replaced it, in a sentence; "" where it goes. Read-only."""
        return ""

    def leaving(self, live: Live) -> bool:
        """Whether AWS is already taking it away."""
        return False

    def releases_dependencies(self, live: Live) -> bool:
        """Whether, though its deletion goes on, what it was built on may go already."""
        return False

    def survives_delete(self, live: Live) -> bool:
        """Whether its delete call leaves it as it is, so that a look does not tell whether it was called."""
        return False

    def delete(self, clients: Clients) -> None:
        """Make the one delete call. Use outputs only: settings may have changed since."""
        raise NotImplementedError(self.kind)

    def differences(self, live: Live) -> list["Difference"]:
        """Where the live thing is not as wanted."""
        seen = ((path, jmespath.search(path, live), want) for path, want in self.desired().items())
        return [Difference(path, have, want) for path, have, want in seen if have != want]


@resource
class Milestone(Resource):
    """A room without a create call, on which others wait. Never recorded, never deleted.

    `find` looks; `pending` says what is still missing (also handed {} where there is nothing to see yet).
    """

    outside: ClassVar[bool] = False  # a person or another company has to act
    whenever: ClassVar[bool] = (
        False  # a person does it when they like: nobody can tell how long it takes
    )
    settling: ClassVar[float] = 0.0  # seconds from `ready_after` until it is usually reached

    def create(self, clients: Clients) -> Live | None:
        """Raise TypeError: a milestone is reached, not created."""
        raise TypeError(self.kind)


@dataclass(frozen=True)
class Difference:
    """One property that is not as wanted: a jmespath, what was seen, what is wanted."""

    path: str
    have: Any
    want: Any

    def shown(self) -> dict[str, Any]:
        """As `plan --json` prints it."""
        return {"path": self.path, "have": self.have, "want": self.want}


def called(outputs: Mapping[str, Any]) -> str:
    """Return its ARN, else its id, else the first output."""
    return str(outputs.get("arn") or outputs.get("id") or next(iter(outputs.values()), "?"))


def flat(tags: Any) -> dict[str, str]:
    """Tags of any service's shape as a dict."""
    if isinstance(tags, dict):
        return dict(tags)
    return {tag.get("Key", tag.get("key")): tag.get("Value", tag.get("value")) for tag in tags}


def marked(tags: Mapping[str, str], stack: str) -> bool:
    """Whether the tags are the stack's; "": any stack's."""
    name = tags.get("provision:stack")
    return bool(name) and stack in ("", name)


def listed(tags: Mapping[str, str], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Tags as most services take them."""
    return [{key: name, value: content} for name, content in tags.items()]


def kinds() -> dict[str, type[Resource]]:
    """Every class of resource there is, by name."""
    found: dict[str, type[Resource]] = {}
    open_ones = [Resource]
    while open_ones:
        for child in open_ones.pop().__subclasses__():
            found[child.__name__] = child
            open_ones.append(child)
    return found
