"""The power fails before and after every create and every delete, each in an account of its own.

`make full` runs these; `make test` has the same boundaries one after the other (test_power_cut_lag.py).
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
MADE = [resource.logical_id for resource in RESOURCES]
# A task that has ended needs no call: test_collector.py takes one away that runs.
DELETED = [
    r.logical_id
    for r in RESOURCES
    if not isinstance(r, AccountWide) and r.logical_id != "initial_collection"
]


@pytest.mark.full
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("line", MADE)
def test_power_pulled_at_a_create(env: Env, line: str, moment: str) -> None:
    """Setup again makes one of everything; a third setup changes nothing."""
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
def test_power_pulled_at_a_delete(env: Env, line: str, moment: str) -> None:
    """Teardown again leaves nothing, in the account and in the file; LINE has its former endpoint."""
    env.sandbox.line.endpoint = FORMER
    env.setup()
    env.cut_power("deleting", line, moment)
    with pytest.raises(PowerCut):
        env.teardown()
    gone = env.teardown()
    assert ([], []) == (gone.errors, gone.left)
    assert {} == env.inventory()
    assert "resources" not in env.path.read_text()
    assert FORMER == env.sandbox.line.endpoint
