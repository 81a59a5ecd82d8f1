"""Creating or deleting one resource: what is known after failed calls, and what happens next."""

from pathlib import Path

import botocore.exceptions as failures
import pytest
from botocore.exceptions import ClientError

from provision.engine.creator import Creator
from provision.engine.deleter import Deleter, DeletionResult
from provision.engine.inspector import ours
from provision.engine.ownership import Ownership
from provision.errors import Pending
from provision.resources.base import (
    AccountWide,
    Clients,
    Deletion,
    Errors,
    Live,
    Resource,
    output,
    resource,
)
from provision.sandbox.clock import ManualClock
from provision.state.stack_file import Record, StackFile, State

ERRORS: dict[str, Exception] = {
    "throttled": ClientError({"Error": {"Code": "Throttling"}}, "Create"),
    "not yet": ClientError({"Error": {"Code": "InvalidState"}}, "Create"),
    "lost": failures.ConnectionClosedError(endpoint_url="https://aws", request=None),
    "error": ClientError({"ResponseMetadata": {"HTTPStatusCode": 500}}, "Create"),
}


class Thing(Resource):
    """A resource whose create calls fail with the given errors."""

    errors = Errors(retry=("InvalidState",))

    def __init__(self, failures: list[str]) -> None:
        self.logical_id, self.failures, self.required_tags = "thing", failures, {}

    def create(self, clients: Clients) -> Live | None:
        raise ERRORS[self.failures.pop(0)]


def deleter_for(creator: Creator) -> Deleter:
    """Return a deleter for the same file; it writes no states."""
    file, clients, clock = creator.file, creator.clients, creator.clock
    return Deleter(
        file, clients, clock, creator.report, lambda *state: None, Ownership(file, clients, clock)
    )


def creator_for(file: StackFile) -> Creator:
    """Return a creator whose records go into this file."""

    def write(resource: Resource, state: State, touch: bool = False) -> None:
        file.record(resource.key, Record(resource.kind, state, resource.outputs()))

    clients: Clients = None  # type: ignore[assignment]  # nothing here needs any
    return Creator(file, clients, ManualClock(), lambda *told: None, write)


@pytest.mark.parametrize(
    ("earlier_run", "failures", "none_for_sure"),
    [
        (False, ["throttled"], True),
        (False, ["not yet"], True),
        (False, ["throttled", "not yet"], True),
        (False, ["lost"], False),
        (False, ["error"], False),
        (False, ["throttled", "lost"], False),
        (False, ["lost", "throttled"], False),
        (False, ["lost", "throttled", "throttled"], False),
        (True, ["throttled"], False),  # that run's call may have made it
        (True, ["throttled", "not yet"], False),
    ],
)
def test_resource_certainly_does_not_exist(
    tmp_path: Path, earlier_run: bool, failures: list[str], none_for_sure: bool
) -> None:
    """Only if every call was rejected: a lost response, now or earlier, may have been a success."""
    file = StackFile(tmp_path / "stack.yaml")
    if earlier_run:
        file.record("thing", Record("Thing", "creating"))
    creator, thing = creator_for(file), Thing(list(failures))
    for _end in failures:
        with pytest.raises(Pending):
            creator.create(thing)
    assert none_for_sure == creator.cannot_exist(thing)


@resource
class Zone(Resource):
    """A resource whose recorded outputs are sent with its create call."""

    reference: str = output("Reference")

    def create(self, clients: Clients) -> Live | None:
        return {"Reference": f"sent {self.reference}"}


@pytest.mark.parametrize(
    ("state", "sent"),
    [
        ("creating", "sent first"),  # after a crash the call is repeated as it was
        ("created", "sent "),  # the former resource is gone: nothing of it is sent
        ("deleting", "sent "),
    ],
)
def test_create_call_is_repeated_with_recorded_parameters(
    tmp_path: Path, state: State, sent: str
) -> None:
    """An unfinished create call is repeated as it was; nothing of a former resource is sent."""
    file = StackFile(tmp_path / "stack.yaml")
    file.record("zone", Record("Zone", state, {"reference": "first"}))
    zone = Zone()
    zone.logical_id = "zone"
    creator_for(file).create(zone)
    assert ("created", {"reference": sent}) == (
        file.records["zone"].state,
        file.records["zone"].outputs,
    )


class Address(Resource):
    """A resource that exists twice if it is created twice."""

    identified_by = "tags"

    def __init__(self) -> None:
        self.logical_id, self.stack = "address", "news-bot"

    def find(self, clients: Clients) -> Live | None:
        return None

    def create(self, clients: Clients) -> Live | None:
        return {}

    def tags_of(self, clients: Clients, live: Live) -> dict[str, str]:
        return {"provision:stack": self.stack}


