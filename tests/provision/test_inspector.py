"""Inspecting all resources in parallel: recorded ids are loaded before any request is sent."""

import threading
from typing import ClassVar

import pytest

from provision.engine.inspector import inspect_all
from provision.resources.base import Clients, Live, Resource, output, resource
from provision.sandbox.clock import ManualClock
from provision.state.stack_file import Record

TIMEOUT = 5.0  # real seconds for the other thread


@resource
class Parent(Resource):
    """A resource that contains others."""

    id: str = output("Id")
    there: ClassVar[bool] = True

    def find(self, clients: Clients) -> Live | None:
        """Find by id."""
        return {"Id": self.id or "p-found"} if self.there else None


@resource
class SlowParent(Parent):
    """A parent whose thread is the last to begin."""

    child_has_looked: ClassVar[threading.Event] = threading.Event()

    def load_from_record(self, outputs: object) -> None:
        """Wait in its own thread until the child has been inspected."""
        if threading.current_thread() is not threading.main_thread():
            self.child_has_looked.wait(TIMEOUT)
        super().load_from_record(outputs)  # type: ignore[arg-type]


@resource
class MissingParent(Parent):
    """A parent that does not exist."""

    there: ClassVar[bool] = False


@resource
class Child(Resource):
    """A resource inside the parent, found by the parent's id."""

    parent: Parent
    asked: ClassVar[list[str]] = []

    def find(self, clients: Clients) -> Live | None:
        """Find in the parent."""
        self.asked.append(self.parent.id)
        SlowParent.child_has_looked.set()
        return {}


def parent_and_child(parent: Parent) -> list[Resource]:
    """Return both, the child first so that its thread begins first."""
    child = Child(parent)
    parent.logical_id, child.logical_id = "parent", "child"
    Child.asked.clear()
    SlowParent.child_has_looked.clear()
    return [child, parent]


@resource
class NamedByParent(Child):
    """A child found by another id of the parent, which AWS returns later."""

    def find(self, clients: Clients) -> Live | None:
        """Find by an empty id."""
        self.asked.append("sent")
        return dict(clients.aws.elbv2.describe_rules(ListenerArn=""))


CREATED = Record("Parent", "created", {"id": "p-1"})
BEGUN = Record("Parent", "creating")
OF_CHILD = Record("Child", "creating")


@pytest.fixture
def clients() -> Clients:
    """Return clients that are never called."""
    from provision.clients.aws import Aws
    from provision.clients.dns import Dns
    from provision.clients.line import Line

    return Clients(Aws("ap-northeast-1"), Dns(), Line(lambda: ""))


def test_records_are_loaded_before_any_thread_begins(clients: Clients) -> None:
    """The child reads the parent's recorded id, however late the parent's own inspection begins."""
    observations = inspect_all(
        parent_and_child(SlowParent()),
        clients,
        {"parent": CREATED, "child": OF_CHILD},
        ManualClock(),
    )
    assert ["p-1"] == Child.asked
    assert observations["child"].inspected


def test_parent_without_recorded_id_is_inspected_first(clients: Clients) -> None:
    """The parent's create call was sent, so it is recorded, but its id is not."""
    inspect_all(
        parent_and_child(Parent()), clients, {"parent": BEGUN, "child": OF_CHILD}, ManualClock()
    )
    assert ["p-found"] == Child.asked


def test_child_of_missing_parent_is_not_inspected(clients: Clients) -> None:
    """Without the parent's id the child was not inspected, which is not the same as "does not exist"."""
    observations = inspect_all(
        parent_and_child(MissingParent()),
        clients,
        {"parent": BEGUN, "child": OF_CHILD},
        ManualClock(),
    )
    assert [] == Child.asked
    assert not observations["child"].inspected


def test_missing_parent_output_is_not_an_error(clients: Clients) -> None:
    """The child needs an id of the parent that AWS has not returned yet: that does not stop a setup."""
    parent = Parent()
    child = NamedByParent(parent)
    parent.logical_id, child.logical_id = "parent", "child"
    Child.asked.clear()
    observations = inspect_all(
        [parent, child], clients, {"parent": CREATED, "child": OF_CHILD}, ManualClock()
    )
    assert ["sent"] == Child.asked
    assert (False, None) == (observations["child"].inspected, observations["child"].error)
