"""Elastic Load Balancing: checks of a load balancer's subnets and security groups."""

from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.elbv2.errors import validation_error
from provision.sandbox.aws.rules import before

_FREE_ADDRESSES = 8


@before("elbv2", "SetSubnets")
def check_set_subnets(cloud: Cloud, call: Call) -> None:
    """Check subnets as for a new load balancer (API SetSubnets)."""
    load_balancer = cloud.elbv2.load_balancer(call.region, call.params["LoadBalancerArn"])
    if load_balancer is not None:
        current_ids = {subnet.id for subnet in load_balancer.subnets}
        check_subnets(cloud, call.region, subnet_ids_of(call), load_balancer.scheme, current_ids)


@before("elbv2", "SetSecurityGroups")
def check_set_groups(cloud: Cloud, call: Call) -> None:
    """Check groups as for a new load balancer (API SetSecurityGroups)."""
    load_balancer = cloud.elbv2.load_balancer(call.region, call.params["LoadBalancerArn"])
    if load_balancer is not None:
        check_groups(cloud, call, load_balancer.vpc_id)


def subnet_ids_of(call: Call) -> list[str]:
    """Return the subnet ids of Subnets or SubnetMappings."""
    mappings = call.params.get("SubnetMappings", [])
    return call.params.get("Subnets") or [mapping["SubnetId"] for mapping in mappings]


@behaves("elbv2.unknown-subnet", "elbv2.one-zone", "elbv2.two-subnets-of-one-zone")
def check_subnets(
    cloud: Cloud, region: str, subnet_ids: list[str], scheme: str, current_ids: set[str]
) -> str:
    """Refuse subnets that a load balancer cannot have; return the id of their VPC.

    `current_ids` are the subnets in which it has addresses already.
    """
    subnets_by_id = {
        subnet.id: subnet
        for subnets in cloud.ec2.backend(region).subnets.values()
        for subnet in subnets.values()
    }
    unknown = [subnet_id for subnet_id in subnet_ids if subnet_id not in subnets_by_id]
    if unknown:
        raise AwsError("SubnetNotFound", f"The subnet ID '{unknown[0]}' does not exist")
    if len(subnet_ids) < 2:
        raise validation_error(
            "At least two subnets in two different Availability Zones must be specified"
        )
    subnets = [subnets_by_id[subnet_id] for subnet_id in subnet_ids]
    if len({subnet.availability_zone for subnet in subnets}) < len(subnets):
        raise AwsError(
            "InvalidConfigurationRequest",
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
        )
    _check_free_addresses([subnet for subnet in subnets if subnet.id not in current_ids])
    if scheme == "internet-facing":
        _check_gateways(cloud, region, subnets)
    return str(subnets[0].vpc_id)


@behaves("elbv2.subnet-too-small")
def _check_free_addresses(subnets: list[Any]) -> None:
    for subnet in subnets:
        if subnet.available_ip_address_count < _FREE_ADDRESSES:
            raise AwsError(
                "InvalidSubnet",
                f"Not enough IP space available in {subnet.id}. ELB requires at least "
                f"{_FREE_ADDRESSES} free IP addresses in each subnet.",
            )


@behaves("elbv2.vpc-without-gateway", "elbv2.private-subnet")
def _check_gateways(cloud: Cloud, region: str, subnets: list[Any]) -> None:
    vpc_id = subnets[0].vpc_id
    gateways = cloud.ec2.backend(region).internet_gateways.values()
    if not any(gateway.vpc and gateway.vpc.id == vpc_id for gateway in gateways):
        raise AwsError("InvalidSubnet", f"VPC {vpc_id} has no internet gateway")
    for subnet in subnets:
        if not cloud.ec2.is_public(region, subnet):
            raise AwsError(
                "InvalidSubnet", f"Subnet {subnet.id} has no route to an internet gateway"
            )


@behaves("elbv2.unknown-security-group", "elbv2.security-group-of-another-vpc")
def check_groups(cloud: Cloud, call: Call, vpc_id: str) -> None:
    """Refuse security groups that a load balancer in this VPC cannot have."""
    for group_id in call.params.get("SecurityGroups", []):
        group = cloud.ec2.backend(call.region).get_security_group_from_id(group_id)
        if group is None:
            raise AwsError(
                "InvalidSecurityGroup", f"The security group '{group_id}' does not exist"
            )
        if group.vpc_id != vpc_id:
            raise AwsError(
                "InvalidConfigurationRequest",
                f'Security group "{group_id}" does not belong to VPC "{vpc_id}"',
            )
