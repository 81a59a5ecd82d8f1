"""EC2: route tables, their routes and associations."""

from typing import Any

import pytest

from tests.sandbox.aws.ec2.test_networks import gateway, subnet, vpc
from tests.sandbox.conftest import Account


def table(account: Account, vpc_id: str) -> str:
    answer = account.client("ec2").create_route_table(VpcId=vpc_id)
    return str(answer["RouteTable"]["RouteTableId"])


def route(account: Account, table_id: str, **target: Any) -> Any:
    return account.client("ec2").create_route(
        RouteTableId=table_id, DestinationCidrBlock="0.0.0.0/0", **target
    )


@pytest.fixture
def network(account: Account) -> str:
    """Create a VPC."""
    return vpc(account)


@pytest.mark.behaviour("ec2.route-without-target")
def test_route_needs_a_target(account: Account, network: str) -> None:
    """A route without any target is rejected."""
    own = table(account, network)
    code, status, message = account.refusal(lambda: route(account, own))
    assert ("MissingParameter", 400) == (code, status)
    assert message.startswith("The request must contain exactly one of gatewayId,")


@pytest.mark.behaviour("ec2.route-to-a-gateway-elsewhere")
def test_route_to_a_gateway_of_the_same_vpc(account: Account, network: str) -> None:
    """It is rejected until the gateway is attached."""
    own, loose = table(account, network), gateway(account)
    refused = account.refusal(lambda: route(account, own, GatewayId=loose))
    expected = f"route table {own} and network gateway {loose} belong to different networks"
    assert ("InvalidParameterValue", 400, expected) == refused
    account.client("ec2").attach_internet_gateway(InternetGatewayId=loose, VpcId=network)
    route(account, own, GatewayId=loose)


@pytest.mark.behaviour("ec2.absent-route")
def test_missing_route_cannot_be_deleted(account: Account, network: str) -> None:
    """The second deletion is an error."""
    own, delete = table(account, network), account.client("ec2").delete_route
    route(account, own, GatewayId=gateway(account, network))
    delete(RouteTableId=own, DestinationCidrBlock="0.0.0.0/0")
    refused = account.refusal(delete, RouteTableId=own, DestinationCidrBlock="0.0.0.0/0")
    expected = f"no route with destination-cidr-block 0.0.0.0/0 in route table {own}"
    assert ("InvalidRoute.NotFound", 400, expected) == refused


@pytest.mark.behaviour("ec2.local-route-stays")
def test_local_route_stays(account: Account, network: str) -> None:
    """The local route cannot be deleted."""
    own = table(account, network)
    refused = account.refusal(
        account.client("ec2").delete_route, RouteTableId=own, DestinationCidrBlock="10.0.0.0/16"
    )
    expected = f"cannot remove local route 10.0.0.0/16 in route table {own}"
    assert ("InvalidParameterValue", 400, expected) == refused


@pytest.mark.behaviour("ec2.subnet-has-a-table")
def test_subnet_has_one_table(account: Account, network: str) -> None:
    """A second association is a conflict."""
    associate = account.client("ec2").associate_route_table
    place = subnet(account, network)
    associate(RouteTableId=table(account, network), SubnetId=place)
    second = table(account, network)
    refused = account.refusal(associate, RouteTableId=second, SubnetId=place)
    expected = (
        f"the specified association for route table {second} conflicts with an existing association"
    )
    assert ("Resource.AlreadyAssociated", 400, expected) == refused


@pytest.mark.behaviour("ec2.table-of-another-vpc")
def test_table_of_another_vpc(account: Account, network: str) -> None:
    """Table and subnet must be in one VPC."""
    place, foreign = subnet(account, network), table(account, vpc(account, "10.1.0.0/16"))
    refused = account.refusal(
        account.client("ec2").associate_route_table, RouteTableId=foreign, SubnetId=place
    )
    expected = f"route table {foreign} and subnet {place} belong to different networks"
    assert ("InvalidParameterValue", 400, expected) == refused


@pytest.mark.behaviour("ec2.table-in-use")
def test_table_in_use_stays(account: Account, network: str) -> None:
    """The association has to be deleted first."""
    ec2, own = account.client("ec2"), table(account, network)
    association = ec2.associate_route_table(RouteTableId=own, SubnetId=subnet(account, network))
    refused = account.refusal(ec2.delete_route_table, RouteTableId=own)
    expected = f"The routeTable '{own}' has dependencies and cannot be deleted."
    assert ("DependencyViolation", 400, expected) == refused
    ec2.disassociate_route_table(AssociationId=association["AssociationId"])
    ec2.delete_route_table(RouteTableId=own)


def main_table(account: Account, network: str) -> dict[str, Any]:
    filters = [
        {"Name": "vpc-id", "Values": [network]},
        {"Name": "association.main", "Values": ["true"]},
    ]
    found = account.client("ec2").describe_route_tables(Filters=filters)["RouteTables"]
    return dict(found[0])


@pytest.mark.behaviour("ec2.main-table-stays")
def test_main_table_stays(account: Account, network: str) -> None:
    """It is deleted with its VPC only."""
    main = main_table(account, network)["RouteTableId"]
    refused = account.refusal(account.client("ec2").delete_route_table, RouteTableId=main)
    expected = f"The routeTable '{main}' has dependencies and cannot be deleted."
    assert ("DependencyViolation", 400, expected) == refused


@pytest.mark.behaviour("ec2.main-association-stays")
def test_main_association_stays(account: Account, network: str) -> None:
    """A VPC always has a main table."""
    association = main_table(account, network)["Associations"][0]["RouteTableAssociationId"]
    refused = account.refusal(
        account.client("ec2").disassociate_route_table, AssociationId=association
    )
    expected = f"cannot disassociate the main route table association {association}"
    assert ("InvalidParameterValue", 400, expected) == refused
