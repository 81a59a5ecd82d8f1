"""The command `pause`: delete the resources charged by the hour."""

import sys

import click

from provision.cli import options
from provision.cli.cost import hourly_cost
from provision.cli.outcome import report_errors
from provision.cli.prepare import prepare_run
from provision.cli.teardown import confirm_contents
from provision.errors import Cancelled, ProvisionError
from provision.i18n import _
from provision.pricing import yen
from provision.run import Options, Run
from provision.ui.progress import Progress
from provision.ui.reports import show_result
from provision.ui.text import show
from provision.wizard import prompts


def command() -> click.Command:
    """Return the click command."""
    return options.make_command(
        pause,
        "pause",
        _("Delete what is charged by the hour (load balancer, service) for now; keep the rest."),
        "provision pause",
        options.contents(),
        options.as_json(),
    )


def pause(given: Options, contents: bool, as_json: bool) -> int:
    """Delete the resources charged by the hour, and their dependents."""
    run = prepare_run(given, save=False)
    with run.file.locked():
        progress = Progress([], run.clock)  # a row for what it deletes, not for what stays
        engine = run.engine(progress)
        engine.begin()
        _raise_if_nothing_to_pause(run)
        saved = hourly_cost(run)
        contents_keys = confirm_contents(run, engine.check_pause(), contents)
        question = _(
            "Delete the load balancer and the service for now? The bot does not answer meanwhile; it saves "
            "about {saved:.2f} USD ({yen} yen) a month.",
            saved=saved,
            yen=yen(saved),
        )
        if not given.yes and not prompts.confirm(question):
            raise Cancelled(_("Cancelled. Nothing was deleted."))
        service = engine.builder.observations[run.stack.service.key].live
        if service and not run.file.paused:  # an interrupted pause leaves it without tasks, too
            run.file.mark_paused(True, stopped=service.get("desiredCount") == 0)
        with progress:
            result = engine.pause(contents_keys)
    for key, why in result.kept.items():
        show(_("kept: {key}: {why}", key=run.label(key), why=why), sys.stderr, hanging=2)
    if result.errors or result.left or result.unknown:
        return report_errors(result.errors)
    show_result(
        {"paused": True, "saved_monthly_usd": round(saved, 2)},
        _(
            "Paused: about {saved:.2f} USD ({yen} yen) a month less. `provision resume` restores it.",
            saved=saved,
            yen=yen(saved),
        ),
        as_json=as_json,
    )
    if run.file.stopped:
        show(_("The bot was stopped, and `provision resume` leaves it stopped."), sys.stderr)
    return 0


def _raise_if_nothing_to_pause(run: Run) -> None:
    """Raise ProvisionError without a load balancer and a service: `resume` would build the stack."""
    paid = {each.key for each in run.stack.resources if each.deletion.on_pause}
    if not run.file.paused and not paid & run.file.records.keys():
        raise ProvisionError(
            _("Could not pause the stack."),
            _("nothing of it is charged by the hour"),
            _("Run `provision status`."),
        )
