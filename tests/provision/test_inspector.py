"""Looking at everything: what is recorded is known before anybody is asked."""

import threading
from typing import ClassVar

import pytest

from provision.engine.inspector import inspect_all
from provision.resources.base import Clients, Live, Resource, output, resource
from provision.sandbox.clock import ManualClock
from provision.state.stack_file import Record

PATIENCE = 5.0  # real seconds for the other thread


@resource
class Parent(Resource):
    """Something that others lie in."""

    id: str = output("Id")
    there: ClassVar[bool] = True

    def find(self, clients: Clients) -> Live | None:
        """By id."""
        return {"Id": self.id or "p-found"} if self.there else None


@resource
class SlowParent(Parent):
    """One whose thread is the last to begin."""

    child_has_looked: ClassVar[threading.Event] = threading.Event()

    def load_from_record(self, outputs: object) -> None:
        """Not in its own thread before the child has looked."""
        if threading.current_thread() is not threading.main_thread():
            self.child_has_looked.wait(PATIENCE)
        super().load_from_record(outputs)  # type: ignore[arg-type]


@resource
class MissingParent(Parent):
    """One that is not there."""

    there: ClassVar[bool] = False


@resource
class Child(Resource):
    """What lies in the parent, and is asked for by the parent's id."""

    parent: Parent
    asked: ClassVar[list[str]] = []

    def find(self, clients: Clients) -> Live | None:
        """In the parent."""
        self.asked.append(self.parent.id)
        SlowParent.child_has_looked.set()
        return {}


def both(parent: Parent) -> list[Resource]:
    """The child first, so that its thread is the first."""
    child = Child(parent)
    parent.logical_id, child.logical_id = "parent", "child"
    Child.asked.clear()
    SlowParent.child_has_looked.clear()
    return [child, parent]


@resource
class NamedByParent(Child):
    """What is asked for by another id of the parent's, which AWS tells later."""

    def find(self, clients: Clients) -> Live | None:
        """By an empty id."""
        self.asked.append("sent")
        return dict(clients.aws.elbv2.describe_rules(ListenerArn=""))


CREATED = Record("Parent", "created", {"id": "p-1"})
BEGUN = Record("Parent", "creating")
OF_CHILD = Record("Child", "creating")


@pytest.fixture
def clients() -> Clients:
    """Nobody is called."""
    from provision.clients.aws import Aws
    from provision.clients.dns import Dns
    from provision.clients.line import Line

    return Clients(Aws("ap-northeast-1"), Dns(), Line(lambda: ""))


def test_what_is_recorded_is_known_before_any_thread_begins(clients: Clients) -> None:
    """The child reads the parent's id as it is recorded, however late the parent's own look begins."""
    observations = inspect_all(
        both(SlowParent()), clients, {"parent": CREATED, "child": OF_CHILD}, ManualClock()
    )
    assert ["p-1"] == Child.asked
    assert observations["child"].seen


def test_a_parent_without_a_recorded_id_is_looked_for_first(clients: Clients) -> None:
    """Its create call was begun, so it is recorded, but what AWS calls it is not."""
    inspect_all(both(Parent()), clients, {"parent": BEGUN, "child": OF_CHILD}, ManualClock())
    assert ["p-found"] == Child.asked


def test_in_what_is_not_there_nothing_is_looked_for(clients: Clients) -> None:
    """Its id is unknown, so the child has not been looked up, which is not "there is none"."""
    observations = inspect_all(
        both(MissingParent()), clients, {"parent": BEGUN, "child": OF_CHILD}, ManualClock()
    )
    assert [] == Child.asked
    assert not observations["child"].seen


def test_an_id_that_is_told_later_is_no_refusal(clients: Clients) -> None:
    """The parent is known by its first id, and not by the one that is needed: nothing stops a setup."""
    parent = Parent()
    child = NamedByParent(parent)
    parent.logical_id, child.logical_id = "parent", "child"
    Child.asked.clear()
    observations = inspect_all(
        [parent, child], clients, {"parent": CREATED, "child": OF_CHILD}, ManualClock()
    )
    assert ["sent"] == Child.asked
    assert (False, None) == (observations["child"].seen, observations["child"].refusal)
