"""The command `plan`: print what setup would do, its monthly cost and its duration."""

import sys

import click

from provision.cli import options
from provision.cli.outcome import print_pause_notice, print_rotation_notice, report_errors
from provision.cli.planning import inspect_and_plan, print_plan
from provision.cli.prepare import prepare_run
from provision.errors import NotChecked
from provision.i18n import _
from provision.run import Options
from provision.ui.progress import Progress
from provision.ui.reports import show_json
from provision.wizard import domain


def command() -> click.Command:
    """Return the click command."""
    return options.make_command(
        plan,
        "plan",
        _("What setup would do, what it costs a month, how long it takes. Changes nothing."),
        "provision plan --json",
        options.as_json(),
    )


def plan(given: Options, as_json: bool) -> int:
    """Print what setup would do. Change nothing, not even the file."""
    run = prepare_run(given, save=False, read_only=True)
    engine = run.engine(Progress(run.stack.resources, run.clock))
    engine.begin()
    found = inspect_and_plan(run, engine)
    domain.warn(run)
    print_pause_notice(run)
    print_rotation_notice(run)
    if as_json:
        show_json(found.to_dict())
    else:
        print_plan(run, found, sys.stdout)
    errors = [error for error in found.errors if not isinstance(error, NotChecked)]
    return report_errors(errors) if errors or engine.unchecked else 0
