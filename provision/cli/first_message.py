"""Wait at the end of setup until the bot has answered its first message."""

import json
import select
import sys
import termios
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from provision import environment
from provision.cli.logs import log_time, read_events
from provision.errors import ProvisionError
from provision.i18n import _
from provision.run import Run
from provision.ui.text import show

TRIES = 150  # to find an answer
PAUSE = 2.0  # seconds of the person's time between two; together five minutes
SHOWN = 60  # characters of a message


def wait_for_first_message(run: Run) -> None:
    """Say that the bot has answered, and what. Needs a terminal. Enter or Ctrl-C only ends the wait."""
    termios.tcflush(sys.stdin, termios.TCIFLUSH)  # an Enter pressed earlier does not end the wait
    try:
        find = _in_sandbox(run) if run.sandbox else _in_log(run)
        show(_("Write something to the bot now. Its answer will be shown here."), sys.stderr)
        show(_("(Press Enter to stop waiting.)"), sys.stderr)
        for _attempt in range(TRIES):
            if select.select([sys.stdin], [], [], PAUSE)[0]:
                sys.stdin.readline()
                return
            if found := find():
                show(found, sys.stderr, hanging=2)
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


def _in_sandbox(run: Run) -> Callable[[], str]:
    """Return a function that looks for a new answer in the sandbox's chats, and returns what to say."""
    before = environment.read_chats(run.sandbox)
    last = before[-1]["number"] if before else 0
    return lambda: exchange(environment.read_chats(run.sandbox, last))


def exchange(entries: Iterable[Mapping[str, Any]]) -> str:
    """Return the first message that the bot answered, and its answer; "" if there is none yet."""
    asked: dict[str, str] = {}
    for entry in entries:
        if "message" in entry:
            asked[entry["chat"]] = _shorten(entry["message"])
        elif entry["sender"] == "bot" and entry["chat"] in asked:
            return "\n".join(
                (
                    _("You wrote: {text}", text=asked[entry["chat"]]),
                    _("The bot answered: {text}", text=_shorten(*entry["messages"])),
                    _("It works, from LINE to AWS and back."),
                )
            )
    return ""


def _shorten(*messages: Mapping[str, Any]) -> str:
    """Return the start of the messages' texts; a carousel has an alternative text, a sticker has none."""
    texts = (each.get("text") or each.get("altText") or f"({each['type']})" for each in messages)
    text = " ".join(" ".join(texts).split())
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _in_log(run: Run) -> Callable[[], str]:
    """Return a function that looks for a new answer in the bot's log, and returns what to say."""
    since_ms = int(log_time(run) * 1000) - 60_000
    before = {event["eventId"] for event in read_events(run, since_ms, follow=True)}

    def find() -> str:
        events = read_events(run, since_ms, follow=True)
        outcomes = [outcome_of(e["message"]) for e in events if e["eventId"] not in before]
        if "taken" in outcomes:
            return _(
                "The bot has answered a message: it works, from LINE to AWS and back. (What people write is "
                "not logged, so it cannot be shown here.)"
            )
        if {"refused", "failed"} & set(outcomes):
            return _(
                "A message arrived, but LINE did not accept the answer: `provision logs` shows why."
            )
        return ""

    return find


def outcome_of(message: str) -> str:
    """Return what became of the reply to a message, from a line of the bot's log; "" for other lines."""
    try:
        line = json.loads(message)
    except ValueError:
        return ""
    answered = isinstance(line, dict) and line.get("event") == "message"
    return str(line.get("outcome", "")) if answered else ""
