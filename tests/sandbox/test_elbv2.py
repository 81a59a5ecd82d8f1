"""Elastic Load Balancing: load balancers and their interfaces."""

from typing import Any

import pytest

from .conftest import Account


def interfaces(account: Account) -> list[dict[str, Any]]:
    """The network interfaces of load balancers."""
    filters = [{"Name": "description", "Values": ["ELB app/*"]}]
    answer = account.client("ec2").describe_network_interfaces(Filters=filters)
    return list(answer["NetworkInterfaces"])


def state(account: Account, arn: str) -> str:
    answer = account.client("elbv2").describe_load_balancers(LoadBalancerArns=[arn])
    return str(answer["LoadBalancers"][0]["State"]["Code"])


def test_load_balancer_is_provisioning_for_a_while(account: Account) -> None:
    """Looking does not make it active, `delays.load_balancer` does."""
    created = account.load_balancer()
    assert created["State"]["Code"] == "provisioning"
    account.clock.advance(account.cloud.delays.load_balancer - 1)
    assert state(account, created["LoadBalancerArn"]) == "provisioning"
    account.clock.advance(1)
    assert state(account, created["LoadBalancerArn"]) == "active"


def test_load_balancer_has_its_own_name_in_dns(account: Account) -> None:
    """DNS name with a number, and the region's hosted zone for aliases, here and in Describe."""
    created = account.load_balancer()
    assert created["DNSName"].startswith("news-bot-")
    assert created["DNSName"].endswith(".ap-northeast-1.elb.amazonaws.com")
    assert created["CanonicalHostedZoneId"] == "Z14GRHDCWA56QT"
    found = account.client("elbv2").describe_load_balancers()["LoadBalancers"][0]
    assert created["DNSName"] == found["DNSName"]
    assert found["CanonicalHostedZoneId"] == "Z14GRHDCWA56QT"
    assert account.cloud.dns.resolve(created["DNSName"], "A") == ["127.0.0.1"]


@pytest.mark.parametrize("name", ["a" * 33, "-bot", "bot-", "news_bot", "internal-bot"])
def test_load_balancer_names(account: Account, name: str) -> None:
    """Up to 32 letters, digits and hyphens, no hyphen at the ends, not internal-."""
    code, status, message = account.refusal(account.load_balancer, name=name)
    assert (code, status) == ("ValidationError", 400)
    assert f"'{name}'" in message


def test_load_balancer_needs_two_zones(account: Account) -> None:
    """One subnet is refused in AWS's words; two are enough."""
    refused = account.refusal(account.load_balancer, Subnets=account.subnets(1))
    assert refused == (
        "ValidationError",
        400,
        "At least two subnets in two different Availability Zones must be specified",
    )
    account.load_balancer(Subnets=account.subnets(2))


def test_load_balancer_needs_public_subnets(account: Account) -> None:
    """A subnet whose route table has no internet gateway is refused by an internet-facing one."""
    ec2 = account.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    zones = ("ap-northeast-1a", "ap-northeast-1c")
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{i}.0/24", AvailabilityZone=zone)
        for i, zone in enumerate(zones)
    ]
    ids = [subnet["Subnet"]["SubnetId"] for subnet in subnets]
    code, status, message = account.refusal(account.load_balancer, Subnets=ids)
    assert (code, status) == ("InvalidSubnet", 400)
    assert f"VPC {vpc} has no internet gateway" in message
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    for subnet in ids:
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    account.load_balancer(Subnets=ids)


def test_same_name_same_settings_is_the_same_one(account: Account) -> None:
    """CreateLoadBalancer again answers with the first; other settings are refused."""
    first = account.load_balancer()
    assert first == account.load_balancer()
    code, status, message = account.refusal(account.load_balancer, Subnets=account.subnets(2))
    assert (code, status) == ("DuplicateLoadBalancerName", 400)
    assert "exists, but with different settings" in message
    assert len(account.client("elbv2").describe_load_balancers()["LoadBalancers"]) == 1


def test_interfaces_outlive_the_load_balancer(account: Account) -> None:
    """One interface per subnet, described as ELB app/..., gone a while after the deletion."""
    group = account.client("ec2").create_security_group(GroupName="web", Description="web")
    arn = account.load_balancer(SecurityGroups=[group["GroupId"]])["LoadBalancerArn"]
    assert sorted(account.subnets()) == sorted(i["SubnetId"] for i in interfaces(account))
    assert {"ELB " + arn.partition("loadbalancer/")[2]} == {
        interface["Description"] for interface in interfaces(account)
    }
    account.client("elbv2").delete_load_balancer(LoadBalancerArn=arn)
    account.clock.advance(account.cloud.delays.network_interfaces - 1)
    assert len(interfaces(account)) == 3
    account.clock.advance(1)
    assert interfaces(account) == []
    account.client("ec2").delete_security_group(GroupId=group["GroupId"])


def test_interfaces_follow_the_security_groups(account: Account) -> None:
    """SetSecurityGroups moves the interfaces, so the old group can be deleted."""
    ec2 = account.client("ec2")
    old, new = (
        ec2.create_security_group(GroupName=name, Description=name)["GroupId"]
        for name in ("old", "new")
    )
    arn = account.load_balancer(SecurityGroups=[old])["LoadBalancerArn"]
    account.client("elbv2").set_security_groups(LoadBalancerArn=arn, SecurityGroups=[new])
    ec2.delete_security_group(GroupId=old)
    assert account.refusal(ec2.delete_security_group, GroupId=new)[0] == "DependencyViolation"


def test_deletion_protection(account: Account) -> None:
    """A protected load balancer is not deleted; an absent one is no error."""
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
