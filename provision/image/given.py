"""Read the platforms of an existing image."""

import json
from typing import Any

from provision.clients.registry import MALFORMED, Remote
from provision.errors import Pending, ProvisionError


def platforms(remote: Remote, tag_or_digest: str) -> tuple[str, ...]:
    """Return the image's platforms, such as linux/amd64; () if they cannot be read."""
    try:
        document = remote.manifest(tag_or_digest).document
        if "manifests" in document:
            names = [_platform(entry.get("platform") or {}) for entry in document["manifests"]]
        else:
            names = [_platform(json.loads(b"".join(remote.blob(document["config"]["digest"]))))]
    except (Pending, ProvisionError, *MALFORMED):
        return ()
    return tuple(dict.fromkeys(name for name in names if name.startswith("linux/")))


def _platform(description: dict[str, Any]) -> str:
    """Return the platform of an index entry or a configuration; attestations have "unknown"."""
    return f"{description.get('os')}/{description.get('architecture')}"
