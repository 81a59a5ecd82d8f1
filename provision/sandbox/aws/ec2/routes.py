"""EC2: checks of route tables, routes and associations."""

from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ec2.errors import has_dependencies, invalid_value
from provision.sandbox.aws.rules import before

_TARGETS = (
    "GatewayId",
    "NatGatewayId",
    "NetworkInterfaceId",
    "VpcPeeringConnectionId",
    "InstanceId",
    "EgressOnlyInternetGatewayId",
    "TransitGatewayId",
    "LocalGatewayId",
    "CarrierGatewayId",
    "VpcEndpointId",
)


def _table(cloud: Cloud, call: Call) -> Any | None:
    """Return moto's route table of this call; None if there is none, which moto refuses."""
    return cloud.ec2.backend(call.region).route_tables.get(call.params["RouteTableId"])


@behaves("ec2.route-without-target", "ec2.route-to-a-gateway-elsewhere")
@before("ec2", "CreateRoute")
def check_new_route(cloud: Cloud, call: Call) -> None:
    """Check a new route (API CreateRoute)."""
    table = _table(cloud, call)
    if table is None:
        return
    if not any(call.params.get(target) for target in _TARGETS):
        raise AwsError(
            "MissingParameter",
            "The request must contain exactly one of gatewayId, natGatewayId, networkInterfaceId, "
            "vpcPeeringConnectionId or instanceId",
        )
    gateway_id = call.params.get("GatewayId", "")
    gateway = cloud.ec2.backend(call.region).internet_gateways.get(gateway_id)
    if gateway is not None and (gateway.vpc is None or gateway.vpc.id != table.vpc_id):
        raise invalid_value(
            f"route table {table.id} and network gateway {gateway_id} belong to different networks"
        )


@behaves("ec2.absent-route", "ec2.local-route-stays")
@before("ec2", "DeleteRoute")
def check_route_deletion(cloud: Cloud, call: Call) -> None:
    """Refuse to delete the local or a missing route (API DeleteRoute)."""
    table, block = _table(cloud, call), call.params.get("DestinationCidrBlock")
    if table is None or block is None:
        return
    if any(route.local and route.destination_cidr_block == block for route in table.routes):
        raise invalid_value(f"cannot remove local route {block} in route table {table.id}")


@behaves("ec2.subnet-has-a-table", "ec2.table-of-another-vpc")
@before("ec2", "AssociateRouteTable")
def check_association(cloud: Cloud, call: Call) -> None:
    """Check an association (API AssociateRouteTable)."""
    table, subnet_id = _table(cloud, call), call.params.get("SubnetId", "")
    backend = cloud.ec2.backend(call.region)
    subnet = next((zone[subnet_id] for zone in backend.subnets.values() if subnet_id in zone), None)
    if table is None or subnet is None:
        return
    if subnet.vpc_id != table.vpc_id:
        raise invalid_value(
            f"route table {table.id} and subnet {subnet_id} belong to different networks"
        )
    for other in backend.route_tables.values():
        if other is not table and subnet_id in other._associations.values():
            raise AwsError(
                "Resource.AlreadyAssociated",
                f"the specified association for route table {table.id} conflicts with an existing "
                "association",
            )


@behaves("ec2.table-in-use", "ec2.main-table-stays")
@before("ec2", "DeleteRouteTable")
def check_table_unused(cloud: Cloud, call: Call) -> None:
    """Refuse to delete a main or associated route table (API DeleteRouteTable)."""
    table = _table(cloud, call)
    if table is not None and table.main_association_id:
        raise has_dependencies("routeTable", table.id)


@behaves("ec2.main-association-stays")
@before("ec2", "DisassociateRouteTable")
def check_disassociation(cloud: Cloud, call: Call) -> None:
    """Refuse for a main route table, which can only be replaced (VPC User Guide, Route tables)."""
    association = call.params["AssociationId"]
    tables = cloud.ec2.backend(call.region).route_tables.values()
    if any(table.main_association_id == association for table in tables):
        raise invalid_value(f"cannot disassociate the main route table association {association}")
