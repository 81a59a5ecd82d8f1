"""Define the settings of stack.yaml: key, default and check.

Every value is read as a string (or a list of strings), because YAML 1.1 would turn 18:00 into 1080 and 0256
into 174; each setting has its own type.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from provision.errors import UsageError
from provision.i18n import _
from provision.setting_types import (
    FARGATE_MEMORY,
    Raw,
    fargate_cpu,
    host_name,
    image_reference,
    list_of,
    number,
    one_of,
    schedule_expression,
    text_like,
    time_zone,
)

PARAMETER_NAME = r"(?=.{1,1011}\Z)([A-Za-z0-9_.-]+|(/[A-Za-z0-9_.-]+){1,15})"  # SSM, PutParameter
# Public feeds as examples, each with its category. Whoever runs a bot has to check their terms of use.
FEEDS = (
    "https://www.nhk.or.jp/rss/news/cat0.xml#ニュース",
    "https://rss.itmedia.co.jp/rss/2.0/itmedia_all.xml#IT",
    "https://gigazine.net/news/rss_2.0/#GIGAZINE",
)
HOURLY = "cron(17 * * * ? *)"  # not on the hour, when feeds have most requests


@dataclass(frozen=True)
class Setting:
    """One setting. default: None where the wizard asks. parse: converts a string, or raises ValueError."""

    key: str
    default: Any
    parse: Callable[[Raw], Any]

    def read(self, raw: Raw) -> Any:
        """Return the parsed value; "" where the default is "" and so is the value."""
        return self.default if raw == self.default == "" else self.parse(raw)


SETTINGS = (
    Setting(
        "name",
        "news-bot",
        text_like(
            r"(?!internal-)[a-z][a-z0-9-]{0,18}[a-z0-9]",
            lambda: _(
                "2 to 20 characters of a-z, 0-9 and -, starting with a letter, not ending with -, "
                "not starting with internal-"
            ),
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
        "",
        text_like(
            r"[A-Za-z0-9][A-Za-z0-9_.:/@-]{0,510}",
            lambda: _("an image URI such as public.ecr.aws/name/bot:1"),
        ),
    ),
    Setting("image.base", "", image_reference),
    Setting("image.files", "", text_like(r"[^\0]{1,1024}", lambda: _("a folder of files"))),
    Setting("image.platform", "linux/amd64", one_of("linux/amd64", "linux/arm64")),
    Setting("service.cpu", 256, fargate_cpu),
    Setting("service.memory", 2048, number(512, 122880)),
    Setting("service.count", 1, number(1, 100)),
    Setting("service.capacity", "spot", one_of("spot", "on-demand")),
    Setting("schedule.timezone", "Asia/Tokyo", time_zone),
    Setting("schedule.start", "", schedule_expression),
    Setting("schedule.stop", "", schedule_expression),
    Setting(
        "line.access_token_parameter",
        "ACCESS_TOKEN",
        text_like(PARAMETER_NAME, lambda: _("a Parameter Store name")),
    ),
    Setting(
        "line.channel_secret_parameter",
        "CHANNEL_SECRET",
        text_like(PARAMETER_NAME, lambda: _("a Parameter Store name")),
    ),
    Setting(
        "news.bucket",
        "",
        text_like(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", lambda: _("an S3 bucket name")),
    ),
    Setting(
        "news.feeds",
        list(FEEDS),
        list_of(text_like(r"https?://\S{1,2000}", lambda: _("a list of http(s) URLs"))),
    ),
    Setting("news.schedule", HOURLY, schedule_expression),
)
BY_KEY = {setting.key: setting for setting in SETTINGS}


def read_setting(key: str, raw: Raw) -> Any:
    """Return the value of a setting. Raise UsageError where it is wrong."""
    try:
        return BY_KEY[key].read(raw)
    except ValueError as error:
        raise wrong_setting(key, _("{key} takes {wanted}", key=key, wanted=error)) from None


def wrong_setting(key: str, why: str) -> UsageError:
    """Return the error for a setting that cannot have this value."""
    return UsageError(_("Could not set {key}.", key=key), why, _("Use another value."))


class Settings(Mapping[str, Any]):
    """The settings of one stack by dotted key: defaults filled in, None without an answer."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)

    def __getitem__(self, key: str) -> Any:
        value = self._values.get(key, BY_KEY[key].default)
        return (value or self["domain"]) if key == "host" else value

    def __iter__(self) -> Iterator[str]:
        return iter(BY_KEY)

    def __len__(self) -> int:
        return len(BY_KEY)

    def conflict(self) -> tuple[str, str] | None:
        """Return the first setting that contradicts another, and the allowed values: (key, sentence)."""
        host, domain = self["host"], self["domain"]
        if host and domain and host != domain and not host.endswith("." + domain):
            return "host", _("the domain {domain} or a subdomain of it", domain=domain)
        if host and len(host) > 64:  # ACM, RequestCertificate, DomainName
            return "host", _("a name of at most 64 characters (ACM's limit)")
        memory = FARGATE_MEMORY[self["service.cpu"]]
        if self["service.memory"] not in memory:
            return "service.memory", _(
                "one of {memory} (Fargate's sizes for service.cpu {cpu})",
                cpu=self["service.cpu"],
                memory=", ".join(map(str, memory)),
            )
        subnets = self["network.subnets"]
        if subnets and self["network.vpc"] == "new":
            return "network.subnets", _(
                "nothing if network.vpc is new, which creates its own subnets"
            )
        if subnets and (len(subnets) < 2 or len(set(subnets)) < len(subnets)):
            return "network.subnets", _("two or more subnets in different availability zones")
        for one, other in (("start", "stop"), ("stop", "start")):
            if self[f"schedule.{one}"] and not self[f"schedule.{other}"]:
                return f"schedule.{other}", _(
                    "a schedule too, because schedule.{one} is set (or leave both empty)", one=one
                )
        if self["line.access_token_parameter"] == self["line.channel_secret_parameter"]:
            return "line.channel_secret_parameter", _("a name different from the access token's")
        return None
