"""The verb plan: what setup would do, what it costs a month, how long it takes."""

import sys

import click

from provision.cli import options
from provision.cli.outcome import failed, tell_pause
from provision.cli.planning import inexact, looked
from provision.cli.prepare import prepared
from provision.i18n import _
from provision.run import Options
from provision.ui.progress import Progress, show_json, show_plan
from provision.wizard import domain


def command() -> click.Command:
    """Return the command line's `plan`."""
    return options.verb(
        plan,
        "plan",
        _("What setup would do, what it costs a month, how long it takes. Changes nothing."),
        "provision plan --json",
        options.as_json(),
    )


def plan(given: Options, as_json: bool) -> int:
    """Print what setup would do. Change nothing, not even the file."""
    run = prepared(given, save=False, looks=True)
    engine = run.engine(Progress(run.stack.resources, run.clock))
    engine.begin()
    found = looked(run, engine)
    domain.warn(run)
    tell_pause(run)
    if as_json:
        show_json(found.to_dict())
    else:
        show_plan(found, sys.stdout, inexact(run))
    return failed(found.errors) if found.errors or engine.unchecked else 0
