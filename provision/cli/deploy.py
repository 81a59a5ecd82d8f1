"""The command `deploy`: deploy a new revision, watch the rollout, and roll back if it fails.

The engine updates the service and its dependencies, as setup does. The old tasks run until new ones are
healthy (minimumHealthyPercent 100), so a rollback does not interrupt the bot.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

import click

from provision import retries
from provision.cli import options
from provision.cli.outcome import report_errors
from provision.cli.planning import (
    confirm_cost,
    inspect,
    no_service,
    raise_first_error,
    shown_settings,
    tasks_cost,
)
from provision.cli.prepare import prepare_run
from provision.cli.rollout import short_arn, watch
from provision.clients import aws_errors
from provision.engine import inspector
from provision.engine.engine import Engine
from provision.engine.executor import Outcome
from provision.engine.plan import plan as plan_of
from provision.errors import ProvisionError
from provision.i18n import _
from provision.resources.base import Resource
from provision.resources.ecs_deployment import EcsDeployment
from provision.resources.image import Image
from provision.resources.steady_service import NoCapacity
from provision.resources.task_definition import Family
from provision.run import Options, Run
from provision.ui.errors import show_error
from provision.ui.progress import Progress
from provision.ui.reports import show_result, show_steps
from provision.ui.text import show
from provision.wizard import prompts

T = TypeVar("T")


def command() -> click.Command:
    """Return the click command."""
    return options.make_command(
        deploy,
        "deploy",
        _("Deploy a new image or new settings, watch it, and roll back if it fails."),
        "provision deploy --set image.uri=public.ecr.aws/name/bot:2",
        click.option("--rollback", is_flag=True, help=_("return to the version before")),
        options.as_json(),
    )


def deploy(given: Options, *, rollback: bool, as_json: bool = False) -> int:
    """Deploy the settings of stack.yaml, or with `rollback` the previous revision. Return the exit status."""
    run = prepare_run(given, save=False)  # --set is saved after a successful deployment
    try:
        with run.file.locked():
            progress = Progress(
                [*service_and_dependencies(run), run.stack.steady_service], run.clock
            )
            engine = run.engine(progress)
            engine.begin()
            return deploy_revision(run, engine, progress, rollback=rollback, as_json=as_json)
    except NoCapacity as error:
        if given.yes or not prompts.on_terminal():
            raise
        show_error(error)
        if not prompts.confirm(
            _("There is no Spot capacity. Run on demand at the full price for now?")
        ):
            return 1
    agreed = replace(given, sets=(*given.sets, "service.capacity=on-demand"), yes=True)
    return deploy(agreed, rollback=False, as_json=as_json)


def service_and_dependencies(run: Run) -> list[Resource]:
    """Return the service and its dependencies, in the stack's order."""
    keys: set[str] = set()
    queue: list[Resource] = [run.stack.service]
    while queue:
        resource = queue.pop()
        keys.add(resource.key)
        queue += [need for need in resource.needs() if need.key not in keys]
    return [resource for resource in run.stack.resources if resource.key in keys]


def deploy_revision(
    run: Run,
    engine: Engine,
    progress: Progress,
    *,
    rollback: bool = False,
    as_json: bool = False,
) -> int:
    """Deploy, watch, and roll back on failure. Return the exit status.

    Raise ProvisionError if there is no service, or the plan has errors.
    """
    if run.stack.service.key not in run.file.records or run.file.paused:
        raise no_service(run)
    run.observations = inspect(engine)
    stack = run.stack
    deletes = [r for r in (stack.image, *stack.image_users) if isinstance(r, Resource)]
    for stranger in engine.ownership_errors([stack.service, stack.task_definition, *deletes]):
        raise stranger
    before = EcsDeployment(run.observations[run.stack.service.key].known() or {}).last_completed()
    target = _previous_revision(run) if rollback else ""
    if rollback:
        _confirm_rollback(run, target)
    elif not _show_plan(run):
        text = _("Nothing to deploy: the bot already runs like this.")
        revision = short_arn(run.stack.task_definition.arn)
        show_result({"revision": revision, "deployed": False}, text, as_json=as_json)
        return 0
    previous = ""
    with progress:
        outcome = (
            _set_revision(engine, run, target)
            if rollback
            else engine.create_all(service_and_dependencies(run))
        )
        started = not outcome.errors
        if started:
            outcome = watch(run, engine, progress)
        error = next(iter(outcome.errors), None)
        if started and error and not isinstance(error, NoCapacity):
            previous = _rollback_target(run, before)
            _roll_back(engine, run, previous)
    if error is None:
        return _report_success(engine, run, before, rollback=rollback, as_json=as_json)
    if not started:
        return report_errors(outcome.errors)
    if isinstance(error, NoCapacity):
        raise error
    return _report_failure(run, error, previous)


def _show_plan(run: Run) -> bool:
    """Print the changes on stderr and ask for confirmation. Raise ProvisionError for an error of the plan.

    Return whether there is anything to do, be it only to wait for a deployment that has begun.
    """
    deployed = [*service_and_dependencies(run), *run.stack.image_users]
    observations = {resource.key: run.observations[resource.key] for resource in deployed}
    plan = plan_of(observations, [], run.prices)
    raise_first_error(plan)
    show_steps(plan.changes, sys.stderr, verbose=run.options.verbose)
    shown = shown_settings(run)
    rise = tasks_cost(run, {}) - tasks_cost(run, shown) if shown else 0.0
    confirm_cost(plan.changes, run.options, rise)
    unfinished = run.observations[run.stack.steady_service.key].waiting
    return bool(unfinished or any(change.action != "keep" for change in plan.steps))


