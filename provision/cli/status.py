"""The command `status`: print the state of each resource, the tasks, and the next start and stop."""

import sys

import click

from provision.cli import options
from provision.cli.outcome import print_rotation_notice
from provision.cli.planning import inspect
from provision.cli.prepare import prepare_run
from provision.i18n import _
from provision.run import Options
from provision.status_report import describe, is_known
from provision.ui.progress import Progress
from provision.ui.reports import show_json, show_status


def command() -> click.Command:
    """Return the click command."""
    return options.make_command(
        status,
        "status",
        _("Show the state of each resource, and why it isn't ready."),
        "provision status --json",
        options.as_json(),
    )


def status(given: Options, as_json: bool) -> int:
    """Print the status. Change nothing. Return the exit status."""
    run = prepare_run(given, save=False, read_only=True)
    engine = run.engine(Progress(run.stack.resources, run.clock))
    engine.begin()
    print_rotation_notice(run)
    document = describe(run.stack, run.file, inspect(engine))
    if as_json:
        show_json(document)
    else:
        show_status(document, sys.stdout, verbose=given.verbose)
    return 0 if is_known(document) else 1
