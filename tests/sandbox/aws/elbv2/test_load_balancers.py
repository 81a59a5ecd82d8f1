"""Elastic Load Balancing: load balancers, their names, states and interfaces."""

from typing import Any

import pytest

from tests.sandbox.conftest import Account

NOBODY = "arn:aws:elasticloadbalancing:ap-northeast-1:123456789012:loadbalancer/app/nobody/1"


def interfaces(account: Account) -> list[dict[str, Any]]:
    """Return the network interfaces of load balancers."""
    filters = [{"Name": "description", "Values": ["ELB app/*"]}]
    answer = account.client("ec2").describe_network_interfaces(Filters=filters)
    return list(answer["NetworkInterfaces"])


def security_group(account: Account, name: str = "web") -> str:
    ec2 = account.client("ec2")
    return str(ec2.create_security_group(GroupName=name, Description=name)["GroupId"])


def state(account: Account, arn: str) -> str:
    answer = account.client("elbv2").describe_load_balancers(LoadBalancerArns=[arn])
    return str(answer["LoadBalancers"][0]["State"]["Code"])


@pytest.mark.behaviour("elbv2.provisioning")
def test_load_balancer_is_provisioning_for_a_while(account: Account) -> None:
    """It becomes active after `delays.load_balancer`."""
    created = account.load_balancer()
    assert created["State"]["Code"] == "provisioning"
    account.clock.advance(account.cloud.delays.load_balancer - 1)
    assert state(account, created["LoadBalancerArn"]) == "provisioning"
    account.clock.advance(1)
    assert state(account, created["LoadBalancerArn"]) == "active"


@pytest.mark.behaviour("elbv2.hosted-zone-of-aliases")
def test_load_balancer_has_its_own_name_in_dns(account: Account) -> None:
    """A DNS name with a number, and the region's hosted zone for aliases, at creation and in Describe."""
    created = account.load_balancer()
    assert created["DNSName"].startswith("news-bot-")
    assert created["DNSName"].endswith(".ap-northeast-1.elb.amazonaws.com")
    assert created["CanonicalHostedZoneId"] == "Z14GRHDCWA56QT"
    found = account.client("elbv2").describe_load_balancers()["LoadBalancers"][0]
    assert created["DNSName"] == found["DNSName"]
    assert found["CanonicalHostedZoneId"] == "Z14GRHDCWA56QT"
    assert account.cloud.dns.resolve(created["DNSName"], "A") == ["127.0.0.1"]


def refused_name(account: Account, name: str) -> str:
    """Return the error message for this name, without the name itself."""
    code, status, message = account.refusal(account.load_balancer, name=name)
    assert (code, status) == ("ValidationError", 400)
    return message.removeprefix(f"The load balancer name '{name}' ")


@pytest.mark.behaviour("elbv2.load-balancer-name-length")
def test_load_balancer_name_is_short(account: Account) -> None:
    """32 characters are accepted, 33 are not."""
    assert "cannot be longer than '32' characters" == refused_name(account, "a" * 33)
    account.load_balancer("a" * 32)


@pytest.mark.behaviour("elbv2.load-balancer-name-alphabet")
@pytest.mark.parametrize("name", ["-bot", "bot-", "news_bot", "ニュース"])
def test_load_balancer_name_has_an_alphabet(account: Account, name: str) -> None:
    """Letters, digits and hyphens, no hyphen at the ends."""
    words = refused_name(account, name)
    assert words.startswith("can")
    assert "-" in words


@pytest.mark.behaviour("elbv2.load-balancer-name-internal")
def test_load_balancer_name_is_not_internal(account: Account) -> None:
    """AWS itself uses that prefix for internal ones' DNS names."""
    assert "cannot begin with 'internal-'" == refused_name(account, "internal-bot")


@pytest.mark.behaviour("elbv2.load-balancer-same-settings")
def test_same_name_same_settings_is_the_same_one(account: Account) -> None:
    """CreateLoadBalancer again returns the first."""
    first = account.load_balancer()
    assert first == account.load_balancer()
    assert len(account.client("elbv2").describe_load_balancers()["LoadBalancers"]) == 1


