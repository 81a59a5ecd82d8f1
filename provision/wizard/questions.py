"""The order of the wizard's questions, whose text is in settings.py, and the choices of hours."""

from provision.i18n import _
from provision.pricing import HOURS, Prices
from provision.settings import SETTINGS

ARTICLE = ("cron(0 8 ? * SAT,SUN *)", "cron(0 9 ? * SAT,SUN *)", "Asia/Tokyo")
ARTICLE_HOURS = 2 * 52 / 12  # per month: one hour on Saturdays and one on Sundays

# Always asked. OTHERS and the subnets are asked only if the defaults are not kept.
FIRST = ("domain", "host", "schedule.start")
# Asked last, because the choices depend on the region.
NETWORK = ("network.vpc", "network.subnets")
OWN_TIMES = ("schedule.start", "schedule.stop", "schedule.timezone")
OTHERS = tuple(
    setting.key for setting in SETTINGS if setting.key not in (*FIRST, *NETWORK, *OWN_TIMES)
)


def times(prices: Prices, cpu: int, memory: int, capacity: str) -> list[tuple[str, str]]:
    """Return the choices of the bot's hours, each with the monthly price of its tasks."""
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
