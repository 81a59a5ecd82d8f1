"""ECR: repositories, images in the order of their layers, and lifecycle policies."""

import copy
import hashlib
import json
from typing import Any

import pytest

from tests.sandbox.conftest import Account

INVALID = ("InvalidParameterException", 400)
OCI = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
RULE: dict[str, Any] = {
    "rulePriority": 1,
    "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 10},
    "action": {"type": "expire"},
}
DAY = 24 * 3600


@pytest.fixture
def ecr(account: Account) -> Any:
    """Return a client, with a repository `bot`."""
    account.client("ecr").create_repository(repositoryName="bot")
    return account.client("ecr")


def sha256(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def begin(ecr: Any, blob: bytes) -> dict[str, Any]:
    """Begin an upload of one part; return the parameters of CompleteLayerUpload."""
    upload = ecr.initiate_layer_upload(repositoryName="bot")["uploadId"]
    if blob:
        ecr.upload_layer_part(
            repositoryName="bot",
            uploadId=upload,
            partFirstByte=0,
            partLastByte=len(blob) - 1,
            layerPartBlob=blob,
        )
    return {"repositoryName": "bot", "uploadId": upload, "layerDigests": [sha256(blob)]}


def manifest(*layers: bytes) -> str:
    """Return a manifest with these layers, the first being the configuration."""
    config, *others = [{"digest": sha256(layer), "size": len(layer)} for layer in layers]
    document = {"schemaVersion": 2, "mediaType": OCI, "config": config, "layers": others}
    return json.dumps(document)


def push(ecr: Any, content: str, tag: str) -> str:
    """Push an image of this content; return its digest."""
    layers = [f'{{"of": "{content}"}}'.encode(), content.encode()]
    for layer in layers:
        ecr.complete_layer_upload(**begin(ecr, layer))
    return put(ecr, manifest(*layers), tag)


def put(ecr: Any, text: str, tag: str, **more: Any) -> str:
    """Call PutImage; return the digest."""
    answer = ecr.put_image(repositoryName="bot", imageManifest=text, imageTag=tag, **more)
    return str(answer["image"]["imageId"]["imageDigest"])


def policy(ecr: Any, *rules: dict[str, Any]) -> str:
    """Call PutLifecyclePolicy with this policy, padded to a hundred characters; return its text."""
    text = json.dumps({"rules": list(rules)}).ljust(100)
    ecr.put_lifecycle_policy(repositoryName="bot", lifecyclePolicyText=text)
    return text


def tags(ecr: Any) -> list[str]:
    """Return the tags in the repository; "" for an image without any."""
    images = ecr.describe_images(repositoryName="bot")["imageDetails"]
    return sorted("".join(image.get("imageTags") or []) for image in images)


@pytest.mark.behaviour("ecr.not-empty")
def test_not_empty(account: Account, ecr: Any) -> None:
    """A repository with an image is deleted only with force."""
    push(ecr, "one", "1")
    refused = account.refusal(ecr.delete_repository, repositoryName="bot")
    assert ("RepositoryNotEmptyException", 400) == refused[:2]
    ecr.delete_repository(repositoryName="bot", force=True)
    assert [] == ecr.describe_repositories()["repositories"]


@pytest.mark.behaviour("ecr.name-used")
def test_name_in_use(account: Account, ecr: Any) -> None:
    """Names are unique."""
    refused = account.refusal(ecr.create_repository, repositoryName="bot")
    assert ("RepositoryAlreadyExistsException", 400) == refused[:2]


@pytest.mark.behaviour("ecr.name-invalid")
def test_invalid_name(account: Account, ecr: Any) -> None:
    """Lower case, with letters and digits at the ends."""
    for name in ("News", "news--/bot", "-bot", "news bot"):
        refused = account.refusal(ecr.create_repository, repositoryName=name)
        assert INVALID == refused[:2]


@pytest.mark.behaviour("ecr.too-many-tags")
def test_fifty_one_tags(account: Account, ecr: Any) -> None:
    """Fifty at most."""
    many = [{"Key": f"key{number}", "Value": ""} for number in range(51)]
    refused = account.refusal(ecr.create_repository, repositoryName="new", tags=many)
    assert ("TooManyTagsException", 400) == refused[:2]


@pytest.mark.behaviour("ecr.batch-too-long")
def test_a_hundred_and_one_images(account: Account, ecr: Any) -> None:
    """A hundred per call."""
    many = [{"imageTag": str(number)} for number in range(101)]
    refused = account.refusal(ecr.batch_get_image, repositoryName="bot", imageIds=many)
    assert INVALID == refused[:2]


def test_batch_tells_what_it_did_not_find(ecr: Any) -> None:
    """The others are deleted; a failure is in the response, not an error."""
    push(ecr, "one", "1")
    wanted = [{"imageTag": "1"}, {"imageTag": "2"}]
    answer = ecr.batch_delete_image(repositoryName="bot", imageIds=wanted)
    assert ["1"] == [image["imageTag"] for image in answer["imageIds"]]
    assert [("ImageNotFound", "2")] == [
        (failure["failureCode"], failure["imageId"]["imageTag"]) for failure in answer["failures"]
    ]


@pytest.mark.behaviour("ecr.token-lives-twelve-hours")
def test_token_for_twelve_hours(account: Account, ecr: Any) -> None:
    """The response has the registry's URL."""
    (authorization,) = ecr.get_authorization_token()["authorizationData"]
    assert 12 * 3600 == authorization["expiresAt"].timestamp() - account.clock.now()
    host = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com"
    assert f"https://{host}" == authorization["proxyEndpoint"]


@pytest.mark.behaviour("ecr.upload-empty")
def test_upload_without_parts(account: Account, ecr: Any) -> None:
    """No part was uploaded."""
    refused = account.refusal(ecr.complete_layer_upload, **begin(ecr, b""))
    assert ("EmptyUploadException", 400) == refused[:2]


@pytest.mark.behaviour("ecr.layer-digest-differs")
def test_layer_of_another_digest(account: Account, ecr: Any) -> None:
    """The content does not match the given digest."""
    upload = begin(ecr, b"a layer") | {"layerDigests": [sha256(b"another one")]}
    refused = account.refusal(ecr.complete_layer_upload, **upload)
    assert ("InvalidLayerException", 400) == refused[:2]


@pytest.mark.behaviour("ecr.layer-there-already")
def test_layer_twice(account: Account, ecr: Any) -> None:
    """BatchCheckLayerAvailability has to be called first."""
    ecr.complete_layer_upload(**begin(ecr, b"a layer"))
    refused = account.refusal(ecr.complete_layer_upload, **begin(ecr, b"a layer"))
    assert ("LayerAlreadyExistsException", 400) == refused[:2]


@pytest.mark.behaviour("ecr.repository-unknown")
def test_image_for_unknown_repository(account: Account, ecr: Any) -> None:
    """Pushing does not create a repository."""
    given = {"repositoryName": "new", "imageManifest": manifest(b"{}"), "imageTag": "1"}
    refused = account.refusal(ecr.put_image, **given)
    assert ("RepositoryNotFoundException", 400) == refused[:2]


@pytest.mark.behaviour("ecr.manifest-no-json")
def test_invalid_manifest(account: Account, ecr: Any) -> None:
    """It is not JSON."""
    refused = account.refusal(lambda: put(ecr, "bot:1", "1"))
    assert INVALID == refused[:2]


@pytest.mark.behaviour("ecr.layers-missing")
def test_image_before_its_layers(account: Account, ecr: Any) -> None:
    """The configuration is one of them."""
    ecr.complete_layer_upload(**begin(ecr, b"a layer"))
    code, status, message = account.refusal(lambda: put(ecr, manifest(b"{}", b"a layer"), "1"))
    assert ("LayersNotFoundException", 400) == (code, status)
    assert sha256(b"{}") in message
    assert sha256(b"a layer") not in message


@pytest.mark.behaviour("ecr.referenced-images-missing")
def test_index_before_its_images(account: Account, ecr: Any) -> None:
    """Each platform's image has to be pushed first."""

    def index(digest: str) -> str:
        entry = {"digest": digest, "platform": {"os": "linux", "architecture": "amd64"}}
        return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]})

    refused = account.refusal(lambda: put(ecr, index(sha256(b"nothing")), "1"))
    assert ("ReferencedImagesNotFoundException", 400) == refused[:2]
    put(ecr, index(push(ecr, "one", "amd")), "1")


