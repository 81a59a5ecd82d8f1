"""The repository of the bot's images: made, adopted, healed, taken away with its images."""

import json
from typing import Any

from provision.stackfile import StackFile
from tests.provision.conftest import WHOLE, Desk

OCI = "application/vnd.oci.image.manifest.v1+json"
MANIFEST = json.dumps({"schemaVersion": 2, "mediaType": OCI, "config": {}, "layers": []})


def only(desk: Desk) -> dict[str, Any]:
    """The one repository."""
    (found,) = desk.cable.client("ecr").describe_repositories()["repositories"]
    return dict(found)


def test_repository_of_our_own(desk: Desk) -> None:
    """Scan on push, the newest hundred, tagged; changes by hand are healed; images go with it."""
    desk.setup()
    ecr = desk.cable.client("ecr")
    assert {"scanOnPush": True} == only(desk)["imageScanningConfiguration"]
    ecr.put_image_scanning_configuration(
        repositoryName="news-bot", imageScanningConfiguration={"scanOnPush": False}
    )
    ecr.delete_lifecycle_policy(repositoryName="news-bot")
    desk.changes()
    desk.setup()
    assert ["PutImageScanningConfiguration", "PutLifecyclePolicy"] == desk.changes()
    text = ecr.get_lifecycle_policy(repositoryName="news-bot")["lifecyclePolicyText"]
    assert 100 == json.loads(text)["rules"][0]["selection"]["countNumber"]
    ecr.put_image(repositoryName="news-bot", imageManifest=MANIFEST, imageTag="1")
    assert WHOLE == desk.inventory()
    desk.teardown()
    assert {} == desk.inventory()


def test_repository_that_was_there_is_adopted(desk: Desk) -> None:
    """Neither scanning nor lifecycle is changed, and its images outlive --everything."""
    ecr = desk.cable.client("ecr")
    ecr.create_repository(repositoryName="news-bot")
    ecr.put_image(repositoryName="news-bot", imageManifest=MANIFEST, imageTag="1")
    before = only(desk)
    desk.setup()
    assert "adopted" == StackFile(desk.path).records["repository/news-bot"].state
    gone = desk.teardown(everything=True)
    assert "repository/news-bot" in gone.kept
    assert before == only(desk)
    assert 1 == len(ecr.list_images(repositoryName="news-bot")["imageIds"])
    assert [] == ecr.list_tags_for_resource(resourceArn=before["repositoryArn"])["tags"]
