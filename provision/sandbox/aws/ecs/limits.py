"""ECS: limits of names, tags and lists."""

import re
from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ecs.errors import client_error, invalid_parameter
from provision.sandbox.aws.rules import before

_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_STARTED_BY = re.compile(r"[A-Za-z0-9_/-]{1,128}")
_TAG = re.compile(r"[\w\s.:/=+@-]*")
_TAGS = 50


def _bad_name(name: str) -> bool:
    return _NAME.fullmatch(name) is None


@behaves("ecs.cluster-name")
@before("ecs", "CreateCluster")
def check_cluster_name(cloud: Cloud, call: Call) -> None:
    """Check clusterName (API CreateCluster)."""
    if _bad_name(call.params.get("clusterName") or "default"):
        raise invalid_parameter(
            "Invalid cluster name: it contains invalid characters or is too long."
        )
    check_tags(call.params.get("tags") or [])


@behaves("ecs.service-name")
@before("ecs", "CreateService")
def check_service_name(cloud: Cloud, call: Call) -> None:
    """Check serviceName (API CreateService)."""
    if _bad_name(call.params["serviceName"]):
        raise invalid_parameter(
            "Invalid service name: it contains invalid characters or is too long."
        )
    check_tags(call.params.get("tags") or [])


@behaves("ecs.family-name", "ecs.container-name")
@before("ecs", "RegisterTaskDefinition")
def check_definition_names(cloud: Cloud, call: Call) -> None:
    """Check the family's and the containers' names (API RegisterTaskDefinition)."""
    if _bad_name(call.params["family"]):
        raise client_error("Family contains invalid characters.")
    names = [container.get("name", "") for container in call.params["containerDefinitions"]]
    if any(map(_bad_name, names)) or len(set(names)) < len(names):
        raise client_error("Container.name contains invalid characters.")
    check_tags(call.params.get("tags") or [])


def check_started_by(started_by: str | None) -> None:
    """Check startedBy (API RunTask)."""
    if started_by is not None and _STARTED_BY.fullmatch(started_by) is None:
        raise invalid_parameter(
            "startedBy contains invalid characters or is longer than 128 characters."
        )


@behaves("ecs.tags-too-many", "ecs.tag-key-reserved", "ecs.tag-alphabet")
def check_tags(tags: list[dict[str, Any]]) -> None:
    """Check tags (API Tag)."""
    if len(tags) > _TAGS:
        raise invalid_parameter(f"The number of tags exceeds the limit of {_TAGS}.")
    keys = [tag.get("key", "") for tag in tags]
    if any(key.lower().startswith("aws:") for key in keys):
        raise invalid_parameter("Tag keys beginning with 'aws:' are reserved for internal use.")
    if len(set(keys)) < len(keys):
        raise invalid_parameter("Duplicate tag keys found. Tag keys must be unique.")
    for tag in tags:
        key, value = tag.get("key", ""), tag.get("value", "")
        if not 1 <= len(key) <= 128 or len(value) > 256:
            raise invalid_parameter("A tag's key has 1 to 128 characters, its value up to 256.")
        if not (_TAG.fullmatch(key) and _TAG.fullmatch(value)):
            raise invalid_parameter(
                "Some tags contain invalid characters. Valid characters: UTF-8 letters, spaces, "
                "numbers and _ . / = + - : @."
            )


def check_items(name: str, items: list[Any] | None, maximum: int) -> None:
    """Refuse a list that is too long."""
    if len(items or []) > maximum:
        raise invalid_parameter(f"{name} can have at most {maximum} items.")
