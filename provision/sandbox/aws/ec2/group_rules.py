"""EC2: checks and changes of security group rules."""

import re
from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ec2.errors import invalid_value
from provision.sandbox.aws.ec2.security_groups import DESCRIPTION_CHARACTERS, DESCRIPTION_MESSAGE
from provision.sandbox.aws.rules import Answer, after, before

_WITH_PORTS = {"tcp", "udp", "6", "17"}
_PROTOCOLS = {"icmp", "icmpv6", *_WITH_PORTS}


@behaves("ec2.rule-duplicate", "ec2.rule-of-another-network", "ec2.revoke-unknown-rule")
@before("ec2", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress")
def check_rule(cloud: Cloud, call: Call) -> None:
    """Check ports, descriptions, and groups of the same VPC (API AuthorizeSecurityGroupIngress)."""
    backend = cloud.ec2.backend(call.region)
    owner = backend.get_security_group_from_id(call.params.get("GroupId", ""))
    for permission in call.params.get("IpPermissions", []):
        _check_ports(permission)
        _check_descriptions(permission)
        for pair in permission.get("UserIdGroupPairs", []):
            other = backend.get_security_group_from_id(pair.get("GroupId", ""))
            if owner is not None and other is not None and owner.vpc_id != other.vpc_id:
                raise AwsError(
                    "InvalidGroup.NotFound",
                    "You have specified two resources that belong to different networks.",
                )


@behaves("ec2.rule-ports", "ec2.rule-protocol")
def _check_ports(permission: dict[str, Any]) -> None:
    protocol = str(permission.get("IpProtocol", "")).lower()
    if protocol not in _PROTOCOLS and not re.fullmatch(r"-1|\d{1,3}", protocol):
        raise invalid_value(f"Invalid value '{protocol}' for IP protocol. Unknown protocol.")
    if protocol not in _WITH_PORTS:
        return
    low, high = permission.get("FromPort"), permission.get("ToPort")
    if low is None or high is None:
        raise invalid_value(
            "Invalid value for portRange. Must specify both from and to ports with TCP/UDP."
        )
    for port in (low, high):
        if not 0 <= int(port) <= 65535:
            raise invalid_value(f"Invalid value '{port}' for port. Out of range.")
    if int(low) > int(high):
        raise invalid_value(f"Invalid port range '{low}-{high}': from port above to port.")


@behaves("ec2.rule-description")
def _check_descriptions(permission: dict[str, Any]) -> None:
    for kind in ("IpRanges", "Ipv6Ranges", "UserIdGroupPairs", "PrefixListIds"):
        for source in permission.get(kind, []):
            text = source.get("Description", "")
            if len(text) > 255 or not DESCRIPTION_CHARACTERS.fullmatch(text):
                raise invalid_value(f"Invalid rule description. {DESCRIPTION_MESSAGE}")


@behaves("ec2.rule-keeps-its-kind")
@before("ec2", "ModifySecurityGroupRules")
def check_kind(cloud: Cloud, call: Call) -> None:
    """Refuse to change the type of a rule's source (API ModifySecurityGroupRules)."""
    for rule, new_values in _changes(cloud, call):
        source_type = "ReferencedGroupId" if rule.source_group else "CidrIpv4"
        for new_type in ("ReferencedGroupId", "CidrIpv4"):
            if (
                new_values.get(new_type)
                and (rule.source_group or rule.cidr_ipv4)
                and new_type != source_type
            ):
                raise invalid_value(
                    f"Invalid rule type for security group rule '{rule.id}'. You may not specify {new_type} "
                    f"for an existing {'referenced group' if rule.source_group else 'IPv4 CIDR'} rule."
                )


@behaves("ec2.rule-of-another-group")
@after("ec2", "ModifySecurityGroupRules")
def set_source_group(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Set the new source group; moto changes only ports and ranges."""
    for rule, new_values in _changes(cloud, call):
        if group := new_values.get("ReferencedGroupId"):
            rule.source_group = {**rule.source_group, "GroupId": group}


def _changes(cloud: Cloud, call: Call) -> list[tuple[Any, dict[str, Any]]]:
    """Return moto's rules that the call names, each with its new values."""
    owner = cloud.ec2.backend(call.region).get_security_group_from_id(call.params["GroupId"])
    changes = {
        each["SecurityGroupRuleId"]: each.get("SecurityGroupRule", {})
        for each in call.params.get("SecurityGroupRules", [])
    }
    rules = (
        [(owner.get_rule(rule_id), new_values) for rule_id, new_values in changes.items()]
        if owner
        else []
    )
    return [(rule, new_values) for rule, new_values in rules if rule is not None]
