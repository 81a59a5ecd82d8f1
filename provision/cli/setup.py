"""The command `setup`: ask for settings, show the plan, confirm, and create everything."""

import sys

import click

from provision.cli import options
from provision.cli.outcome import report_outcome, wait_limit
from provision.cli.planning import inspect_and_plan, raise_first_error, unpriced_region
from provision.cli.prepare import prepare_run
from provision.errors import ProvisionError
from provision.i18n import _
from provision.run import Options
from provision.ui.progress import Progress, show_plan
from provision.wizard import channel, domain, prompts


def command() -> click.Command:
    """Return the click command."""
    return options.make_command(
        setup,
        "setup",
        _("Ask for missing settings, show the plan, and build everything."),
        "provision setup",
        options.wait(),
    )


def setup(given: Options, wait: float | None) -> int:
    """Ask for missing settings, show the plan, confirm, and create everything. Return the exit status."""
    run = prepare_run(given, save=True)
    if run.file.paused:
        raise ProvisionError(
            _("Reading {path}.", path=run.file.path),
            _("the stack is paused"),
            _("Run `provision resume`."),
        )
    with run.file.locked():
        progress = Progress(run.stack.resources, run.clock)
        engine = run.engine(progress)
        engine.begin()
        plan = inspect_and_plan(run, engine)
        if domain.choose_zone(run):
            plan = inspect_and_plan(run, engine)
        raise_first_error(plan)
        if channel.complete_secrets(run):
            plan = inspect_and_plan(run, engine)
        show_plan(plan, sys.stderr, unpriced_region(run))
        channel.print_current_endpoint(run)
        domain.offer_to_copy(run, domain.warn(run))
        if plan.changes and not given.yes and not prompts.confirm(_("Build this?")):
            raise ProvisionError(
                _("Asking before anything is created."),
                _("you answered no"),
                _("Nothing was created."),
            )
        run.save_sets()
        with progress:
            outcome = engine.setup(wait_limit(wait))
    return report_outcome(run, outcome)
