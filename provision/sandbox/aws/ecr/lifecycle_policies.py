"""ECR: what lifecycle policies may say, and what they do."""

import fnmatch
import json
from typing import TYPE_CHECKING, Any

from provision.sandbox.aws.calls import Call, Refusal
from provision.sandbox.aws.rules import before, behaves

if TYPE_CHECKING:
    from provision.sandbox.aws.account import Cloud

DAY = 24 * 3600.0  # seconds
# User Guide, "Lifecycle policy properties": what each part may say.
_STATUSES = ("tagged", "untagged", "any")
_COUNTS = ("imageCountMoreThan", "sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned")


@behaves(
    "ecr.lifecycle-policy-invalid",
    "a lifecycle policy whose rules contradict themselves or each other",
    "InvalidParameterException 400, ... Lifecycle policy validation failure",
    "Amazon ECR User Guide, Lifecycle policy properties in Amazon ECR",
)
@before("ecr", "PutLifecyclePolicy")
def policy_is_one(cloud: "Cloud", call: Call) -> None:
    """API PutLifecyclePolicy: InvalidParameterException."""
    try:
        policy = json.loads(call.params["lifecyclePolicyText"])
        rules = list(policy["rules"])
        priorities = [rule["rulePriority"] for rule in rules]
        right = all(_is_rule(rule) for rule in rules) and len(set(priorities)) == len(rules)
        last = [r["rulePriority"] for r in rules if r["selection"]["tagStatus"] == "any"]
        right = bool(rules) and right and (not last or last == [max(priorities)])
    except (ValueError, KeyError, TypeError):
        right = False
    if not right:
        raise Refusal(
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


@behaves(
    "ecr.lifecycle-policy-expires",
    "a lifecycle policy deletes what it matches, within a day",
    "images are gone a day later",
    "Amazon ECR User Guide, Automate the cleanup of images by using lifecycle policies",
)
def expired(policy: str, images: list[Any], now: float) -> list[Any]:
    """The images (moto's) that a policy deletes now.

    User Guide, "How lifecycle policies work": by priority; an image that a rule's tags match is no
    other rule's business any more, whether it is deleted or not.
    """
    left, gone = list(images), []
    for rule in sorted(json.loads(policy)["rules"], key=lambda rule: int(rule["rulePriority"])):
        selection = rule["selection"]
        mine = [image for image in left if _selected(selection, image.image_tags)]
        mine.sort(key=lambda image: int(image.image_pushed_at), reverse=True)
        left = [image for image in left if image not in mine]
        number = selection["countNumber"]
        if selection["countType"] == "imageCountMoreThan":
            gone += mine[number:]
        elif selection["countType"] == "sinceImagePushed":
            gone += [i for i in mine if now - i.image_pushed_at > number * DAY]
    return gone


def _selected(selection: dict[str, Any], tags: list[str]) -> bool:
    prefixes = tuple(selection.get("tagPrefixList") or ())
    patterns = selection.get("tagPatternList") or []
    match selection["tagStatus"]:
        case "untagged":
            return not tags
        case "tagged":
            fits = [any(fnmatch.fnmatchcase(tag, pattern) for tag in tags) for pattern in patterns]
            return any(tag.startswith(prefixes) for tag in tags) if prefixes else all(fits)
    return True
