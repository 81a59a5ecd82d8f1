"""EC2: changes of security group rules."""

from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ec2.errors import invalid_value
from provision.sandbox.aws.rules import Answer, after, before


@behaves("ec2.rule-keeps-its-kind")
@before("ec2", "ModifySecurityGroupRules")
def check_kind(cloud: Cloud, call: Call) -> None:
    """Refuse to change the type of a rule's source (API ModifySecurityGroupRules)."""
    for rule, wanted in _changes(cloud, call):
        known = "ReferencedGroupId" if rule.source_group else "CidrIpv4"
        for given in ("ReferencedGroupId", "CidrIpv4"):
            if wanted.get(given) and (rule.source_group or rule.cidr_ipv4) and given != known:
                raise invalid_value(
                    f"Invalid rule type for security group rule '{rule.id}'. You may not specify {given} "
                    f"for an existing {'referenced group' if rule.source_group else 'IPv4 CIDR'} rule."
                )


@behaves("ec2.rule-of-another-group")
@after("ec2", "ModifySecurityGroupRules")
def set_source_group(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Set the new source group; moto changes only ports and ranges."""
    for rule, wanted in _changes(cloud, call):
        if group := wanted.get("ReferencedGroupId"):
            rule.source_group = {**rule.source_group, "GroupId": group}


def _changes(cloud: Cloud, call: Call) -> list[tuple[Any, dict[str, Any]]]:
    """Return moto's rules that the call names, each with its new values."""
    owner = cloud.ec2.backend(call.region).get_security_group_from_id(call.params["GroupId"])
    given = {
        each["SecurityGroupRuleId"]: each.get("SecurityGroupRule", {})
        for each in call.params.get("SecurityGroupRules", [])
    }
    rules = (
        [(owner.get_rule(rule_id), wanted) for rule_id, wanted in given.items()] if owner else []
    )
    return [(rule, wanted) for rule, wanted in rules if rule is not None]
