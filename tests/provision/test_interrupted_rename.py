"""Power fails during a create, then a setting changes: what was begun under the old one is not lost."""

import pytest

from tests.provision.conftest import WHOLE, Env, PowerCut
from tests.provision.finished_stack import NETWORK

RESOURCES = ["zone", "certificate", "bot_group", "load_balancer", "alias"]


def cut_and_rename(env: Env, line: str, moment: str) -> None:
    """Interrupt a create, and change settings so that stack.py no longer has the recorded resource."""
    env.cut_power("creating", line, moment)
    with pytest.raises(PowerCut):
        env.setup()
    if line in ("zone", "certificate", "alias"):
        env.set(domain="other.example")
    env.set(network__vpc="new")


def check_teardown(env: Env) -> None:
    """Tear down, and check that nothing is left."""
    result = env.teardown()
    assert ([], []) == (result.errors, result.left)
    assert {} == env.inventory()


@pytest.mark.sample(2)
@pytest.mark.parametrize("line", RESOURCES)
def test_setup_completes_under_new_settings(env: Env, line: str) -> None:
    """One of everything under the new settings; what was created under the old ones is deleted."""
    cut_and_rename(env, line, "after")
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    assert {**WHOLE, **NETWORK} == env.inventory()
    check_teardown(env)


@pytest.mark.sample(3)
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("line", RESOURCES)
def test_teardown_leaves_nothing(env: Env, line: str, moment: str) -> None:
    """Whether or not the create call arrived."""
    cut_and_rename(env, line, moment)
    check_teardown(env)
