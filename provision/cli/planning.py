"""Before anything is made or deleted: the plan, what speaks against it, and the consent to its cost."""

import sys

from provision.engine.engine import Engine
from provision.engine.plan import Change, Plan, make_plan
from provision.errors import ProvisionError
from provision.i18n import _
from provision.pricing import prices
from provision.run import Options, Run
from provision.wizard import prompts


def looked(run: Run, engine: Engine) -> Plan:
    """Return the plan, from a fresh inspection. What settings replaced and stays is named on stderr."""
    run.observations = engine.inspect()
    found = make_plan(engine, run.observations, prices(run.file.settings["region"]))
    for key, why in found.kept.items():
        if key in run.file.records:
            print(_("stays: {key}: {why}", key=key, why=why), file=sys.stderr)
    return found


def raise_first_error(plan: Plan) -> None:
    """Raise the first error of a plan, before anything is created."""
    for refusal in plan.errors[:-1]:
        print(refusal, file=sys.stderr)
    if plan.errors:
        raise plan.errors[-1]


def agree_to_pay(steps: list[Change], options: Options) -> None:
    """Ask before anything that costs is made. Raises ProvisionError; UsageError without a terminal."""
    usd = sum(step.monthly_usd for step in steps if step.action in ("create", "replace"))
    question = _("Make what is listed above (about {usd:.2f} USD a month)?", usd=usd)
    if usd and not options.yes and not prompts.confirm(question):
        raise ProvisionError(
            _("Asking before anything is made."), _("you answered no"), _("Nothing was created.")
        )


def no_service(run: Run) -> ProvisionError:
    """Return the error for a stack without a service to start, stop or deploy to."""
    return ProvisionError(
        _("Looking for the service {name}.", name=run.stack.service.name),
        _("the stack is paused") if run.file.paused else _("there is none yet"),
        _("Run `provision resume`.") if run.file.paused else _("Run `provision setup`."),
    )


def inexact(run: Run) -> str:
    """Return the region where its prices are not known, so that another one's are used; else ""."""
    region = str(run.file.settings["region"])
    return "" if prices(region).exact else region
