"""The verb cost: what each resource costs a month, and what would lower it."""

import click

from provision.cli import options
from provision.cli.outcome import tell_pause
from provision.cli.prepare import prepared
from provision.i18n import _
from provision.pricing import AS_OF, HOURS, prices
from provision.resources.base import Milestone
from provision.run import Options, Run
from provision.ui.progress import price_note, show_json


def command() -> click.Command:
    """Return the command line's `cost`."""
    return options.verb(
        cost,
        "cost",
        _("What each resource costs a month, and what would lower it."),
        "provision cost --json",
        options.as_json(),
    )


def cost(given: Options, as_json: bool) -> int:
    """Print what each resource costs a month, and what would lower it. Ask AWS nothing."""
    run = prepared(given, save=False, looks=True, recovers=False)
    settings = run.file.settings
    listed = prices(settings["region"])
    costs = {
        r.key: round(r.costs(listed), 2)
        for r in run.stack.resources
        if not isinstance(r, Milestone) and r.costs(listed) and not _adopted(run, r.key)
        if not run.file.paused or r.key in run.file.records
    }
    total = sum(costs.values())
    lower = []
    if not run.file.paused:
        lower = [
            (_("`provision pause` while nobody needs the bot"), hourly(run)),
            (_("two subnets instead of three"), HOURS * listed.public_ipv4_hour),
        ]
    if settings["service.capacity"] == "on-demand" and not run.file.paused:
        spot = HOURS * settings["service.count"]
        less = listed.task_hour(settings["service.cpu"], settings["service.memory"], "on-demand")
        less -= listed.task_hour(settings["service.cpu"], settings["service.memory"], "spot")
        lower.append((_("service.capacity: spot"), spot * less))
    tell_pause(run)
    if as_json:
        document = {
            "resources": [{"key": key, "monthly_usd": usd} for key, usd in costs.items()],
            "monthly_usd": round(total, 2),
            "lower": [{"how": how, "monthly_usd": round(usd, 2)} for how, usd in lower],
        }
        show_json(document)
        return 0
    for key, usd in costs.items():
        print(f"{usd:9.2f}  {key}")
    print(
        _(
            "{total:9.2f}  USD a month (list prices of {as_of}, without tax and traffic)",
            total=total,
            as_of=AS_OF,
        )
    )
    if not listed.exact:
        print(price_note(settings["region"]))
    for how, usd in lower:
        print(_("{usd:9.2f}  less with: {how}", usd=usd, how=how))
    return 0


def hourly(run: Run) -> float:
    """Return what is paid by the hour, in USD a month."""
    listed = prices(run.file.settings["region"])
    return sum(r.costs(listed) for r in run.stack.resources if r.deletion.on_pause)


def _adopted(run: Run, key: str) -> bool:
    record = run.file.records.get(key)
    return record is not None and record.state == "adopted"
