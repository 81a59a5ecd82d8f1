"""How a run ends: in words, and as an exit status."""

import sys

from provision.clients.line import CONSOLE
from provision.engine.executor import Outcome
from provision.errors import ProvisionError
from provision.i18n import _
from provision.run import Run
from provision.ui.errors import show_error
from provision.wizard import channel, prompts

UNATTENDED_WAIT = 1800.0  # seconds for the registrar and ACM where nobody is there to press Ctrl-C


def wait_limit(wait: float | None) -> float | None:
    """Return the seconds to wait for what is outside: limited where nobody can press Ctrl-C."""
    return UNATTENDED_WAIT if wait is None and not prompts.on_terminal() else wait


def failed(errors: list[ProvisionError]) -> int:
    """Print these errors on stderr. Return exit status 1."""
    for refusal in errors:
        show_error(refusal)
    return 1


def report_outcome(run: Run, outcome: Outcome) -> int:
    """Report how setup or resume ended. Return the exit status."""
    if outcome.errors:
        return failed(outcome.errors)
    outcome.raise_if_waiting()
    print(run.stack.url)
    _live(run)
    for note in outcome.notes:
        show_error(note)
    return 0


def _live(run: Run) -> None:
    """Show how to talk to the bot, and what is still to be done by hand."""
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


def tell_pause(run: Run) -> None:
    """Say on stderr that the stack is paused, where it is."""
    if run.file.paused:
        print(_("The stack is paused: `provision resume` puts it back."), file=sys.stderr)
