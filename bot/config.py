"""The bot's configuration, from environment variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

SAMPLES = str(Path(__file__).parent / "samples")


class ConfigError(Exception):
    """An environment variable is missing or wrong; the message names it and holds no value."""


@dataclass(frozen=True)
class Config:
    """What the bot needs to run.

    On ECS, ACCESS_TOKEN and CHANNEL_SECRET come from Parameter Store through the task definition. With
    the names in the two `*_PARAMETER` variables the bot reads them again when LINE refuses the token or
    a signature does not match. LINGER_SECONDS: how long to go on answering after SIGTERM, because a load
    balancer sends requests until it has deregistered the task. boto3 reads the AWS_* variables itself.
    """

    access_token: str = field(repr=False)
    channel_secret: str = field(repr=False)
    access_token_parameter: str = ""
    channel_secret_parameter: str = ""
    news_url: str = SAMPLES
    line_api_url: str = "https://api.line.me"
    ca_bundle: str = ""
    host: str = "0.0.0.0"
    port: int = 8080
    region: str = ""
    linger_seconds: float = 20.0
    threads: int = 64

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Config:
        """Read every variable; an empty one counts as missing. Raises ConfigError."""

        def get(name: str, default: str = "") -> str:
            return environment.get(name, "").strip() or default

        for name in ("ACCESS_TOKEN", "CHANNEL_SECRET"):
            if not get(name):
                raise ConfigError(
                    f"The environment variable {name} is missing. On ECS the task definition's "
                    "`secrets` fills it from Parameter Store; elsewhere set it before the start."
                )
        port, linger = get("PORT", "8080"), get("LINGER_SECONDS", "20")
        if not (port.isascii() and port.isdigit() and int(port) < 65536):
            raise ConfigError("The environment variable PORT must be a number below 65536.")
        if not (linger.isascii() and linger.replace(".", "", 1).isdigit() and float(linger) <= 45):
            raise ConfigError("The environment variable LINGER_SECONDS must be 0 to 45.")
        return cls(
            access_token=get("ACCESS_TOKEN"),
            channel_secret=get("CHANNEL_SECRET"),
            access_token_parameter=get("ACCESS_TOKEN_PARAMETER"),
            channel_secret_parameter=get("CHANNEL_SECRET_PARAMETER"),
            news_url=get("NEWS_URL", SAMPLES),
            line_api_url=get("LINE_API_URL", "https://api.line.me").rstrip("/"),
            ca_bundle=get("REQUESTS_CA_BUNDLE", get("SSL_CERT_FILE")),
            host=get("HOST", "0.0.0.0"),
            port=int(port),
            region=get("AWS_REGION", get("AWS_DEFAULT_REGION")),
            linger_seconds=float(linger),
        )


@dataclass(frozen=True)
class CollectorConfig:
    """What the collector needs: where the news is stored, its feeds, how many days to keep articles."""

    news_url: str
    feeds: list[str]
    days: int = 30
    region: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> CollectorConfig:
        """Read NEWS_URL, NEWS_FEEDS (separated by white space) and NEWS_DAYS. Raises ConfigError."""

        def get(name: str, default: str = "") -> str:
            return environment.get(name, "").strip() or default

        for name in ("NEWS_URL", "NEWS_FEEDS"):
            if not get(name):
                raise ConfigError(f"The environment variable {name} is missing.")
        feeds = list(dict.fromkeys(get("NEWS_FEEDS").split()))
        if not all(feed.startswith(("http://", "https://")) for feed in feeds):
            raise ConfigError("The environment variable NEWS_FEEDS must hold web addresses.")
        days = get("NEWS_DAYS", "30")
        if not (days.isascii() and days.isdigit() and 1 <= int(days) <= 3650):
            raise ConfigError("The environment variable NEWS_DAYS must be 1 to 3650.")
        region = get("AWS_REGION", get("AWS_DEFAULT_REGION"))
        return cls(get("NEWS_URL"), feeds, int(days), region)
