"""The verb pause: take away what is paid by the hour."""

import sys

import click

from provision.cli import options
from provision.cli.cost import hourly
from provision.cli.outcome import failed
from provision.cli.prepare import prepared
from provision.cli.teardown import agreed
from provision.errors import ProvisionError
from provision.i18n import _
from provision.run import Options
from provision.ui.progress import Progress
from provision.wizard import prompts


def command() -> click.Command:
    """Return the command line's `pause`."""
    return options.verb(
        pause,
        "pause",
        _("Delete what is charged by the hour (load balancer, service) for now; keep the rest."),
        "provision pause",
        options.contents(),
    )


def pause(given: Options, contents: bool) -> int:
    """Delete what is paid by the hour; zone, certificate, secrets and log stay."""
    run = prepared(given, save=False)
    with run.file.locked():
        progress = Progress(run.stack.resources, run.clock)
        engine = run.engine(progress)
        engine.begin()
        saved = hourly(run)
        let_go = agreed(run, engine.check_pause(), contents)
        question = _(
            "Delete the load balancer and the service for now (saves about {saved:.2f} USD a month)?",
            saved=saved,
        )
        if not given.yes and not prompts.confirm(question):
            raise ProvisionError(
                _("Asking before anything is deleted."),
                _("you answered no"),
                _("Nothing was deleted."),
            )
        with progress:
            gone = engine.pause(let_go)
    for key, why in gone.kept.items():
        print(_("kept: {key}: {why}", key=key, why=why), file=sys.stderr)
    if gone.errors or gone.left or gone.unknown:
        return failed(gone.errors)
    print(
        _(
            "paused; about {saved:.2f} USD a month less. `provision resume` puts it back.",
            saved=saved,
        )
    )
    return 0
