"""What the account holds of a stack, by each service's own lists, against what stack.yaml says."""

from collections.abc import Callable
from typing import Any

import botocore.exceptions

from provision.engine.inventory import list_inventory
from provision.resources.base import Resource, kinds
from provision.state.stack_file import StackFile
from tests.provision.conftest import Env

# Not listed by themselves, only inside another resource (test_teardown_leftovers.py maps each to it).
HANGING = {
    name
    for name, kind in kinds().items()
    if kind.tagged.__func__ is Resource.tagged.__func__  # type: ignore[attr-defined]
}


def without(operation: str) -> Callable[[str], None]:
    """An endpoint that does not know that operation."""

    def before(called: str) -> None:
        if called == operation:
            unknown = {"Error": {"Code": "UnknownOperationException", "Message": "no such API"}}
            raise botocore.exceptions.ClientError(unknown, operation)

    return before


def recorded(env: Env) -> dict[str, dict[str, Any]]:
    """The outputs of what is ours and does not hang on something else."""
    return {
        key: record.outputs
        for key, record in StackFile(env.path).records.items()
        if record.state == "created" and record.kind not in HANGING
    }


def test_everything_is_found_by_its_tags(env: Env) -> None:
    """Each kind's list has what stack.yaml has, with the ids by which it can be deleted."""
    env.set(network__vpc="new")
    env.setup()
    found = list_inventory(env.clients(), env.clock, "news-bot")
    assert {} == found.unasked
    remembered = ("caller_reference", "idempotency_token", "counted")  # nobody can tell any more
    expected = {
        key: {name: value for name, value in outputs.items() if name not in remembered}
        for key, outputs in recorded(env).items()
    }
    seen = {
        tagged.key: {n: v for n, v in tagged.outputs().items() if n not in remembered}
        for tagged in found.tagged
    }
    assert expected == seen
    assert sorted(seen) == sorted(tagged.key for tagged in found.tagged)


def test_another_stacks_things_are_not_ours(env: Env) -> None:
    """A stack whose name begins with ours is another one; nobody's tags are nobody's."""
    env.setup()
    assert [] == list_inventory(env.clients(), env.clock, "news").tagged
    assert {"news-bot"} == {
        tagged.stack for tagged in list_inventory(env.clients(), env.clock, "").tagged
    }


def test_throttled_lists_are_asked_again(env: Env) -> None:
    """The first eight calls are throttled: what is found is the same, and the waiting was on the clock."""
    env.setup()
    everything = [
        str(tagged) for tagged in list_inventory(env.clients(), env.clock, "news-bot").tagged
    ]
    before = env.clock.now()
    env.sandbox.cloud.faults.add({"kind": "throttle", "times": 8})
    found = list_inventory(env.clients(), env.clock, "news-bot")
    assert sorted(everything) == sorted(str(tagged) for tagged in found.tagged)
    assert env.clock.now() > before


def test_endpoint_without_such_an_api(env: Env) -> None:
    """What cannot be asked is told with AWS's reason; the rest is found."""
    env.setup()
    env.aws_session.before = without("ListScheduleGroups")
    found = list_inventory(env.clients(), env.clock, "news-bot")
    assert ["ScheduleGroup"] == list(found.unasked)
    assert "zone/example.jp" in [tagged.key for tagged in found.tagged]
