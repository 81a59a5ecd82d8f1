"""The power goes off at a create, then a setting changes: what was begun under the old one is not lost."""

import pytest

from tests.provision.conftest import WHOLE, Env, PowerCut
from tests.provision.finished_stack import NETWORK

LINES = ["zone", "certificate", "bot_group", "load_balancer", "alias"]


def cut_and_rename(env: Env, line: str, moment: str) -> None:
    """What is recorded as about to be made has no line in stack.py any more."""
    env.cut_power("creating", line, moment)
    with pytest.raises(PowerCut):
        env.setup()
    if line in ("zone", "certificate", "alias"):
        env.set(domain="other.example")
    env.set(network__vpc="new")


def taken_away(env: Env) -> None:
    """Teardown leaves nothing."""
    gone = env.teardown()
    assert ([], []) == (gone.errors, gone.left)
    assert {} == env.inventory()


@pytest.mark.parametrize("line", LINES)
def test_setup_goes_on(env: Env, line: str) -> None:
    """One of everything under the new settings; what was made under the old ones goes."""
    cut_and_rename(env, line, "after")
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    assert {**WHOLE, **NETWORK} == env.inventory()
    taken_away(env)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("line", LINES)
def test_teardown_goes_on(env: Env, line: str, moment: str) -> None:
    """Whether the call arrived or not."""
    cut_and_rename(env, line, moment)
    taken_away(env)
