"""The command `setup`: ask for settings, show the plan, confirm, and create everything."""

import sys

import click

from provision.cli import options
from provision.cli.doctor import check_before_setup
from provision.cli.outcome import report_outcome, wait_limit
from provision.cli.planning import (
    account_line,
    awaits_registrar,
    inspect_and_plan,
    print_plan,
    raise_first_error,
)
from provision.cli.prepare import prepare_run
from provision.errors import Cancelled, ProvisionError
from provision.i18n import _
from provision.run import Options, Run
from provision.ui.progress import Progress
from provision.ui.text import show
from provision.wizard import channel, domain, prompts


def command() -> click.Command:
    """Return the click command."""
    return options.make_command(
        setup,
        "setup",
        _("Ask for missing settings, show the plan, and build everything."),
        "provision setup",
        options.wait(),
        options.as_json(),
    )


def setup(given: Options, wait: float | None, as_json: bool) -> int:
    """Ask for missing settings, show the plan, confirm, and create everything. Return the exit status."""
    run = prepare_run(given, save=True, check_first=check_before_setup)
    if run.file.paused:
        raise ProvisionError(
            _("Could not continue with {path}.", path=run.file.path),
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
        print_plan(run, plan, sys.stderr)
        channel.print_current_endpoint(run)
        domain.offer_to_copy(run, domain.warn(run))
        show(account_line(run, engine), sys.stderr)
        if plan.changes and not given.yes:
            if not prompts.confirm(_("Build this?"), default=bool(run.sandbox)):
                raise Cancelled(
                    _(
                        "Cancelled. Nothing was changed. To change an answer: {example}, or edit {path}.",
                        example="`provision setup --set KEY=VALUE`",
                        path=run.file.path,
                    )
                )
            if run.sandbox and awaits_registrar(run):
                run.enters_name_servers = prompts.confirm(
                    _(
                        "Should provision enter the name servers at the sandbox's registrar for you?"
                    ),
                    default=True,
                )
        run.save_sets()
        stored = _has_stored_token(run)
        progress.expect(plan.seconds)
        with progress:
            outcome = engine.setup(wait_limit(wait))
    first = any(change.key == run.stack.webhook.key for change in plan.changes)
    status = report_outcome(run, outcome, first=first, as_json=as_json)
    if status == 0 and stored and not run.stack.access_token:
        show(
            _(
                "No access token is stored any more. The long-lived one stays valid: revoke it at {console} "
                "(tab Messaging API, Channel access token).",
                console=run.clients.line.console,
            ),
            sys.stderr,
        )
    return status


def _has_stored_token(run: Run) -> bool:
    """Return whether a parameter with a long-lived access token is recorded."""
    return any(key.startswith("access_token/") for key in run.file.records)
