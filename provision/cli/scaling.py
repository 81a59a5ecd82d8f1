"""Set the service's desired count, for the commands start and stop."""

import sys
from collections.abc import Callable

from provision.cli.outcome import report_errors
from provision.cli.planning import confirm_cost, inspect, no_service, shown_settings, tasks_cost
from provision.cli.prepare import prepare_run
from provision.clients import aws_errors
from provision.engine import inspector
from provision.engine.engine import Engine
from provision.engine.executor import Outcome, Step, execute
from provision.errors import Pending
from provision.i18n import _
from provision.resources.base import Live, Resource
from provision.resources.ecs_deployment import EcsDeployment
from provision.run import Options, Run
from provision.ui.progress import Progress
from provision.ui.reports import show_result
from provision.ui.text import show


def scale(options: Options, *, start: bool, as_json: bool) -> int:
    """Set the service's desired count: service.count, or 0. Wait until started tasks are healthy."""
    run = prepare_run(options, save=False)
    with run.file.locked():
        progress = Progress([run.stack.service, run.stack.steady_service], run.clock)
        engine = run.engine(progress)
        engine.begin()
        if run.stack.service.key not in run.file.records:
            raise no_service(run)
        count = run.file.settings["service.count"] if start else 0
        if start:
            confirm_more_tasks(run, engine, count)
        with progress:
            outcome = scale_service(run, engine, count)
    if outcome.errors:
        return report_errors(outcome.errors)
    show_result({"wanted": count}, _("desired tasks: {count}", count=count), as_json=as_json)
    if start:
        usd = run.stack.service.costs(run.prices)
        then = _(
            "The bot runs (about {usd:.2f} USD a month for its tasks): `provision stop` stops it.",
            usd=usd,
        )
    else:
        then = _(
            "The load balancer and its addresses are still charged by the hour: `provision "
            "pause` deletes them."
        )
    show(then, sys.stderr)
    return 0


def confirm_more_tasks(run: Run, engine: Engine, count: int) -> None:
    """Ask for confirmation if these are more tasks than the service was set up with."""
    run.observations = inspect(engine)
    if shown := shown_settings(run):
        rise = tasks_cost(run, {**shown, "service.count": count}) - tasks_cost(run, shown)
        confirm_cost([], run.options, rise)


def scale_service(run: Run, engine: Engine, count: int) -> Outcome:
    """Set the desired count, then wait until the service is steady."""
    service = run.stack.service
    doing = _(
        "Could not set the number of tasks of {key} to {count}.", key=service.key, count=count
    )
    return _change(
        run,
        engine,
        doing,
        lambda: service.scale(run.clients, count),
        ("desiredCount", lambda live: live["desiredCount"] == count),
    )


def restart_service(run: Run, engine: Engine) -> Outcome:
    """Start new tasks of the same revision, then wait until they alone run."""
    service = run.stack.service
    doing = _("Could not start new tasks of {key}.", key=service.key)
    before = EcsDeployment(run.observations[service.key].live or {}).primary.get("id")
    return _change(
        run,
        engine,
        doing,
        lambda: service.restart(run.clients),
        ("deployments", lambda live: EcsDeployment(live).primary.get("id") != before),
    )


def _change(
    run: Run,
    engine: Engine,
    doing: str,
    change: Callable[[], None],
    shown: tuple[str, Callable[[Live], bool]],
) -> Outcome:
    """Change the service, then wait until it is steady.

    shown: what AWS changes, and whether it shows it: until then the old state would be steady.
    """
    service, steady = run.stack.service, run.stack.steady_service
    member, has_changed = shown

    def action(resource: Resource) -> str:
        if resource is steady:
            live = inspector.find(service, run.clients)
            if live is None or not has_changed(live):
                raise Pending(_("waiting until AWS shows the change of {paths}", paths=member))
            done = engine.builder.check_milestone(steady)
            with aws_errors.reading(doing):
                unhealthy = steady.unhealthy(run.clients, live)
            if unhealthy:
                raise unhealthy
            return done
        service.load_from_record(run.file.records[service.key].outputs)
        engine.builder.verify_ownership(service)
        with aws_errors.translate_errors(doing, retry=service.errors.retry):
            change()
        return "done"

    return execute(
        [Step(service, []), Step(steady, [service.key])], action, run.clock, engine.report
    )
