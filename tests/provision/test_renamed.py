"""The power goes off at a create, then a setting changes: what was begun under the old one is not lost."""

import pytest

from tests.provision.conftest import WHOLE, Desk, PowerCut
from tests.provision.test_new_network import NETWORK

LINES = ["zone", "certificate", "bot_group", "load_balancer", "alias"]


def cut_and_rename(desk: Desk, line: str, moment: str) -> None:
    """What is recorded as about to be made has no line in stack.py any more."""
    desk.cut_power("creating", line, moment)
    with pytest.raises(PowerCut):
        desk.setup()
    if line in ("zone", "certificate", "alias"):
        desk.set(domain="other.example")
    desk.set(network__vpc="new")


def taken_away(desk: Desk) -> None:
    """Teardown leaves nothing."""
    gone = desk.teardown()
    assert ([], []) == (gone.refusals, gone.left)
    assert {} == desk.inventory()


@pytest.mark.parametrize("line", LINES)
def test_setup_goes_on(desk: Desk, line: str) -> None:
    """One of everything under the new settings; what was made under the old ones goes."""
    cut_and_rename(desk, line, "after")
    outcome = desk.setup()
    assert ([], []) == (outcome.refusals, outcome.outside)
    assert {**WHOLE, **NETWORK} == desk.inventory()
    taken_away(desk)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("line", LINES)
def test_teardown_goes_on(desk: Desk, line: str, moment: str) -> None:
    """Whether the call arrived or not."""
    cut_and_rename(desk, line, moment)
    taken_away(desk)
