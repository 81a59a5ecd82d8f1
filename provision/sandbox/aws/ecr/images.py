"""ECR: checks of images and of uploaded layers.

API Reference: PutImage, CompleteLayerUpload.
"""

import hashlib
import json
from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ecr.repositories import invalid, repository_not_found
from provision.sandbox.aws.rules import Answer, after, before


@behaves("ecr.upload-empty", "ecr.layer-digest-differs", "ecr.layer-there-already")
@before("ecr", "CompleteLayerUpload")
def check_layer(cloud: Cloud, call: Call) -> None:
    """Check that the parts together have the announced digest (API CompleteLayerUpload)."""
    repository = cloud.backend("ecr", call.region).repositories.get(call.params["repositoryName"])
    upload = repository.uploads.get(call.params["uploadId"]) if repository else None
    if upload is None:
        return  # moto's error names what is missing
    where = f"in the repository with name '{repository.name}' in the registry with id '{cloud.account_id}'"
    if not upload.layer_parts:
        raise AwsError(
            "EmptyUploadException", f"The upload with id '{upload.upload_id}' {where} is empty"
        )
    blob = bytes(upload.layer_parts)
    digest = f"sha256:{hashlib.sha256(blob).hexdigest()}"
    if digest not in call.params["layerDigests"]:
        raise AwsError(
            "InvalidLayerException",
            f"The digest of the layer uploaded with id '{upload.upload_id}' {where} is '{digest}', "
            "which is none of those given",
        )
    if digest in repository.layers:
        raise AwsError(
            "LayerAlreadyExistsException", f"Layer with digest '{digest}' already exists {where}"
        )
    cloud.ecr.images.store(blob)


@behaves("ecr.repository-unknown", "ecr.manifest-no-json", "ecr.tag-immutable")
@before("ecr", "PutImage")
def check_image(cloud: Cloud, call: Call) -> None:
    """Check that repository, manifest, layers and images exist (API PutImage)."""
    name = call.params["repositoryName"]
    repository = cloud.backend("ecr", call.region).repositories.get(name)
    if repository is None:
        raise repository_not_found(cloud, name)
    try:
        manifest = json.loads(call.params["imageManifest"])
    except ValueError:
        raise invalid("ImageManifest", "Invalid JSON syntax") from None
    digest, tag = _digest(call), call.params.get("imageTag")
    _check_digest(call, digest)
    _check_parts(repository, manifest)
    others = [
        i for i in repository.images if tag in i.image_tags and i.get_image_digest() != digest
    ]
    if others and repository.is_tag_immutable():
        raise AwsError(
            "ImageTagAlreadyExistsException",
            f"The image tag '{tag}' already exists in the '{name}' repository and cannot be "
            "overwritten because the repository is immutable.",
        )
    _move_tag(others, tag or "")


@behaves("ecr.moved-tag-leaves-an-untagged-image")
def _move_tag(others: list[Any], tag: str) -> None:
    for image in others:
        image.image_tags.remove(tag)
        image.image_tag = image.image_tags[-1] if image.image_tags else None


@behaves("ecr.image-digest-differs")
def _check_digest(call: Call, digest: str) -> None:
    given = call.params.get("imageDigest")
    if given not in (None, digest):
        raise AwsError(
            "ImageDigestDoesNotMatchException",
            f"The provided digest '{given}' does not match the digest of the manifest, '{digest}'",
        )


@behaves("ecr.layers-missing", "ecr.referenced-images-missing")
def _check_parts(repository: Any, manifest: dict[str, Any]) -> None:
    layers = [manifest.get("config") or {}, *(manifest.get("layers") or [])]
    digests = [layer["digest"] for layer in layers if "digest" in layer]
    missing = [digest for digest in digests if digest not in repository.layers]
    if missing:
        raise AwsError(
            "LayersNotFoundException",
            f"The following layers could not be found in the repository with name "
            f"'{repository.name}': {', '.join(missing)}",
        )
    known = {image.get_image_digest() for image in repository.images}
    missing = [e["digest"] for e in manifest.get("manifests") or [] if e["digest"] not in known]
    if missing:
        raise AwsError(
            "ReferencedImagesNotFoundException",
            f"Images with digests '[{', '.join(missing)}]' required for pushing image into the "
            f"repository with name '{repository.name}' do not exist",
        )


@behaves("ecr.image-digest")
@after("ecr", "PutImage")
def answer_digest(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Set the manifest's digest and the push time on the sandbox's clock."""
    repository = cloud.backend("ecr", call.region).repositories[call.params["repositoryName"]]
    for image in repository.images:
        if image.image_manifest == call.params["imageManifest"]:
            image._image_digest = _digest(call)
            image.image_pushed_at = int(cloud.clock.now())
    answer["image"]["imageId"]["imageDigest"] = _digest(call)


def _digest(call: Call) -> str:
    return f"sha256:{hashlib.sha256(call.params['imageManifest'].encode()).hexdigest()}"
