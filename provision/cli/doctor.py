"""The command `doctor`: check this computer, its network and the AWS account before anything is built."""

import os
import sys

import click

from provision import environment
from provision.cli import findings, options
from provision.clients.aws import Aws
from provision.errors import ProvisionError
from provision.i18n import _
from provision.run import Options, clients_for, open_stack
from provision.state.stack_file import StackFile
from provision.ui.reports import show_json
from provision.ui.text import note, show
from provision.verify.doctor import REQUIRED, DoctorContext, checks
from provision.verify.tree import Finding, run_checks


def command() -> click.Command:
    """Return the click command."""
    return options.make_command(
        doctor,
        "doctor",
        _("Check this computer, its network and your AWS account. Changes nothing."),
        "provision doctor --json",
        options.as_json(),
    )


def doctor(given: Options, as_json: bool) -> int:
    """Run all checks and print them. Return the exit status."""
    file, _sandbox = open_stack(given)
    all_checks, found = checks(), _run(file)
    if as_json:
        show_json(findings.document(all_checks, found))
    else:
        show(findings.headline(all_checks, found), sys.stdout)
        findings.show(all_checks, found, sys.stdout)
    return findings.exit_status(found)


def check_before_setup(file: StackFile, aws: Aws) -> None:
    """Print on stderr what is wrong. Raise ProvisionError if setup cannot succeed with it."""
    found = _run(file, aws)
    wrong = [check for check in checks() if found[check.key] in findings.failed(found)]
    blocking = [check for check in wrong if check.key in REQUIRED]
    findings.show([check for check in wrong if check not in blocking], found, sys.stderr)
    for check in blocking[:1]:
        finding = found[check.key]
        raise ProvisionError(
            _("Setup cannot begin: {title}.", title=check.title), finding.reason, finding.then
        )


def _run(file: StackFile, aws: Aws | None = None) -> dict[str, Finding]:
    """Return the findings by key."""
    line_url = os.environ.get("LINE_API_URL", "")
    context = DoctorContext(
        file.settings, clients_for(file, aws=aws), environment.clock(), line_url
    )
    with note(_("Checking this computer, the network and the account.")):
        return run_checks(checks(), context)
