"""The bot's environment variables, by name; nothing else in the bot reads the environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

SAMPLES = str(Path(__file__).parent / "samples")


class MissingSetting(Exception):
    """An environment variable without which the bot cannot run; says which, never a value."""


@dataclass(frozen=True)
class Settings:
    """What the container is told.

    ACCESS_TOKEN and CHANNEL_SECRET arrive from Parameter Store through the task definition's
    `secrets` (execution role); the two `*_PARAMETER` names let the bot read them again with its
    task role once LINE or a signature says that they have changed. Without the names the values
    from the start are kept. LINGER_SECONDS: how long it goes on accepting requests after SIGTERM,
    because a load balancer may send some until it knows; at most 45. `aws` are the variables that
    boto3 knows: endpoints, credentials or where ECS hands them out, a CA bundle.
    """

    access_token: str = field(repr=False)
    channel_secret: str = field(repr=False)
    access_token_parameter: str = ""
    channel_secret_parameter: str = ""
    news_url: str = SAMPLES
    line_api_url: str = "https://api.line.me"
    host: str = "0.0.0.0"
    port: int = 8080
    region: str = ""
    linger_seconds: float = 20.0
    aws: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Read every variable; an empty one counts as absent. Raises MissingSetting."""

        given = _given(environment)

        def needed(name: str) -> str:
            value = given(name, "")
            if not value:
                raise MissingSetting(
                    f"The environment variable {name} is missing. On ECS the task definition's "
                    "`secrets` fills it from Parameter Store; elsewhere set it before the start."
                )
            return value

        port = given("PORT", "8080")
        if not (port.isascii() and port.isdigit() and int(port) < 65536):
            raise MissingSetting("The environment variable PORT must be a number below 65536.")
        linger = given("LINGER_SECONDS", "20")
        if not (linger.isascii() and linger.replace(".", "", 1).isdigit() and float(linger) <= 45):
            raise MissingSetting("The environment variable LINGER_SECONDS must be 0 to 45.")
        return cls(
            access_token=needed("ACCESS_TOKEN"),
            channel_secret=needed("CHANNEL_SECRET"),
            access_token_parameter=given("ACCESS_TOKEN_PARAMETER", ""),
            channel_secret_parameter=given("CHANNEL_SECRET_PARAMETER", ""),
            news_url=given("NEWS_URL", SAMPLES),
            line_api_url=given("LINE_API_URL", "https://api.line.me").rstrip("/"),
            host=given("HOST", "0.0.0.0"),
            port=int(port),
            region=given("AWS_REGION", given("AWS_DEFAULT_REGION", "")),
            linger_seconds=float(linger),
            aws={name: value for name, value in environment.items() if name.startswith("AWS_")},
        )


@dataclass(frozen=True)
class CollectorSettings:
    """What the collector is told: NEWS_URL, which it writes; NEWS_FEEDS, addresses with white space
    between them; NEWS_DAYS, how long an article is kept (30)."""

    news_url: str
    feeds: list[str]
    days: int = 30
    region: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> CollectorSettings:
        """Read every variable; an empty one counts as absent. Raises MissingSetting."""
        given = _given(environment)
        for name in ("NEWS_URL", "NEWS_FEEDS"):
            if not given(name, ""):
                raise MissingSetting(f"The environment variable {name} is missing.")
        feeds = list(dict.fromkeys(given("NEWS_FEEDS", "").split()))
        if not all(feed.startswith(("http://", "https://")) for feed in feeds):
            raise MissingSetting("The environment variable NEWS_FEEDS must hold web addresses.")
        days = given("NEWS_DAYS", "30")
        if not (days.isascii() and days.isdigit() and 1 <= int(days) <= 3650):
            raise MissingSetting("The environment variable NEWS_DAYS must be 1 to 3650.")
        region = given("AWS_REGION", given("AWS_DEFAULT_REGION", ""))
        return cls(given("NEWS_URL", ""), feeds, int(days), region)


def _given(environment: Mapping[str, str]) -> Callable[[str, str], str]:
    return lambda name, default: environment.get(name, "").strip() or default
