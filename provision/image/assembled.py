"""Configuration and manifest on top of base and layers. Pure: the same inputs, the same digest.

Image specification: https://github.com/opencontainers/image-spec (config.md, manifest.md).
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
# What bot/Dockerfile says too (a test compares them).
ENVIRONMENT = {
    "PYTHONUNBUFFERED": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONPATH": f"/{HOME}:/{PACKAGES}",
}
USER = "10001:10001"  # nobody's number: no root, and no entry in /etc/passwd needed
COMMAND = ("python", "-m", "bot")
PORT = "8080/tcp"


@dataclass(frozen=True)
class Image:
    """A manifest and everything that it refers to, the layers first."""

    manifest: Manifest
    blobs: tuple[Blob, ...]


def assemble(base: Base, layers: Iterable[Layer]) -> Image:
    """The image of these layers on that base."""
    ours = list(layers)
    content = _json(_config(base, ours))
    config = Blob(sha256(content), len(content), CONFIG, lambda: iter((content,)))
    blobs = (*base.layers, *(layer.blob for layer in ours))
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": _descriptor(config),
            "layers": [_descriptor(blob) for blob in blobs],
        }
    )
    return Image(Manifest(OCI_MANIFEST, sha256(manifest), manifest), (*blobs, config))


def _config(base: Base, layers: list[Layer]) -> dict[str, Any]:
    """The base's, with ours over it; its date is the base's, because ours would differ each time."""
    theirs = base.config.get("config") or {}
    environment = dict(line.split("=", 1) for line in theirs.get("Env") or []) | ENVIRONMENT
    created = base.config.get("created", "1970-01-01T00:00:00Z")
    told = {
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
            "diff_ids": [*base.config["rootfs"]["diff_ids"], *(layer.diff_id for layer in layers)],
        },
    }
    if history := base.config.get("history"):  # all layers are in it, or it is left out
        ours = [{"created": created, "created_by": layer.made_by} for layer in layers]
        told["history"] = [*history, *ours]
    if variant := base.config.get("variant"):
        told["variant"] = variant
    return told


def _descriptor(blob: Blob) -> dict[str, Any]:
    return {"mediaType": blob.media_type, "digest": blob.digest, "size": blob.size}


def _json(told: dict[str, Any]) -> bytes:
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()
