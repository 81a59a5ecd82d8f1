"""The command `resume`: create again what `pause` deleted."""

import sys

import click

from provision.cli import options
from provision.cli.outcome import report_outcome, wait_limit
from provision.cli.planning import confirm_cost, inspect_and_plan, raise_first_error
from provision.cli.prepare import prepare_run
from provision.i18n import _
from provision.run import Options
from provision.ui.progress import Progress
from provision.ui.reports import show_steps
from provision.ui.text import show


def command() -> click.Command:
    """Return the click command."""
    return options.make_command(
        resume,
        "resume",
        _("Create again what pause deleted, after asking."),
        "provision resume",
        options.wait(),
        options.as_json(),
    )


def resume(given: Options, wait: float | None, as_json: bool) -> int:
    """Create again what `pause` deleted, after asking. Raise ProvisionError if not paused.

    The stack remains marked as paused until everything is created, so the same command continues.
    """
    run = prepare_run(given, save=False, must_be_paused=True)
    run.stack.service.stopped = run.file.stopped
    with run.file.locked():
        progress = Progress(run.stack.resources, run.clock)
        engine = run.engine(progress)
        engine.begin()
        plan = inspect_and_plan(run, engine)
        raise_first_error(plan)
        show_steps(plan.changes, sys.stderr, verbose=given.verbose)
        if run.file.stopped:
            show(_("The bot was stopped before the pause, and stays stopped."), sys.stderr)
        confirm_cost(plan.changes, given)
        run.save_sets()
        progress.expect(plan.seconds)
        with progress:
            outcome = engine.setup(wait_limit(wait))
        if not outcome.errors and not outcome.outside:
            run.file.mark_paused(False)
    return report_outcome(run, outcome, as_json=as_json)
