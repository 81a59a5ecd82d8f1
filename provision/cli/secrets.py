"""The command `secrets rotate`: store new values of LINE's two secrets, and start new tasks with them.

Tasks that run meanwhile read a parameter again once the value that they have stops working
(bot/secrets.py), so no message is lost.
"""

import sys
from contextlib import suppress
from functools import partial

import click

from provision import retries
from provision.cli import options
from provision.cli.outcome import report_errors
from provision.cli.planning import inspect
from provision.cli.prepare import prepare_run
from provision.cli.scaling import restart_service
from provision.clients import aws_errors
from provision.engine.engine import Engine
from provision.engine.executor import Outcome
from provision.errors import Cancelled, ProvisionError, UsageError
from provision.i18n import _
from provision.resources.parameter import Parameter, read_secret
from provision.run import Options, Run
from provision.ui.progress import Progress
from provision.ui.reports import show_result
from provision.ui.text import show
from provision.wizard import channel, prompts

# Seconds until a deleted parameter's name may be used again (SSM API Reference, DeleteParameter).
RELEASE = 30


def command() -> click.Command:
    """Return the click command."""
    return options.make_command(
        secrets,
        "secrets",
        _(
            "Store a new channel access token or channel secret, checked with LINE, and start new tasks "
            "with it. A parameter that is not encrypted becomes a SecureString."
        ),
        "provision secrets rotate",
        click.argument("action", type=click.Choice(["rotate"])),
        options.as_json(),
    )


def secrets(given: Options, action: str, as_json: bool) -> int:
    """Rotate the secrets. Return the exit status."""
    run = prepare_run(given, save=False)
    with run.file.locked():
        stack = run.stack
        parameters = stack.line_secrets
        progress = Progress([*parameters, stack.service, stack.steady_service], run.clock)
        engine = run.engine(progress)
        engine.begin()
        channel.ask_for_new(run)
        return rotate(run, engine, progress, as_json=as_json)


def rotate(run: Run, engine: Engine, progress: Progress, *, as_json: bool = False) -> int:
    """Check this run's secrets with LINE, store those that are new, and restart the tasks."""
    parameters, records = run.stack.line_secrets, run.file.records
    kept = run.half_rotated()
    for parameter in parameters:
        if parameter.key not in records and parameter not in kept:
            raise ProvisionError(
                _("Could not find the parameter {name}.", name=parameter.name),
                _("there is none yet"),
                _("Run `provision setup`."),
            )
    run.observations = inspect(engine)
    service = run.observations[run.stack.service.key].known()
    deleted = [each for each in kept if run.observations[each.key].known() is None]
    for parameter in deleted:
        parameter.secret = parameter.secret or channel.read_copy(run, parameter)
    for parameter in parameters:
        parameter.consented = bool(parameter.secret)  # an adopted one may be changed
    live = {each.key: run.observations[each.key].known() or {} for each in parameters}
    plain = [each for each in parameters if each.plain]
    changed = [each for each in parameters if not live[each.key].get("UpToDate")]
    todo = [each for each in parameters if each in (*plain, *changed)]
    if not plain and not kept and not any(each.secret for each in parameters):
        raise UsageError(
            _("Could not rotate the secrets."),
            _("no new value was given"),
            _(
                "Type one at a terminal, or set {variables} in the environment.",
                variables=", ".join(each.variable for each in parameters),
            ),
        )
    if changed:
        channel.verify(run)
    if todo and not run.options.yes:
        _confirm(todo, plain)
    with progress:
        outcome = _store(run, engine, todo, plain, deleted)
        restarts = bool(todo and not outcome.errors and service and service["desiredCount"])
        if restarts:
            outcome = restart_service(run, engine)
    if outcome.errors:
        return report_errors(outcome.errors)
    names = [each.name for each in todo]
    text = ", ".join(names) or _("Nothing to rotate: Parameter Store has these values already.")
    show_result({"rotated": names, "restarted": restarts}, text, as_json=as_json)
    if restarts:
        show(_("The bot's new tasks use the new values."), sys.stderr)
    elif todo:
        show(_("The bot uses the new values when it starts."), sys.stderr)
    return 0


def _confirm(todo: list[Parameter], plain: list[Parameter]) -> None:
    """Ask before anything is stored. Raise Cancelled; UsageError without a terminal."""
    for parameter in plain:
        show(
            _(
                "{name} is not encrypted: it is deleted and, {seconds} seconds later, stored again as a "
                "SecureString.",
                name=parameter.name,
                seconds=RELEASE,
            ),
            sys.stderr,
        )
    names = ", ".join(each.name for each in todo)
    if not prompts.confirm(_("Store {names}, and start new tasks?", names=names), default=True):
        raise Cancelled(_("Cancelled. Nothing was changed."))


def _store(
    run: Run,
    engine: Engine,
    todo: list[Parameter],
    plain: list[Parameter],
    deleted: list[Parameter],
) -> Outcome:
    """Store these parameters. plain: those of them to encrypt. deleted: by an interrupted rotation."""
    outcome = _delete_plain(run, engine, plain) if plain else Outcome()
    if deleted or (plain and not outcome.errors):
        _await_release(run, engine, [*deleted, *plain])
    if not outcome.errors:
        outcome = engine.create_all(list(todo))
    if not outcome.errors:
        for parameter in run.half_rotated():
            _delete(run, parameter.copy())
    return outcome


def _delete_plain(run: Run, engine: Engine, plain: list[Parameter]) -> Outcome:
    """Delete parameters that are not encrypted, to create them anew: a parameter's type cannot be changed.

    An encrypted copy of each is kept until then. If this is interrupted, the next rotation or setup reads it.
    """
    for parameter in plain:
        doing = _("Could not read the parameter {name}.", name=parameter.name)
        read = partial(read_secret, run.clients.aws, parameter.name)
        parameter.secret = parameter.secret or retries.call(read, run.clock, doing)
    outcome = engine.create_all([parameter.copy() for parameter in plain])
    if not outcome.errors:
        for parameter in plain:
            run.file.forget(parameter.key)  # the new one is ours
            _delete(run, parameter)
    return outcome


def _await_release(run: Run, engine: Engine, deleted: list[Parameter]) -> None:
    """Wait until the names of deleted parameters may be used again, and look at them anew."""
    for parameter in deleted:
        engine.report(
            "waiting",
            parameter,
            _("AWS lets the name be used again {seconds} seconds later", seconds=RELEASE),
        )
    run.clock.sleep(RELEASE)
    run.observations = engine.inspect()


def _delete(run: Run, parameter: Parameter) -> None:
    """Delete a parameter and its record; one that does not exist is deleted already."""
    doing = _("Could not delete the parameter {name}.", name=parameter.name)
    parameter.parameter_name = parameter.name

    def delete() -> None:
        with aws_errors.reading(doing, not_found=parameter.errors.not_found):
            parameter.delete(run.clients)

    with suppress(aws_errors.NotFound):  # or deleted by an attempt without an answer
        retries.call(delete, run.clock, doing)
    run.file.forget(parameter.key)
