"""Elastic Load Balancing: attributes by key and value."""

from typing import Any

import pytest

from tests.sandbox.conftest import Account


def attribute(key: str, value: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value}]


@pytest.mark.behaviour("elbv2.load-balancer-attribute-unknown")
def test_unknown_attribute_of_a_load_balancer(account: Account) -> None:
    """A misspelt key is rejected with AWS's message."""
    refused = account.refusal(
        account.client("elbv2").modify_load_balancer_attributes,
        LoadBalancerArn=account.load_balancer()["LoadBalancerArn"],
        Attributes=attribute("idle_timeout", "60"),
    )
    expected = "Load balancer attribute key 'idle_timeout' is not recognized"
    assert ("ValidationError", 400, expected) == refused


@pytest.mark.behaviour("elbv2.load-balancer-attribute-value")
def test_values_of_a_load_balancers_attributes(account: Account) -> None:
    """Ranges and booleans are checked; valid values are kept."""
    modify = account.client("elbv2").modify_load_balancer_attributes
    arn = account.load_balancer()["LoadBalancerArn"]
    for key, value in (
        ("idle_timeout.timeout_seconds", "4001"),
        ("idle_timeout.timeout_seconds", "a minute"),
        ("deletion_protection.enabled", "yes"),
        ("routing.http.desync_mitigation_mode", "strict"),
    ):
        refused = account.refusal(modify, LoadBalancerArn=arn, Attributes=attribute(key, value))
        assert ("ValidationError", 400) == refused[:2]
        assert refused[2].startswith(f"'{key}' value '{value}' must be ")
    kept = modify(LoadBalancerArn=arn, Attributes=attribute("idle_timeout.timeout_seconds", "4000"))
    assert {"Key": "idle_timeout.timeout_seconds", "Value": "4000"} in kept["Attributes"]


def modify_group(account: Account, arn: str, key: str, value: str) -> Any:
    return account.client("elbv2").modify_target_group_attributes(
        TargetGroupArn=arn, Attributes=attribute(key, value)
    )


@pytest.mark.behaviour("elbv2.target-group-attribute-unknown")
def test_unknown_attribute_of_a_target_group(account: Account) -> None:
    """A load balancer's key is not valid for a target group."""
    key = "idle_timeout.timeout_seconds"
    refused = account.refusal(lambda: modify_group(account, account.target_group(), key, "60"))
    expected = f"Target group attribute key '{key}' is not recognized"
    assert ("ValidationError", 400, expected) == refused


@pytest.mark.behaviour("elbv2.deregistration-delay-range")
def test_deregistration_delay(account: Account) -> None:
    """0 to 3600, inclusive, in digits."""
    key, group = "deregistration_delay.timeout_seconds", account.target_group()
    for value in ("3601", "soon"):
        refused = account.refusal(lambda v=value: modify_group(account, group, key, v))
        expected = f"'{key}' value '{value}' must be between '0-3600' inclusive"
        assert ("ValidationError", 400, expected) == refused
    for value in ("0", "3600"):
        kept = modify_group(account, group, key, value)["Attributes"]
        assert {"Key": key, "Value": value} in kept
    modify_group(account, group, "load_balancing.cross_zone.enabled", "true")
