"""Report the outcome of a run, and return its exit status."""

import sys
from datetime import UTC, datetime

from provision.cli.first_message import wait_for_first_message
from provision.clients.line import CONSOLE
from provision.engine.executor import Outcome
from provision.errors import ProvisionError
from provision.i18n import _
from provision.run import Run
from provision.status_report import next_hours
from provision.ui.errors import show_error
from provision.ui.qr import show_code
from provision.ui.reports import show_result, stopped_headline
from provision.ui.text import day_and_time, echo, show
from provision.wizard import channel, prompts

UNATTENDED_WAIT = 1800.0  # seconds to wait for the registrar and ACM without a terminal


def wait_limit(wait: float | None) -> float | None:
    """Return the seconds to wait for a person or another company; limited without a terminal."""
    return UNATTENDED_WAIT if wait is None and not prompts.on_terminal() else wait


def report_errors(errors: list[ProvisionError]) -> int:
    """Print these errors on stderr. Return exit status 1."""
    for error in errors:
        show_error(error)
    return 1


def report_outcome(
    run: Run, outcome: Outcome, *, first: bool = False, as_json: bool = False
) -> int:
    """Report the outcome of setup or resume. Return the exit status.

    first: the bot is new, so wait for its first message where somebody can read that.
    """
    if outcome.errors:
        return report_errors(outcome.errors)
    document = {
        "url": run.stack.url,
        "waiting": list(dict.fromkeys(why.reason for why in outcome.outside)),
        "notes": [note.why for note in outcome.notes],
    }
    if as_json or not outcome.outside:
        url = run.stack.url
        runs = run.stack.steady_service.desired_count != 0
        text = _("The bot answers at {url}.", url=url) if runs and sys.stdout.isatty() else url
        show_result(document, text, as_json=as_json)
    outcome.raise_if_waiting()
    _print_next_steps(run)
    for note in outcome.notes:
        show_error(note)
    if first and not run.options.yes and prompts.on_terminal():
        wait_for_first_message(run)
    return 0


def _print_next_steps(run: Run) -> None:
    """Print the link to the bot, and the remaining manual steps."""
    link = run.chat_link(channel.info(run).get("basicId", ""))
    if run.sandbox:
        show(_("Talk to it in the sandbox's chat:"), sys.stderr)
        echo(link, sys.stderr)
    else:
        show(_("Add it as a friend and talk to it:"), sys.stderr)
        echo(link, sys.stderr)
        show_code(link, sys.stderr)
        show(
            _(
                "Only you can change these switches. LINE Official Account Manager, Response settings: "
                '"Auto-reply messages" and "Greeting messages" off. LINE Developers ({console}), tab '
                'Messaging API: "Webhook redelivery" on.',
                console=CONSOLE,
            ),
            sys.stderr,
        )
    print_hours(run)
    show(
        _("Next: `provision status` to look at it, `provision teardown` to remove it all."),
        sys.stderr,
    )


def print_hours(run: Run) -> None:
    """Print that the bot is stopped, or until when it runs if that is outside its chosen hours."""
    times = next_hours(run.file, datetime.fromtimestamp(run.clock.now(), UTC))
    start, stop = times["start"], times["stop"]
    if run.stack.steady_service.desired_count == 0:
        show(stopped_headline(start), sys.stderr)
    elif start and stop and start < stop:
        show(
            _(
                "The bot runs although it is outside its hours, until {stop}. To stop it now, until {start}: "
                "`provision stop`.",
                start=day_and_time(start),
                stop=day_and_time(stop),
            ),
            sys.stderr,
        )


def print_pause_notice(run: Run) -> None:
    """Print a notice on stderr if the stack is paused."""
    if run.file.paused:
        show(_("The stack is paused: `provision resume` restores it."), sys.stderr)


def print_rotation_notice(run: Run) -> None:
    """Print a notice on stderr if `secrets rotate` was interrupted."""
    for parameter in run.half_rotated():
        show(half_rotated(parameter.name), sys.stderr)


def half_rotated(name: str) -> str:
    """Return that `secrets rotate` was interrupted at this parameter, and how it is finished."""
    return _(
        "`provision secrets rotate` was interrupted while it encrypted {name}: run it again to finish.",
        name=name,
    )
