"""The verb setup: questions, plan, one confirmation, and the creation of everything."""

import sys

import click

from provision.cli import options
from provision.cli.outcome import report_outcome, wait_limit
from provision.cli.planning import inexact, looked, raise_first_error
from provision.cli.prepare import prepared
from provision.errors import ProvisionError
from provision.i18n import _
from provision.run import Options
from provision.ui.progress import Progress, show_plan
from provision.wizard import channel, domain, prompts


def command() -> click.Command:
    """Return the command line's `setup`."""
    return options.verb(
        setup,
        "setup",
        _("Ask for missing settings, show the plan, and build everything."),
        "provision setup",
        options.wait(),
    )


def setup(given: Options, wait: float | None) -> int:
    """Ask, plan, confirm and create; end with LINE's test."""
    run = prepared(given, save=True)
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
        plan = looked(run, engine)
        if domain.choose_zone(run):
            plan = looked(run, engine)
        raise_first_error(plan)
        if channel.complete_secrets(run):
            plan = looked(run, engine)
        show_plan(plan, sys.stderr, inexact(run))
        channel.print_current_endpoint(run)
        domain.offer_to_copy(run, domain.warn(run))
        if plan.changes and not given.yes and not prompts.confirm(_("Build this?")):
            raise ProvisionError(
                _("Asking before anything is made."),
                _("you answered no"),
                _("Nothing was created."),
            )
        run.save_sets()
        with progress:
            outcome = engine.setup(wait_limit(wait))
    return report_outcome(run, outcome)
