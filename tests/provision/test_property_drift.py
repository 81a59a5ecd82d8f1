"""A property changed by hand: plan and status show it, setup reverts it and nothing else."""

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
# Of a revision: what ECS does not run behind our load balancer, or rolls back itself (circuit breaker).
NOT_RUN = ("Container.ports", "Container.name", "Container.secrets", "executionRoleArn")


def shown_difference(line: str, path: str) -> tuple[str, str] | None:
    """Return where the change shows: a changed revision shows on the service that runs it."""
    if line == "collector_definition":
        return None  # the schedule runs the recorded one
    if line != "task_definition":
        return line, path
    return None if path in NOT_RUN else ("service", "taskDefinition")


def test_every_property_has_a_change() -> None:
    """A new property that is more than a single value needs a change in drift_cases.py."""
    assert [] == [pair for pair in PROPERTIES if not find_change(RESOURCES[pair[0]], pair[1])]


def cases() -> list[Any]:
    """Return every property; the first of each kind of resource for `make test`, others for `make full`."""
    kinds: set[str] = set()
    found = []
    for line, path in PROPERTIES:
        kind = RESOURCES[line].kind
        found.append(pytest.param(line, path, marks=pytest.mark.full if kind in kinds else ()))
        kinds.add(kind)
    return found


@pytest.mark.parametrize(("line", "path"), cases())
def test_change_is_shown_and_reverted(finished_stack: FinishedStack, line: str, path: str) -> None:
    """plan and status show exactly that property; setup changes exactly that resource."""
    with finished_stack.on("new") as env:
        resource = next(one for one in env.engine().resources if one.logical_id == line)
        change = find_change(resource, path)
        assert change is not None
        cleanup = change(Editor(env, resource))
        expected, inspection = shown_difference(line, path), plan_and_status(env)
        assert ({expected} if expected else set()) == inspection.differences
        assert ({expected[0]: "update"} if expected else {}) == inspection.actions
        env.events.clear()
        assert [] == setup_errors(env)
        changed = {key.partition("/")[0] for event, key, _ in env.events if event in CHANGING}
        assert ({expected[0]} if expected else set()) == changed
        if cleanup:
            cleanup()
        finished_stack.whole(env)
