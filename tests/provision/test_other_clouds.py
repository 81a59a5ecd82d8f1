"""AWS-compatible endpoints that answer otherwise than AWS: what they ignore, leave out or do not have."""

from typing import Any

import pytest

from tests.provision.conftest import WHOLE, Env

SELECTORS = ("Filters", "ParameterFilters", "startedBy", "family", "Names", "repositoryNames")


def ignore_selectors(operation: str, params: dict[str, Any]) -> None:
    """Remove what selects in a request for a list, as emulators ignore filters that they do not know."""
    if operation.startswith(("Describe", "List")):
        for name in SELECTORS:
            params.pop(name, None)


def strangers(env: Env) -> dict[str, list[str]]:
    """Create a network, a load balancer and a parameter of somebody else's; return their ids."""
    ec2, elbv2 = env.aws_session.client("ec2"), env.aws_session.client("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"ap-northeast-1{zone}"
        )["Subnet"]["SubnetId"]
        for n, zone in ((1, "a"), (2, "c"))
    ]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    for subnet in subnets:
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    group = ec2.create_security_group(GroupName="theirs", Description="theirs", VpcId=vpc)
    balancer = elbv2.create_load_balancer(
        Name="a-balancer", Subnets=subnets, SecurityGroups=[group["GroupId"]]
    )["LoadBalancers"][0]["LoadBalancerArn"]
    target_group = elbv2.create_target_group(
        Name="a-group", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip"
    )["TargetGroups"][0]["TargetGroupArn"]
    env.aws_session.client("ssm").put_parameter(Name="A_PARAMETER", Value="x", Type="String")
    return {
        "vpc": [vpc],
        "subnets": subnets,
        "gateway": [gateway],
        "table": [table],
        "group": [group["GroupId"]],
        "balancer": [balancer],
        "target group": [target_group],
    }


@pytest.mark.parametrize("vpc", ["default", "new"])
def test_ignored_filters_do_not_touch_what_is_others(env: Env, vpc: str) -> None:
    """The stack is built once, with its own network; the teardown leaves what somebody else has."""
    env.set(network__vpc=vpc)
    theirs = strangers(env)
    before = env.inventory()
    env.aws_session.request = ignore_selectors
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    built = env.inventory()
    again = env.setup()
    assert ([], built) == (again.errors, env.inventory())
    result = env.teardown()
    assert ([], [], {}) == (result.errors, result.left, result.unknown)
    assert before == env.inventory()
    ec2 = env.aws_session.client("ec2")
    assert theirs["table"] == [
        table["RouteTableId"]
        for table in ec2.describe_route_tables(RouteTableIds=theirs["table"])["RouteTables"]
    ]
    assert {"vpc": 2, "subnet": 5}.items() <= built.items() if vpc == "new" else True
    if vpc == "default":
        assert all(built[kind] >= count for kind, count in WHOLE.items())
