"""Service events of a quota or a blocked account: told after 90 seconds, with their own next step."""

from datetime import datetime, timedelta

import pytest

from provision.resources.ecs_deployment import EcsDeployment
from provision.resources.steady_service import NoCapacity

NOW = datetime(2026, 11, 30)
CAPACITY = "(service bot) was unable to place a task. Reason: Capacity is unavailable at this time."
QUOTA = "You've reached the limit on the number of vCPUs you can run concurrently"
BLOCKED = "unable to place a task because your account is currently blocked"


@pytest.mark.parametrize(
    ("message", "advice"),
    [
        (CAPACITY, "ECS keeps trying. To run now at the on-demand"),
        (QUOTA, "The account may run no more Fargate tasks: ask for more vCPUs"),
        (BLOCKED, "The account may run no more Fargate tasks: ask for more vCPUs"),
    ],
)
def test_nothing_starts_for_90_seconds(message: str, advice: str) -> None:
    """The newest event is shown, and what may be done about it."""
    events = [{"message": message, "createdAt": NOW - timedelta(seconds=s)} for s in (0, 50, 100)]
    shortage = EcsDeployment({"events": events}).capacity_shortage()
    assert message == shortage
    assert NoCapacity(shortage).then.startswith(advice)
    assert "" == EcsDeployment({"events": events[:2]}).capacity_shortage()


def test_other_events_are_no_shortage() -> None:
    """A failed health check is something else."""
    events = [{"message": "unhealthy", "createdAt": NOW}, {"message": QUOTA, "createdAt": NOW}]
    assert "" == EcsDeployment({"events": events}).capacity_shortage()


def test_arns_of_an_event_are_cut_to_their_ends() -> None:
    """Their beginnings would fill two lines of the live list."""
    arn = (
        "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:targetgroup/bot/0123456789abcdef"
    )
    message = f"(service bot) registered 1 targets in (target-group {arn})"
    events = [{"message": message, "createdAt": NOW}]
    deployment = EcsDeployment({"deployments": [], "events": events})
    short = "(service bot) registered 1 targets in (target-group targetgroup/bot/0123456789abcdef)"
    assert short == deployment.latest_event()
    assert f"ECS: {short}" == deployment.lines()[-1]


def test_arns_in_a_shortage_are_cut_to_their_ends() -> None:
    """The error about missing capacity has ECS's message with shortened ARNs."""
    message = f"{CAPACITY} (arn:aws:ecs:ap-northeast-1:123456789012:container-instance/bot/1)"
    events = [{"message": message, "createdAt": NOW - timedelta(seconds=s)} for s in (0, 100)]
    assert f"{CAPACITY} (container-instance/bot/1)" == (
        EcsDeployment({"events": events}).capacity_shortage()
    )
