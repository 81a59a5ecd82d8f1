"""Make a plan, raise its errors, and ask for confirmation of its cost."""

import sys
from collections.abc import Mapping
from typing import Any

from provision.clients import aws_errors
from provision.engine.engine import Engine
from provision.engine.inspector import Observation
from provision.engine.plan import Change, Plan, make_plan
from provision.errors import Cancelled, ProvisionError
from provision.i18n import _
from provision.pricing import prices, yen
from provision.run import Options, Run
from provision.settings import Settings, read_setting
from provision.stack import Secrets, Stack
from provision.ui.errors import show_error
from provision.ui.reports import show_plan
from provision.ui.text import account_number, note, show
from provision.wizard import prompts


def inspect(engine: Engine) -> dict[str, Observation]:
    """Inspect the stack; at a terminal, say so meanwhile."""
    with note(_("Looking at the stack.")):
        return engine.inspect()


def inspect_and_plan(run: Run, engine: Engine) -> Plan:
    """Inspect the stack and return the plan. Print the replaced resources that are kept on stderr."""
    run.observations = inspect(engine)
    found = make_plan(engine, run.observations, run.prices)
    for key, why in found.kept.items():
        if key in run.file.records:
            show(_("stays: {key}: {why}", key=run.label(key), why=why), sys.stderr, hanging=2)
    return found


def awaits_registrar(run: Run) -> bool:
    """Return whether the registrar does not list the name servers yet, or that is not known."""
    return bool(run.observations[run.stack.delegation.key].waiting)


def print_plan(run: Run, plan: Plan, stream: Any) -> None:
    """Print what setup would do."""
    show_plan(
        plan,
        stream,
        "" if run.prices.exact else run.stack.region,
        registrar=awaits_registrar(run),
        verbose=run.options.verbose,
    )


def raise_first_error(plan: Plan) -> None:
    """Print all errors of a plan but the last, and raise that one."""
    for error in plan.errors[:-1]:
        show_error(error)
    if plan.errors:
        raise plan.errors[-1]


def account_line(run: Run, engine: Engine) -> str:
    """Return the sentence that names the account, the profile and the region of this run."""
    if run.sandbox:
        return _("In the sandbox on this computer: nothing here costs anything.")
    return _(
        "AWS account {account}, profile {profile}, region {region}",
        account=account_number(engine.account_region["account"]),
        profile=run.clients.aws.profile,
        region=engine.account_region["region"],
    )


def confirm_cost(steps: list[Change], options: Options, rise: float = 0.0) -> None:
    """Ask before anything that costs money. Raise Cancelled; UsageError without a terminal.

    rise: how much more the updated resources cost, in USD a month.
    """
    usd = sum(step.monthly_usd for step in steps if step.action in ("create", "replace"))
    question = _(
        "Create the resources listed above (about {usd:.2f} USD, {yen} yen, a month)?",
        usd=usd,
        yen=yen(usd),
    )
    if rise >= 0.01:
        usd += rise
        question = _(
            "Change the resources listed above (about {usd:.2f} USD, {yen} yen, a month more)?",
            usd=usd,
            yen=yen(usd),
        )
        if not steps:
            question = _(
                "This costs about {usd:.2f} USD ({yen} yen) a month more. Go on?",
                usd=usd,
                yen=yen(usd),
            )
    if usd and not options.yes and not prompts.confirm(question):
        raise Cancelled(_("Cancelled. Nothing was changed."))


def shown_settings(run: Run) -> dict[str, Any]:
    """Return the settings of size, capacity and number of the tasks that AWS shows; {} without a service.

    Raise ProvisionError if they are unknown.
    """
    service = run.stack.service
    live = run.observations[service.key].known()
    if live is None:
        return {}
    shown: dict[str, Any] = {}
    for resource in (service, run.stack.task_definition):
        observation = run.observations[resource.key]
        doing = _("Could not look up {key}.", key=resource.key)
        with aws_errors.reading(doing, observation.answered):
            if found := observation.known():
                shown |= resource.recovered_settings(found)
    if counted := live.get("Counted"):
        shown["service.count"] = counted  # also while it is stopped
    return shown


def tasks_cost(run: Run, values: Mapping[str, Any]) -> float:
    """Return what the tasks cost a month in USD, with these settings and otherwise the file's."""
    read = {k: read_setting(k, v) if isinstance(v, str) else v for k, v in values.items()}
    settings = Settings({**run.file.settings, **read})
    stack = Stack(settings, Secrets(), {}, run.file.path.parent)
    return stack.service.costs(prices(settings["region"]))


def no_service(run: Run) -> ProvisionError:
    """Return the error for a stack without a service to start, stop or deploy to."""
    return ProvisionError(
        _("Could not find the service {name}.", name=run.stack.service.name),
        _("the stack is paused") if run.file.paused else _("there is none yet"),
        _("Run `provision resume`.") if run.file.paused else _("Run `provision setup`."),
    )
