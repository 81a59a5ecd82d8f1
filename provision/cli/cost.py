"""The command `cost`: print the monthly cost of each resource, and possible savings."""

import sys

import click

from provision.cli import options
from provision.cli.outcome import print_pause_notice
from provision.cli.prepare import prepare_run
from provision.i18n import _
from provision.pricing import AS_OF, HOURS, YEN, yen
from provision.run import Options, Run
from provision.status_report import is_built
from provision.ui.names import by_step, name_of
from provision.ui.reports import price_note, show_json
from provision.ui.text import echo, listed, show


def command() -> click.Command:
    """Return the click command."""
    return options.make_command(
        cost,
        "cost",
        _("What each resource costs a month, and what would lower it."),
        "provision cost --json",
        options.as_json(),
    )


def cost(given: Options, as_json: bool) -> int:
    """Print the monthly cost of each resource, and possible savings. Send no request to AWS."""
    run = prepare_run(given, save=False, read_only=True, recover=False)
    costs = {
        key: usd
        for key, usd in run.monthly().items()
        if usd and (not run.file.paused or key in run.file.records)
    }
    total = sum(costs.values())
    savings = _savings(run)
    print_pause_notice(run)
    if not run.file.paused and not is_built(run.stack, run.file):
        show(_("There is no stack: this is what it would cost."), sys.stderr)
    if as_json:
        document = {
            "resources": [{"key": key, "monthly_usd": round(usd, 2)} for key, usd in costs.items()],
            "monthly_usd": round(total, 2),
            "lower": [{"id": name, "monthly_usd": round(usd, 2)} for name, usd in savings.items()],
        }
        show_json(document)
        return 0
    show(
        _(
            "About {total:.2f} USD ({yen} yen) a month (list prices of {as_of} without tax and traffic; "
            "{rate} yen to the dollar).",
            total=total,
            yen=yen(total),
            as_of=AS_OF,
            rate=YEN,
        ),
        sys.stdout,
    )
    _print_costs(costs, verbose=given.verbose)
    if not run.prices.exact:
        show(price_note(run.stack.region), sys.stdout)
    how = {
        "pause": _("`provision pause` while nobody needs the bot"),
        "two_subnets": _("two subnets instead of three"),
        "spot": _("service.capacity: spot"),
    }
    for name, usd in savings.items():
        show(_("{usd:9.2f}  less with: {how}", usd=usd, how=how[name]), sys.stdout, hanging=11)
    return 0


def _savings(run: Run) -> dict[str, float]:
    """Return how much each possible saving is worth, in USD a month."""
    settings, prices = run.file.settings, run.prices
    if run.file.paused:
        return {}
    found = {"pause": hourly_cost(run), "two_subnets": HOURS * prices.public_ipv4_hour}
    if settings["service.capacity"] == "on-demand":
        on_demand, spot = (
            prices.task_hour(settings["service.cpu"], settings["service.memory"], capacity)
            for capacity in ("on-demand", "spot")
        )
        found["spot"] = HOURS * settings["service.count"] * (on_demand - spot)
    return found


def _print_costs(costs: dict[str, float], *, verbose: bool) -> None:
    """Print the cost of each step, with what it is for; with `verbose` of each resource by its key."""
    if verbose:
        for key, usd in costs.items():
            echo(f"{usd:9.2f}  {key}")
        return
    for step, keys in by_step(costs).items():
        names = listed(name_of(key) for key in keys)
        usd = sum(costs[key] for key in keys)
        show(
            f"{usd:9.2f}  {step}" + ("" if names.casefold() == step.casefold() else f": {names}"),
            sys.stdout,
            hanging=11,
        )


def hourly_cost(run: Run) -> float:
    """Return the monthly cost in USD of the resources charged by the hour."""
    return sum(r.costs(run.prices) for r in run.stack.resources if r.deletion.on_pause)