@pytest.mark.behaviour("ecr.image-digest")
def test_digest_is_of_the_manifest(ecr: Any) -> None:
    """In the response, and for looking up the image."""
    digest = push(ecr, "one", "1")
    found = ecr.batch_get_image(repositoryName="bot", imageIds=[{"imageTag": "1"}])["images"][0]
    assert digest == sha256(found["imageManifest"].encode()) == found["imageId"]["imageDigest"]


@pytest.mark.behaviour("ecr.image-digest-differs")
def test_digest_of_another_manifest(account: Account, ecr: Any) -> None:
    """A digest given with the image is checked."""
    ecr.complete_layer_upload(**begin(ecr, b"{}"))
    wrong = sha256(b"another one")
    refused = account.refusal(lambda: put(ecr, manifest(b"{}"), "1", imageDigest=wrong))
    assert ("ImageDigestDoesNotMatchException", 400) == refused[:2]


@pytest.mark.behaviour("ecr.tag-immutable")
def test_immutable_tag(account: Account, ecr: Any) -> None:
    """It cannot be moved to another image."""
    mutability = {"repositoryName": "bot", "imageTagMutability": "IMMUTABLE"}
    ecr.put_image_tag_mutability(**mutability)
    push(ecr, "one", "1")
    code, status, _ = account.refusal(lambda: push(ecr, "two", "1"))
    assert ("ImageTagAlreadyExistsException", 400) == (code, status)


