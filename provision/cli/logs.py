"""The command `logs`: print the bot's log from CloudWatch Logs."""

import re
import sys
from datetime import datetime
from functools import partial
from typing import Any

import click

from provision import crash_log, retries
from provision.cli import options
from provision.cli.prepare import prepare_run
from provision.clients import aws_errors
from provision.clients.aws import list_items
from provision.errors import NoResponse, ProvisionError, UsageError
from provision.i18n import _, one_line
from provision.run import Options, Run
from provision.ui.text import echo, show

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
# Seconds between two reads with --follow; the ingestion delay of CloudWatch Logs is about as long.
POLL_INTERVAL = 2.0


def command() -> click.Command:
    """Return the click command."""
    return options.make_command(
        logs,
        "logs",
        _("Show the bot's logs (CloudWatch Logs)."),
        "provision logs -f --since 10m",
        click.option("-f", "--follow", is_flag=True, help=_("keep printing until Ctrl-C")),
        click.option(
            "--since",
            default="10m",
            show_default=True,
            metavar="10m",
            help=_("how far back: s, m, h, d"),
        ),
        click.option(
            "--level",
            type=click.Choice(["debug", "info", "warning", "error"]),
            default="debug",
            help=_("only lines of this level or higher"),
        ),
        click.option("--json", "as_json", is_flag=True, help=_("the lines as the bot wrote them")),
    )


def logs(given: Options, follow: bool, since: str, level: str, as_json: bool) -> int:
    """Print the bot's log lines, oldest first; with `follow` until Ctrl-C.

    level: the lowest level to print; lines without a level are always printed. as_json: print the raw lines.
    """
    match = re.fullmatch(r"([0-9]{1,12})([smhd])", since)
    if not match:
        raise UsageError(
            _("Could not read --since {since}.", since=since),
            _("a number of up to 12 digits and s, m, h or d was expected"),
            _("For example: `provision logs --since 10m`"),
        )
    seconds = int(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]
    run = prepare_run(given, save=False, read_only=True)
    since_ms = max(0, int((log_time(run) - seconds) * 1000))
    seen: set[str] = set()
    printed = False
    while True:
        for event in read_events(run, since_ms, follow=follow):
            if event["eventId"] not in seen:
                seen.add(event["eventId"])
                since_ms = max(since_ms, event["timestamp"])
                if line := _format_event(event, level, as_json):
                    echo(line)
                    printed = True
        if not follow:
            if not printed:
                show(_("No lines in the last {since}.", since=since), sys.stderr)
                if seconds < 86400:
                    show(_("To look further back: `provision logs --since 1d`."), sys.stderr)
            return 0
        run.clock.sleep(POLL_INTERVAL)


def _format_event(event: dict[str, Any], level: str, as_json: bool) -> str:
    """Return the line to print; "" for one below the level."""
    message = event["message"].rstrip()
    found, text = crash_log.readable(message)
    if found in LEVELS and LEVELS.index(found) < LEVELS.index(level.upper()):
        return ""
    at = datetime.fromtimestamp(event["timestamp"] / 1000)
    line = f"{at:%H:%M:%S} {f'{found} ' if found else ''}{text}"
    return message if as_json else one_line(line)


def log_time(run: Run) -> float:
    """Return the time of the log in epoch seconds; a sandbox's clock may be ahead of this computer's."""
    return max(run.clock.now(), datetime.now().timestamp())


def read_events(run: Run, since_ms: int, *, follow: bool) -> list[dict[str, Any]]:
    """Return the new log events. Raise ProvisionError; with `follow` only print a NoResponse."""
    doing = _("Could not read the log group {name}.", name=run.stack.log_group.name)
    try:
        return retries.call(partial(_new_events, run, since_ms, doing), run.clock, doing)
    except NoResponse as error:
        if not follow:
            raise
        show(error.why, sys.stderr)
        return []


def _new_events(run: Run, since_ms: int, doing: str) -> list[dict[str, Any]]:
    group = run.stack.log_group
    try:
        with aws_errors.reading(doing, not_found=group.errors.not_found):
            which = {"logGroupName": group.name, "startTime": since_ms}
            return list_items(run.clients.aws.logs, "filter_log_events", "events", **which)
    except aws_errors.NotFound:
        then = _("Run `provision setup`.")
        raise ProvisionError(
            _("Could not read the log."), _("there is no log group yet"), then
        ) from None
