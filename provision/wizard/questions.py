"""Define the order of the wizard's questions, whose words are in settings.py, and the choice of hours."""

from provision.i18n import _
from provision.pricing import HOURS, Prices
from provision.settings import SETTINGS

ARTICLE = ("cron(0 8 ? * SAT,SUN *)", "cron(0 9 ? * SAT,SUN *)", "Asia/Tokyo")
ARTICLE_HOURS = 2 * 52 / 12  # a month: one hour on Saturdays and one on Sundays


# Asked of everybody, then of somebody who wants more than the defaults: OTHERS, then NETWORK.
FIRST = ("domain", "host", "schedule.start")
# Asked last: the choices depend on the region, and while it is open the others are asked again.
NETWORK = ("network.vpc", "network.subnets")
OWN_TIMES = ("schedule.start", "schedule.stop", "schedule.timezone")
OTHERS = tuple(
    setting.key for setting in SETTINGS if setting.key not in (*FIRST, *NETWORK, *OWN_TIMES)
)


def times(prices: Prices, cpu: int, memory: int, capacity: str) -> list[tuple[str, str]]:
    """Return the choices of when the bot answers, each with the price of its tasks a month."""
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
        ("own", _("your own days and hours (two cron expressions)")),
    ]
