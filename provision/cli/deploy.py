"""The verb deploy: a new revision, watched; one that fails is taken back while the old one goes on answering.

The engine brings the resources up to the service to be, as setup does. The old tasks stay until new ones are
healthy (minimumHealthyPercent 100), so taking back means: no longer waiting for a failure to repeat itself.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import click

from provision.cli import options
from provision.cli.outcome import failed
from provision.cli.planning import agree_to_pay, no_service, raise_first_error
from provision.cli.prepare import prepared
from provision.cli.rollout import short, watch
from provision.clients import aws
from provision.engine import inspector
from provision.engine.engine import Engine
from provision.engine.executor import Outcome
from provision.engine.plan import plan as plan_of
from provision.errors import ProvisionError
from provision.i18n import _
from provision.pricing import prices
from provision.resources.base import Resource
from provision.resources.ecs_deployment import EcsDeployment
from provision.resources.image import Image
from provision.resources.steady_service import NoCapacity
from provision.resources.task_definition import Family
from provision.run import Options, Run
from provision.ui.progress import Progress, show_steps
from provision.wizard import prompts


def command() -> click.Command:
    """Return the command line's `deploy`."""
    return options.verb(
        deploy,
        "deploy",
        _("Deploy a new image or new settings, watch it, and roll back if it fails."),
        "provision deploy --set image.uri=public.ecr.aws/name/bot:2",
        click.option("--rollback", "back", is_flag=True, help=_("return to the version before")),
    )


def deploy(given: Options, *, back: bool) -> int:
    """Deploy what stack.yaml says; with `back` the previous revision. Return the exit status."""
    run = prepared(given, save=False)  # --set is kept once it is known to work
    try:
        with run.file.locked():
            progress = Progress([*part(run), run.stack.steady_service], run.clock)
            engine = run.engine(progress)
            engine.begin()
            return carry_out(run, engine, progress, back=back)
    except NoCapacity as refusal:
        if given.yes or not prompts.on_terminal():
            raise
        print(refusal, file=sys.stderr)
        if not prompts.confirm(_("Run on demand, at the full price, for now?")):
            return 1
    return deploy(replace(given, sets=(*given.sets, "service.capacity=on-demand")), back=False)


def part(run: Run) -> list[Resource]:
    """Return the service and everything it depends on, in the stack's order."""
    wanted: set[str] = set()
    open_ones: list[Resource] = [run.stack.service]
    while open_ones:
        resource = open_ones.pop()
        wanted.add(resource.key)
        open_ones += [need for need in resource.needs() if need.key not in wanted]
    return [resource for resource in run.stack.resources if resource.key in wanted]


def carry_out(run: Run, engine: Engine, progress: Progress, *, back: bool = False) -> int:
    """Deploy, watch, and roll back on failure. Raise ProvisionError where there is nothing to deploy to."""
    if run.stack.service.key not in run.file.records or run.file.paused:
        raise no_service(run)
    run.observations = engine.inspect()
    stack = run.stack
    deletes = [r for r in (stack.image, *stack.image_users) if isinstance(r, Resource)]
    for stranger in engine.ownership_errors([stack.service, stack.task_definition, *deletes]):
        raise stranger
    before = EcsDeployment(run.observations[run.stack.service.key].live or {}).last_completed()
    earlier = _previous(run) if back else ""
    if not back:
        _show(run)
    former = ""
    with progress:
        outcome = _go_to(engine, run, earlier) if back else engine.create_all(part(run))
        begun = not outcome.errors
        if begun:
            outcome = watch(run, engine, progress)
        refusal = next(iter(outcome.errors), None)
        if begun and refusal and not isinstance(refusal, NoCapacity):
            former = _former(run, before)
            _take_back(engine, run, former)
    if refusal is None:
        return _succeeded(engine, run, before, back=back)
    if not begun:
        return failed(outcome.errors)
    if isinstance(refusal, NoCapacity):
        raise refusal
    return _failed(run, refusal, former)


