"""The command `stop`: stop all tasks now; keep the load balancer."""

import click

from provision.cli import options
from provision.cli.scaling import scale
from provision.i18n import _
from provision.run import Options


def command() -> click.Command:
    """Return the click command."""
    return options.make_command(
        stop,
        "stop",
        _("Stop the bot now: no task. The load balancer stays."),
        "provision stop",
        options.as_json(),
    )


def stop(given: Options, as_json: bool) -> int:
    """Set the desired count to 0."""
    return scale(given, start=False, as_json=as_json)