def _confirm_rollback(run: Run, target: str) -> None:
    """Ask for confirmation if the tasks of this revision cost more than those that run."""
    shown = shown_settings(run)
    if not shown:
        return
    doing = _("Could not read the revision {revision}.", revision=short_arn(target))
    size = _call(run, doing, lambda: run.stack.task_definition.size(run.clients, target))
    confirm_cost([], run.options, tasks_cost(run, {**shown, **size}) - tasks_cost(run, shown))


def _previous_revision(run: Run) -> str:
    """Return the revision before the present one. Raise ProvisionError if there is none."""
    definition = run.stack.task_definition
    doing = _("Could not find the revision before {revision}.", revision=short_arn(definition.arn))
    arn = _call(run, doing, lambda: definition.previous(run.clients))
    if not arn:
        raise ProvisionError(
            doing,
            _("there is none"),
            _("Deploy the image or the settings that you want: `provision deploy --set ...`"),
        )
    return arn


def _set_revision(engine: Engine, run: Run, arn: str) -> Outcome:
    """Update the service to a revision, and record it."""
    run.stack.task_definition.arn = arn
    engine.refresh_record(run.stack.task_definition)
    return engine.create_all([run.stack.service])


def _rollback_target(run: Run, before: str) -> str:
    """Return the revision to roll back to: the last one whose deployment completed; "" for none."""
    new = run.stack.task_definition.arn
    if before in ("", new):
        before = EcsDeployment(
            inspector.find(run.stack.steady_service, run.clients) or {}
        ).last_completed()
    return "" if before == new else before


def _roll_back(engine: Engine, run: Run, previous: str) -> None:
    """Update the service to the previous revision, and deregister the failed one. previous: "" for none."""
    if not previous:
        return
    definition = run.stack.task_definition
    failed_revision = definition.arn
    engine.report("updating", run.stack.service, short_arn(previous))
    outcome = _set_revision(engine, run, previous)
    if outcome.errors:
        raise outcome.errors[0]
    doing = _("Could not withdraw {revision}.", revision=short_arn(failed_revision))
    _call(run, doing, lambda: definition.deregister(run.clients, failed_revision))


def _report_success(engine: Engine, run: Run, before: str, *, rollback: bool, as_json: bool) -> int:
    definition = run.stack.task_definition
    if rollback and before != definition.arn:
        doing = _("Could not withdraw {revision}.", revision=short_arn(before))
        _call(run, doing, lambda: definition.deregister(run.clients, before))
    others = [] if rollback else run.stack.image_users
    for error in engine.create_all(others).errors:
        show_error(error)
    _prune(run, [definition, *(r for r in others if isinstance(r, Family))])
    revision = short_arn(definition.arn)
    show_result({"revision": revision, "deployed": True}, revision, as_json=as_json)
    if rollback:
        message = _(
            "stack.yaml still asks for the newer version: the next `provision setup` or "
            "`provision deploy` brings it back, unless you change it there."
        )
    else:
        run.save_sets()
        message = ""
        if before not in ("", definition.arn):
            message = _(
                "The bot runs version {revision}. `provision deploy --rollback` returns to the one before.",
                revision=revision,
            )
    if not run.stack.steady_service.desired_count:
        message = _(
            "The bot is stopped, so the new version hasn't been started. Run `provision start` to try it."
        )
    if message:
        show(message, sys.stderr)
    return 0


def _prune(run: Run, deployed: list[Family]) -> None:
    """Delete old revisions of what was deployed, and images that no revision uses any more."""
    for family in deployed:
        doing = _("Could not delete old revisions of {name}.", name=family.name)
        _call(run, doing, partial(family.prune, run.clients))
    families = [r for r in run.stack.resources if isinstance(r, Family)]

    def used() -> set[str]:
        return set().union(*(family.images(run.clients) for family in families))

    if isinstance(image := run.stack.image, Image):
        name = run.stack.task_definition.name
        doing = _("Could not delete old revisions of {name}.", name=name)
        _call(run, doing, lambda: image.prune(run.clients, used))


def _call(run: Run, doing: str, call: Callable[[], T]) -> T:
    """Return what an idempotent call returns, with retries. Raise ProvisionError."""

    def attempt() -> T:
        with aws_errors.reading(doing):
            return call()

    return retries.call(attempt, run.clock, doing)


def _report_failure(run: Run, error: ProvisionError, previous: str) -> int:
    show_error(error)
    if not previous:
        message = _("There is no earlier version to roll back to; ECS keeps trying.")
    elif run.options.sets:
        message = _(
            "{revision} keeps answering; it was not interrupted. stack.yaml is unchanged.",
            revision=short_arn(previous),
        )
    else:
        message = _(
            "{revision} keeps answering; it was not interrupted. stack.yaml still has what failed.",
            revision=short_arn(previous),
        )
    show(message, sys.stderr)
    return 1
