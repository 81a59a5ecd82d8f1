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
        options.as_json(),
    )


def start(given: Options, as_json: bool) -> int:
    """Set the desired count to service.count, and wait until the service is steady."""
    return scale(given, start=True, as_json=as_json)
