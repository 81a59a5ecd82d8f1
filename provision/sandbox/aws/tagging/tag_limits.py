"""Limits of tags. Those of ACM are in moto and constraints.py."""

from typing import Any

from moto.core.exceptions import ServiceException
from moto.resourcegroupstaggingapi.models import ResourceGroupsTaggingAPIBackend

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.rules import Answer, before

_MAX_TAGS = 50
_RESERVED = "aws:"
# EC2's create operations -> the ResourceType of their TagSpecifications.
_TAGGABLE = {
    "CreateVpc": "vpc",
    "CreateSubnet": "subnet",
    "CreateRouteTable": "route-table",
    "CreateInternetGateway": "internet-gateway",
    "CreateSecurityGroup": "security-group",
    "CreateNetworkInterface": "network-interface",
}


@behaves("elbv2.duplicate-tag-key", "elbv2.reserved-tag-key", "elbv2.tag-length")
@before("elbv2", "CreateLoadBalancer", "CreateTargetGroup", "CreateListener", "CreateRule")
def check_tags_at_creation(cloud: Cloud, call: Call) -> None:
    """Check keys and number of tags (API Tag); constraints.py checks lengths."""
    tags = call.params.get("Tags", [])
    keys = [tag["Key"] for tag in tags]
    if len(set(keys)) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise AwsError("DuplicateTagKeys", f"Tag key was specified more than once: {twice}")
    if any(key.startswith(_RESERVED) for key in keys):
        raise AwsError(
            "ValidationError", "aws: prefixed tag key names are not allowed for external use."
        )
    _check_count(set(keys))


@behaves("elbv2.too-many-tags")
@before("elbv2", "AddTags")
def add_tags(cloud: Cloud, call: Call) -> Answer | None:
    """Add tags instead of moto, whose limit is ten (API AddTags)."""
    check_tags_at_creation(cloud, call)
    backend = cloud.backend("elbv2", call.region)
    arns, keys = call.params["ResourceArns"], {tag["Key"] for tag in call.params["Tags"]}
    try:
        for arn in arns:
            backend._get_resource_by_arn(arn)
            _check_count(keys | set(backend.tagging_service.get_tag_dict_for_resource(arn)))
    except ServiceException:
        return None  # moto's error names the missing one
    for arn in arns:
        backend.tagging_service.tag_resource(arn, call.params["Tags"])
    return {}


def _check_count(keys: set[str]) -> None:
    if len(keys) > _MAX_TAGS:
        raise AwsError("TooManyTags", "You've reached the limit on the number of tags per resource")


@behaves("ec2.reserved-tag-key", "ec2.tag-length", "ec2.too-many-tags")
@before("ec2", "CreateTags")
def check_network_tags(cloud: Cloud, call: Call) -> None:
    """Check tags (User Guide, Tag restrictions); moto checks their number."""
    _check_network_tags(call.params["Tags"])


@behaves("ec2.tags-of-another-type")
@before("ec2", *_TAGGABLE)
def check_network_tags_at_creation(cloud: Cloud, call: Call) -> None:
    """Check tags at creation (API TagSpecification)."""
    for specification in call.params.get("TagSpecifications", []):
        resource_type = specification.get("ResourceType")
        if resource_type != _TAGGABLE[call.operation]:
            raise AwsError(
                "InvalidParameterValue",
                f"'{resource_type}' is not a valid taggable resource type for this operation.",
            )
        _check_network_tags(specification.get("Tags", []))


def _check_network_tags(tags: list[dict[str, Any]]) -> None:
    seen: set[str] = set()
    for tag in tags:
        key, value = tag.get("Key", ""), tag.get("Value", "")
        for problem, wrong in (
            ("Tag keys starting with 'aws:' are reserved for internal use", key[:4] == _RESERVED),
            ("Tag key exceeds the maximum length of 128 characters", len(key) > 128),
            ("Tag value exceeds the maximum length of 256 characters", len(value) > 256),
            (f"Duplicate tag key '{key}' specified.", key in seen),
        ):
            if wrong:
                raise AwsError("InvalidParameterValue", problem)
        seen.add(key)


@behaves("route53.too-many-tags")
@before("route53", "ChangeTagsForResource")
def check_zone_tags(cloud: Cloud, call: Call) -> None:
    """Check keys and total of a zone's tags; constraints.py checks those of a call."""
    current = set(cloud.backend("route53").resource_tags.get(call.params["ResourceId"], {}))
    current -= set(call.params.get("RemoveTagKeys", []))
    added = {tag.get("Key", "") for tag in call.params.get("AddTags", [])}
    if any(key.startswith(_RESERVED) for key in added):
        raise AwsError("InvalidInput", "Tag keys starting with 'aws:' are reserved.")
    if len(current | added) > 10:
        raise AwsError("InvalidInput", "The number of tags exceeds the limit of 10 per resource.")


behaves("tagging.omits", "tagging.lists-what-is-gone")(
    ResourceGroupsTaggingAPIBackend.get_resources
)
