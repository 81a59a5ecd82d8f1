"""Somebody changes a property of ours by hand: plan and status show it, setup heals it, and only it."""

from typing import Any

import pytest

from tests.provision.drift_cases import NOT_IN_AWS, Editor, find_change
from tests.provision.finished_stack import (
    FinishedStack,
    created_resources,
    plan_and_status,
    setup_errors,
)

RESOURCES = {one.logical_id: one for one in created_resources("new")}
PROPERTIES = [
    (line, path)
    for line, one in RESOURCES.items()
    for path in one.desired()
    if (one.kind, path) not in NOT_IN_AWS
]
CHANGING = ("creating", "updating", "deleting")
# Of a revision: what ECS refuses to run behind our load balancer, or takes back itself (circuit breaker).
NOT_RUN = ("Container.ports", "Container.name", "Container.secrets", "executionRoleArn")


def shows(line: str, path: str) -> tuple[str, str] | None:
    """Where the change is to be seen: a revision's, on the service that runs another one."""
    if line == "collector_definition":
        return None  # the schedule runs the recorded one
    if line != "task_definition":
        return line, path
    return None if path in NOT_RUN else ("service", "taskDefinition")


@pytest.mark.parametrize(("line", "path"), PROPERTIES)
def test_every_property_can_be_changed_by_hand(line: str, path: str) -> None:
    """A property that is wanted and has no way here is one that nobody has tried."""
    assert find_change(RESOURCES[line], path) is not None


def cases() -> list[Any]:
    """Every property; the first of each kind of resource in `make test`, the others in `make full`."""
    kinds: set[str] = set()
    found = []
    for line, path in PROPERTIES:
        kind = RESOURCES[line].kind
        found.append(pytest.param(line, path, marks=pytest.mark.full if kind in kinds else ()))
        kinds.add(kind)
    return found


@pytest.mark.parametrize(("line", "path"), cases())
def test_shown_and_healed(finished_stack: FinishedStack, line: str, path: str) -> None:
    """In plan and status exactly that property differs; setup changes exactly that resource."""
    with finished_stack.on("new") as env:
        resource = next(one for one in env.engine().resources if one.logical_id == line)
        change = find_change(resource, path)
        assert change is not None
        afterwards = change(Editor(env, resource))
        expected, seen = shows(line, path), plan_and_status(env)
        assert ({expected} if expected else set()) == seen.differences
        assert ({expected[0]: "update"} if expected else {}) == seen.actions
        env.events.clear()
        assert [] == setup_errors(env)
        touched = {key.partition("/")[0] for event, key, _ in env.events if event in CHANGING}
        assert ({expected[0]} if expected else set()) == touched
        if afterwards:
            afterwards()
        finished_stack.whole(env)
