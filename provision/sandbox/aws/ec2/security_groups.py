"""EC2: checks of security groups."""

import re
from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ec2.errors import invalid_value
from provision.sandbox.aws.rules import Answer, before

# API CreateSecurityGroup, GroupName and GroupDescription; API IpRange, Description.
DESCRIPTION_CHARACTERS = re.compile(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]*")
DESCRIPTION_MESSAGE = (
    "Valid descriptions are strings less than 256 characters from the following set: "
    "a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"
)


@behaves(
    "ec2.group-name", "ec2.group-description", "ec2.group-in-unknown-vpc", "ec2.group-duplicate"
)
@before("ec2", "CreateSecurityGroup")
def check_new_group(cloud: Cloud, call: Call) -> None:
    """Check a new group's name, description and VPC (API CreateSecurityGroup)."""
    for parameter, key in (("GroupName", "GroupName"), ("GroupDescription", "Description")):
        value = call.params.get(key, "")
        problem = ""
        if not value.isascii():
            problem = "Character sets beyond ASCII are not supported."
        elif len(value) > 255 or not DESCRIPTION_CHARACTERS.fullmatch(value):
            problem = DESCRIPTION_MESSAGE
        elif key == "GroupName" and value.startswith("sg-"):
            problem = "Group names may not be in the format sg-*."
        if problem:
            raise invalid_value(f"Value ({value}) for parameter {parameter} is invalid. {problem}")
    vpc_id = call.params.get("VpcId")
    if vpc_id and vpc_id not in cloud.ec2.backend(call.region).vpcs:
        raise AwsError("InvalidVpcID.NotFound", f"The vpc ID '{vpc_id}' does not exist")


@behaves("ec2.groups-for-vpc")
@before("ec2", "GetSecurityGroupsForVpc")
def list_groups_for_vpc(cloud: Cloud, call: Call) -> Answer:
    """Return a VPC's groups, on one page (API GetSecurityGroupsForVpc)."""
    backend, vpc_id = cloud.ec2.backend(call.region), call.params["VpcId"]
    if vpc_id not in backend.vpcs:
        raise AwsError("InvalidVpcID.NotFound", f"The vpc ID '{vpc_id}' does not exist")
    groups = [
        {
            "GroupId": group.id,
            "GroupName": group.name,
            "Description": group.description,
            "OwnerId": group.owner_id,
            "PrimaryVpcId": vpc_id,
            "Tags": [{"Key": tag["key"], "Value": tag["value"]} for tag in group.get_tags()],
        }
        for group in backend.groups[vpc_id].values()
    ]
    return {"SecurityGroupForVpcs": groups}


@behaves(
    "ec2.default-group-stays",
    "ec2.malformed-group-id",
    "ec2.group-of-an-interface",
    "ec2.group-named-by-a-rule",
)
@before("ec2", "DeleteSecurityGroup")
def check_group_unused(cloud: Cloud, call: Call) -> None:
    """Refuse while an interface or another group's rule uses the group (API DeleteSecurityGroup)."""
    backend = cloud.ec2.backend(call.region)
    group_id = call.params.get("GroupId", "")
    if group_id and not group_id.startswith("sg-"):
        raise AwsError("InvalidGroupId.Malformed", f'Invalid id: "{group_id}" (expecting "sg-...")')
    group = backend.get_security_group_from_id(group_id)
    if group is None:
        return
    if group.is_default:
        raise AwsError(
            "CannotDelete",
            f'the specified group: "{group_id}" name: "default" cannot be deleted by a user',
        )
    used = any(
        group_id in (member.id for member in interface.group_set)
        for interface in backend.enis.values()
    )
    groups = [group for groups in backend.groups.values() for group in groups.values()]
    if used or any(_refers(other, group_id) for other in groups if other is not group):
        raise AwsError("DependencyViolation", f"resource {group_id} has a dependent object")


@behaves("ec2.unknown-group")
@before("ec2", "DescribeSecurityGroups")
def check_group_ids(cloud: Cloud, call: Call) -> None:
    """Refuse unknown group ids one by one (API DescribeSecurityGroups); moto's message is a Python set."""
    backend = cloud.ec2.backend(call.region)
    for group_id in call.params.get("GroupIds", []):
        if backend.get_security_group_from_id(group_id) is None:
            raise AwsError(
                "InvalidGroup.NotFound", f"The security group '{group_id}' does not exist"
            )


def _refers(group: Any, group_id: str) -> bool:
    rules = [*group.ingress_rules, *group.egress_rules]
    return any(rule.source_group and rule.source_group["GroupId"] == group_id for rule in rules)
