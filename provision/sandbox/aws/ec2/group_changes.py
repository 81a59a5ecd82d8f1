"""EC2: what changing a security group's rule refuses, and what it changes."""

from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import Call, Refusal
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.rules import Answer, after, before


@behaves(
    "ec2.rule-keeps-its-kind",
    "a rule for a range of addresses does not become one for a group, nor the other way round",
    "InvalidParameterValue 400, 'Invalid rule type for security group rule ...'",
    "EC2 User Guide, Update security group rules; moto's words for CidrIpv6",
)
@before("ec2", "ModifySecurityGroupRules")
def rule_keeps_its_kind(cloud: Cloud, call: Call) -> None:
    """API ModifySecurityGroupRules: what a rule lets in is another one of its kind."""
    for rule, wanted in _changes(cloud, call):
        known = "ReferencedGroupId" if rule.source_group else "CidrIpv4"
        for given in ("ReferencedGroupId", "CidrIpv4"):
            if wanted.get(given) and (rule.source_group or rule.cidr_ipv4) and given != known:
                raise Refusal(
                    "InvalidParameterValue",
                    f"Invalid rule type for security group rule '{rule.id}'. You may not specify {given} "
                    f"for an existing {'referenced group' if rule.source_group else 'IPv4 CIDR'} rule.",
                )


@behaves(
    "ec2.rule-of-another-group",
    "the group that a rule lets in can be changed",
    "the rule with the other ReferencedGroupId",
    "EC2 API Reference, ModifySecurityGroupRules, SecurityGroupRuleRequest",
)
@after("ec2", "ModifySecurityGroupRules")
def another_group(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Moto changes ports and ranges only."""
    for rule, wanted in _changes(cloud, call):
        if group := wanted.get("ReferencedGroupId"):
            rule.source_group = {**rule.source_group, "GroupId": group}


def _changes(cloud: Cloud, call: Call) -> list[tuple[Any, dict[str, Any]]]:
    """The rules that the call names, as moto keeps them, each with what is wanted of it."""
    owner = cloud.ec2.backend(call.region).get_security_group_from_id(call.params["GroupId"])
    given = {
        each["SecurityGroupRuleId"]: each.get("SecurityGroupRule", {})
        for each in call.params.get("SecurityGroupRules", [])
    }
    rules = [(owner.get_rule(id), wanted) for id, wanted in given.items()] if owner else []
    return [(rule, wanted) for rule, wanted in rules if rule is not None]