class Named(Address):
    """A resource whose name is unique."""

    identified_by = "name"


@pytest.mark.parametrize(
    ("kind", "state", "age", "hidden"),
    [
        (Address, None, 0, False),
        (Address, "creating", 59, True),
        (Address, "creating", 60, False),
        (Address, "created", 59, True),
        (Address, "deleting", 0, False),
        (Named, "creating", 0, False),  # a second create call fails, which is faster than waiting
    ],
)
def test_recently_created_resource_may_be_hidden(
    tmp_path: Path, kind: type[Address], state: State | None, age: int, hidden: bool
) -> None:
    """What an earlier run created less than a minute ago may exist although AWS does not show it."""
    file = StackFile(tmp_path / "stack.yaml")
    creator = creator_for(file)
    if state:
        file.record("address", Record(kind.__name__, state, {}, creator.clock.now() - age))
    assert hidden == creator.may_be_hidden(kind())


@pytest.mark.parametrize(("age", "goes"), [(59, False), (60, True)])
def test_delete_waits_for_recently_created_resource(tmp_path: Path, age: int, goes: bool) -> None:
    """Created less than a minute ago it is looked for again; later it counts as gone."""
    file = StackFile(tmp_path / "stack.yaml")
    creator = creator_for(file)
    file.record("address", Record("Address", "created", {}, creator.clock.now() - age))
    deleter = deleter_for(creator)
    result = DeletionResult()
    if not goes:
        with pytest.raises(Pending):
            deleter.delete_step(Address(), True, result)
        return
    assert "gone" == deleter.delete_step(Address(), True, result)
    assert (["address"], {}) == (result.deleted, file.records)


class Shared(Address, AccountWide):
    """A resource that the whole account uses."""


def test_account_wide_resource_is_never_ours() -> None:
    """Whatever its tags: a teardown would take it away from others."""
    theirs, shared = Address(), Shared()
    clients: Clients = None  # type: ignore[assignment]
    assert [True, False] == [ours(one, clients, {}, set()) for one in (theirs, shared)]


class Leaving(Address):
    """A resource whose delete call succeeds with a lost response."""

    def __init__(self) -> None:
        super().__init__()
        self.deletes = 0

    def find(self, clients: Clients) -> Live | None:
        return None if self.deletes else {}

    def delete(self, clients: Clients) -> None:
        self.deletes += 1
        raise ERRORS["lost"]


def test_lost_delete_response_is_not_retried_blindly(tmp_path: Path) -> None:
    """It is looked for again, not deleted a second time."""
    file = StackFile(tmp_path / "stack.yaml")
    file.record("address", Record("Leaving", "created"))
    creator, leaving = creator_for(file), Leaving()
    deleter = deleter_for(creator)
    with pytest.raises(Pending):
        deleter.delete_step(leaving, True, DeletionResult())
    assert "gone" == deleter.delete_step(leaving, True, DeletionResult())
    assert 1 == leaving.deletes


class Held(Resource):
    """A resource that AWS refuses to delete before a given time."""

    deletion = Deletion(immediate=True, release_delay=50)
    errors = Errors(retry=("DependencyViolation",))

    def __init__(self, name: str, until: float, clock: ManualClock, *needs: Resource) -> None:
        self.logical_id, self.until, self.clock, self.rests = name, until, clock, needs
        self.required_tags, self.stack = {}, "news-bot"
        self.tries: list[float] = []

    def needs(self) -> list[Resource]:
        return list(self.rests)

    def create(self, clients: Clients) -> Live | None:
        return {}

    def find(self, clients: Clients) -> Live | None:
        return {}

    def tags_of(self, clients: Clients, live: Live) -> dict[str, str]:
        return {"provision:stack": "news-bot"}

    def delete(self, clients: Clients) -> None:
        self.tries.append(self.clock.now())
        if self.clock.now() < self.until:
            raise ClientError({"Error": {"Code": "DependencyViolation"}}, "Delete")


def test_estimate_counts_from_the_first_dependent(tmp_path: Path) -> None:
    """The group can be deleted 50 s after the load balancer's deletion began, not after its own first try."""
    file = StackFile(tmp_path / "stack.yaml")
    creator = creator_for(file)
    clock = creator.clock
    assert isinstance(clock, ManualClock)
    clock.step = 1e9
    start = clock.now()
    group = Held("group", start + 50, clock)
    load_balancer = Held("load_balancer", start + 30, clock, group)
    for each in (group, load_balancer):
        file.record(each.key, Record("Held", "created"))
    deleter_for(creator).delete_all([group, load_balancer], True, {})
    assert ([0, 25, 37.5], [37.5, 43.75, 46.875, 48.875, 50.875]) == (
        [at - start for at in load_balancer.tries],
        [at - start for at in group.tries],
    )
