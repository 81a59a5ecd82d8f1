"""After create calls that failed: is there none for sure, or may there be one?"""

from pathlib import Path

import botocore.exceptions as failures
import pytest
from botocore.exceptions import ClientError

from provision.creation import Creation
from provision.errors import NotYet
from provision.resource import Doors, Live, Resource, output, resource
from provision.sandbox.clock import ManualClock
from provision.stackfile import Record, StackFile, State

ANSWERS: dict[str, Exception] = {
    "throttled": ClientError({"Error": {"Code": "Throttling"}}, "Create"),
    "not yet": ClientError({"Error": {"Code": "InvalidState"}}, "Create"),
    "lost": failures.ConnectionClosedError(endpoint_url="https://aws", request=None),
    "error": ClientError({"ResponseMetadata": {"HTTPStatusCode": 500}}, "Create"),
}


class Thing(Resource):
    """Its create calls end as they are told to."""

    patient = ("InvalidState",)

    def __init__(self, ends: list[str]) -> None:
        self.line, self.ends = "thing", ends

    def create(self, doors: Doors) -> Live | None:
        raise ANSWERS[self.ends.pop(0)]


def creating(file: StackFile) -> Creation:
    """Create calls whose records go into this file."""

    def write(resource: Resource, state: State, made: bool = False) -> None:
        file.record(resource.key, Record(resource.kind, state, resource.outputs()))

    doors: Doors = None  # type: ignore[assignment]  # nothing here needs any
    return Creation(file, doors, ManualClock(), lambda *told: None, write)


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
        with pytest.raises(NotYet):
            creation.create(thing)
    assert none_for_sure == creation.cannot_be(thing)


@resource
class Zone(Resource):
    """What is on disk before its create call is part of that call."""

    reference: str = output("Reference")

    def create(self, doors: Doors) -> Live | None:
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
    zone.line = "zone"
    creating(file).create(zone)
    assert ("created", {"reference": sent}) == (
        file.records["zone"].state,
        file.records["zone"].outputs,
    )