@pytest.mark.behaviour("ecr.moved-tag-leaves-an-untagged-image")
def test_moved_tag(ecr: Any) -> None:
    """The older image still exists, without a tag."""
    push(ecr, "one", "latest")
    push(ecr, "two", "latest")
    assert ["", "latest"] == tags(ecr)


@pytest.mark.behaviour("ecr.lifecycle-policy-invalid")
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
def test_invalid_lifecycle_policy(
    account: Account, ecr: Any, part: str, key: str, value: Any
) -> None:
    """InvalidParameterException; the valid policy is kept."""
    rule = copy.deepcopy(RULE)
    rule[part][key] = value
    for rules in ([rule], [RULE, RULE], []):
        assert INVALID == account.refusal(lambda rules=rules: policy(ecr, *rules))[:2]
    text = policy(ecr, RULE)
    assert text == ecr.get_lifecycle_policy(repositoryName="bot")["lifecyclePolicyText"]


@pytest.mark.behaviour("ecr.lifecycle-policy-expires")
def test_policy_works_within_a_day(account: Account, ecr: Any) -> None:
    """By count, the newest are kept; an image matched by a rule is ignored by lower priorities."""
    account.clock.step = 600.0
    for number in range(4):
        push(ecr, f"v{number}", f"v{number}")
        account.clock.advance(600)
    keep_all = {"tagStatus": "tagged", "tagPrefixList": ["v0"], "countNumber": 5}
    policy(
        ecr,
        {**RULE, "selection": {**keep_all, "countType": "imageCountMoreThan"}},
        {**RULE, "rulePriority": 2, "selection": {**RULE["selection"], "countNumber": 2}},
    )
    account.clock.advance(DAY - 1200)
    assert ["v0", "v1", "v2", "v3"] == tags(ecr)
    account.clock.advance(1800)
    assert ["v0", "v2", "v3"] == tags(ecr)


def test_policy_for_untagged_images(account: Account, ecr: Any) -> None:
    """Days since they were pushed."""
    account.clock.step = 600.0
    push(ecr, "one", "latest")
    push(ecr, "two", "latest")
    days = {"countType": "sinceImagePushed", "countUnit": "days", "countNumber": 1}
    policy(ecr, {**RULE, "selection": {"tagStatus": "untagged", **days}})
    account.clock.advance(2 * DAY + 1200)
    assert ["latest"] == tags(ecr)
