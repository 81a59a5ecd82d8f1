"""The order of the wizard's questions, whose text is in settings.py, and the choices of hours."""

from collections.abc import Mapping
from typing import Any

from provision.i18n import _
from provision.pricing import HOURS, prices, yen
from provision.setting_types import FARGATE_MEMORY
from provision.settings import SETTINGS, Settings
from provision.stack import Secrets, Stack

ARTICLE = ("cron(0 8 ? * SAT,SUN *)", "cron(0 9 ? * SAT,SUN *)", "Asia/Tokyo")

# Always asked. OTHERS and the subnets are asked only if the defaults are not kept.
FIRST = ("domain", "host", "schedule.start")
# Asked last, because the choices depend on the region.
NETWORK = ("network.vpc", "network.subnets")
OWN_TIMES = ("schedule.start", "schedule.stop", "schedule.timezone")
# Not asked, because few people need them: in the file or with --set.
NOT_ASKED = (
    "load_balancer.deletion_protection",
    "load_balancer.access_logs",
    "load_balancer.rate_limit",
    "line.token",
    "line.channel_id",  # except for line.token: stateless
    "aws.permissions_boundary",
    "aws.tags",
)
OTHERS = tuple(
    setting.key
    for setting in SETTINGS
    if setting.key not in (*FIRST, *NETWORK, *OWN_TIMES, *NOT_ASKED)
)


def hours(settings: Settings) -> list[tuple[str, str]]:
    """Return the choices of the bot's hours, each with what the whole stack costs a month."""
    always = _total(settings, {"schedule.start": "", "schedule.stop": ""})
    article = _total(settings, dict(zip(OWN_TIMES, ARTICLE, strict=True)))
    return [
        (
            "always",
            _("always: about {usd:.2f} USD ({yen} yen) a month", usd=always, yen=yen(always)),
        ),
        (
            "article",
            _(
                "weekends 8:00 to 9:00 (Tokyo): {usd:.2f} USD ({yen} yen)",
                usd=article,
                yen=yen(article),
            ),
        ),
        ("own", _("your own days and hours (two cron expressions)")),
    ]


def _total(settings: Settings, times: Mapping[str, str]) -> float:
    """Return what the whole stack costs a month with these hours, in USD. A VPC is free."""
    changed = {**settings, "network.vpc": "default", **times}
    region_prices = prices(settings["region"])
    stack = Stack(Settings(changed), Secrets(), {})
    return sum(resource.costs(region_prices) for resource in stack.resources)


def priced(key: str, settings: Settings) -> list[tuple[str, str]]:
    """Return the choices of a setting that changes the price, each with that of a task; [] for others."""
    if key == "service.cpu":
        return [
            (
                str(cpu),
                _(
                    "{cpu} units ({share:g} of a processor): {usd:.2f} USD ({yen} yen) a month",
                    cpu=cpu,
                    share=cpu / 1024,
                    **_month(settings, cpu=cpu, memory=max(memory[0], 2048)),
                ),
            )
            for cpu, memory in FARGATE_MEMORY.items()
        ]
    if key == "service.memory":
        return [
            (
                str(memory),
                _(
                    "{memory} MiB: {usd:.2f} USD ({yen} yen) a month",
                    memory=memory,
                    **_month(settings, memory=memory),
                ),
            )
            for memory in FARGATE_MEMORY[settings["service.cpu"]]
        ]
    if key == "service.capacity":
        spot, full = (_month(settings, capacity=each) for each in ("spot", "on-demand"))
        return [
            (
                "spot",
                _("Spot, may be stopped by AWS: {usd:.2f} USD ({yen} yen) a month", **spot),
            ),
            (
                "on-demand",
                _("On-demand, never stopped: {usd:.2f} USD ({yen} yen) a month", **full),
            ),
        ]
    return []


def task_hour(settings: Settings, **changes: Any) -> float:
    """Return what the tasks cost an hour, in USD. changes: of cpu, memory or capacity."""
    names = ("cpu", "memory", "capacity")
    values = [changes.get(name, settings[f"service.{name}"]) for name in names]
    return prices(settings["region"]).task_hour(*values) * int(settings["service.count"])


def _month(settings: Settings, **changes: Any) -> dict[str, Any]:
    """Return what the tasks cost a month if they always run, in USD and yen."""
    usd = HOURS * task_hour(settings, **changes)
    return {"usd": usd, "yen": yen(usd)}
