"""Container images that tasks pull: whether they exist, and for which platforms."""

import hashlib
import json
import re
from typing import Any

from provision.sandbox.aws.account import Account

_ECR = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/(?P<name>[^:@]+)"
    r"(?::(?P<tag>[^@]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_ARCHITECTURES = {"X86_64": "amd64", "ARM64": "arm64"}  # runtimePlatform -> OCI's names


class CannotPullError(Exception):
    """The image cannot be pulled; the message is what follows "CannotPullContainerError: "."""


class Images:
    """The images in the account's ECR, and public ones.

    `public` maps an image URI to its platforms ("linux/amd64"), () if there is no such image. A public image
    without an entry exists for every platform.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self.public: dict[str, tuple[str, ...]] = {}
        self.blobs: dict[str, bytes] = {}  # uploaded layers and configurations, by digest

    def store(self, blob: bytes) -> None:
        """Store an uploaded blob, of which moto stores only the length."""
        self.blobs[f"sha256:{hashlib.sha256(blob).hexdigest()}"] = blob

    def configuration(self, manifest: dict[str, Any]) -> dict[str, Any] | None:
        """Return the configuration that a manifest names, or None if it is not stored or invalid."""
        try:
            config = json.loads(self.blobs[manifest["config"]["digest"]])
        except (ValueError, KeyError):
            return None
        return config if isinstance(config, dict) and "architecture" in config else None

    def pull(self, uri: str, platform: dict[str, Any]) -> bool:
        """Return whether the platform can execute the image. Raises CannotPullError.

        `platform` is a task definition's runtimePlatform. An index without an entry for it cannot be pulled;
        a single image of another processor architecture is pulled, and then does not start.
        """
        wanted = f"linux/{_ARCHITECTURES[platform.get('cpuArchitecture') or 'X86_64']}"
        manifest = self.manifest(uri)
        if manifest is None:
            return True
        entries = manifest.get("manifests")
        if entries is None:
            config = self.configuration(manifest)
            return config is None or _platform(config) == wanted
        if wanted not in [_platform(entry.get("platform") or {}) for entry in entries]:
            raise CannotPullError(
                "pull image manifest has been retried 1 time(s): image Manifest does not contain "
                f"descriptor matching platform '{wanted}'"
            )
        return True

    def manifest(self, uri: str) -> dict[str, Any] | None:
        """Return the image's manifest, None for a public image without an entry. Raises CannotPullError."""
        ecr = _ECR.fullmatch(uri)
        if ecr is None:
            platforms = self.public.get(uri)
            if platforms is None:
                return None
            if not platforms:
                raise CannotPullError(_not_found(uri))
            split = [platform.split("/") for platform in platforms]
            return {"manifests": [{"platform": {"os": p[0], "architecture": p[1]}} for p in split]}
        repositories = self._account.backend("ecr", ecr["region"]).repositories
        if ecr["account"] != self._account.account_id or ecr["name"] not in repositories:
            raise CannotPullError(_not_found(uri))
        for image in repositories[ecr["name"]].images:
            if ecr["digest"] in (None, image.get_image_digest()) and (
                ecr["digest"] or (ecr["tag"] or "latest") in image.image_tags
            ):
                found: dict[str, Any] = json.loads(image.image_manifest)
                return found
        raise CannotPullError(_not_found(uri))


def repository_arn(uri: str) -> str:
    """Return the ARN of an image's ECR repository; "" for a public image."""
    ecr = _ECR.fullmatch(uri)
    if ecr is None:
        return ""
    return f"arn:aws:ecr:{ecr['region']}:{ecr['account']}:repository/{ecr['name']}"


def _not_found(uri: str) -> str:
    return (
        f"pull image manifest has been retried 1 time(s): failed to resolve ref {uri}: {uri}: "
        "not found"
    )


def _platform(config: dict[str, Any]) -> str:
    return f"{config.get('os', 'linux')}/{config.get('architecture', '')}"
