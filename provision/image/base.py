"""Read the base image's manifest and configuration from its registry, without its layers."""

import json
from dataclasses import dataclass
from typing import Any

from provision.clients.registry import MALFORMED, Blob, Manifest, Registries, Remote
from provision.errors import ProvisionError
from provision.i18n import _
from provision.image.layer import MEDIA_TYPE
from provision.image.reference import parse

# Docker's official Python image in ECR's public gallery, an index with linux/amd64 and linux/arm64. The
# digest is the one that public Dockerfiles and build logs of October 2026 pin for python:3.12-slim (Python
# 3.12.15) on Docker Hub and public.ecr.aws; it was not read from the gallery itself.
DEFAULT = (
    "public.ecr.aws/docker/library/python:3.12-slim"
    "@sha256:dddfd7e07f9d15aeeca61529320492139d21cac7f0070c00609243e51e4e0016"
)


@dataclass(frozen=True)
class Base:
    """A base image for one platform. digest: of the reference, which may be an index of many platforms."""

    digest: str
    config: dict[str, Any]
    layers: tuple[Blob, ...]

    @property
    def python(self) -> str:
        """Return the Python version, such as 3.12, from the variable PYTHON_VERSION; "" if it is not set."""
        return ".".join(self.environment.get("PYTHON_VERSION", "").split(".")[:2])

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment variables. Source: OCI Image Format, Image Configuration: optional."""
        settings = self.config.get("config") or {}
        pairs = (line.partition("=") for line in settings.get("Env") or [])
        return {name: value for name, _sign, value in pairs}


def read(registries: Registries, reference: str, platform: str) -> Base:
    """Return the base image. Raise ProvisionError if it is missing or has no such platform."""
    name = parse(reference)
    try:
        return _read(registries, reference, platform)
    except MALFORMED as error:
        raise ProvisionError(
            _("Could not use the base image {reference}.", reference=reference),
            _("{host} sent what is no image ({error})", host=name.host, error=type(error).__name__),
            _("Set image.base to another image, then run the same command again."),
        ) from None


def _read(registries: Registries, reference: str, platform: str) -> Base:
    """Return the base image. Raise KeyError, TypeError or ValueError too, for what is no image."""
    name = parse(reference)
    remote = registries.public(name.host, name.repository)
    # The sandbox's gallery has another image under the default's name, so ignore the digest.
    in_sandbox = reference == DEFAULT and registries.in_sandbox(name.host)
    manifest = remote.manifest(name.tag if in_sandbox else name.tag_or_digest)
    digest = manifest.digest
    if "manifests" in manifest.document:
        manifest = remote.manifest(_digest_for(platform, manifest, reference))
    document = manifest.document
    config = json.loads(b"".join(remote.blob(document["config"]["digest"])))
    actual = f"{config.get('os')}/{config.get('architecture')}"
    if actual != platform:
        raise _wrong_platform(reference, platform, actual)
    return Base(digest, config, tuple(_layer(remote, layer) for layer in document["layers"]))


def pin(registries: Registries, reference: str) -> str:
    """Return the reference with the current digest of its tag. Raise ProvisionError or Pending."""
    name = parse(reference)
    if name.digest:
        return reference
    remote = registries.public(name.host, name.repository)
    return f"{reference}@{remote.manifest(name.tag_or_digest).digest}"


def _digest_for(platform: str, index: Manifest, reference: str) -> str:
    """Return the digest of one platform's image in an index."""
    entries = {
        "{os}/{architecture}".format(**entry["platform"]): str(entry["digest"])
        for entry in reversed(index.document["manifests"])
        if "platform" in entry
    }
    if platform not in entries:
        raise _wrong_platform(reference, platform, ", ".join(sorted(entries)))
    return entries[platform]


def _layer(remote: Remote, descriptor: dict[str, Any]) -> Blob:
    digest, media_type = str(descriptor["digest"]), str(descriptor["mediaType"])
    if media_type == "application/vnd.docker.image.rootfs.diff.tar.gzip":
        media_type = MEDIA_TYPE  # OCI's name of the same format
    size = int(descriptor["size"])
    return Blob(digest, size, media_type, lambda: remote.blob(digest, size))


def _wrong_platform(reference: str, platform: str, have: str) -> ProvisionError:
    return ProvisionError(
        _("Could not use the base image {reference}.", reference=reference),
        _("it is for {have}, not for {platform}", have=have, platform=platform),
        _("Set image.platform to one of these, or image.base to another image."),
    )
