"""The image that ours is built on: read from its registry, its layers passed on unread."""

import json
from dataclasses import dataclass
from typing import Any

from provision.clients.registry import Blob, Manifest, Registries, Remote
from provision.errors import ProvisionError
from provision.i18n import _
from provision.image.layer import MEDIA_TYPE
from provision.image.reference import parse

# Docker's official Python image in ECR's public gallery, an index with linux/amd64 and linux/arm64. The
# digest is the one that public Dockerfiles and build logs of October 2026 pin for python:3.12-slim (Python
# 3.12.15), at Docker Hub and at public.ecr.aws alike; it was read there, not asked of the gallery itself.
DEFAULT = (
    "public.ecr.aws/docker/library/python:3.12-slim"
    "@sha256:dddfd7e07f9d15aeeca61529320492139d21cac7f0070c00609243e51e4e0016"
)


@dataclass(frozen=True)
class Base:
    """A base of one platform. digest: of what was asked for, which may be an index of many platforms."""

    digest: str
    config: dict[str, Any]
    layers: tuple[Blob, ...]

    @property
    def python(self) -> str:
        """Its Python, as 3.12; "" where it does not say (the official images set PYTHON_VERSION)."""
        settings = dict(line.split("=", 1) for line in self.config["config"].get("Env") or [])
        return ".".join(settings.get("PYTHON_VERSION", "").split(".")[:2])


def read(registries: Registries, reference: str, platform: str) -> Base:
    """The base, without its layers' bytes. Raises ProvisionError: no such image, or not for this platform."""
    at = parse(reference)
    remote = registries.public(at.host, at.repository)
    # The sandbox's gallery has an image of its own under the default's name. A mirror has the real one.
    sandbox = reference == DEFAULT and registries.in_sandbox(at.host)
    found = remote.manifest(at.tag if sandbox else at.wanted)
    digest = found.digest
    if "manifests" in found.told:
        found = remote.manifest(_of(platform, found, reference))
    told = found.told
    config = json.loads(b"".join(remote.blob(told["config"]["digest"])))
    have = f"{config.get('os')}/{config.get('architecture')}"
    if have != platform:
        raise _other(reference, platform, have)
    return Base(digest, config, tuple(_layer(remote, layer) for layer in told["layers"]))


def pinned(registries: Registries, reference: str) -> str:
    """Return the reference with the digest that its tag has now. Raises ProvisionError or Pending."""
    at = parse(reference)
    if at.digest:
        return reference
    return f"{reference}@{registries.public(at.host, at.repository).manifest(at.wanted).digest}"


def _of(platform: str, index: Manifest, reference: str) -> str:
    """The digest of one platform's image in an index."""
    entries = {
        "{os}/{architecture}".format(**entry["platform"]): str(entry["digest"])
        for entry in reversed(index.told["manifests"])
        if "platform" in entry
    }
    if platform not in entries:
        raise _other(reference, platform, ", ".join(sorted(entries)))
    return entries[platform]


def _layer(remote: Remote, told: dict[str, Any]) -> Blob:
    digest = str(told["digest"])
    return Blob(digest, int(told["size"]), _media_type(told), lambda: remote.blob(digest))


def _media_type(told: dict[str, Any]) -> str:
    """OCI's name of it: Docker's gzip layers are the same bytes."""
    kind = str(told["mediaType"])
    return MEDIA_TYPE if kind == "application/vnd.docker.image.rootfs.diff.tar.gzip" else kind


def _other(reference: str, platform: str, have: str) -> ProvisionError:
    return ProvisionError(
        _("Reading the base image {reference}.", reference=reference),
        _("it is for {have}, not for {platform}", have=have, platform=platform),
        _("Set image.platform to one that it has, or image.base to another image."),
    )
