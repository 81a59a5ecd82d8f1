"""The verb stop: end every task now; the load balancer stays."""

import click

from provision.cli import options
from provision.cli.scaling import scale
from provision.i18n import _
from provision.run import Options


def command() -> click.Command:
    """Return the command line's `stop`."""
    return options.verb(
        stop,
        "stop",
        _("Stop the bot now: no task. The load balancer stays."),
        "provision stop",
    )


def stop(given: Options) -> int:
    """Set the wanted count to 0."""
    return scale(given, start=False)
