"""The verb logs: the bot's log lines, from CloudWatch Logs."""

import re
import sys
from datetime import datetime
from functools import partial
from typing import Any

import click

from provision.cli import options
from provision.cli.prepare import prepared
from provision.clients import aws
from provision.engine import inspector
from provision.errors import NoResponse, ProvisionError, UsageError
from provision.i18n import _
from provision.run import Options, Run

PAGE = (
    2.0  # seconds between two looks for new log lines; CloudWatch Logs takes about that long itself
)


def command() -> click.Command:
    """Return the command line's `logs`."""
    return options.verb(
        logs,
        "logs",
        _("The bot's own words, from CloudWatch Logs."),
        "provision logs -f --since 10m",
        click.option("-f", "--follow", is_flag=True, help=_("go on until Ctrl-C")),
        click.option(
            "--since",
            default="10m",
            show_default=True,
            metavar="10m",
            help=_("how far back: s, m, h, d"),
        ),
    )


def logs(given: Options, follow: bool, since: str) -> int:
    """Print the bot's log lines, oldest first; with `follow` until Ctrl-C."""
    match = re.fullmatch(r"([0-9]{1,6})([smhd])", since)
    if not match:
        raise UsageError(
            _("Reading --since {since}.", since=since),
            _("a number and s, m, h or d was expected"),
            _("For example: provision logs --since 10m"),
        )
    seconds = int(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]
    run = prepared(given, save=False, looks=True)
    began = int((_now(run) - seconds) * 1000)
    seen: set[str] = set()
    while True:
        for event in _events(run, began, follow=follow):
            if event["eventId"] not in seen:
                seen.add(event["eventId"])
                began = max(began, event["timestamp"])
                at = datetime.fromtimestamp(event["timestamp"] / 1000)
                print(f"{at:%Y-%m-%d %H:%M:%S}  {event['message'].rstrip()}", flush=True)
        if not follow:
            return 0
        run.clock.sleep(PAGE)


def _now(run: Run) -> float:
    """Epoch seconds as the log's clock has them: a sandbox's time may run ahead of ours."""
    return max(run.clock.now(), datetime.now().timestamp())


def _events(run: Run, began: int, *, follow: bool) -> list[dict[str, Any]]:
    """Return the new log lines. Raise ProvisionError; with `follow` only print that AWS did not answer."""
    doing = _("Reading the log group {name}.", name=run.stack.log_group.name)
    try:
        return inspector.ask(partial(_new_events, run, began, doing), run.clock, doing)
    except NoResponse as refusal:
        if not follow:
            raise
        print(refusal.why, file=sys.stderr)
        return []


def _new_events(run: Run, began: int, doing: str) -> list[dict[str, Any]]:
    group = run.stack.log_group
    try:
        with aws.reading(doing, not_found=group.not_found):
            pages = run.clients.aws.logs.get_paginator("filter_log_events").paginate(
                logGroupName=group.name, startTime=began
            )
            return [event for page in pages for event in page["events"]]
    except aws.NotFound:
        then = _("Run `provision setup`.")
        raise ProvisionError(_("Reading the log."), _("there is no log group yet"), then) from None
