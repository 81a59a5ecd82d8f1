"""An existing VPC: the default one, or a chosen one whose subnets are checked."""

import copy
from typing import Any

import pytest

from provision.errors import ProvisionError
from provision.resources.network import choices, subnet_choices, unsuitable
from tests.provision.conftest import WHOLE, Env

ZONES = ("ap-northeast-1a", "ap-northeast-1c", "ap-northeast-1d")


def create_vpc(env: Env, subnets: dict[str, str]) -> tuple[str, list[str]]:
    """Create a foreign VPC with a `public` or `private` subnet per zone; return its id and the subnets'."""
    ec2 = env.aws_session.client("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="172.20.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc_id)
    table = ec2.create_route_table(VpcId=vpc_id)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    ids = []
    for place, (name, kind) in enumerate(subnets.items()):
        subnet = ec2.create_subnet(
            VpcId=vpc_id, CidrBlock=f"172.20.{place}.0/24", AvailabilityZone=name.partition(" ")[0]
        )["Subnet"]["SubnetId"]
        if kind == "public":
            ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        ids.append(subnet)
    env.changes()
    return vpc_id, ids


def rejection(env: Env) -> str:
    """Return why the network is rejected, before anything is created."""
    observations = env.engine().inspect()
    refused = next(s.error for key, s in observations.items() if key.startswith("network/"))
    assert isinstance(refused, ProvisionError)
    assert "Could not choose the network." == refused.what
    assert [] == env.changes()
    return f"{refused.why} / {refused.then}"


def test_chosen_vpc_is_used_and_kept(env: Env) -> None:
    """One public subnet per zone is used; teardown leaves the VPC unchanged."""
    vpc_id, subnets = create_vpc(
        env, {ZONES[0]: "public", f"{ZONES[0]} twice": "public", ZONES[1]: "public"}
    )
    before = env.inventory()
    env.set(network__vpc=vpc_id)
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    balancer = env.aws_session.client("elbv2").describe_load_balancers()["LoadBalancers"][0]
    used = {zone["SubnetId"] for zone in balancer["AvailabilityZones"]}
    assert used in ({subnets[0], subnets[2]}, {subnets[1], subnets[2]})
    result = env.teardown()
    assert f"network/{vpc_id}" in result.kept
    assert before == env.inventory()


def test_chosen_subnets_are_used(env: Env) -> None:
    """network.subnets decides which."""
    vpc_id, subnets = create_vpc(env, dict.fromkeys(ZONES, "public"))
    env.set(network__vpc=vpc_id, network__subnets=",".join(subnets[1:]))
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    balancer = env.aws_session.client("elbv2").describe_load_balancers()["LoadBalancers"][0]
    assert set(subnets[1:]) == {zone["SubnetId"] for zone in balancer["AvailabilityZones"]}
    network = {"association": 3, "internet gateway": 1, "route table": 2, "subnet": 3, "vpc": 1}
    assert {**WHOLE, "interface": 3, **network} == env.inventory()


def test_private_subnet_is_rejected(env: Env) -> None:
    """It has no route to an internet gateway."""
    vpc_id, subnets = create_vpc(env, {ZONES[0]: "public", ZONES[1]: "private"})
    env.set(network__vpc=vpc_id, network__subnets=",".join(subnets))
    assert f"{subnets[1]} has no route to an internet gateway" in rejection(env)


def test_two_subnets_in_one_zone_are_rejected(env: Env) -> None:
    """A load balancer takes one subnet per zone."""
    vpc_id, subnets = create_vpc(env, {ZONES[0]: "public", f"{ZONES[0]} twice": "public"})
    env.set(network__vpc=vpc_id, network__subnets=",".join(subnets))
    assert f"{subnets[0]} and {subnets[1]} are both in {ZONES[0]}" in rejection(env)


def test_subnet_of_another_vpc_is_rejected(env: Env) -> None:
    """The error contains its id."""
    vpc_id, subnets = create_vpc(env, {ZONES[0]: "public"})
    env.set(network__vpc=vpc_id, network__subnets=f"{subnets[0]},subnet-0123456789abcdef0")
    assert "subnet-0123456789abcdef0 is not in that VPC" in rejection(env)


@pytest.mark.parametrize("public", [0, 1])
def test_too_few_public_subnets_are_rejected(env: Env, public: int) -> None:
    """Two zones are needed; the error says how many the VPC has."""
    kinds = ["public"] * public + ["private"] * (3 - public)
    vpc_id, _subnets = create_vpc(env, dict(zip(ZONES, kinds, strict=True)))
    env.set(network__vpc=vpc_id)
    assert f"{vpc_id} has suitable public subnets in {public} zones; two are needed" in rejection(
        env
    )


def test_unknown_vpc_is_rejected(env: Env) -> None:
    """The id does not exist in this region."""
    env.set(network__vpc="vpc-0123456789abcdef0")
    assert "there is no such VPC in this region: vpc-0123456789abcdef0" in rejection(env)


def test_missing_default_vpc_is_rejected(env: Env) -> None:
    """The error suggests a new VPC, with which setup works."""
    delete_default_vpc(env.aws_session.client("ec2"))
    env.changes()
    reason = rejection(env)
    assert "this region has no default VPC" in reason
    assert "Set network.vpc to `new`" in reason
    env.set(network__vpc="new")
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)


