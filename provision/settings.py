"""The settings of stack.yaml: their names, types, defaults and what is allowed.

Every value arrives as text (or a list of texts), because YAML 1.1 would turn 18:00 into 1080 and 0256 into
174; each setting has a type of its own here.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from provision.words import _

Raw = str | list[str]

FARGATE_MEMORY = {  # MiB by CPU units: Amazon ECS Developer Guide, "Task definition parameters", task size
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4097, 1024)),
    1024: tuple(range(2048, 8193, 1024)),
    2048: tuple(range(4096, 16385, 1024)),
    4096: tuple(range(8192, 30721, 1024)),
    8192: tuple(range(16384, 61441, 4096)),
    16384: tuple(range(32768, 122881, 8192)),
}


@dataclass(frozen=True)
class Setting:
    """One setting. `default` None: the wizard asks. `parse` turns text into a value or raises ValueError."""

    key: str
    default: Any
    parse: Callable[[Raw], Any]


def text_like(pattern: str, wanted: Callable[[], str]) -> Callable[[Raw], str]:
    """A text that matches the whole pattern; `wanted` says in words what would."""

    def parse(raw: Raw) -> str:
        if not isinstance(raw, str) or not re.fullmatch(pattern, raw):
            raise ValueError(wanted())
        return raw

    return parse


def number(low: int, high: int) -> Callable[[Raw], int]:
    """A whole number from low to high."""

    def parse(raw: Raw) -> int:
        if isinstance(raw, str) and re.fullmatch(r"[0-9]{1,7}", raw) and low <= int(raw) <= high:
            return int(raw)
        raise ValueError(_("a whole number from {low} to {high}", low=low, high=high))

    return parse


def one_of(*values: str) -> Callable[[Raw], str]:
    """One of a few words."""

    def parse(raw: Raw) -> str:
        if isinstance(raw, str) and raw in values:
            return raw
        raise ValueError(_("one of: {values}", values=", ".join(values)))

    return parse


def list_of(item: Callable[[Raw], str]) -> Callable[[Raw], list[str]]:
    """A list, or one text with commas between (as on the command line)."""

    def parse(raw: Raw) -> list[str]:
        items = raw if isinstance(raw, list) else [part.strip() for part in raw.split(",")]
        return [item(part) for part in items if part]

    return parse


def fargate_cpu(raw: Raw) -> int:
    """CPU units that Fargate offers."""
    if isinstance(raw, str) and raw.isdecimal() and int(raw) in FARGATE_MEMORY:
        return int(raw)
    raise ValueError(_("one of: {values}", values=", ".join(map(str, FARGATE_MEMORY))))


def host_name(raw: Raw) -> str:
    """A DNS name with two labels or more, lower case, without the last dot (RFC 1035, 2.3.1 and 2.3.4)."""
    if isinstance(raw, str):
        name = raw.rstrip(".").lower()
        label = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
        if len(name) <= 253 and re.fullmatch(rf"{label}(\.{label})+", name):
            return name
    raise ValueError(_("a domain name such as example.jp (an international one in its xn-- form)"))


def time_zone(raw: Raw) -> str:
    """An IANA time zone name."""
    try:
        if isinstance(raw, str):
            return ZoneInfo(raw).key
    except (ValueError, KeyError, OSError):
        pass
    raise ValueError(_("an IANA time zone such as Asia/Tokyo"))


SETTINGS = (
    Setting(
        "name",
        "news-bot",
        text_like(
            r"[a-z][a-z0-9-]{0,18}[a-z0-9]",
            lambda: _("2 to 20 of a-z, 0-9 and -, first a letter, last not a -"),
        ),
    ),
    Setting(
        "region",
        "ap-northeast-1",
        text_like(
            r"[a-z]{2}(-[a-z]+)+-[0-9]{1,2}", lambda: _("an AWS region such as ap-northeast-1")
        ),
    ),
    Setting("domain", None, host_name),
    Setting("host", "", host_name),
    Setting(
        "network.vpc",
        None,
        text_like(r"default|new|vpc-[0-9a-f]{8,17}", lambda: _("default, new, or a vpc-... id")),
    ),
    Setting(
        "network.subnets",
        [],
        list_of(text_like(r"subnet-[0-9a-f]{8,17}", lambda: _("a list of subnet-... ids"))),
    ),
    Setting(
        "image.uri",
        None,
        text_like(
            r"[A-Za-z0-9][\w.:/@-]{0,510}",
            lambda: _("an image URI such as public.ecr.aws/name/bot:1"),
        ),
    ),
    Setting("image.base", "", text_like(r"[\w.:/@-]{1,511}", lambda: _("an image URI"))),
    Setting("image.platform", "linux/amd64", one_of("linux/amd64", "linux/arm64")),
    Setting("service.cpu", 256, fargate_cpu),
    Setting("service.memory", 2048, number(512, 122880)),
    Setting("service.count", 1, number(1, 100)),
    Setting("service.capacity", "spot", one_of("spot", "on-demand")),
    Setting("schedule.timezone", "Asia/Tokyo", time_zone),
    Setting(
        "schedule.start",
        "",
        text_like(r"(cron|rate|at)\(.+\)", lambda: _("cron(...), rate(...) or at(...)")),
    ),
    Setting(
        "schedule.stop",
        "",
        text_like(r"(cron|rate|at)\(.+\)", lambda: _("cron(...), rate(...) or at(...)")),
    ),
    Setting(
        "line.access_token_parameter",
        "ACCESS_TOKEN",
        text_like(r"/?[A-Za-z0-9_.-][A-Za-z0-9_./-]{0,1010}", lambda: _("a Parameter Store name")),
    ),
    Setting(
        "line.channel_secret_parameter",
        "CHANNEL_SECRET",
        text_like(r"/?[A-Za-z0-9_.-][A-Za-z0-9_./-]{0,1010}", lambda: _("a Parameter Store name")),
    ),
    Setting(
        "news.bucket",
        "",
        text_like(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", lambda: _("an S3 bucket name")),
    ),
    Setting(
        "news.feeds",
        [],
        list_of(text_like(r"https?://\S{1,2000}", lambda: _("a list of http(s) URLs"))),
    ),
)
BY_KEY = {setting.key: setting for setting in SETTINGS}


class Settings(Mapping[str, Any]):
    """The settings of one stack, by dotted name; defaults filled in, `None` where a question is open."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = dict(given)

    def __getitem__(self, key: str) -> Any:
        value = self._given.get(key, BY_KEY[key].default)
        return (value or self["domain"]) if key == "host" else value

    def __iter__(self) -> Iterator[str]:
        return iter(BY_KEY)

    def __len__(self) -> int:
        return len(BY_KEY)

    def open(self) -> list[str]:
        """The settings that somebody still has to answer."""
        return [key for key in BY_KEY if self[key] is None]

    def conflict(self) -> tuple[str, str] | None:
        """The first setting that does not go with another one, and what would: (key, sentence)."""
        host, domain = self["host"], self["domain"]
        if host and domain and host != domain and not host.endswith("." + domain):
            return "host", _("a name in or equal to the domain {domain}", domain=domain)
        memory = FARGATE_MEMORY[self["service.cpu"]]
        if self["service.memory"] not in memory:
            return "service.memory", _(
                "with service.cpu {cpu} Fargate offers: {memory}",
                cpu=self["service.cpu"],
                memory=", ".join(map(str, memory)),
            )
        if len(self["network.subnets"]) == 1:
            return "network.subnets", _("two or more subnets, each in a zone of its own")
        if self["line.access_token_parameter"] == self["line.channel_secret_parameter"]:
            return "line.channel_secret_parameter", _("another name than the access token's")
        return None
