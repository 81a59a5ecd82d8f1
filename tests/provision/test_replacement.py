"""Replacement: what cannot be changed is created beside the old resource, which is deleted afterwards."""

import pytest

from tests.provision.conftest import WHOLE, Env
from tests.provision.finished_stack import bot_answers, record_outages

# Rejected while the replaced service still drains.
DRAINING = ["DeleteCluster", "DeleteSecurityGroup"]


def test_changed_name_replaces_everything(env: Env) -> None:
    """One of everything is left, under the new name."""
    env.setup()
    env.set(name="shop-bot")
    outcome = env.setup(refused=DRAINING)
    assert ([], []) == (outcome.errors, outcome.outside)
    assert WHOLE == env.inventory()
    balancers = env.aws_session.client("elbv2").describe_load_balancers()["LoadBalancers"]
    assert ["shop-bot"] == [balancer["LoadBalancerName"] for balancer in balancers]
    assert bot_answers(env)


def test_changed_subnets_need_no_replacement(env: Env) -> None:
    """The load balancer and the service move to the chosen subnets."""
    env.setup()
    subnets = [s["SubnetId"] for s in env.aws_session.client("ec2").describe_subnets()["Subnets"]][
        :2
    ]
    env.set(network__subnets=",".join(subnets))
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    balancer = env.aws_session.client("elbv2").describe_load_balancers()["LoadBalancers"][0]
    assert sorted(subnets) == sorted(zone["SubnetId"] for zone in balancer["AvailabilityZones"])
    assert bot_answers(env)


@pytest.mark.sample(3)
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
def test_bot_answers_during_replacement(env: Env, change: dict[str, str]) -> None:
    """A message sent after each mutating call is answered."""
    env.setup()
    env.set(**change)
    with record_outages(env) as outages:
        outcome = env.setup(refused=DRAINING)
    assert ([], []) == (outcome.errors, outcome.outside)
    assert [] == outages
    assert bot_answers(env)
