"""The questions of the wizard, in order: which setting, its words, one line that explains it. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from provision.i18n import _
from provision.pricing import HOURS, Prices

Words = Callable[[], str]
Choices = Callable[[], list[tuple[str, str]]]  # each answer, with a few words about it
ARTICLE = ("cron(0 8 ? * SAT,SUN *)", "cron(0 9 ? * SAT,SUN *)", "Asia/Tokyo")
ARTICLE_HOURS = 2 * 52 / 12  # a month: one hour on Saturdays and one on Sundays


@dataclass(frozen=True)
class Question:
    """One setting, and how a person is asked for it."""

    setting: str
    text: Words
    explanation: Words
    choices: Choices | None = None


# Asked of everybody, then of somebody who wants more than the defaults: OTHERS, then NETWORK.
FIRST = (
    Question(
        "domain",
        lambda: _("Which domain do you own?"),
        lambda: _("Its DNS moves to Route 53, or it is there already. Example: example.jp"),
    ),
    Question(
        "host",
        lambda: _("Under which name shall LINE call the bot?"),
        lambda: _("The domain itself, or a name in it such as bot.example.jp."),
    ),
    Question(
        "schedule.start",
        lambda: _("When should the bot answer?"),
        lambda: _("Tasks cost by the second; the load balancer costs all day."),
    ),
)
# Asked last: what there is to choose depends on the region, and while it is open the others are asked again.
NETWORK = (
    Question(
        "network.vpc",
        lambda: _("In which network shall the bot stand?"),
        lambda: _("A VPC costs nothing, one of its own neither."),
    ),
    Question(
        "network.subnets",
        lambda: _("Which public subnets?"),
        lambda: _("Space picks: two or more, each in another zone. None: three are chosen."),
    ),
)
OWN_TIMES = (
    Question(
        "schedule.start",
        lambda: _("Start at?"),
        lambda: _("For example cron(0 18 ? * MON-FRI *): weekdays at 18:00."),
    ),
    Question(
        "schedule.stop",
        lambda: _("Stop at?"),
        lambda: _("For example cron(0 22 ? * MON-FRI *): weekdays at 22:00."),
    ),
    Question(
        "schedule.timezone",
        lambda: _("In which time zone?"),
        lambda: _("An IANA name such as Asia/Tokyo."),
    ),
)
OTHERS = (
    Question(
        "name",
        lambda: _("How shall the stack be called?"),
        lambda: _("Everything made in AWS carries this name."),
    ),
    Question(
        "region",
        lambda: _("In which AWS region?"),
        lambda: _("Tokyo is ap-northeast-1. Nothing moves to another region later."),
    ),
    Question(
        "image.uri",
        lambda: _("Which container image is the bot?"),
        lambda: _(
            "Empty: this project's bot, built and pushed here. Or a URI that Fargate can pull."
        ),
    ),
    Question(
        "image.base",
        lambda: _("On which image is it built?"),
        lambda: _("Empty: Docker's slim Python 3.12, by digest. Another one needs Python too."),
    ),
    Question(
        "image.files",
        lambda: _("Which folder of your own files goes into it?"),
        lambda: _("Laid over the bot's code: bot/custom.py holds your own commands. Empty: none."),
    ),
    Question(
        "image.platform",
        lambda: _("For which processor is the image?"),
        lambda: _("As it was built; an ARM laptop builds linux/arm64 unless told otherwise."),
        lambda: [("linux/amd64", "X86_64"), ("linux/arm64", "ARM64")],
    ),
    Question(
        "service.cpu",
        lambda: _("How much processor for a task?"),
        lambda: _("In CPU units: 256 is a quarter of one."),
    ),
    Question(
        "service.memory",
        lambda: _("How much memory for a task, in MiB?"),
        lambda: _("With 256 CPU units Fargate offers 512, 1024 and 2048."),
    ),
    Question(
        "service.count",
        lambda: _("How many tasks?"),
        lambda: _("One is enough for a bot; two survive the loss of one without a pause."),
    ),
    Question(
        "service.capacity",
        lambda: _("Spot or on-demand capacity?"),
        lambda: _("Spot costs about a third, and AWS may take it back with two minutes' notice."),
        lambda: [("spot", "FARGATE_SPOT"), ("on-demand", "FARGATE")],
    ),
    Question(
        "line.access_token_parameter",
        lambda: _("Which parameter holds LINE's channel access token?"),
        lambda: _("A second stack in the account needs a name of its own."),
    ),
    Question(
        "line.channel_secret_parameter",
        lambda: _("Which parameter holds LINE's channel secret?"),
        lambda: _("A second stack in the account needs a name of its own."),
    ),
    Question(
        "news.bucket",
        lambda: _("Which bucket holds the news?"),
        lambda: _("Empty: one is made. One that exists is used as it is."),
    ),
    Question(
        "news.feeds",
        lambda: _("Which feeds does the bot read?"),
        lambda: _(
            "RSS or Atom URLs, with commas between; look at their terms. Empty: none is collected."
        ),
    ),
    Question(
        "news.schedule",
        lambda: _("When is the news collected?"),
        lambda: _("An expression of EventBridge Scheduler; each run costs about 0.0002 USD."),
    ),
)


def times(prices: Prices, cpu: int, memory: int, capacity: str) -> list[tuple[str, str]]:
    """When the bot may answer, each with what its tasks cost a month."""
    hour = prices.task_hour(cpu, memory, capacity)
    return [
        ("always", _("always: about {usd:.2f} USD a month for the task", usd=HOURS * hour)),
        (
            "article",
            _(
                "Saturdays and Sundays 8:00 to 9:00 (Tokyo): about {usd:.2f} USD",
                usd=ARTICLE_HOURS * hour,
            ),
        ),
        ("own", _("own hours, as two expressions of EventBridge Scheduler")),
    ]
