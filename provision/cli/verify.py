"""The command `verify`: run all checks and print the findings."""

import sys

import click

from provision.cli import findings, options
from provision.cli.planning import inspect
from provision.cli.prepare import prepare_run
from provision.clients.tls import Tls
from provision.i18n import _
from provision.run import Options
from provision.status_report import is_built
from provision.ui.progress import Progress
from provision.ui.qr import show_code
from provision.ui.reports import show_json
from provision.ui.text import note, show
from provision.verify.checks import checks
from provision.verify.tree import CheckContext, run_checks


def command() -> click.Command:
    """Return the click command."""
    return options.make_command(
        verify,
        "verify",
        _("Check everything from DNS to LINE: OK, NG or SKIP, why, and the next step."),
        "provision verify --json",
        options.as_json(),
    )


def verify(given: Options, as_json: bool) -> int:
    """Run all checks and print them. Change nothing. Return the exit status (`findings.exit_status`)."""
    run = prepare_run(given, save=False, read_only=True)
    engine = run.engine(Progress(run.stack.resources, run.clock))
    engine.begin()
    run.observations = inspect(engine)
    context = CheckContext(run, run.observations, Tls.from_environment())
    all_checks = checks(run.stack)
    with note(_("Checking the way from DNS to LINE.")):
        found = run_checks(all_checks, context)
    if as_json:
        show_json({"url": run.stack.url, **findings.document(all_checks, found)})
        return findings.exit_status(found)
    if run.file.paused and not findings.failed(found):
        show(_("Paused: `provision resume` creates again what the pause deleted."), sys.stdout)
    elif is_built(run.stack, run.file):
        show(findings.headline(all_checks, found), sys.stdout)
    else:
        show(_("There is no stack. `provision setup` builds one."), sys.stdout)
        if not given.verbose:
            return findings.exit_status(found)
    findings.show(all_checks, found, sys.stdout, verbose=given.verbose)
    message = found["message"]
    if message.state == "OK" and not given.verbose:
        show(_("Send it a message: {link}", link=message.reason), sys.stdout)
    elif message.state == "OK" and not run.sandbox:  # a phone does not reach this computer
        show_code(message.reason, sys.stdout)
    return findings.exit_status(found)