def _show(run: Run) -> None:
    """Print what will change on stderr. Raise ProvisionError for what stands in the way."""
    observations = {resource.key: run.observations[resource.key] for resource in part(run)}
    plan = plan_of(observations, [], prices(run.file.settings["region"]))
    raise_first_error(plan)
    show_steps(plan.changes, sys.stderr)
    agree_to_pay(plan.changes, run.options)


def _previous(run: Run) -> str:
    definition = run.stack.task_definition
    doing = _("Looking for the revision before {revision}.", revision=short(definition.arn))

    def previous() -> str:
        with aws.reading(doing):
            return definition.previous(run.clients)

    arn = inspector.call_with_retries(previous, run.clock, doing)
    if not arn:
        raise ProvisionError(
            doing,
            _("there is none"),
            _("Deploy the image or the settings that you want: provision deploy --set ..."),
        )
    return arn


def _go_to(engine: Engine, run: Run, arn: str) -> Outcome:
    """Make the service run that revision, and record it."""
    run.stack.task_definition.arn = arn
    engine.refresh_record(run.stack.task_definition)
    return engine.create_all([run.stack.service])


def _former(run: Run, before: str) -> str:
    """Return the revision to roll back to: the last one that became steady; "" for none."""
    new = run.stack.task_definition.arn
    if before in ("", new):
        before = EcsDeployment(
            inspector.find(run.stack.steady_service, run.clients) or {}
        ).last_completed()
    return "" if before == new else before


def _take_back(engine: Engine, run: Run, former: str) -> None:
    """Set the former revision again, whose tasks still run. former "": there is none."""
    if not former:
        return
    definition = run.stack.task_definition
    bad = definition.arn
    engine.report("updating", run.stack.service, short(former))
    outcome = _go_to(engine, run, former)
    if outcome.errors:
        raise outcome.errors[0]
    doing = _("Withdrawing {revision}.", revision=short(bad))
    _tidy(run, doing, lambda: definition.deregister(run.clients, bad))


def _succeeded(engine: Engine, run: Run, before: str, *, back: bool) -> int:
    definition = run.stack.task_definition
    if back and before != definition.arn:
        doing = _("Withdrawing {revision}.", revision=short(before))
        _tidy(run, doing, lambda: definition.deregister(run.clients, before))
    follow = [] if back else run.stack.image_users
    for refusal in engine.create_all(follow).errors:
        print(refusal, file=sys.stderr)
    for family in (definition, *(r for r in follow if isinstance(r, Family))):
        doing = _("Deleting old revisions of {name}.", name=family.name)
        _tidy(run, doing, partial(family.prune, run.clients))
    if isinstance(image := run.stack.image, Image):
        families = [r for r in run.stack.resources if isinstance(r, Family)]
        doing = _("Deleting old revisions of {name}.", name=definition.name)

        def used() -> set[str]:
            return set().union(*(f.images(run.clients) for f in families))

        _tidy(run, doing, lambda: image.prune(run.clients, used))
    print(short(definition.arn))
    if back:
        said = _(
            "stack.yaml still asks for the newer version: the next `provision setup` or "
            "`provision deploy` brings it back, unless you change it there."
        )
    else:
        run.save_sets()
        said = _("`provision deploy --rollback` returns to the version before.")
    if not run.stack.steady_service.desired_count:
        said = _(
            "The bot is stopped, so the new version hasn't been started. Run `provision start` to try it."
        )
    print(said, file=sys.stderr)
    return 0


def _tidy(run: Run, doing: str, work: Callable[[], None]) -> None:
    """Delete what is no longer needed; work may be done twice. Raises ProvisionError."""

    def carry_out() -> None:
        with aws.reading(doing):
            work()

    inspector.call_with_retries(carry_out, run.clock, doing)


def _failed(run: Run, refusal: ProvisionError, former: str) -> int:
    print(refusal, file=sys.stderr)
    if not former:
        said = _("There is no earlier version to roll back to; ECS keeps trying.")
    elif run.options.sets:
        said = _(
            "{revision} keeps answering; it was not interrupted. stack.yaml is unchanged.",
            revision=short(former),
        )
    else:
        said = _(
            "{revision} keeps answering; it was not interrupted. stack.yaml still has what failed.",
            revision=short(former),
        )
    print(said, file=sys.stderr)
    return 1
