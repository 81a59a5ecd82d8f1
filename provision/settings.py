"""The settings of stack.yaml: key, default and type.

Every value is read as a string (or a list of strings), because YAML 1.1 would turn 18:00 into 1080 and 0256
into 174; each setting has its own parser.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from provision import schedules
from provision.errors import UsageError
from provision.i18n import _
from provision.setting_types import (
    FARGATE_MEMORY,
    Raw,
    fargate_cpu,
    fargate_memory,
    feed_url,
    host_name,
    image_reference,
    list_of,
    number,
    one_of,
    schedule_expression,
    text_like,
    time_zone,
)

# SSM, PutParameter: no name and no path begins with aws or ssm, in any case.
PARAMETER_NAME = r"(?=.{1,1011}\Z)(?!/?(?i:aws|ssm))([A-Za-z0-9_.-]+|(/[A-Za-z0-9_.-]+){1,15})"
# S3 User Guide, "General purpose bucket naming rules".
BUCKET_NAME = (
    r"(?!xn--|sthree-|amzn-s3-demo-)(?!.*(-s3alias|--ol-s3|\.mrap|--x-s3|--table-s3)\Z)(?!.*\.\.)"
    r"(?![0-9]{1,3}(\.[0-9]{1,3}){3}\Z)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
)
# Public feeds as examples, each with its category. Check their terms of use before running a bot.
FEEDS = (
    "https://www.nhk.or.jp/rss/news/cat0.xml#ニュース",
    "https://rss.itmedia.co.jp/rss/2.0/itmedia_all.xml#IT",
    "https://gigazine.net/news/rss_2.0/#GIGAZINE",
)
MAX_TAGS = 7  # Route 53 API Reference, ChangeTagsForResource: a zone has 10; three are provision's
HOURLY = "cron(17 * * * ? *)"  # not on the hour, when feeds get the most requests


Text = Callable[[], str]
Choices = Callable[[], list[tuple[str, str]]]  # each answer with a description


@dataclass(frozen=True)
class Setting:
    """One setting: a line of stack.yaml, a question of the wizard and a row of the README's table.

    default: None if the wizard must ask. parse: converts a string, or raises ValueError.
    """

    key: str
    default: Any
    parse: Callable[[Raw], Any]
    question: Text
    explanation: Text
    choices: Choices | None = None

    def read(self, raw: Raw) -> Any:
        """Return the parsed value. "" is accepted if it is the default."""
        return self.default if raw == self.default == "" else self.parse(raw)

    def allowed(self) -> str:
        """Return a description of the allowed values."""
        try:
            self.parse("\0")  # invalid for every setting
        except ValueError as error:
            return str(error)
        raise AssertionError(self.key)


SETTINGS = (
    Setting(
        "name",
        "news-bot",
        text_like(
            # Refused by load balancers, security groups, S3 (twice), Scheduler (its own group), and ECR.
            r"(?!internal-|sg-|sthree-|amzn-s3-demo|default\Z)(?!.*--)[a-z][a-z0-9-]{0,18}[a-z0-9]",
            lambda: _(
                "2 to 20 characters of a-z, 0-9 and single -, starting with a letter, not ending with -, "
                "not starting with internal-, sg-, sthree- or amzn-s3-demo; not default"
            ),
        ),
        lambda: _("What should the stack be called?"),
        lambda: _("Everything created in AWS has this name."),
    ),
    Setting(
        "region",
        "ap-northeast-1",
        text_like(
            r"[a-z]{2}(-[a-z]+)+-[0-9]{1,2}", lambda: _("an AWS region such as ap-northeast-1")
        ),
        lambda: _("In which AWS region?"),
        lambda: _(
            "The AWS region: of AWS_REGION or the AWS profile, else Tokyo. Nothing moves to another later."
        ),
    ),
    Setting(
        "domain",
        None,
        host_name,
        lambda: _("Which domain should the bot use?"),
        lambda: _(
            "Your domain, such as example.jp. Its DNS will be hosted in Route 53 (or already is)."
        ),
    ),
    Setting(
        "host",
        "",
        host_name,
        lambda: _("Which host name should LINE use to reach the bot?"),
        lambda: _(
            "The name that LINE calls: the domain itself, or a subdomain such as bot.example.jp."
        ),
    ),
    Setting(
        "network.vpc",
        None,
        text_like(r"default|new|vpc-[0-9a-f]{8,17}", lambda: _("default, new, or a vpc-... id")),
        lambda: _("Which network should the bot run in?"),
        lambda: _("The network the bot runs in. A VPC is free, and so is a new one."),
    ),
    Setting(
        "network.subnets",
        [],
        list_of(text_like(r"subnet-[0-9a-f]{8,17}", lambda: _("a list of subnet-... ids"))),
        lambda: _("Which public subnets?"),
        lambda: _("Two or more public subnets in different zones. Empty: up to three are chosen."),
    ),
    Setting(
        "load_balancer.deletion_protection",
        "off",
        one_of("on", "off"),
        lambda: _("Should AWS refuse to delete the load balancer?"),
        lambda: _(
            "on: AWS refuses to delete the load balancer; teardown and pause switch that off. Free."
        ),
    ),
    Setting(
        "load_balancer.access_logs",
        "off",
        one_of("on", "off"),
        lambda: _("Should each request to the load balancer be logged?"),
        lambda: _(
            "on: requests are logged in an S3 bucket for 30 days; up to 0.12 USD a month and 0.025 per GB."
        ),
    ),
    Setting(
        "load_balancer.rate_limit",
        "",
        number(10, 1000000),
        lambda: _("How many requests may one IP address send in five minutes?"),
        lambda: _(
            "Requests in 5 minutes after which AWS WAF blocks an IP address, LINE's too: at least some "
            "thousands. 6 USD a month and 0.60 per million requests. Empty: no limit."
        ),
    ),
    Setting(
        "image.uri",
        "",
        image_reference,
        lambda: _("Which container image should the bot use?"),
        lambda: _(
            "The bot's image. Empty: this project's bot, built and pushed. Or a URI that Fargate can pull."
        ),
    ),
    Setting(
        "image.base",
        "",
        image_reference,
        lambda: _("Which base image should it be built on?"),
        lambda: _(
            "What the bot's image is built on. Empty: Docker's slim Python 3.12. Others need Python too."
        ),
    ),
    Setting(
        "image.files",
        "",
        text_like(r"[^\0]{1,1024}", lambda: _("a folder of files")),
        lambda: _("Which folder of your own files goes into it?"),
        lambda: _(
            "A folder copied over the bot's code: bot/custom.py has your own commands. Empty: none."
        ),
    ),
    Setting(
        "image.platform",
        "linux/amd64",
        one_of("linux/amd64", "linux/arm64"),
        lambda: _("Which processor is the image for?"),
        lambda: _(
            "The processor the image is built for; an ARM laptop builds linux/arm64 by default."
        ),
        lambda: [
            ("linux/amd64", _("linux/amd64: Intel and AMD processors, the usual choice")),
            ("linux/arm64", _("linux/arm64: ARM processors, such as Apple silicon")),
        ],
    ),
    Setting(
        "service.cpu",
        256,
        fargate_cpu,
        lambda: _("How much CPU for each task?"),
        lambda: _("CPU units of a task: 256 is a quarter of a processor."),
    ),
    Setting(
        "service.memory",
        2048,
        fargate_memory,
        lambda: _("How much memory for each task, in MiB?"),
        lambda: _("MiB of memory of a task. With 256 CPU units Fargate offers 512, 1024 and 2048."),
    ),
    Setting(
        "service.count",
        1,
        number(1, 100),
        lambda: _("How many tasks?"),
        lambda: _(
            "The number of tasks. One is enough for a bot; with two, the bot stays up if one stops."
        ),
    ),
    Setting(
        "service.capacity",
        "spot",
        one_of("spot", "on-demand"),
        lambda: _("Spot or on-demand capacity?"),
        lambda: _("Spot costs about a third, and AWS may take it back with two minutes' notice."),
        lambda: [
            ("spot", _("Spot: about a third of the price; AWS may stop it at two minutes' notice")),
            ("on-demand", _("On-demand: the full price; AWS does not take it back")),
        ],
    ),
    Setting(
        "schedule.timezone",
        "Asia/Tokyo",
        time_zone,
        lambda: _("In which time zone?"),
        lambda: _("The time zone of the schedules, an IANA name such as Asia/Tokyo."),
    ),
    Setting(
        "schedule.start",
        "",
        schedule_expression,
        lambda: _("Start at?"),
        lambda: _(
            "When the bot starts; cron(0 18 ? * MON-FRI *) is weekdays at 18:00. Empty: always on."
        ),
    ),
    Setting(
        "schedule.stop",
        "",
        schedule_expression,
        lambda: _("Stop at?"),
        lambda: _("When the bot stops; cron(0 22 ? * MON-FRI *) is weekdays at 22:00."),
    ),
    Setting(
        "line.token",
        "long-lived",
        one_of("long-lived", "stateless"),
        lambda: _("Which kind of channel access token should be used?"),
        lambda: _(
            "long-lived: the token you issue in LINE's console is stored. stateless: none is stored; LINE "
            "issues one for 15 minutes, and again, for the channel ID and the channel secret."
        ),
    ),
    Setting(
        "line.channel_id",
        "",
        text_like(r"[0-9]{8,20}", lambda: _("a channel ID: digits, such as 1650000000")),
        lambda: _("What is the channel ID (LINE Developers, tab Basic settings)?"),
        lambda: _("LINE's channel ID. It is no secret, and needed only for line.token: stateless."),
    ),
    Setting(
        "line.access_token_parameter",
        "ACCESS_TOKEN",
        text_like(
            PARAMETER_NAME, lambda: _("a Parameter Store name that does not start with aws or ssm")
        ),
        lambda: _("Which parameter holds LINE's channel access token?"),
        lambda: _(
            "The parameter with LINE's channel access token. A second stack in the account needs another."
        ),
    ),
    Setting(
        "line.channel_secret_parameter",
        "CHANNEL_SECRET",
        text_like(
            PARAMETER_NAME, lambda: _("a Parameter Store name that does not start with aws or ssm")
        ),
        lambda: _("Which parameter holds LINE's channel secret?"),
        lambda: _(
            "The parameter with LINE's channel secret. A second stack in the account needs another."
        ),
    ),
    Setting(
        "news.bucket",
        "",
        text_like(
            BUCKET_NAME,
            lambda: _(
                "an S3 bucket name: a-z, 0-9, - and single dots, and none of S3's reserved ones"
            ),
        ),
        lambda: _("Which bucket holds the news?"),
        lambda: _("The bucket of the news. Empty: a new one. An existing one is used as it is."),
    ),
    Setting(
        "news.feeds",
        list(FEEDS),
        list_of(feed_url),
        lambda: _("Which feeds should the bot read?"),
        lambda: _(
            "RSS or Atom URLs with commas between, a category after #; read their terms. Empty: no news."
        ),
    ),
    Setting(
        "news.schedule",
        HOURLY,
        schedule_expression,
        lambda: _("When is the news collected?"),
        lambda: _("When news is collected; each run costs about 0.0002 USD."),
    ),
    Setting(
        "aws.permissions_boundary",
        "",
        text_like(
            r"arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[\x21-\x7e]{1,512}",
            lambda: _("the ARN of an IAM policy"),
        ),
        lambda: _("Which permissions boundary must roles have?"),
        lambda: _(
            "The permissions boundary that your organization requires for IAM roles. Empty: none."
        ),
    ),
    Setting(
        "aws.tags",
        [],
        list_of(
            text_like(
                # EventBridge Scheduler takes no empty value; IAM's keys are the same in any case.
                r"(?!(?i:aws|provision):)[\w .:/+@-]{1,128}=[\w .:/=+@-]{1,256}",
                lambda: _(
                    "a list of KEY=VALUE, at most 7, without empty values and without keys that begin with "
                    "aws: or provision:"
                ),
            )
        ),
        lambda: _("Which tags must everything have?"),
        lambda: _("Tags that your organization requires, such as CostCenter=123. Empty: none."),
    ),
)
BY_KEY = {setting.key: setting for setting in SETTINGS}


def markdown_table() -> str:
    """Return the README's table of settings, in the current language."""
    rows = [(_("setting"), _("default"), _("meaning"), _("allowed")), ("---",) * 4]
    for setting in SETTINGS:
        listed = setting.default if isinstance(setting.default, list) else [setting.default]
        shown = "<br>".join(f"`{value}`" for value in listed if value not in ("", None))
        rows.append((f"`{setting.key}`", shown, setting.explanation(), setting.allowed()))
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def read_setting(key: str, raw: Raw) -> Any:
    """Return the parsed value of a setting. Raise UsageError if it is invalid."""
    try:
        return BY_KEY[key].read(raw)
    except ValueError as error:
        why = _("{key} takes {wanted}", key=key, wanted=error)
        raise wrong_setting(key, why, str(error)) from None


