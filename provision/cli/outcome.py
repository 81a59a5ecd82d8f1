"""How a run ends: in words, and as an exit status."""

import sys

from provision.clients.line import CONSOLE
from provision.engine.executor import Outcome
from provision.errors import ProvisionError
from provision.i18n import _
from provision.run import Run
from provision.ui.errors import show_error
from provision.ui.qr import show_code
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
    link = run.chat_link(channel.info(run).get("basicId", ""))
    print(_("The bot answers at {url}.", url=run.stack.url), file=sys.stderr)
    if run.sandbox:
        print(_("Talk to it in the sandbox's chat: {link}", link=link), file=sys.stderr)
    else:
        print(_("Add it as a friend and talk to it: {link}", link=link), file=sys.stderr)
        show_code(link, sys.stderr)
        print(
            _(
                "Still to be switched by you, in LINE Official Account Manager, Response settings: "
                '"Auto-reply messages" and "Greeting messages" off; in LINE Developers ({console}), tab '
                'Messaging API: "Webhook redelivery" on.',
                console=CONSOLE,
            ),
            file=sys.stderr,
        )
    print(
        _("Next: `provision status` to look at it, `provision teardown` to remove it all."),
        file=sys.stderr,
    )


def tell_pause(run: Run) -> None:
    """Say on stderr that the stack is paused, where it is."""
    if run.file.paused:
        print(_("The stack is paused: `provision resume` puts it back."), file=sys.stderr)
