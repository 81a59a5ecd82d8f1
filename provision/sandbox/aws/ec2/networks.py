"""EC2: checks of VPCs, subnets and internet gateways."""

import ipaddress
from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ec2.errors import has_dependencies, invalid_value
from provision.sandbox.aws.rules import before


@behaves("ec2.vpc-range", "ec2.vpc-in-use")
@before("ec2", "DeleteVpc")
def check_vpc_empty(cloud: Cloud, call: Call) -> None:
    """Refuse to delete a VPC with gateways, interfaces or groups of its own (API DeleteVpc)."""
    vpc_id, backend = call.params["VpcId"], cloud.ec2.backend(call.region)
    gateways = [gateway.vpc for gateway in backend.internet_gateways.values() if gateway.vpc]
    groups = [group for group in backend.groups.get(vpc_id, {}).values() if not group.is_default]
    interfaces = _interfaces_in(backend, vpc_id)
    if groups or interfaces or vpc_id in [vpc.id for vpc in gateways]:
        raise has_dependencies("vpc", vpc_id)


@behaves("ec2.subnet-size", "ec2.subnet-range", "ec2.subnet-conflict")
@before("ec2", "CreateSubnet")
def check_new_subnet(cloud: Cloud, call: Call) -> None:
    """Check CidrBlock (API CreateSubnet); moto checks the rest."""
    block = call.params.get("CidrBlock", "")
    try:
        length = ipaddress.ip_network(block, strict=False).prefixlen
    except ValueError:
        return  # moto raises AWS's error
    if not 16 <= length <= 28:
        raise AwsError("InvalidSubnet.Range", f"The CIDR '{block}' is invalid.")


@behaves("ec2.subnet-in-use")
@before("ec2", "DeleteSubnet")
def check_subnet_empty(cloud: Cloud, call: Call) -> None:
    """Refuse to delete a subnet with interfaces in it (API DeleteSubnet)."""
    subnet_id = call.params["SubnetId"]
    interfaces = cloud.ec2.backend(call.region).enis.values()
    if any(interface.subnet.id == subnet_id for interface in interfaces):
        raise has_dependencies("subnet", subnet_id)


@behaves("ec2.second-gateway", "ec2.gateway-attached-already")
@before("ec2", "AttachInternetGateway")
def check_attachment(cloud: Cloud, call: Call) -> None:
    """Refuse a second attachment (API AttachInternetGateway)."""
    vpc_id, gateway_id = call.params["VpcId"], call.params["InternetGatewayId"]
    gateways = cloud.ec2.backend(call.region).internet_gateways
    gateway = gateways.get(gateway_id)
    if gateway is not None and gateway.vpc:
        raise AwsError(
            "Resource.AlreadyAssociated",
            f"resource {gateway_id} is already attached to network {gateway.vpc.id}",
        )
    if any(other.vpc and other.vpc.id == vpc_id for other in gateways.values()):
        raise invalid_value(f"Network {vpc_id} already has an internet gateway attached")


@behaves("ec2.gateway-not-attached", "ec2.gateway-with-mapped-addresses")
@before("ec2", "DetachInternetGateway")
def check_detachment(cloud: Cloud, call: Call) -> None:
    """Refuse while the VPC has interfaces with public addresses (API DetachInternetGateway)."""
    vpc_id, backend = call.params["VpcId"], cloud.ec2.backend(call.region)
    if any(interface.public_ip for interface in _interfaces_in(backend, vpc_id)):
        raise AwsError(
            "DependencyViolation",
            f"Network {vpc_id} has some mapped public address(es). "
            "Please unmap those public address(es) before detaching the gateway.",
        )


@behaves("ec2.attached-gateway-stays")
@before("ec2", "DeleteInternetGateway")
def check_gateway_detached(cloud: Cloud, call: Call) -> None:
    """Refuse to delete an attached gateway (API DeleteInternetGateway)."""
    gateway_id = call.params["InternetGatewayId"]
    gateway = cloud.ec2.backend(call.region).internet_gateways.get(gateway_id)
    if gateway is not None and gateway.vpc:
        raise has_dependencies("internetGateway", gateway_id)


def _interfaces_in(backend: Any, vpc_id: str) -> list[Any]:
    return [i for i in backend.enis.values() if i.subnet.vpc_id == vpc_id]
