"""Report the outcome of a run, and return its exit status."""

import sys

from provision.clients.line import CONSOLE
from provision.engine.executor import Outcome
from provision.errors import ProvisionError
from provision.i18n import _
from provision.run import Run
from provision.wizard import channel, prompts

UNATTENDED_WAIT = 1800.0  # seconds to wait for the registrar and ACM without a terminal


def wait_limit(wait: float | None) -> float | None:
    """Return the seconds to wait for a person or another company; limited without a terminal."""
    return UNATTENDED_WAIT if wait is None and not prompts.on_terminal() else wait


def report_errors(errors: list[ProvisionError]) -> int:
    """Print these errors on stderr. Return exit status 1."""
    for error in errors:
        print(error, file=sys.stderr)
    return 1


def report_outcome(run: Run, outcome: Outcome) -> int:
    """Report the outcome of setup or resume. Return the exit status."""
    if outcome.errors:
        return report_errors(outcome.errors)
    outcome.raise_if_waiting()
    print(run.stack.url)
    _print_next_steps(run)
    for note in outcome.notes:
        print(note, file=sys.stderr)
    return 0


def _print_next_steps(run: Run) -> None:
    """Print the link to the bot, and the remaining manual steps."""
    bot = channel.info(run)
    print(
        _(
            "The bot answers at {url}. Add it as a friend: https://line.me/R/ti/p/{bot}\n"
            'LINE\'s own "Auto-reply messages" is on by default: switch it off at {console}.\n'
            "Next: `provision status` to look at it, `provision teardown` to take it all away.",
            url=run.stack.url,
            bot=bot.get("basicId", ""),
            console=CONSOLE,
        ),
        file=sys.stderr,
    )


def print_pause_notice(run: Run) -> None:
    """Print a notice on stderr if the stack is paused."""
    if run.file.paused:
        print(_("The stack is paused: `provision resume` puts it back."), file=sys.stderr)
