"""Target health: registration, health checks on the clock, draining."""

from typing import Any

import pytest

from tests.sandbox.conftest import Account


class Bots:
    """What answers at the targets: an HTTP status, None (no answer) or a refused connection."""

    def __init__(self) -> None:
        self.answers: dict[str, int | None] = {}
        self.requests: list[tuple[str, int, str]] = []

    def __call__(self, ip: str, port: int, path: str) -> int | None:
        self.requests.append((ip, port, path))
        if ip not in self.answers:
            raise ConnectionRefusedError
        return self.answers[ip]


@pytest.fixture
def bots(account: Account) -> Bots:
    bots = Bots()
    account.cloud.elbv2.check = bots
    return bots


def served_group(account: Account, **more: Any) -> str:
    """Return a target group behind an active load balancer."""
    group = account.target_group(HealthCheckIntervalSeconds=10, **more)
    account.listener(account.load_balancer()["LoadBalancerArn"], group)
    account.clock.advance(account.cloud.delays.load_balancer)
    return group


def register(account: Account, group: str, ip: str) -> None:
    account.client("elbv2").register_targets(TargetGroupArn=group, Targets=[{"Id": ip}])


def health(account: Account, group: str) -> list[tuple[str, str, str | None]]:
    """Return IP, state and reason of each target."""
    found = account.client("elbv2").describe_target_health(TargetGroupArn=group)
    return [
        (d["Target"]["Id"], d["TargetHealth"]["State"], d["TargetHealth"].get("Reason"))
        for d in found["TargetHealthDescriptions"]
    ]


@pytest.mark.behaviour("elbv2.target-unused")
def test_target_without_listener_is_unused(account: Account, bots: Bots) -> None:
    """A target group without a listener or rule is not checked."""
    group = account.target_group()
    register(account, group, "172.31.0.9")
    account.clock.advance(60)
    assert health(account, group) == [("172.31.0.9", "unused", "Target.NotInUse")]
    assert bots.requests == []


@pytest.mark.behaviour("elbv2.target-behind-a-provisioning-load-balancer")
def test_target_waits_for_the_load_balancer(account: Account, bots: Bots) -> None:
    """While the load balancer is provisioning, registration is in progress."""
    group = account.target_group()
    account.listener(account.load_balancer()["LoadBalancerArn"], group)
    register(account, group, "172.31.0.9")
    assert health(account, group) == [("172.31.0.9", "initial", "Elb.RegistrationInProgress")]
    assert bots.requests == []


@pytest.mark.behaviour("elbv2.first-check-suffices")
def test_one_passed_check_makes_a_new_target_healthy(account: Account, bots: Bots) -> None:
    """The check requests the group's path on the target's port."""
    group = served_group(account, HealthyThresholdCount=5)
    account.cloud.elbv2.check = lambda ip, port, path: None
    register(account, group, "172.31.0.9")
    account.clock.advance(1)
    assert health(account, group) == [("172.31.0.9", "initial", "Elb.InitialHealthChecking")]
    account.cloud.elbv2.check = bots
    bots.answers["172.31.0.9"] = 200
    account.clock.advance(10)
    assert health(account, group) == [("172.31.0.9", "healthy", None)]
    assert bots.requests == [("172.31.0.9", 8080, "/healthz")]
    assert [target.id for target in account.cloud.elbv2.healthy(group)] == ["172.31.0.9"]


@pytest.mark.behaviour("elbv2.target-unhealthy")
@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (404, "Target.ResponseCodeMismatch"),
        (None, "Target.Timeout"),
        ("refused", "Target.FailedHealthChecks"),
    ],
)
def test_thresholds_count_consecutive_checks(
    account: Account, bots: Bots, answer: int | str | None, reason: str
) -> None:
    """Unhealthy and healthy after as many consecutive results as the thresholds."""
    group = served_group(account, HealthyThresholdCount=3, UnhealthyThresholdCount=2)
    bots.answers["172.31.0.9"] = 200
    register(account, group, "172.31.0.9")
    account.clock.advance(1)
    if isinstance(answer, str):
        del bots.answers["172.31.0.9"]
    else:
        bots.answers["172.31.0.9"] = answer
    account.clock.advance(10)
    assert health(account, group)[0][1] == "healthy"
    account.clock.advance(10)
    assert ("172.31.0.9", "unhealthy", reason) == health(account, group)[0]
    assert account.cloud.elbv2.healthy(group) == []
    bots.answers["172.31.0.9"] = 200
    account.clock.advance(20)
    assert health(account, group)[0][1] == "unhealthy"
    account.clock.advance(10)
    assert health(account, group)[0][1] == "healthy"


@pytest.mark.behaviour("elbv2.matcher")
def test_matcher_decides_what_is_healthy(account: Account, bots: Bots) -> None:
    """A group with 200-204,301 accepts only these."""
    group = served_group(account, Matcher={"HttpCode": "200-204,301"})
    bots.answers |= {"172.31.0.1": 204, "172.31.0.2": 301, "172.31.0.3": 302}
    for ip in bots.answers:
        register(account, group, ip)
    account.clock.advance(21)
    assert [h[1] for h in health(account, group)] == ["healthy", "healthy", "unhealthy"]


@pytest.mark.behaviour("elbv2.target-drains")
def test_deregistered_target_drains(account: Account, bots: Bots) -> None:
    """It drains for the group's delay, then it is gone; a second deregistration is InvalidTarget."""
    elbv2 = account.client("elbv2")
    group = served_group(account)
    elbv2.modify_target_group_attributes(
        TargetGroupArn=group,
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "20"}],
    )
    bots.answers["172.31.0.9"] = 200
    register(account, group, "172.31.0.9")
    account.clock.advance(1)
    elbv2.deregister_targets(TargetGroupArn=group, Targets=[{"Id": "172.31.0.9"}])
    expected = ("172.31.0.9", "draining", "Target.DeregistrationInProgress")
    assert [expected] == health(account, group)
    account.clock.advance(19)
    assert [expected] == health(account, group)
    account.clock.advance(1)
    assert health(account, group) == []
    refused = account.refusal(
        elbv2.deregister_targets, TargetGroupArn=group, Targets=[{"Id": "172.31.0.9"}]
    )
    assert refused[:2] == ("InvalidTarget", 400)


@pytest.mark.behaviour("elbv2.target-health-unregistered")
def test_asking_for_a_target_that_is_not_there(account: Account) -> None:
    """DescribeTargetHealth with an unknown target says it is not registered."""
    found = account.client("elbv2").describe_target_health(
        TargetGroupArn=account.target_group(), Targets=[{"Id": "172.31.0.77", "Port": 8080}]
    )["TargetHealthDescriptions"]
    health = [(d["TargetHealth"]["State"], d["TargetHealth"]["Reason"]) for d in found]
    assert health == [("unused", "Target.NotRegistered")]


@pytest.mark.behaviour("elbv2.target-not-registered")
def test_unknown_target_is_not_deregistered(account: Account) -> None:
    """A target that was never registered cannot be deregistered."""
    refused = account.refusal(
        account.client("elbv2").deregister_targets,
        TargetGroupArn=account.target_group(),
        Targets=[{"Id": "172.31.0.9"}],
    )
    assert refused[:2] == ("InvalidTarget", 400)
