"""ECR: checks of lifecycle policies."""

import json
from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.rules import before

# ECR User Guide, "Lifecycle policy properties".
_STATUSES = ("tagged", "untagged", "any")
_COUNTS = ("imageCountMoreThan", "sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned")


@behaves("ecr.lifecycle-policy-invalid")
@before("ecr", "PutLifecyclePolicy")
def check_policy(cloud: Cloud, call: Call) -> None:
    """Refuse an invalid policy (API PutLifecyclePolicy, InvalidParameterException)."""
    try:
        policy = json.loads(call.params["lifecyclePolicyText"])
        rules = list(policy["rules"])
        priorities = [rule["rulePriority"] for rule in rules]
        valid = all(_is_rule(rule) for rule in rules) and len(set(priorities)) == len(rules)
        last = [r["rulePriority"] for r in rules if r["selection"]["tagStatus"] == "any"]
        valid = bool(rules) and valid and (not last or last == [max(priorities)])
    except (ValueError, KeyError, TypeError):
        valid = False
    if not valid:
        raise AwsError(
            "InvalidParameterException",
            "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle "
            "policy validation failure'",
        )


def _is_rule(rule: dict[str, Any]) -> bool:
    selection, count = rule["selection"], rule["selection"]["countNumber"]
    counted = selection["countType"] == "imageCountMoreThan"
    named = any(selection.get(key) for key in ("tagPrefixList", "tagPatternList"))
    return (
        selection["tagStatus"] in _STATUSES
        and selection["countType"] in _COUNTS
        and isinstance(count, int)
        and count > 0
        and counted != (selection.get("countUnit") == "days")
        and named == (selection["tagStatus"] == "tagged")
        and rule["action"]["type"] in ("expire", "transition")
    )
