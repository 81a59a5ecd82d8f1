"""For which processors an image that somebody else pushed is, as far as its registry tells us."""

import json
from typing import Any

from provision.clients.registry import Remote
from provision.errors import Pending, ProvisionError


def platforms(remote: Remote, wanted: str) -> tuple[str, ...]:
    """As linux/amd64; () where the image is not there, may not be read, or nobody answers.

    Then a task will tell. remote: its repository. wanted: its tag or digest.
    """
    try:
        told = remote.manifest(wanted).told
        if "manifests" in told:
            found = [_named(entry.get("platform") or {}) for entry in told["manifests"]]
        else:
            found = [_named(json.loads(b"".join(remote.blob(told["config"]["digest"]))))]
    except (Pending, ProvisionError, ValueError, KeyError, TypeError):
        return ()
    return tuple(dict.fromkeys(platform for platform in found if platform.startswith("linux/")))


def _named(told: dict[str, Any]) -> str:
    """What an index's entry, or a configuration, is for; attestations are for "unknown"."""
    return f"{told.get('os')}/{told.get('architecture')}"