def delete_default_vpc(ec2: Any) -> None:
    """Delete it as the console does: subnets, gateway, then the VPC."""
    default = next(v["VpcId"] for v in ec2.describe_vpcs()["Vpcs"] if v["IsDefault"])
    in_vpc = [{"Name": "vpc-id", "Values": [default]}]
    for subnet in ec2.describe_subnets(Filters=in_vpc)["Subnets"]:
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    attached = [{"Name": "attachment.vpc-id", "Values": [default]}]
    for gateway in ec2.describe_internet_gateways(Filters=attached)["InternetGateways"]:
        ids = {"InternetGatewayId": gateway["InternetGatewayId"], "VpcId": default}
        ec2.detach_internet_gateway(**ids)
        ec2.delete_internet_gateway(InternetGatewayId=ids["InternetGatewayId"])
    ec2.delete_vpc(VpcId=default)


def test_choices(env: Env) -> None:
    """The default VPC first, the others by id with their names, then a new one; nothing is changed."""
    ec2 = env.aws_session.client("ec2")
    vpc_id, _subnets = create_vpc(env, {})
    ec2.create_tags(Resources=[vpc_id], Tags=[{"Key": "Name", "Value": "shop"}])
    env.changes()
    assert [
        ("default", "the region's default VPC, 172.31.0.0/16"),
        (vpc_id, f"{vpc_id} shop 172.20.0.0/16"),
        ("new", "a new VPC"),
    ] == choices(env.aws)
    assert [] == env.changes()


def test_choices_without_a_default_vpc(env: Env) -> None:
    """It is not offered."""
    delete_default_vpc(env.aws_session.client("ec2"))
    assert ["new"] == [value for value, _told in choices(env.aws)]


def move_subnet(env: Env, cidr: str, zone: str, zone_id: str) -> str:
    """Create a default-VPC subnet, and move it to a zone that moto does not have. Return its id."""
    ec2 = env.aws_session.client("ec2")
    vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]
    made = ec2.create_subnet(
        VpcId=vpc["VpcId"], CidrBlock=cidr, AvailabilityZone="ap-northeast-1a"
    )["Subnet"]["SubnetId"]
    for subnets in env.sandbox.cloud.ec2.backend("ap-northeast-1").subnets.values():
        if made in subnets:
            place = copy.copy(subnets[made]._availability_zone)
            place.name, place.zone_id = zone, zone_id
            subnets[made]._availability_zone = place
    env.changes()
    return str(made)


@pytest.mark.parametrize(
    ("zone", "zone_id", "why"),
    [
        (
            "ap-northeast-1-tpe-1a",
            "apne1-tpe1-az1",
            "ap-northeast-1-tpe-1a is a local or wavelength zone",
        ),
        (
            "ap-northeast-1-wl1-nrt-wlz-1",
            "apne1-wl1-nrt-wlz1",
            "ap-northeast-1-wl1-nrt-wlz-1 is a local or wavelength zone",
        ),
        (
            "ap-northeast-1b",
            "apne1-az3",
            "Fargate does not exist in the zone ap-northeast-1b (apne1-az3)",
        ),
    ],
)
def test_zones_that_cannot_carry_the_bot(env: Env, zone: str, zone_id: str, why: str) -> None:
    """They are not chosen, and named if a person chooses them."""
    ec2 = env.aws_session.client("ec2")
    good = sorted(subnet["SubnetId"] for subnet in ec2.describe_subnets()["Subnets"])
    bad = move_subnet(env, "172.31.200.0/24", zone, zone_id)
    observation = env.engine().inspect()["network/default"]
    assert observation.live is not None
    assert good == sorted(observation.live["SubnetIds"])
    assert bad not in [value for value, _ in subnet_choices(env.aws, "default")]
    env.set(network__subnets=[good[0], bad])
    assert f"{bad}: {why}" in rejection(env)


def test_default_subnet_without_a_route(env: Env) -> None:
    """A default subnet whose own route table leads nowhere is not public."""
    ec2 = env.aws_session.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    first, *others = sorted(
        ec2.describe_subnets()["Subnets"], key=lambda subnet: str(subnet["AvailabilityZone"])
    )
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=first["SubnetId"])
    env.changes()
    observation = env.engine().inspect()["network/default"]
    assert observation.live is not None
    assert [subnet["SubnetId"] for subnet in others] == observation.live["SubnetIds"]
    env.set(network__subnets=[first["SubnetId"], others[0]["SubnetId"]])
    assert f"{first['SubnetId']} has no route to an internet gateway" in rejection(env)


PUBLIC = {
    "SubnetId": "subnet-1",
    "AvailabilityZone": "ap-northeast-1a",
    "AvailabilityZoneId": "apne1-az4",
    "CidrBlock": "10.0.0.0/24",
    "AvailableIpAddressCount": 8,
}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, ""),
        ({"AvailabilityZoneId": None}, ""),  # an emulator that does not return it
        ({"AvailableIpAddressCount": 7}, "it has fewer than 8 free addresses"),
        ({"CidrBlock": ""}, "it has no IPv4 addresses"),
        (
            {"AvailabilityZone": "us-west-1b", "AvailabilityZoneId": "usw1-az2"},
            "Fargate does not exist in the zone us-west-1b (usw1-az2)",
        ),
        ({"AvailabilityZone": "us-gov-west-1a", "AvailabilityZoneId": "usgw1-az1"}, ""),
        ({"AvailabilityZone": "us-east-1a", "AvailabilityZoneId": "use1-az3"}, ""),
    ],
)
def test_unsuitable(changed: dict[str, Any], expected: str) -> None:
    """What a subnet needs: an ordinary zone with Fargate, IPv4, free addresses."""
    found = {key: value for key, value in {**PUBLIC, **changed}.items() if value is not None}
    assert expected == unsuitable(found)
