"""Elastic Load Balancing: the subnets and security groups that a load balancer may have."""

import pytest

from tests.sandbox.aws.ec2.test_networks import gateway, vpc
from tests.sandbox.conftest import Account

ZONES = ("ap-northeast-1a", "ap-northeast-1c")


def subnets(
    account: Account, vpc_id: str, size: int = 24, zones: tuple[str, ...] = ZONES
) -> list[str]:
    """Create subnets in a new VPC."""
    create = account.client("ec2").create_subnet
    return [
        str(
            create(VpcId=vpc_id, CidrBlock=f"10.0.{i}.0/{size}", AvailabilityZone=zone)["Subnet"][
                "SubnetId"
            ]
        )
        for i, zone in enumerate(zones)
    ]


def make_public(account: Account, vpc_id: str, gateway_id: str) -> None:
    """Make every subnet of the VPC public."""
    ec2 = account.client("ec2")
    filters = [{"Name": "vpc-id", "Values": [vpc_id]}]
    table = ec2.describe_route_tables(Filters=filters)["RouteTables"][0]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway_id)


@pytest.mark.behaviour("elbv2.one-zone")
def test_load_balancer_needs_two_zones(account: Account) -> None:
    """One subnet is rejected, at creation and later; two are enough."""
    expected = (
        "ValidationError",
        400,
        "At least two subnets in two different Availability Zones must be specified",
    )
    assert expected == account.refusal(account.load_balancer, Subnets=account.subnets(1))
    arn = account.load_balancer(Subnets=account.subnets(2))["LoadBalancerArn"]
    set_subnets = account.client("elbv2").set_subnets
    one = account.subnets(1)
    assert expected == account.refusal(set_subnets, LoadBalancerArn=arn, Subnets=one)


@pytest.mark.behaviour("elbv2.two-subnets-of-one-zone")
def test_one_subnet_a_zone(account: Account) -> None:
    """Two subnets in one zone are rejected."""
    own = vpc(account)
    make_public(account, own, gateway(account, own))
    first, second, third = subnets(account, own, zones=(ZONES[0], ZONES[0], ZONES[1]))
    for chosen in ([first, second], [first, second, third]):
        refused = account.refusal(account.load_balancer, Subnets=chosen)
        expected = (
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone"
        )
        assert ("InvalidConfigurationRequest", 400, expected) == refused
    account.load_balancer(Subnets=[first, third])


@pytest.mark.behaviour("elbv2.unknown-subnet")
def test_unknown_subnet(account: Account) -> None:
    """The error contains it."""
    chosen = [*account.subnets(1), "subnet-0123456789abcdef0"]
    refused = account.refusal(account.load_balancer, Subnets=chosen)
    expected = "The subnet ID 'subnet-0123456789abcdef0' does not exist"
    assert ("SubnetNotFound", 400, expected) == refused


@pytest.mark.behaviour("elbv2.vpc-without-gateway")
def test_vpc_without_gateway(account: Account) -> None:
    """An internet-facing load balancer is rejected, an internal one is not."""
    own = vpc(account)
    ids = subnets(account, own)
    refused = account.refusal(account.load_balancer, Subnets=ids)
    assert ("InvalidSubnet", 400, f"VPC {own} has no internet gateway") == refused
    account.load_balancer(Subnets=ids, Scheme="internal")


@pytest.mark.behaviour("elbv2.private-subnet")
def test_private_subnet(account: Account) -> None:
    """Without a route to the gateway a subnet is private and rejected."""
    own = vpc(account)
    ids, attached = subnets(account, own), gateway(account, own)
    refused = account.refusal(account.load_balancer, Subnets=ids)
    expected = f"Subnet {ids[0]} has no route to an internet gateway"
    assert ("InvalidSubnet", 400, expected) == refused
    make_public(account, own, attached)
    account.load_balancer(Subnets=ids)


@pytest.mark.behaviour("elbv2.subnet-too-small")
def test_subnet_needs_eight_free_addresses(account: Account) -> None:
    """A /28 has eleven; with four taken it is too small."""
    own = vpc(account)
    make_public(account, own, gateway(account, own))
    ids = subnets(account, own, size=28)
    for _ in range(4):
        account.client("ec2").create_network_interface(SubnetId=ids[1])
    refused = account.refusal(account.load_balancer, Subnets=ids)
    expected = (
        f"Not enough IP space available in {ids[1]}. "
        "ELB requires at least 8 free IP addresses in each subnet."
    )
    assert ("InvalidSubnet", 400, expected) == refused


@pytest.mark.behaviour("elbv2.unknown-security-group")
def test_unknown_security_group(account: Account) -> None:
    """The error contains it."""
    refused = account.refusal(account.load_balancer, SecurityGroups=["sg-0123456789abcdef0"])
    expected = "The security group 'sg-0123456789abcdef0' does not exist"
    assert ("InvalidSecurityGroup", 400, expected) == refused


@pytest.mark.behaviour("elbv2.security-group-of-another-vpc")
def test_security_group_of_another_vpc(account: Account) -> None:
    """At creation, and for SetSecurityGroups."""
    ec2, own = account.client("ec2"), vpc(account)
    foreign = ec2.create_security_group(GroupName="f", Description="f", VpcId=own)["GroupId"]
    message = f'Security group "{foreign}" does not belong to VPC "{account.vpc()}"'
    expected = ("InvalidConfigurationRequest", 400, message)
    assert expected == account.refusal(account.load_balancer, SecurityGroups=[foreign])
    arn = account.load_balancer()["LoadBalancerArn"]
    set_groups = account.client("elbv2").set_security_groups
    refused = account.refusal(set_groups, LoadBalancerArn=arn, SecurityGroups=[foreign])
    assert expected == refused
