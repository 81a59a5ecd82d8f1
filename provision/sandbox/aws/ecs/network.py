"""ECS: the awsvpc network configuration of a service or a task."""

from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ecs.errors import invalid_parameter
from provision.sandbox.aws.ecs.limits import check_items

_PLATFORMS = ("LATEST", "1.4.0", "1.3.0")  # Developer Guide, Fargate platform versions for Linux


@behaves(
    "ecs.network-configuration-missing", "ecs.too-many-subnets", "ecs.too-many-security-groups"
)
def check_network(cloud: Cloud, region: str, definition: Any, params: dict[str, Any]) -> None:
    """Check AwsVpcConfiguration for a `definition` (moto's TaskDefinition)."""
    network = (params.get("networkConfiguration") or {}).get("awsvpcConfiguration")
    if definition.network_mode != "awsvpc":
        return
    if not network:
        raise invalid_parameter(
            "Network Configuration must be provided when networkMode 'awsvpc' is specified."
        )
    check_items("subnets", network["subnets"], 16)
    check_items("securityGroups", network.get("securityGroups"), 5)
    if not network["subnets"]:
        raise invalid_parameter("subnets can not be empty.")
    vpcs = _vpcs_of_subnets(cloud, region, network["subnets"])
    _check_groups(cloud, region, network.get("securityGroups") or [], vpcs)


@behaves("ecs.subnet-unknown", "ecs.subnets-of-two-vpcs")
def _vpcs_of_subnets(cloud: Cloud, region: str, subnets: list[str]) -> set[str]:
    vpc_ids = {
        subnet.id: subnet.vpc_id
        for zone in cloud.ec2.backend(region).subnets.values()
        for subnet in zone.values()
    }
    for subnet in subnets:
        if subnet not in vpc_ids:
            raise invalid_parameter(
                f"Error retrieving subnet information for [{subnet}]: The subnet ID '{subnet}' does "
                "not exist (ErrorCode: InvalidSubnetID.NotFound)"
            )
    vpcs = {vpc_ids[subnet] for subnet in subnets}
    if len(vpcs) > 1:
        raise invalid_parameter("subnets must all belong to the same VPC.")
    return vpcs


@behaves("ecs.security-group-unknown", "ecs.security-group-of-another-vpc")
def _check_groups(cloud: Cloud, region: str, groups: list[str], vpcs: set[str]) -> None:
    for group_id in groups:
        group = cloud.ec2.backend(region).get_security_group_from_id(group_id)
        if group is None:
            raise invalid_parameter(
                f"Error retrieving security group information for [{group_id}]: The security group "
                f"'{group_id}' does not exist (ErrorCode: InvalidGroup.NotFound)"
            )
        if group.vpc_id not in vpcs:
            raise invalid_parameter(
                f"The security group {group_id} does not belong to the VPC of the subnets, "
                f"{', '.join(vpcs)}."
            )


@behaves("ecs.platform-version-unknown")
def check_platform(params: dict[str, Any]) -> None:
    """Check platformVersion (API CreateService, RunTask)."""
    if params.get("platformVersion") not in (None, *_PLATFORMS):
        raise AwsError("PlatformUnknownException", "The specified platform version does not exist.")
