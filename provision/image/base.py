"""Read the base image's manifest and configuration from its registry, without its layers."""

import json
from dataclasses import dataclass
from typing import Any

from provision.clients.http import MALFORMED
from provision.clients.registry import Blob, Registries, Remote
from provision.errors import ProvisionError
from provision.i18n import _
from provision.image.layer import MEDIA_TYPE
from provision.image.reference import Reference, parse

# Docker's official Python image in ECR's public gallery, an index with linux/amd64 and linux/arm64. The
# digest is the one that public Dockerfiles and build logs of October 2026 pin for python:3.12-slim (Python
# 3.12.15) on Docker Hub and public.ecr.aws; it was not read from the gallery itself. PINNED: since when it is
# used; a test warns if that is long ago.
DEFAULT = (
    "public.ecr.aws/docker/library/python:3.12-slim"
    "@sha256:dddfd7e07f9d15aeeca61529320492139d21cac7f0070c00609243e51e4e0016"
)
PINNED = "2026-10-01"


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
        return {name: value for name, _sign, value in pairs if name}

    @property
    def diff_ids(self) -> list[str]:
        """Return the digests of the uncompressed layers."""
        return list(self.config["rootfs"]["diff_ids"])


def read(registries: Registries, reference: str, platform: str) -> Base:
    """Return the base image. Raise ProvisionError if it is missing, malformed, or has no such platform."""
    name = parse(reference)
    try:
        return _read(registries, name, reference, platform)
    except MALFORMED as error:
        raise ProvisionError(
            _("Could not use the base image {reference}.", reference=reference),
            _("its manifest or configuration is not valid ({error})", error=repr(error)),
            _("Set image.base to another image."),
        ) from None


def _read(registries: Registries, name: Reference, reference: str, platform: str) -> Base:
    remote = registries.public(name.host, name.repository)
    # The sandbox's gallery has another image under the default's name, so ignore the digest.
    in_sandbox = reference == DEFAULT and registries.in_sandbox(name.host)
    manifest = remote.manifest(name.tag if in_sandbox else name.tag_or_digest)
    digest = manifest.digest
    if "manifests" in manifest.document:
        entries = platforms_in(manifest.document)
        if platform not in entries:
            raise _wrong_platform(reference, platform, sorted(entries))
        manifest = remote.manifest(entries[platform])
    document = manifest.document
    config = json.loads(b"".join(remote.blob(document["config"]["digest"])))
    actual = platform_name(config)
    if actual != platform:
        raise _wrong_platform(reference, platform, [actual])
    base = Base(digest, config, tuple(_layer(remote, layer) for layer in document["layers"]))
    if len(base.diff_ids) != len(base.layers):
        raise ValueError("rootfs.diff_ids")
    _ = base.environment, [*(config.get("history") or [])]  # they can be read
    return base


def pin(registries: Registries, reference: str) -> str:
    """Return the reference with the current digest of its tag. Raise ProvisionError or Pending."""
    name = parse(reference)
    if name.digest:
        return reference
    remote = registries.public(name.host, name.repository)
    return f"{reference}@{remote.manifest(name.tag_or_digest).digest}"


def platforms_in(index: dict[str, Any]) -> dict[str, str]:
    """Return the digests of an index by platform, the first of each; skip entries without a platform."""
    digests: dict[str, str] = {}
    for entry in index["manifests"] or []:
        if isinstance(entry, dict) and isinstance(entry.get("platform"), dict):
            digests.setdefault(platform_name(entry["platform"]), str(entry["digest"]))
    return digests


def platform_name(description: dict[str, Any]) -> str:
    """Return the platform of an index entry or a configuration; attestations have "unknown"."""
    return f"{description.get('os')}/{description.get('architecture')}"


def _layer(remote: Remote, descriptor: dict[str, Any]) -> Blob:
    digest, media_type = str(descriptor["digest"]), str(descriptor["mediaType"])
    if media_type == "application/vnd.docker.image.rootfs.diff.tar.gzip":
        media_type = MEDIA_TYPE  # OCI's name of the same format
    size = int(descriptor["size"])
    return Blob(digest, size, media_type, lambda: remote.blob(digest, size))


def _wrong_platform(reference: str, platform: str, have: list[str]) -> ProvisionError:
    return ProvisionError(
        _("Could not use the base image {reference}.", reference=reference),
        _("it is for {have}, not for {platform}", have=", ".join(have) or "?", platform=platform),
        _("Set image.platform to one of these, or image.base to another image."),
    )
