"""The bot's configuration, from environment variables."""

import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

# This computer, and the networks that no packet leaves (RFC 1918, RFC 4193): a container's, for instance.
PRIVATE_NETWORKS = [
    ip_network(network)
    for network in (
        *("127.0.0.0/8", "0.0.0.0/32", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
        *("::1/128", "fc00::/7"),
    )
]
SAMPLES = str(Path(__file__).parent / "samples")


class ConfigError(Exception):
    """An environment variable is missing or wrong; the message names it and holds no value."""


@dataclass(frozen=True)
class Config:
    """What the bot needs to run.

    On ECS, ACCESS_TOKEN and CHANNEL_SECRET come from Parameter Store through the task definition; the two
    `*_PARAMETER` variables are where to read them again once they no longer work. With CHANNEL_ID there is
    no ACCESS_TOKEN: LINE issues one. LINGER_SECONDS: how long to go on answering after SIGTERM, because a
    load balancer sends requests that long.
    """

    access_token: str = field(repr=False)
    channel_secret: str = field(repr=False)
    channel_id: str = ""
    access_token_parameter: str = ""
    channel_secret_parameter: str = ""
    news_url: str = SAMPLES
    line_api_url: str = "https://api.line.me"
    ca_bundle: str = ""
    host: str = "0.0.0.0"
    port: int = 8080
    region: str = ""
    linger_seconds: float = 20.0
    threads: int = 384  # more than slow clients can keep: each body has 1.5 seconds

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read every variable; an empty one counts as missing. Raises ConfigError."""
        token = () if environment.get("CHANNEL_ID", "").strip() else ("ACCESS_TOKEN",)
        given = {"ACCESS_TOKEN": "", **_given(environment, *token, "CHANNEL_SECRET")}
        names = [one.name for one in fields(cls) if one.type is str]
        text: dict[str, Any] = {one: given[one.upper()] for one in names if one.upper() in given}
        text["line_api_url"] = text.get("line_api_url", cls.line_api_url).rstrip("/")
        if not _is_safe(text["line_api_url"]):
            raise ConfigError("The environment variable LINE_API_URL must begin with https://.")
        text["ca_bundle"] = given.get("REQUESTS_CA_BUNDLE", given.get("SSL_CERT_FILE", ""))
        text["region"] = given["AWS_REGION"]
        return cls(
            **text,
            port=_number(given, "PORT", cls.port, 0, 65535),
            linger_seconds=_number(given, "LINGER_SECONDS", cls.linger_seconds, 0, 45),
        )


@dataclass(frozen=True)
class CollectorConfig:
    """What the collector needs: where the news is stored, its feeds, how many days to keep articles."""

    news_url: str
    feeds: list[str]
    days: int = 30
    region: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read NEWS_URL, NEWS_FEEDS (separated by white space) and NEWS_DAYS. Raises ConfigError."""
        given = _given(environment, "NEWS_URL", "NEWS_FEEDS")
        feeds = list(dict.fromkeys(given["NEWS_FEEDS"].split()))
        if not all(feed.startswith(("http://", "https://")) for feed in feeds):
            raise ConfigError("The environment variable NEWS_FEEDS must hold web addresses.")
        days = _number(given, "NEWS_DAYS", cls.days, 1, 3650)
        return cls(given["NEWS_URL"], feeds, days, given["AWS_REGION"])


def _given(environment: Mapping[str, str], *required: str) -> dict[str, str]:
    given = {name: value.strip() for name, value in environment.items() if value.strip()}
    for name in required:
        if name not in given:
            raise ConfigError(
                f"The environment variable {name} is missing: set it before the start."
            )
    return {"AWS_REGION": given.get("AWS_DEFAULT_REGION", ""), **given}


def _is_safe(url: str) -> bool:
    """Return whether LINE's secrets may go there: with TLS, or within this machine or a private network."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if parts.scheme == "http" and parts.hostname:
        return in_private_network(parts.hostname)
    return parts.scheme == "https" and bool(parts.hostname)


@cache
def in_private_network(host: str) -> bool:
    """Return whether a host name or address leads to private networks only; False if it leads nowhere."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return False
    addresses = [ip_address(str(each[4][0]).partition("%")[0]) for each in found]
    return all(any(each in network for network in PRIVATE_NETWORKS) for each in addresses)


def _number(given: Mapping[str, str], name: str, default: float, low: int, high: int) -> Any:
    text = given.get(name, str(default))
    pattern = "[0-9]{1,9}" if isinstance(default, int) else r"[0-9]{1,9}(\.[0-9]+)?"
    if not re.fullmatch(pattern, text) or not low <= float(text) <= high:
        raise ConfigError(f"The environment variable {name} must be {low} to {high}.")
    return type(default)(text)
