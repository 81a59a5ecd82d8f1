"""Wait at the end of setup until the bot has answered its first message."""

import json
import select
import sys
import termios

from provision.cli.logs import log_time, read_events
from provision.errors import ProvisionError
from provision.i18n import _
from provision.run import Run
from provision.ui.text import show

TRIES = 150  # of a look at the log
PAUSE = 2.0  # seconds of the person's time between two; together five minutes


def wait_for_first_message(run: Run) -> None:
    """Tell when the bot has answered. Needs a terminal. Enter or Ctrl-C ends the wait, and nothing else."""
    termios.tcflush(sys.stdin, termios.TCIFLUSH)  # an Enter pressed earlier does not end the wait
    since_ms = int(log_time(run) * 1000) - 60_000
    try:
        before = {event["eventId"] for event in read_events(run, since_ms, follow=True)}
        show(_("Write something to the bot now: setup tells when it has answered."), sys.stderr)
        show(_("(Enter: do not wait.)"), sys.stderr)
        for _attempt in range(TRIES):
            if select.select([sys.stdin], [], [], PAUSE)[0]:
                sys.stdin.readline()
                return
            events = read_events(run, since_ms, follow=True)
            if any(is_answer(e["message"]) for e in events if e["eventId"] not in before):
                show(_("The bot has answered: it works, from LINE to AWS and back."), sys.stderr)
                return
    except KeyboardInterrupt:
        return
    except ProvisionError as error:  # setup itself has succeeded
        show(_("Whether the bot has answered is not known: {why}", why=error.why), sys.stderr)
        return
    show(
        _("No message has been answered yet. `provision verify` checks the way to the bot."),
        sys.stderr,
    )


def is_answer(message: str) -> bool:
    """Return whether a line of the bot's log says that LINE took a reply to a message."""
    try:
        line = json.loads(message)
    except ValueError:
        return False
    return isinstance(line, dict) and (line.get("event"), line.get("outcome")) == (
        "message",
        "taken",
    )
