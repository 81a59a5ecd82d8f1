"""Replacement by key: what cannot be changed is made anew beside the old one, which goes afterwards."""

import pytest

from tests.provision.conftest import WHOLE, Desk
from tests.provision.standing import answers, asked

# Tried while the replaced service still drains.
DRAINING = ["DeleteCluster", "DeleteSecurityGroup"]


def test_another_name(desk: Desk) -> None:
    """Everything that carries the name is made anew; one of everything is left, under the new name."""
    desk.setup()
    desk.set(name="shop-bot")
    outcome = desk.setup(refused=DRAINING)
    assert ([], []) == (outcome.refusals, outcome.outside)
    assert WHOLE == desk.inventory()
    balancers = desk.cable.client("elbv2").describe_load_balancers()["LoadBalancers"]
    assert ["shop-bot"] == [balancer["LoadBalancerName"] for balancer in balancers]
    assert answers(desk)


def test_other_subnets(desk: Desk) -> None:
    """The load balancer and the service move to the chosen subnets, without replacement."""
    desk.setup()
    subnets = [s["SubnetId"] for s in desk.cable.client("ec2").describe_subnets()["Subnets"]][:2]
    desk.set(network__subnets=",".join(subnets))
    outcome = desk.setup()
    assert ([], []) == (outcome.refusals, outcome.outside)
    balancer = desk.cable.client("elbv2").describe_load_balancers()["LoadBalancers"][0]
    assert sorted(subnets) == sorted(zone["SubnetId"] for zone in balancer["AvailabilityZones"])
    assert answers(desk)


@pytest.mark.parametrize(
    "change",
    [
        {"host": "bot.example.jp"},
        {"name": "shop-bot"},
        {"network__vpc": "new"},
        {"service__memory": "1024"},
        {"service__capacity": "on-demand"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_bot_answers_throughout(desk: Desk, change: dict[str, str]) -> None:
    """After every changing call of the walk, a message that LINE sends then is answered."""
    desk.setup()
    desk.set(**change)
    with asked(desk) as silent:
        outcome = desk.setup(refused=DRAINING)
    assert ([], []) == (outcome.refusals, outcome.outside)
    assert [] == silent
    assert answers(desk)
