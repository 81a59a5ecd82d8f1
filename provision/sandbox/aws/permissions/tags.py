"""The tags of a resource, for the condition keys aws:ResourceTag/... and SERVICE:ResourceTag/...."""

from collections.abc import Callable
from typing import Any

from provision.sandbox.aws.cloud import Cloud

Read = Callable[[Cloud, Any, str, str], Any]  # (cloud, moto's backend, ARN, name at the ARN's end)

_BOTOCORE = {"elasticloadbalancing": "elbv2"}


def _tagger(cloud: Cloud, backend: Any, arn: str, name: str) -> Any:
    return backend.tagger.get_tag_dict_for_resource(arn)


def _ecs(cloud: Cloud, backend: Any, arn: str, name: str) -> Any:
    if ":cluster/" in arn:
        return getattr(backend.clusters.get(name), "tags", None)
    service = next((s for s in cloud.ecs.services.values() if s.arn == arn), None)
    return service.params.get("tags") if service else None


def _iam(cloud: Cloud, backend: Any, arn: str, name: str) -> Any:
    entity = cloud.iam.role(arn) if ":role/" in arn else backend.users.get(name)
    return getattr(entity, "tags", None)


_READ: dict[str, Read] = {
    "acm": lambda cloud, backend, arn, name: getattr(backend._certificates.get(arn), "tags", None),
    "ec2": lambda cloud, backend, arn, name: backend.tags.get(name),
    "ecr": _tagger,
    "ecs": _ecs,
    "elasticloadbalancing": lambda cloud, backend, arn, name: (
        backend.tagging_service.get_tag_dict_for_resource(arn)
    ),
    "iam": _iam,
    "logs": _tagger,
    "route53": lambda cloud, backend, arn, name: backend.resource_tags.get(name),
    "s3": _tagger,
    "scheduler": _tagger,
    "ssm": lambda cloud, backend, arn, name: backend._resource_tags["Parameter"].get(
        arn.partition(":parameter/")[2]
    ),
    "wafv2": lambda cloud, backend, arn, name: backend.tagging_service.get_tag_dict_for_resource(
        arn
    ),
}


def resource_tags(cloud: Cloud, arn: str) -> dict[str, str]:
    """Return the condition keys for the tags of a resource; {} if it does not exist."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[2] not in _READ or "*" in arn:
        return {}
    service = parts[2]
    backend = cloud.backend(_BOTOCORE.get(service, service), parts[3])
    found = _READ[service](cloud, backend, arn, parts[5].rpartition("/")[2]) or {}
    if isinstance(found, list):
        found = {t.get("Key") or t.get("key"): t.get("Value") or t.get("value") for t in found}
    tags = {}
    for key, value in found.items():
        for prefix in ("aws", service):
            tags[f"{prefix}:resourcetag/{str(key).lower()}"] = str(value)
    return tags