def wrong_setting(key: str, why: str, wanted: str) -> UsageError:
    """Return the error for an invalid value of a setting. wanted: the allowed ones."""
    return UsageError(_("Could not set {key}.", key=key), why, use_instead(key, wanted))


def use_instead(key: str, wanted: str) -> str:
    """Return the next step after a value that is not allowed. wanted: the allowed ones."""
    return _("Set {key} to {wanted}.", key=key, wanted=wanted)


class Settings(Mapping[str, Any]):
    """The settings of one stack by dotted key, including defaults; None without a value."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)

    def __getitem__(self, key: str) -> Any:
        value = self._values.get(key, BY_KEY[key].default)
        return (value or self["domain"]) if key == "host" else value

    def __iter__(self) -> Iterator[str]:
        return iter(BY_KEY)

    def __len__(self) -> int:
        return len(BY_KEY)

    def missing(self) -> list[str]:
        """Return the settings that need a value and have none."""
        missing = [key for key in self if self[key] is None]
        if self["line.token"] == "stateless" and not self["line.channel_id"]:
            missing.append("line.channel_id")
        return missing

    def conflict(self) -> tuple[str, str] | None:
        """Return the first setting that conflicts with another, and its allowed values: (key, sentence)."""
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
        if schedules.coincide(self["schedule.start"], self["schedule.stop"]):
            return "schedule.stop", _("times other than those of schedule.start")
        keys = [pair.partition("=")[0].lower() for pair in self["aws.tags"]]
        if len(set(keys)) < len(keys):  # IAM's keys are the same in upper and lower case
            return "aws.tags", _("each key once, in upper or lower case")
        if len(keys) > MAX_TAGS:
            return "aws.tags", _(
                "at most {count} tags, because a hosted zone can have 10 and provision sets 3",
                count=MAX_TAGS,
            )
        if self["line.access_token_parameter"] == self["line.channel_secret_parameter"]:
            return "line.channel_secret_parameter", _("a name different from the access token's")
        return None
