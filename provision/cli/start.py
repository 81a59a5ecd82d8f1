"""The verb start: run the bot now."""

import click

from provision.cli import options
from provision.cli.scaling import scale
from provision.i18n import _
from provision.run import Options


def command() -> click.Command:
    """Return the command line's `start`."""
    return options.verb(
        start,
        "start",
        _("Start the bot now: service.count tasks."),
        "provision start",
    )


def start(given: Options) -> int:
    """Set the wanted count to service.count, and wait until the tasks answer."""
    return scale(given, start=True)
