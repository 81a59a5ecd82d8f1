"""The command `start`: start the bot now."""

import click

from provision.cli import options
from provision.cli.scaling import scale
from provision.i18n import _
from provision.run import Options


def command() -> click.Command:
    """Return the click command."""
    return options.make_command(
        start,
        "start",
        _("Start the bot now: service.count tasks."),
        "provision start",
    )


def start(given: Options) -> int:
    """Set the desired count to service.count, and wait until the service is steady."""
    return scale(given, start=True)
