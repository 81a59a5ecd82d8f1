"""Elastic Load Balancing: what target groups reject."""

from typing import Any

import pytest

from tests.sandbox.aws.elbv2.test_listeners import REDIRECT
from tests.sandbox.conftest import Account


@pytest.mark.behaviour("elbv2.target-group-same-settings")
def test_same_name_same_settings_is_the_same_one(account: Account) -> None:
    """CreateTargetGroup again returns the first."""
    first = account.target_group(HealthCheckIntervalSeconds=10, HealthyThresholdCount=2)
    assert first == account.target_group(HealthCheckIntervalSeconds=10, HealthyThresholdCount=2)
    elbv2 = account.client("elbv2")
    (found,) = elbv2.describe_target_groups()["TargetGroups"]
    again = elbv2.create_target_group(
        Name="news-bot", Protocol="HTTP", Port=8080, VpcId=account.vpc(), TargetType="ip"
    )
    assert found == again["TargetGroups"][0]


@pytest.mark.behaviour("elbv2.target-group-other-settings")
def test_same_name_other_settings(account: Account) -> None:
    """Another port or path under an existing name is rejected."""
    account.target_group()
    for other in ({"Port": 80}, {"HealthCheckPath": "/"}, {"TargetType": "instance"}):
        refused = account.refusal(account.target_group, **other)
        expected = (
            "A target group with the same name 'news-bot' exists, but with different settings"
        )
        assert ("DuplicateTargetGroupName", 400, expected) == refused


@pytest.mark.behaviour("elbv2.target-group-name")
@pytest.mark.parametrize("name", ["a" * 33, "-bot", "bot-", "news_bot"])
def test_target_group_names(account: Account, name: str) -> None:
    """Up to 32 letters, digits and hyphens, no hyphen at the ends."""
    code, status, message = account.refusal(account.target_group, name=name)
    assert ("ValidationError", 400) == (code, status)
    assert f"'{name}'" in message


@pytest.mark.behaviour("elbv2.health-check-path")
def test_health_check_path_begins_with_a_slash(account: Account) -> None:
    """At creation and later."""
    expected = (
        "ValidationError",
        400,
        "Health check path 'healthz' must begin with a '/' character",
    )
    assert expected == account.refusal(account.target_group, HealthCheckPath="healthz")
    refused = account.refusal(
        account.client("elbv2").modify_target_group,
        TargetGroupArn=account.target_group(),
        HealthCheckPath="healthz",
    )
    assert expected == refused


@pytest.mark.behaviour("elbv2.matcher-range")
def test_matcher_has_no_server_errors(account: Account) -> None:
    """A 5xx is never healthy."""
    refused = account.refusal(account.target_group, Matcher={"HttpCode": "200-599"})
    expected = "Health check matcher HTTP code '200-599' must be within '200-499' inclusive"
    assert ("ValidationError", 400, expected) == refused
    account.target_group(Matcher={"HttpCode": "200,302-404"})


@pytest.mark.behaviour("elbv2.modified-timeout-above-interval")
def test_timeout_stays_below_the_interval(account: Account) -> None:
    """Either of them alone is compared with the current other one."""
    modify, group = account.client("elbv2").modify_target_group, account.target_group()
    changes: tuple[dict[str, Any], ...] = (
        {"HealthCheckIntervalSeconds": 5},
        {"HealthCheckTimeoutSeconds": 30},
    )
    for change, words in zip(changes, ("'5' must be smaller than", "'30' must be"), strict=True):
        code, status, message = account.refusal(modify, TargetGroupArn=group, **change)
        assert ("ValidationError", 400) == (code, status)
        assert f"Health check timeout {words}" in message
    modify(TargetGroupArn=group, HealthCheckIntervalSeconds=5, HealthCheckTimeoutSeconds=2)


@pytest.mark.behaviour("elbv2.target-group-in-use")
def test_target_group_in_use_stays(account: Account) -> None:
    """A rule that forwards to it prevents its deletion."""
    elbv2, group = account.client("elbv2"), account.target_group()
    listener = elbv2.create_listener(
        LoadBalancerArn=account.load_balancer()["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[REDIRECT],
    )["Listeners"][0]["ListenerArn"]
    forward = {"TargetGroups": [{"TargetGroupArn": group}]}
    rule = elbv2.create_rule(
        ListenerArn=listener,
        Priority=1,
        Conditions=[{"Field": "path-pattern", "Values": ["/warm"]}],
        Actions=[{"Type": "forward", "ForwardConfig": forward}],
    )["Rules"][0]["RuleArn"]
    refused = account.refusal(elbv2.delete_target_group, TargetGroupArn=group)
    expected = f"Target group '{group}' is currently in use by a listener or a rule"
    assert ("ResourceInUse", 400, expected) == refused
    elbv2.delete_rule(RuleArn=rule)
    elbv2.delete_target_group(TargetGroupArn=group)


@pytest.mark.behaviour("elbv2.target-group-in-two-load-balancers")
def test_target_group_belongs_to_one_load_balancer(account: Account) -> None:
    """A second load balancer may not forward to it, neither by default nor by a rule."""
    group = account.target_group()
    account.listener(account.load_balancer("one")["LoadBalancerArn"], group)
    other = account.load_balancer("two")["LoadBalancerArn"]
    refused = account.refusal(lambda: account.listener(other, group))
    assert refused[:2] == ("TargetGroupAssociationLimit", 400)
    listener = account.listener(other, account.target_group("other"))
    refused = account.refusal(
        account.client("elbv2").create_rule,
        ListenerArn=listener,
        Priority=1,
        Conditions=[{"Field": "path-pattern", "Values": ["/warm"]}],
        Actions=[{"Type": "forward", "TargetGroupArn": group}],
    )
    assert refused[:2] == ("TargetGroupAssociationLimit", 400)
