"""Make a plan, raise its errors, and ask for confirmation of its cost."""

import sys

from provision.engine.engine import Engine
from provision.engine.plan import Change, Plan, make_plan
from provision.errors import ProvisionError
from provision.i18n import _
from provision.pricing import prices
from provision.run import Options, Run
from provision.wizard import prompts


def inspect_and_plan(run: Run, engine: Engine) -> Plan:
    """Inspect the stack and return the plan. Print the replaced resources that are kept on stderr."""
    run.observations = engine.inspect()
    found = make_plan(engine, run.observations, prices(run.file.settings["region"]))
    for key, why in found.kept.items():
        if key in run.file.records:
            print(_("stays: {key}: {why}", key=key, why=why), file=sys.stderr)
    return found


def raise_first_error(plan: Plan) -> None:
    """Print all errors of a plan but the last, and raise that one."""
    for error in plan.errors[:-1]:
        print(error, file=sys.stderr)
    if plan.errors:
        raise plan.errors[-1]


def confirm_cost(steps: list[Change], options: Options) -> None:
    """Ask before creating anything that costs money. Raise ProvisionError; UsageError without a terminal."""
    usd = sum(step.monthly_usd for step in steps if step.action in ("create", "replace"))
    question = _("Create the resources listed above (about {usd:.2f} USD a month)?", usd=usd)
    if usd and not options.yes and not prompts.confirm(question):
        raise ProvisionError(
            _("Asking before anything is created."), _("you answered no"), _("Nothing was created.")
        )


def no_service(run: Run) -> ProvisionError:
    """Return the error for a stack without a service to start, stop or deploy to."""
    return ProvisionError(
        _("Looking for the service {name}.", name=run.stack.service.name),
        _("the stack is paused") if run.file.paused else _("there is none yet"),
        _("Run `provision resume`.") if run.file.paused else _("Run `provision setup`."),
    )


def unpriced_region(run: Run) -> str:
    """Return the region if there are no prices for it, so that Tokyo's are used; else ""."""
    region = str(run.file.settings["region"])
    return "" if prices(region).exact else region
