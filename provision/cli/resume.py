"""The verb resume: put back what pause took away."""

import sys

import click

from provision.cli import options
from provision.cli.outcome import report_outcome, wait_limit
from provision.cli.planning import agree_to_pay, looked, raise_first_error
from provision.cli.prepare import prepared
from provision.i18n import _
from provision.run import Options
from provision.ui.progress import Progress, show_steps


def command() -> click.Command:
    """Return the command line's `resume`."""
    return options.verb(
        resume,
        "resume",
        _("Create again what pause deleted, after asking."),
        "provision resume",
        options.wait(),
    )


def resume(given: Options, wait: float | None) -> int:
    """Put back what pause took away, after showing its cost and asking. Refuses where nothing is paused.

    The mark of the pause goes when all of it is back: until then the same command goes on.
    """
    run = prepared(given, save=False, resumes=True)
    with run.file.locked():
        progress = Progress(run.stack.resources, run.clock)
        engine = run.engine(progress)
        engine.begin()
        plan = looked(run, engine)
        raise_first_error(plan)
        show_steps(plan.changes, sys.stderr)
        agree_to_pay(plan.changes, given)
        run.save_sets()
        with progress:
            outcome = engine.setup(wait_limit(wait))
        if not outcome.errors and not outcome.outside:
            run.file.mark_paused(False)
    return report_outcome(run, outcome)
