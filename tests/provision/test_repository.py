"""The repository of the bot's images: created, adopted, updated, deleted with its images."""

import json
from typing import Any

from provision.state.stack_file import StackFile
from tests.provision.conftest import WHOLE, Env

OCI = "application/vnd.oci.image.manifest.v1+json"
MANIFEST = json.dumps({"schemaVersion": 2, "mediaType": OCI, "config": {}, "layers": []})


def describe_repository(env: Env) -> dict[str, Any]:
    """Return the only repository."""
    (found,) = env.aws_session.client("ecr").describe_repositories()["repositories"]
    return dict(found)


def test_new_repository(env: Env) -> None:
    """Scan on push and the newest hundred; changes by hand are reverted; it is deleted with its images."""
    env.setup()
    ecr = env.aws_session.client("ecr")
    assert {"scanOnPush": True} == describe_repository(env)["imageScanningConfiguration"]
    ecr.put_image_scanning_configuration(
        repositoryName="news-bot", imageScanningConfiguration={"scanOnPush": False}
    )
    ecr.delete_lifecycle_policy(repositoryName="news-bot")
    env.changes()
    env.setup()
    assert ["PutImageScanningConfiguration", "PutLifecyclePolicy"] == env.changes()
    text = ecr.get_lifecycle_policy(repositoryName="news-bot")["lifecyclePolicyText"]
    assert 100 == json.loads(text)["rules"][0]["selection"]["countNumber"]
    ecr.put_image(repositoryName="news-bot", imageManifest=MANIFEST, imageTag="1")
    assert WHOLE == env.inventory()
    env.teardown()
    assert {} == env.inventory()


def test_existing_repository_is_adopted(env: Env) -> None:
    """Neither scanning nor lifecycle policy is changed, and its images survive --everything."""
    ecr = env.aws_session.client("ecr")
    ecr.create_repository(repositoryName="news-bot")
    ecr.put_image(repositoryName="news-bot", imageManifest=MANIFEST, imageTag="1")
    before = describe_repository(env)
    env.setup()
    assert "adopted" == StackFile(env.path).records["repository/news-bot"].state
    result = env.teardown(everything=True)
    assert "repository/news-bot" in result.kept
    assert before == describe_repository(env)
    assert 1 == len(ecr.list_images(repositoryName="news-bot")["imageIds"])
    assert [] == ecr.list_tags_for_resource(resourceArn=before["repositoryArn"])["tags"]