@pytest.mark.behaviour("elbv2.load-balancer-other-settings")
def test_same_name_other_settings(account: Account) -> None:
    """Other subnets, scheme or groups under an existing name are rejected."""
    account.load_balancer()
    for other in (
        {"Subnets": account.subnets(2)},
        {"Scheme": "internal"},
        {"SecurityGroups": [security_group(account)]},
    ):
        refused = account.refusal(account.load_balancer, **other)
        expected = (
            "A load balancer with the same name 'news-bot' exists, but with different settings"
        )
        assert ("DuplicateLoadBalancerName", 400, expected) == refused


@pytest.mark.behaviour("elbv2.load-balancer-not-found")
def test_unknown_load_balancers(account: Account) -> None:
    """By name the error contains it, also beside a known one; by ARN it does not."""
    describe = account.client("elbv2").describe_load_balancers
    account.load_balancer()
    refused = account.refusal(describe, Names=["news-bot", "nobody"])
    assert ("LoadBalancerNotFound", 400, "Load balancers '[nobody]' not found") == refused
    refused = account.refusal(describe, LoadBalancerArns=[NOBODY])
    assert ("LoadBalancerNotFound", 400, "One or more load balancers not found") == refused


@pytest.mark.behaviour("elbv2.interfaces")
def test_interface_in_each_subnet(account: Account) -> None:
    """One interface per subnet, described as ELB app/..., following SetSubnets."""
    arn = account.load_balancer()["LoadBalancerArn"]
    assert sorted(account.subnets()) == sorted(i["SubnetId"] for i in interfaces(account))
    assert {"ELB " + arn.partition("loadbalancer/")[2]} == {
        interface["Description"] for interface in interfaces(account)
    }
    two = account.subnets(2)
    account.client("elbv2").set_subnets(LoadBalancerArn=arn, Subnets=two)
    account.clock.advance(account.cloud.delays.network_interfaces)
    assert sorted(two) == sorted(i["SubnetId"] for i in interfaces(account))


@pytest.mark.behaviour("elbv2.interfaces-outlive")
def test_interfaces_outlive_the_load_balancer(account: Account) -> None:
    """They prevent deletion of its security group for a while."""
    group = security_group(account)
    arn = account.load_balancer(SecurityGroups=[group])["LoadBalancerArn"]
    account.client("elbv2").delete_load_balancer(LoadBalancerArn=arn)
    account.clock.advance(account.cloud.delays.network_interfaces - 1)
    assert len(interfaces(account)) == 3
    delete = account.client("ec2").delete_security_group
    assert "DependencyViolation" == account.refusal(delete, GroupId=group)[0]
    account.clock.advance(1)
    assert interfaces(account) == []
    delete(GroupId=group)


@pytest.mark.behaviour("elbv2.interfaces-follow-groups")
def test_interfaces_follow_the_security_groups(account: Account) -> None:
    """After SetSecurityGroups the old group can be deleted."""
    ec2 = account.client("ec2")
    old, new = security_group(account, "old"), security_group(account, "new")
    arn = account.load_balancer(SecurityGroups=[old])["LoadBalancerArn"]
    account.client("elbv2").set_security_groups(LoadBalancerArn=arn, SecurityGroups=[new])
    ec2.delete_security_group(GroupId=old)
    assert account.refusal(ec2.delete_security_group, GroupId=new)[0] == "DependencyViolation"


@pytest.mark.behaviour("elbv2.deletion-protection")
def test_deletion_protection(account: Account) -> None:
    """A protected load balancer is not deleted; a missing one is no error."""
    elbv2 = account.client("elbv2")
    arn = account.load_balancer()["LoadBalancerArn"]
    for value in ("true", "false"):
        attribute = {"Key": "deletion_protection.enabled", "Value": value}
        elbv2.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[attribute])
        if value == "true":
            refused = account.refusal(elbv2.delete_load_balancer, LoadBalancerArn=arn)
            assert refused[:2] == ("OperationNotPermitted", 400)
    elbv2.delete_load_balancer(LoadBalancerArn=arn)
    elbv2.delete_load_balancer(LoadBalancerArn=arn)
