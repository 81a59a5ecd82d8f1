"""Elastic Load Balancing: checks of listener rules."""

import re
from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.elbv2.actions import check_actions
from provision.sandbox.aws.elbv2.errors import validation_error
from provision.sandbox.aws.rules import before

_MAX_CONDITION_VALUES = 5  # per rule: User Guide, quotas for Application Load Balancers
# API CreateRule, Conditions.
_ALPHABETS = {"host-header": r"[A-Za-z0-9.*?-]+", "path-pattern": r"[A-Za-z0-9_\-.$/~\"'@:+&*?]+"}


@behaves("elbv2.priority-in-use")
@before("elbv2", "CreateRule")
def check_new_rule(cloud: Cloud, call: Call) -> None:
    """Require a free priority, conditions within quotas, one routing action (API CreateRule)."""
    found = cloud.elbv2.listener(call.region, call.params["ListenerArn"])
    if found is None:
        return
    load_balancer, listener = found
    _check_conditions(call.params["Conditions"])
    check_actions(cloud, call.params["Actions"], load_balancer.arn)
    if call.params["Priority"] in {rule.priority for rule in listener.rules.values()}:
        raise AwsError("PriorityInUse", f"Priority '{call.params['Priority']}' is currently in use")


@before("elbv2", "ModifyRule")
def check_changed_rule(cloud: Cloud, call: Call) -> None:
    """Check the conditions as for a new rule (API ModifyRule)."""
    rule_path = call.params["RuleArn"].replace(":listener-rule/", ":loadbalancer/")
    if "Conditions" in call.params:
        _check_conditions(call.params["Conditions"])
    if "Actions" in call.params:
        check_actions(cloud, call.params["Actions"], rule_path.rsplit("/", 2)[0])


@behaves("elbv2.rule-without-condition", "elbv2.condition-values", "elbv2.condition-alphabet")
def _check_conditions(conditions: list[dict[str, Any]]) -> None:
    if not conditions:
        raise validation_error("A condition must be specified")
    count = 0
    for condition in conditions:
        config: dict[str, Any] = next(
            (value for name, value in condition.items() if name.endswith("Config")), {}
        )
        values = [*condition.get("Values", []), *config.get("Values", [])]
        count += len(values)
        alphabet = _ALPHABETS.get(condition.get("Field", ""))
        for value in values:
            if alphabet and not re.fullmatch(alphabet, value):
                raise validation_error(
                    f"The {condition['Field']} value '{value}' contains characters that are not "
                    "valid"
                )
    if count > _MAX_CONDITION_VALUES:
        raise validation_error(f"A rule can only have '{_MAX_CONDITION_VALUES}' condition values")


@behaves("elbv2.default-rule-stays")
@before("elbv2", "DeleteRule")
def check_rule_deletion(cloud: Cloud, call: Call) -> None:
    """Refuse to delete the default rule (API DeleteRule)."""
    rule = _rules(cloud, call.region).get(call.params["RuleArn"])
    if rule is not None and rule.is_default:
        raise AwsError("OperationNotPermitted", f"Default rule '{rule.arn}' cannot be deleted")


def _rules(cloud: Cloud, region: str) -> dict[str, Any]:
    """Return moto's rules of every listener in the region."""
    return {
        rule.arn: rule
        for load_balancer in cloud.backend("elbv2", region).load_balancers.values()
        for listener in load_balancer.listeners.values()
        for rule in listener.rules.values()
    }
