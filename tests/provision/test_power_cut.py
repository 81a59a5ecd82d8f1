"""A power cut before and after every create and every delete, each in its own account.

For `make full`; `make test` cuts at the same calls, one after the other (test_power_cut_lag.py).
"""

import pytest

from provision.resources.base import AccountWide, Milestone, Resource
from provision.settings import Settings
from provision.stack import Secrets, Stack
from tests.provision.conftest import ANSWERS, WHOLE, Env, PowerCut

FORMER = "https://former.example/webhook"
RESOURCES = [
    resource
    for resource in Stack(Settings(ANSWERS), Secrets(), {}).resources
    if not isinstance(resource, Milestone) and type(resource).create is not Resource.create
]
CREATED = [resource.logical_id for resource in RESOURCES]
# A task that has ended needs no call; test_collector.py stops one that runs.
DELETED = [
    r.logical_id
    for r in RESOURCES
    if not isinstance(r, AccountWide) and r.logical_id != "initial_collection"
]


@pytest.mark.full
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("line", CREATED)
def test_power_cut_at_each_create(env: Env, line: str, moment: str) -> None:
    """The next setup completes the stack; a third changes nothing."""
    env.cut_power("creating", line, moment)
    with pytest.raises(PowerCut):
        env.setup()
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    assert WHOLE == env.inventory()
    env.changes()
    env.setup()
    assert [] == env.changes()


@pytest.mark.full
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("line", DELETED)
def test_power_cut_at_each_delete(env: Env, line: str, moment: str) -> None:
    """The next teardown leaves nothing in account and file; LINE's former endpoint is restored."""
    env.sandbox.line.endpoint = FORMER
    env.sandbox.line.other_servers.add("former.example")
    env.setup()
    env.cut_power("deleting", line, moment)
    with pytest.raises(PowerCut):
        env.teardown()
    result = env.teardown()
    assert ([], []) == (result.errors, result.left)
    assert {} == env.inventory()
    assert "resources" not in env.path.read_text()
    assert FORMER == env.sandbox.line.endpoint
