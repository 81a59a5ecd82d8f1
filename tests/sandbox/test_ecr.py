"""ECR: repositories that are not empty, and lifecycle policies that are none."""

import copy
import json
from typing import Any

import pytest

from tests.sandbox.conftest import Account

OCI = "application/vnd.oci.image.manifest.v1+json"
RULE: dict[str, Any] = {
    "rulePriority": 1,
    "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 10},
    "action": {"type": "expire"},
}


def test_not_empty(account: Account) -> None:
    """A repository with an image goes by force only."""
    ecr = account.client("ecr")
    ecr.create_repository(repositoryName="bot")
    manifest = json.dumps({"schemaVersion": 2, "mediaType": OCI, "config": {}, "layers": []})
    ecr.put_image(repositoryName="bot", imageManifest=manifest, imageTag="1")
    refused = account.refusal(ecr.delete_repository, repositoryName="bot")
    assert ("RepositoryNotEmptyException", 400) == refused[:2]
    ecr.delete_repository(repositoryName="bot", force=True)
    assert [] == ecr.describe_repositories()["repositories"]


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        ("selection", "tagStatus", "all"),
        ("selection", "countType", "imagesMoreThan"),
        ("selection", "countNumber", 0),
        ("selection", "countUnit", "days"),
        ("selection", "tagPrefixList", ["v"]),
        ("action", "type", "delete"),
    ],
)
def test_policy_that_is_none(account: Account, part: str, key: str, value: Any) -> None:
    """InvalidParameterException; the right one is kept."""
    ecr = account.client("ecr")
    ecr.create_repository(repositoryName="bot")
    rule = copy.deepcopy(RULE)
    rule[part][key] = value
    for rules in ([rule], [RULE, RULE], []):
        text = json.dumps({"rules": rules}).ljust(100)
        refused = account.refusal(
            ecr.put_lifecycle_policy, repositoryName="bot", lifecyclePolicyText=text
        )
        assert ("InvalidParameterException", 400) == refused[:2]
    text = json.dumps({"rules": [RULE]}).ljust(100)
    ecr.put_lifecycle_policy(repositoryName="bot", lifecyclePolicyText=text)
    assert text == ecr.get_lifecycle_policy(repositoryName="bot")["lifecyclePolicyText"]
