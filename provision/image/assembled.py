"""Make an image's configuration and manifest. The same inputs give the same digest.

Source: https://github.com/opencontainers/image-spec (config.md, manifest.md).
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from provision.clients.registry import OCI_MANIFEST, Blob, Manifest, sha256
from provision.image.base import Base
from provision.image.layer import Layer

CONFIG = "application/vnd.oci.image.config.v1+json"
HOME = "app"  # the folder of the bot, from the root
PACKAGES = f"{HOME}/packages"
# The same as in bot/Dockerfile (a test compares them).
ENVIRONMENT = {
    "PYTHONUNBUFFERED": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONPATH": f"/{HOME}:/{PACKAGES}",
}
USER = "10001:10001"  # not root; needs no entry in /etc/passwd
COMMAND = ("python", "-m", "bot")
PORT = "8080/tcp"


@dataclass(frozen=True)
class BuiltImage:
    """A manifest and the blobs that it refers to, layers first."""

    manifest: Manifest
    blobs: tuple[Blob, ...]


def assemble(base: Base, layers: Iterable[Layer]) -> BuiltImage:
    """Return the image of these layers on a base."""
    added = list(layers)
    content = _json(_config(base, added))
    config = Blob(sha256(content), len(content), CONFIG, lambda: iter((content,)))
    blobs = (*base.layers, *(layer.blob for layer in added))
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": _descriptor(config),
            "layers": [_descriptor(blob) for blob in blobs],
        }
    )
    return BuiltImage(Manifest(OCI_MANIFEST, sha256(manifest), manifest), (*blobs, config))


def _config(base: Base, layers: list[Layer]) -> dict[str, Any]:
    """Return the base's configuration merged with ours, with the base's date for reproducible builds."""
    environment = base.environment | ENVIRONMENT
    created = base.config.get("created") or "1970-01-01T00:00:00Z"
    config = {
        "architecture": base.config["architecture"],
        "os": base.config["os"],
        "created": created,
        "config": {
            "Env": [f"{name}={value}" for name, value in environment.items()],
            "User": USER,
            "WorkingDir": f"/{HOME}",
            "Cmd": list(COMMAND),
            "ExposedPorts": {PORT: {}},
            "Labels": {"org.opencontainers.image.base.digest": base.digest},
        },
        "rootfs": {
            "type": "layers",
            "diff_ids": [*base.diff_ids, *(layer.diff_id for layer in layers)],
        },
    }
    if history := base.config.get("history"):  # it must have an entry for every layer
        added = [{"created": created, "created_by": layer.created_by} for layer in layers]
        config["history"] = [*history, *added]
    if variant := base.config.get("variant"):
        config["variant"] = variant
    return config


def _descriptor(blob: Blob) -> dict[str, Any]:
    return {"mediaType": blob.media_type, "digest": blob.digest, "size": blob.size}


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
