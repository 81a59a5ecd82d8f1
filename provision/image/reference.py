"""Parse image references: registry, repository, tag, digest."""

import re
from dataclasses import dataclass

_REFERENCE = re.compile(
    r"(?:(?P<host>[A-Za-z0-9.-]+(?::\d+)?)/)?(?P<repository>[a-z0-9]+(?:[._/-]+[a-z0-9]+)*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
DOCKER_HUB = "registry-1.docker.io"


@dataclass(frozen=True)
class Reference:
    """A parsed image reference."""

    host: str
    repository: str
    tag: str
    digest: str

    @property
    def tag_or_digest(self) -> str:
        """Return the digest, else the tag, else "latest", as Docker does."""
        return self.digest or self.tag or "latest"


def parse(text: str) -> Reference:
    """Return the parsed reference. Raise ValueError.

    As in Docker, a first part without a dot or colon is not a registry, except localhost.
    """
    match = _REFERENCE.fullmatch(text)
    if match is None:
        raise ValueError(text)
    host, repository = match["host"] or "", match["repository"]
    if host and "." not in host and ":" not in host and host != "localhost":
        if host != host.lower():
            raise ValueError(text)
        host, repository = "", f"{host}/{repository}"
    if host in ("", "docker.io"):
        host = DOCKER_HUB
        repository = repository if "/" in repository else f"library/{repository}"
    return Reference(host, repository, match["tag"] or "", match["digest"] or "")


def parse_or_none(text: str) -> Reference | None:
    """Return the parsed reference; None if it is invalid."""
    try:
        return parse(text)
    except ValueError:
        return None
