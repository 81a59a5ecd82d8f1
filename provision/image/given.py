"""Read the platforms of an existing image."""

import json

from provision.clients.http import MALFORMED
from provision.clients.registry import Remote
from provision.errors import Pending, ProvisionError
from provision.image.base import platform_name, platforms_in


def platforms(remote: Remote, tag_or_digest: str) -> tuple[str, ...]:
    """Return the image's platforms, such as linux/amd64; () if they cannot be read."""
    try:
        document = remote.manifest(tag_or_digest).document
        if "manifests" in document:
            names = list(platforms_in(document))
        else:
            names = [platform_name(json.loads(b"".join(remote.blob(document["config"]["digest"]))))]
    except (Pending, ProvisionError, *MALFORMED):
        return ()
    return tuple(name for name in names if name.startswith("linux/"))
