"""EC2: VPCs, subnets, internet gateways, and what prevents their deletion."""

from typing import Any

import pytest

from provision.sandbox.aws.calls import AwsError
from tests.sandbox.conftest import REGION, Account


def vpc(account: Account, block: str = "10.0.0.0/16") -> str:
    return str(account.client("ec2").create_vpc(CidrBlock=block)["Vpc"]["VpcId"])


def subnet(account: Account, vpc_id: str, block: str = "10.0.0.0/24") -> str:
    answer = account.client("ec2").create_subnet(VpcId=vpc_id, CidrBlock=block)
    return str(answer["Subnet"]["SubnetId"])


def gateway(account: Account, vpc_id: str = "") -> str:
    """Create an internet gateway, attached if a VPC is given."""
    ec2 = account.client("ec2")
    made = str(ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"])
    if vpc_id:
        ec2.attach_internet_gateway(InternetGatewayId=made, VpcId=vpc_id)
    return made


@pytest.mark.behaviour("ec2.default-vpc-is-public")
def test_default_vpc_is_public(account: Account) -> None:
    """The default VPC's main route table has a route to an internet gateway."""
    ec2 = account.client("ec2")
    filters = [
        {"Name": "vpc-id", "Values": [account.vpc()]},
        {"Name": "association.main", "Values": ["true"]},
    ]
    routes = ec2.describe_route_tables(Filters=filters)["RouteTables"][0]["Routes"]
    gateways = {route["DestinationCidrBlock"]: route.get("GatewayId", "") for route in routes}
    assert gateways.get("0.0.0.0/0", "").startswith("igw-")
    attached = [{"Name": "attachment.vpc-id", "Values": [account.vpc()]}]
    found = ec2.describe_internet_gateways(Filters=attached)["InternetGateways"]
    assert [gateways["0.0.0.0/0"]] == [gateway["InternetGatewayId"] for gateway in found]
    subnets = ec2.describe_subnets()["Subnets"]
    assert all(subnet["MapPublicIpOnLaunch"] for subnet in subnets)
    assert len({subnet["AvailabilityZone"] for subnet in subnets}) == 3


@pytest.mark.behaviour("ec2.unknown-filter")
def test_unknown_filter(account: Account) -> None:
    """A misspelt filter is an error; tags are filters too."""
    ec2 = account.client("ec2")
    for describe in (ec2.describe_vpcs, ec2.describe_subnets, ec2.describe_security_groups):
        refused = account.refusal(describe, Filters=[{"Name": "colour", "Values": ["red"]}])
        assert ("InvalidParameterValue", 400, "The filter 'colour' is invalid") == refused
    made = vpc(account)
    ec2.create_tags(Resources=[made], Tags=[{"Key": "Name", "Value": "bot"}])
    for name in ("tag:Name", "tag-key"):
        values = ["bot"] if name == "tag:Name" else ["Name"]
        found = ec2.describe_vpcs(Filters=[{"Name": name, "Values": values}])["Vpcs"]
        assert [made] == [vpc["VpcId"] for vpc in found]


@pytest.mark.behaviour("ec2.vpc-range")
@pytest.mark.parametrize("block", ["10.0.0.0/8", "10.0.0.0/29"])
def test_vpc_range(account: Account, block: str) -> None:
    """/16 to /28."""
    refused = account.refusal(vpc, account=account, block=block)
    assert ("InvalidVpc.Range", 400, f"The CIDR '{block}' is invalid.") == refused


@pytest.mark.behaviour("ec2.subnet-size")
def test_subnet_size(account: Account) -> None:
    """/28 is the smallest."""
    made = vpc(account)
    refused = account.refusal(lambda: subnet(account, made, "10.0.0.0/29"))
    assert ("InvalidSubnet.Range", 400, "The CIDR '10.0.0.0/29' is invalid.") == refused
    subnet(account, made, "10.0.0.0/28")


@pytest.mark.behaviour("ec2.subnet-range")
def test_subnet_lies_in_its_vpc(account: Account) -> None:
    """A range outside is rejected."""
    made = vpc(account)
    refused = account.refusal(lambda: subnet(account, made, "10.1.0.0/24"))
    assert ("InvalidSubnet.Range", 400, "The CIDR '10.1.0.0/24' is invalid.") == refused


@pytest.mark.behaviour("ec2.subnet-conflict")
def test_subnets_do_not_overlap(account: Account) -> None:
    """Half of another subnet's range is already in use."""
    made = vpc(account)
    subnet(account, made)
    refused = account.refusal(lambda: subnet(account, made, "10.0.0.128/25"))
    expected = "The CIDR '10.0.0.128/25' conflicts with another subnet"
    assert ("InvalidSubnet.Conflict", 400, expected) == refused


@pytest.mark.behaviour("ec2.subnet-in-use")
def test_subnet_with_an_interface_stays(account: Account) -> None:
    """Any interface prevents its deletion."""
    ec2, made = account.client("ec2"), subnet(account, vpc(account))
    interface = ec2.create_network_interface(SubnetId=made)["NetworkInterface"]
    refused = account.refusal(ec2.delete_subnet, SubnetId=made)
    expected = f"The subnet '{made}' has dependencies and cannot be deleted."
    assert ("DependencyViolation", 400, expected) == refused
    ec2.delete_network_interface(NetworkInterfaceId=interface["NetworkInterfaceId"])
    ec2.delete_subnet(SubnetId=made)


@pytest.mark.behaviour("ec2.vpc-in-use")
def test_vpc_in_use_stays(account: Account) -> None:
    """A gateway or a non-default security group prevents its deletion."""
    ec2, made = account.client("ec2"), vpc(account)
    expected = (
        "DependencyViolation",
        400,
        f"The vpc '{made}' has dependencies and cannot be deleted.",
    )
    attached = gateway(account, made)
    assert expected == account.refusal(ec2.delete_vpc, VpcId=made)
    ec2.detach_internet_gateway(InternetGatewayId=attached, VpcId=made)
    own = ec2.create_security_group(GroupName="web", Description="web", VpcId=made)["GroupId"]
    assert expected == account.refusal(ec2.delete_vpc, VpcId=made)
    ec2.delete_security_group(GroupId=own)
    ec2.delete_vpc(VpcId=made)


@pytest.mark.behaviour("ec2.second-gateway")
def test_vpc_has_one_gateway(account: Account) -> None:
    """A second one is rejected."""
    made, second = vpc(account), gateway(account)
    gateway(account, made)
    refused = account.refusal(
        account.client("ec2").attach_internet_gateway, InternetGatewayId=second, VpcId=made
    )
    expected = f"Network {made} already has an internet gateway attached"
    assert ("InvalidParameterValue", 400, expected) == refused


@pytest.mark.behaviour("ec2.gateway-attached-already")
def test_gateway_has_one_vpc(account: Account) -> None:
    """The error says where it is attached."""
    made = vpc(account)
    attached = gateway(account, made)
    attach = account.client("ec2").attach_internet_gateway
    refused = account.refusal(attach, InternetGatewayId=attached, VpcId=vpc(account, "10.1.0.0/16"))
    expected = f"resource {attached} is already attached to network {made}"
    assert ("Resource.AlreadyAssociated", 400, expected) == refused


@pytest.mark.behaviour("ec2.gateway-not-attached")
def test_gateway_is_detached_where_it_is(account: Account) -> None:
    """Not from another VPC, and not twice."""
    made, detach = vpc(account), account.client("ec2").detach_internet_gateway
    ids: dict[str, Any] = {"InternetGatewayId": gateway(account, made), "VpcId": made}
    detach(**ids)
    assert ("Gateway.NotAttached", 400) == account.refusal(detach, **ids)[:2]
    ids["VpcId"] = vpc(account, "10.1.0.0/16")
    assert "Gateway.NotAttached" == account.refusal(detach, **ids)[0]


@pytest.mark.behaviour("ec2.attached-gateway-stays")
def test_attached_gateway_is_not_deleted(account: Account) -> None:
    """It has to be detached first."""
    attached = gateway(account, vpc(account))
    refused = account.refusal(
        account.client("ec2").delete_internet_gateway, InternetGatewayId=attached
    )
    expected = f"The internetGateway '{attached}' has dependencies and cannot be deleted."
    assert ("DependencyViolation", 400, expected) == refused


@pytest.mark.behaviour("ec2.gateway-with-mapped-addresses")
def test_gateway_with_public_addresses_behind_it_stays(account: Account) -> None:
    """A public interface prevents detaching; one without a public address does not."""
    made = vpc(account)
    ids = {"InternetGatewayId": gateway(account, made), "VpcId": made}
    place, ec2 = subnet(account, made), account.client("ec2")
    interface = account.cloud.ec2.attach(REGION, place, [], "ELB app/bot/1")
    code, status, message = account.refusal(ec2.detach_internet_gateway, **ids)
    assert ("DependencyViolation", 400) == (code, status)
    assert message.startswith(f"Network {made} has some mapped public address(es).")
    account.cloud.ec2.release(REGION, interface.id)
    account.clock.advance(account.cloud.delays.network_interfaces)
    ec2.create_network_interface(SubnetId=place)
    ec2.detach_internet_gateway(**ids)


@pytest.mark.behaviour("ec2.address-used-once")
def test_interfaces_have_different_addresses(account: Account) -> None:
    """A /28 has eleven for interfaces; the twelfth interface is refused until one is released."""
    place = subnet(account, vpc(account), "10.0.0.0/28")
    ec2 = account.cloud.ec2
    made = [ec2.attach(REGION, place, [], "a task") for _ in range(11)]
    addresses = [interface.private_ip_address for interface in made]
    assert [f"10.0.0.{number}" for number in range(4, 15)] == addresses
    with pytest.raises(AwsError) as refused:
        ec2.attach(REGION, place, [], "a task")
    assert "InsufficientFreeAddressesInSubnet" == refused.value.code
    ec2.release(REGION, made[3].id)
    account.clock.advance(account.cloud.delays.network_interfaces)
    assert "10.0.0.7" == ec2.attach(REGION, place, [], "a task").private_ip_address
