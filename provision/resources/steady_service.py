"""The moment at which the service is steady: every wanted task runs and is healthy."""

import re
from typing import ClassVar

from provision import crash_log
from provision.clients.aws import call_or_none
from provision.errors import ProvisionError
from provision.i18n import _
from provision.resources.advice import advice
from provision.resources.base import Clients, Live, Milestone, output, resource
from provision.resources.ecs_deployment import EcsDeployment
from provision.resources.service import Service
from provision.resources.task_definition import CONTAINER

TROUBLE = re.compile("unable|unhealthy|unavailable|failed|stopped", re.IGNORECASE).search
NO_LOG = ("ResourceNotFoundException", "AccessDeniedException")  # none yet, or not for this caller
LOG_PAGES = 5  # of up to 10,000 lines or 1 MB: CloudWatch Logs API, GetLogEvents
SILENCE = 90  # seconds without a task or an event after which ECS will not start one


class NoCapacity(ProvisionError):
    """Fargate has had no capacity for a task for some time; it never takes the dearer kind by itself."""

    def __init__(self, said: str) -> None:
        super().__init__(
            _("Waiting for the service to be steady."),
            said,
            _(
                "ECS goes on trying. To run now at the full price: "
                "provision deploy --set service.capacity=on-demand, and back another day: "
                "provision deploy --set service.capacity=spot"
            ),
        )


@resource
class SteadyService(Milestone):
    """Every wanted task runs and is healthy behind the load balancer; none wanted counts too."""

    service: Service
    desired_count: int | str = output("desiredCount")  # 0: asleep, by its schedule or by hand
    expected: ClassVar[int] = 163
    timeout: ClassVar[int] = 900
    poll_interval: ClassVar[float] = 4.0
    poll_interval_far: ClassVar[float] = 30.0
    looks: ClassVar[int] = 3  # how long ECS takes to call it steady is not well known
    settling: ClassVar[float] = 30.0  # two health checks, then ECS calls it steady

    def find(self, clients: Clients) -> Live | None:
        """The service; while it is not steady also its tasks, its targets' health, a failed task's log."""
        live = self.service.find(clients)
        if live is None or not self._missing(live):
            return live
        groups = [group["targetGroupArn"] for group in live.get("loadBalancers", [])]
        health = clients.aws.elbv2.describe_target_health
        targets = [
            target
            for arn in groups
            for target in health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        ]
        seen = {**live, "Tasks": _tasks(clients, live), "Targets": targets}
        failed = EcsDeployment(seen).failed_task()
        return {**seen, "Log": self._log(clients, failed)} if failed else seen

    def _log(self, clients: Clients, task: str) -> list[str]:
        """Return what a task wrote, the newest last, back to its last exception; [] for nothing."""
        logs = clients.aws.logs
        given = {
            "logGroupName": self.service.task_definition.log_group.name,
            "logStreamName": f"{CONTAINER}/{CONTAINER}/{task}",  # ECS, awslogs-stream-prefix
            "startFromHead": False,
        }
        messages: list[str] = []
        for _page in range(LOG_PAGES):
            answer = call_or_none(NO_LOG, logs.get_log_events, **given)
            if not answer or not answer["events"]:
                break
            messages = [str(event["message"]) for event in answer["events"]] + messages
            if crash_log.has_exception(messages):
                break
            given["nextToken"] = answer["nextBackwardToken"]
        return messages

    def poll(self, clients: Clients) -> Live | None:
        """The service alone, as long as ECS has started tasks and none has failed: one call, not five."""
        live = self.service.find(clients)
        if live is None or not self._missing(live) or _goes_well(live):
            return live
        return self.find(clients)

    def _missing(self, live: Live) -> bool:
        deployments = live.get("deployments", [])
        rolling = any(d.get("rolloutState") == "IN_PROGRESS" for d in deployments)
        return bool(live["runningCount"] < live["desiredCount"] or rolling or len(deployments) > 1)

    def pending(self, live: Live) -> str:
        """Return how many tasks run, and why not all. Raises ProvisionError where ECS has given up."""
        if not live or live["desiredCount"] == 0:
            return "" if live else _("the service is not there")
        rollout, revision = EcsDeployment(live), self.service.task_definition.arn
        failed = any(d.get("rolloutState") == "FAILED" for d in rollout.deployments)
        if failed or (revision and live["taskDefinition"] != revision):
            why = rollout.hopeless() or _("ECS went back to {arn}", arn=live["taskDefinition"])
            told = [why, *rollout.last_words()]
            then = advice(" ".join(told))
            raise ProvisionError(
                _("Waiting for the service to be steady."), "\n        ".join(told), then
            )
        if not self._missing(live):
            return ""
        if shortage := rollout.short_of_capacity():
            raise NoCapacity(shortage)
        running = _(
            "{running} of {wanted} tasks run",
            running=live["runningCount"],
            wanted=live["desiredCount"],
        )
        failures = [*list(rollout.failures())[:1], *rollout.last_words()]
        why = ": ".join(failures) or rollout.said()
        return f"{running}; {why or _('ECS has not said anything yet')}"

    def patience(self, live: Live) -> int:
        """ECS that never says a word starts no task."""
        quiet = not live.get("events") and not live.get("runningCount") and not live.get("Tasks")
        return SILENCE if quiet else self.timeout


def _goes_well(live: Live) -> bool:
    """Tasks are on their way, or will be, and ECS's newest words are of nothing else."""
    deployments, events = live.get("deployments", []), live.get("events") or []
    troubled = any(d.get("failedTasks") or d.get("rolloutState") == "FAILED" for d in deployments)
    on_their_way = live["pendingCount"] or live["runningCount"] or not events
    return (
        bool(on_their_way) and not troubled and not any(TROUBLE(e["message"]) for e in events[:1])
    )


def _tasks(clients: Clients, live: Live) -> list[Live]:
    """A service's tasks, those that are to run and those that have stopped within the last hour or so."""
    ecs, cluster, name = clients.aws.ecs, live["clusterArn"], live["serviceName"]
    arns: list[str] = []
    for status in ("RUNNING", "STOPPED"):
        listed = ecs.list_tasks(cluster=cluster, serviceName=name, desiredStatus=status)
        arns += listed["taskArns"][:50]  # DescribeTasks takes 100
    return list(ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"]) if arns else []
