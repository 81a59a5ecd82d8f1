"""AWS WAF: web ACLs and their load balancers."""

from typing import Any

import pytest

from tests.sandbox.conftest import Account

VISIBILITY = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "a"}


def create_acl(account: Account, name: str) -> dict[str, Any]:
    """Create a web ACL without rules; return its summary."""
    answer = account.client("wafv2").create_web_acl(
        Name=name, Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=VISIBILITY
    )
    return dict(answer["Summary"])


def resources(account: Account, acl: dict[str, Any]) -> list[str]:
    """Return the load balancers of a web ACL."""
    answer = account.client("wafv2").list_resources_for_web_acl(WebACLArn=acl["ARN"])
    return list(answer["ResourceArns"])


@pytest.mark.behaviour(
    "wafv2.web-acl-associated", "wafv2.resources-of-web-acl", "wafv2.association-goes"
)
def test_web_acl_in_use(account: Account) -> None:
    """It cannot be deleted before its load balancer."""
    wafv2, acl = account.client("wafv2"), create_acl(account, "a")
    arn = account.load_balancer()["LoadBalancerArn"]
    wafv2.associate_web_acl(WebACLArn=acl["ARN"], ResourceArn=arn)
    assert [arn] == resources(account, acl)
    given = {key: acl[key] for key in ("Name", "Id", "LockToken")}
    refused = account.refusal(wafv2.delete_web_acl, Scope="REGIONAL", **given)
    assert ("WAFAssociatedItemException", 400) == refused[:2]
    account.client("elbv2").delete_load_balancer(LoadBalancerArn=arn)
    assert [] == resources(account, acl)
    wafv2.delete_web_acl(Scope="REGIONAL", **given)
    assert [] == wafv2.list_web_acls(Scope="REGIONAL")["WebACLs"]


@pytest.mark.behaviour("wafv2.association-replaced")
def test_another_web_acl(account: Account) -> None:
    """A load balancer has one web ACL: the last."""
    wafv2, one, other = account.client("wafv2"), create_acl(account, "a"), create_acl(account, "b")
    arn = account.load_balancer()["LoadBalancerArn"]
    for acl in (one, other, other):
        wafv2.associate_web_acl(WebACLArn=acl["ARN"], ResourceArn=arn)
    assert ([], [arn]) == (resources(account, one), resources(account, other))
    assert other["ARN"] == wafv2.get_web_acl_for_resource(ResourceArn=arn)["WebACL"]["ARN"]
    wafv2.disassociate_web_acl(ResourceArn=arn)
    assert [] == resources(account, other)


@pytest.mark.behaviour("wafv2.resource-missing")
def test_missing_load_balancer(account: Account) -> None:
    """AWS WAF does not find it; it may exist a moment later."""
    acl = create_acl(account, "a")
    arn = "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:loadbalancer/app/a/0123456789abcdef"
    associate = account.client("wafv2").associate_web_acl
    refused = account.refusal(associate, WebACLArn=acl["ARN"], ResourceArn=arn)
    assert ("WAFUnavailableEntityException", 400) == refused[:2]
