"""Watch a deployment until it is steady, or until it is certain to fail."""

from provision.engine import inspector
from provision.engine.engine import Engine
from provision.engine.executor import Outcome, Step, execute
from provision.errors import ProvisionError
from provision.i18n import _
from provision.resources.advice import advice
from provision.resources.base import Resource
from provision.resources.ecs_deployment import EcsDeployment
from provision.run import Run
from provision.ui.progress import Progress


def watch(run: Run, engine: Engine, progress: Progress) -> Outcome:
    """Wait until the service is steady. Fail as soon as the deployment cannot succeed."""
    steady = run.stack.steady_service

    def check(resource: Resource) -> str:
        live = inspector.find(steady, run.clients)
        if live and live["desiredCount"] and "Tasks" in live:
            rollout = EcsDeployment(live)
            progress.show_details(rollout.lines())
            if why := rollout.permanent_failure():
                excerpt = rollout.log_excerpt()
                raise ProvisionError(
                    _(
                        "Could not deploy {revision}.",
                        revision=short_arn(run.stack.task_definition.arn),
                    ),
                    "\n".join([why, *excerpt]),
                    advice(" ".join([why, *excerpt])),
                )
        return engine.builder.check_milestone(steady, live)

    def report(event: str, resource: Resource, detail: str) -> None:
        """Report without details while waiting, because they are shown under the table."""
        engine.report(event, resource, "" if event == "waiting" else detail)

    return execute([Step(steady, [])], check, run.clock, report)


def short_arn(arn: str) -> str:
    """Return family:revision."""
    return arn.rpartition("/")[2]
