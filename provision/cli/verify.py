"""The command `verify`: run all checks and print the findings."""

import sys
from typing import Any

import click

from provision.cli import options
from provision.cli.prepare import prepare_run
from provision.clients.tls import Tls
from provision.i18n import _
from provision.run import Options, Run
from provision.ui.progress import Progress
from provision.ui.qr import show_code
from provision.ui.reports import show_json
from provision.verify.checks import checks
from provision.verify.tree import Check, CheckContext, Finding, run_checks


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
    """Run all checks and print them. Change nothing.

    Return 0 if nothing is wrong; 3 if only a person or another company has to act; otherwise 1.
    """
    run = prepare_run(given, save=False, read_only=True)
    engine = run.engine(Progress(run.stack.resources, run.clock))
    engine.begin()
    run.observations = engine.inspect()
    context = CheckContext(run, run.observations, Tls.from_environment())
    all_checks = checks(run.stack)
    findings = run_checks(all_checks, context)
    if as_json:
        show_json(document(all_checks, findings, run))
    else:
        _show(all_checks, findings)
    wrong = [finding for finding in findings.values() if finding.state in ("NG", None)]
    return 0 if not wrong else 3 if all(finding.outside for finding in wrong) else 1


def document(all_checks: list[Check], findings: dict[str, Finding], run: Run) -> dict[str, Any]:
    """Return the document that --json prints."""
    states = [finding.state for finding in findings.values()]
    return {
        "url": run.stack.url,
        "checks": [
            {
                "key": check.key,
                "group": check.group,
                "title": check.title,
                "state": findings[check.key].state,
                "reason": findings[check.key].reason,
                "next": findings[check.key].then,
                "outside": findings[check.key].outside,
                "needs": list(check.needs),
            }
            for check in all_checks
        ],
        **{state.lower(): states.count(state) for state in ("OK", "NG", "SKIP")},
        "unknown": states.count(None),
    }


def _show(all_checks: list[Check], findings: dict[str, Finding]) -> None:
    """Print a headline, then a heading per group, a line per check, and the next step where it is not OK."""
    wrong = [check.title for check in all_checks if findings[check.key].state in ("NG", None)]
    print(
        _("{count} to look at: {titles}", count=len(wrong), titles=", ".join(wrong))
        if wrong
        else _("All is well.")
    )
    for group in dict.fromkeys(check.group for check in all_checks):
        print(group)
        for check in (check for check in all_checks if check.group == group):
            finding = findings[check.key]
            reason = f": {finding.reason}" if finding.reason else ""
            print(f"  {finding.state or '?':4}  {check.title}{reason}")
            if finding.then:
                print(f"        -> {finding.then}")
    message = findings["message"]
    if message.state == "OK":
        show_code(message.reason, sys.stdout)
