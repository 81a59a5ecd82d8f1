"""Before anything is made or deleted: the plan, what speaks against it, and the consent to its cost."""

import sys

from provision.engine.engine import Engine
from provision.engine.plan import Change, Plan, make_plan
from provision.errors import Cancelled, ProvisionError
from provision.i18n import _
from provision.pricing import prices
from provision.run import Options, Run
from provision.ui.errors import show_error
from provision.wizard import prompts


def looked(run: Run, engine: Engine) -> Plan:
    """Return the plan, from a fresh inspection. What settings replaced and stays is named on stderr."""
    run.observations = engine.inspect()
    found = make_plan(engine, run.observations, prices(run.file.settings["region"]))
    for key, why in found.kept.items():
        if key in run.file.records:
            print(_("stays: {key}: {why}", key=run.label(key), why=why), file=sys.stderr)
    return found


def raise_first_error(plan: Plan) -> None:
    """Raise the first error of a plan, before anything is created."""
    for refusal in plan.errors[:-1]:
        show_error(refusal)
    if plan.errors:
        raise plan.errors[-1]


def account_line(run: Run, engine: Engine) -> str:
    """Return the sentence that names the account, the profile and the region of this run."""
    if run.sandbox:
        return _("In the sandbox on this computer: nothing here costs anything.")
    number = engine.here["account"]
    return _(
        "AWS account {account}, profile {profile}, region {region}",
        account=f"{number[:4]}-{number[4:8]}-{number[8:]}",
        profile=run.clients.aws.profile,
        region=engine.here["region"],
    )


def agree_to_pay(steps: list[Change], options: Options, rise: float = 0.0) -> None:
    """Ask before anything that costs is made. Raises ProvisionError; UsageError without a terminal.

    rise: by how many USD a month what is updated will cost more.
    """
    usd = sum(step.monthly_usd for step in steps if step.action in ("create", "replace"))
    question = _("Make what is listed above (about {usd:.2f} USD a month)?", usd=usd)
    if rise >= 0.01:
        usd += rise
        question = _("Change what is listed above (about {usd:.2f} USD a month more)?", usd=usd)
    if usd and not options.yes and not prompts.confirmed(question):
        raise Cancelled(_("Cancelled. Nothing was changed."))


def no_service(run: Run) -> ProvisionError:
    """Return the error for a stack without a service to start, stop or deploy to."""
    return ProvisionError(
        _("Could not find the service {name}.", name=run.stack.service.name),
        _("the stack is paused") if run.file.paused else _("there is none yet"),
        _("Run `provision resume`.") if run.file.paused else _("Run `provision setup`."),
    )


def inexact(run: Run) -> str:
    """Return the region where its prices are not known, so that another one's are used; else ""."""
    region = str(run.file.settings["region"])
    return "" if prices(region).exact else region
