"""One resource made or removed: what is known after calls that failed, and what is done then."""

from pathlib import Path

import botocore.exceptions as failures
import pytest
from botocore.exceptions import ClientError

from provision.engine.creator import Creator
from provision.engine.deleter import Deleter, DeletionResult
from provision.engine.inspector import ours
from provision.engine.ownership import Ownership
from provision.errors import Pending
from provision.resources.base import AccountWide, Clients, Errors, Live, Resource, output, resource
from provision.sandbox.clock import ManualClock
from provision.state.stack_file import Record, StackFile, State

ANSWERS: dict[str, Exception] = {
    "throttled": ClientError({"Error": {"Code": "Throttling"}}, "Create"),
    "not yet": ClientError({"Error": {"Code": "InvalidState"}}, "Create"),
    "lost": failures.ConnectionClosedError(endpoint_url="https://aws", request=None),
    "error": ClientError({"ResponseMetadata": {"HTTPStatusCode": 500}}, "Create"),
}


class Thing(Resource):
    """Its create calls end as they are told to."""

    errors = Errors(retry=("InvalidState",))

    def __init__(self, ends: list[str]) -> None:
        self.logical_id, self.ends = "thing", ends

    def create(self, clients: Clients) -> Live | None:
        raise ANSWERS[self.ends.pop(0)]


def removing(creation: Creator) -> Deleter:
    """The same file's removals; they write no states."""
    file, clients, clock = creation.file, creation.clients, creation.clock
    return Deleter(
        file, clients, clock, creation.tell, lambda *state: None, Ownership(file, clients, clock)
    )


def creating(file: StackFile) -> Creator:
    """Create calls whose records go into this file."""

    def write(resource: Resource, state: State, made: bool = False) -> None:
        file.record(resource.key, Record(resource.kind, state, resource.outputs()))

    clients: Clients = None  # type: ignore[assignment]  # nothing here needs any
    return Creator(file, clients, ManualClock(), lambda *told: None, write)


@pytest.mark.parametrize(
    ("earlier_run", "ends", "none_for_sure"),
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
def test_there_is_none_for_sure(
    tmp_path: Path, earlier_run: bool, ends: list[str], none_for_sure: bool
) -> None:
    """Only where every call was refused: an answer that was lost, now or earlier, may have been a yes."""
    file = StackFile(tmp_path / "stack.yaml")
    if earlier_run:
        file.record("thing", Record("Thing", "creating"))
    creation, thing = creating(file), Thing(list(ends))
    for _end in ends:
        with pytest.raises(Pending):
            creation.create(thing)
    assert none_for_sure == creation.cannot_be(thing)


@resource
class Zone(Resource):
    """What is on disk before its create call is part of that call."""

    reference: str = output("Reference")

    def create(self, clients: Clients) -> Live | None:
        return {"Reference": f"sent {self.reference}"}


@pytest.mark.parametrize(
    ("state", "sent"),
    [
        ("creating", "sent first"),  # a crash: the call is sent as it was
        ("created", "sent "),  # that one is gone: nothing of it is sent again
        ("deleting", "sent "),
    ],
)
def test_what_is_sent_again(tmp_path: Path, state: State, sent: str) -> None:
    """What an unfinished create call was sent with, and nothing of a thing that was."""
    file = StackFile(tmp_path / "stack.yaml")
    file.record("zone", Record("Zone", state, {"reference": "first"}))
    zone = Zone()
    zone.logical_id = "zone"
    creating(file).create(zone)
    assert ("created", {"reference": sent}) == (
        file.records["zone"].state,
        file.records["zone"].outputs,
    )


class Address(Resource):
    """Created twice there are two of it."""

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
    """Its name sees to it that there is one."""

    identified_by = "name"


@pytest.mark.parametrize(
    ("kind", "state", "age", "hidden"),
    [
        (Address, None, 0, False),
        (Address, "creating", 59, True),
        (Address, "creating", 60, False),
        (Address, "created", 59, True),
        (Address, "deleting", 0, False),
        (Named, "creating", 0, False),  # its create call tells sooner than waiting
    ],
)
def test_hidden(
    tmp_path: Path, kind: type[Address], state: State | None, age: int, hidden: bool
) -> None:
    """What an earlier run made less than a minute ago may be there though AWS does not show it."""
    file = StackFile(tmp_path / "stack.yaml")
    creation = creating(file)
    if state:
        file.record("address", Record(kind.__name__, state, {}, creation.clock.now() - age))
    assert hidden == creation.hidden(kind())


@pytest.mark.parametrize(("age", "goes"), [(59, False), (60, True)])
def test_removal_of_what_is_not_shown(tmp_path: Path, age: int, goes: bool) -> None:
    """Made less than a minute ago it is looked for again; later on there is none."""
    file = StackFile(tmp_path / "stack.yaml")
    creation = creating(file)
    file.record("address", Record("Address", "created", {}, creation.clock.now() - age))
    removal = removing(creation)
    gone = DeletionResult()
    if not goes:
        with pytest.raises(Pending):
            removal.remove(Address(), True, gone)
        return
    assert "gone" == removal.remove(Address(), True, gone)
    assert (["address"], {}) == (gone.deleted, file.records)


class Shared(Address, AccountWide):
    """The whole account uses it."""


def test_what_the_whole_account_uses_is_nobodys() -> None:
    """Whatever its tags say: a teardown of ours would take it from others."""
    theirs, shared = Address(), Shared()
    clients: Clients = None  # type: ignore[assignment]
    assert [True, False] == [ours(one, clients, {}, set()) for one in (theirs, shared)]


class Leaving(Address):
    """Its delete call is carried out, and the answer to it is lost."""

    def __init__(self) -> None:
        super().__init__()
        self.deletes = 0

    def find(self, clients: Clients) -> Live | None:
        return None if self.deletes else {}

    def delete(self, clients: Clients) -> None:
        self.deletes += 1
        raise ANSWERS["lost"]


def test_delete_call_whose_answer_is_lost(tmp_path: Path) -> None:
    """It is looked for again, not deleted a second time."""
    file = StackFile(tmp_path / "stack.yaml")
    file.record("address", Record("Leaving", "created"))
    creation, leaving = creating(file), Leaving()
    removal = removing(creation)
    with pytest.raises(Pending):
        removal.remove(leaving, True, DeletionResult())
    assert "gone" == removal.remove(leaving, True, DeletionResult())
    assert 1 == leaving.deletes
