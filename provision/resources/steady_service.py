"""Wait until the service is steady: all of its tasks are running and healthy."""

import re
from typing import ClassVar

from provision import crash_log
from provision.clients.aws_errors import call_or_none
from provision.errors import Pending, ProvisionError
from provision.i18n import _
from provision.resources.advice import advice
from provision.resources.base import Clients, Live, Milestone, Permission, Polling, output, resource
from provision.resources.ecs_deployment import EcsDeployment
from provision.resources.service import Service
from provision.resources.task_definition import CONTAINER

FAILURE = re.compile("unable|unhealthy|unavailable|failed|stopped", re.IGNORECASE)
NO_LOG = ("ResourceNotFoundException", "AccessDeniedException")
LOG_PAGES = 5  # of up to 10,000 lines or 1 MB: CloudWatch Logs API, GetLogEvents
# Seconds without any event of ECS's, which writes one for each task: without a task or with all of them
# running, and while some start.
NO_ACTIVITY_TIMEOUT = 90
NO_EVENTS_TIMEOUT = 300


def _no_quota() -> str:
    return _(
        "The account may run no more Fargate tasks: ask for more vCPUs in the console (Service Quotas, AWS "
        "Fargate), or open a support case if the account is blocked. On-demand has a quota of its own: "
        "`provision deploy --set service.capacity=on-demand`"
    )


class NoCapacity(ProvisionError):
    """Fargate has started nothing for some time: no Spot capacity, a quota, or a blocked account.

    Provision does not switch to on-demand by itself.
    """

    def __init__(self, message: str) -> None:
        is_capacity = "vCPUs" not in message and "blocked" not in message
        super().__init__(
            _("The service did not become stable."),
            message,
            _no_quota()
            if not is_capacity
            else _(
                "ECS keeps trying. To run now at the on-demand price: `provision deploy --set "
                "service.capacity=on-demand`. To return to Spot later: `provision deploy --set "
                "service.capacity=spot`"
            ),
        )


@resource
class SteadyService(Milestone):
    """All tasks of the service are running and healthy, or its desired count is 0."""

    service: Service
    desired_count: int | str = output("desiredCount")  # 0: stopped by its schedule or a person
    polling = Polling(
        expected=163,
        timeout=900,
        interval=4.0,
        interval_far=30.0,
        checks=3,  # the time until ECS reports it steady varies
    )
    settling: ClassVar[float] = 30.0  # two health checks, then ECS reports it steady

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions."""
        return [
            Permission("deploy", "elasticloadbalancing", "DescribeTargetHealth"),
            Permission("deploy", "logs", "GetLogEvents", f"log-group:/ecs/{self.stack}:*"),
        ]

    def find(self, clients: Clients) -> Live | None:
        """Find the service; until it is steady, also its tasks, its targets, and the log of a failed task."""
        live = self.service.find(clients)
        if live is None or not self._is_unsteady(live):
            return live
        targets = _list_targets(clients, live)
        details = {**live, "Tasks": _list_tasks(clients, live), "Targets": targets}
        failed = EcsDeployment(details).failed_task()
        return {**details, "Log": self._read_log(clients, failed)} if failed else details

    def unhealthy(self, clients: Clients, live: Live) -> Pending | None:
        """Return how many tasks the load balancer sends requests to, if these are fewer than wanted.

        Tasks that are started without a deployment run before that, and ECS does not say so: its deployment
        stays completed. An endpoint without service events registers no targets; there nothing is awaited.
        """
        wanted = live["desiredCount"]
        if not wanted or not live.get("events"):
            return None
        states = [target["TargetHealth"]["State"] for target in _list_targets(clients, live)]
        healthy = states.count("healthy")
        if healthy >= wanted:
            return None
        return Pending(
            _(
                "{healthy} of {wanted} tasks pass the load balancer's health check",
                healthy=healthy,
                wanted=wanted,
            )
        )

    def _read_log(self, clients: Clients, task: str) -> list[str]:
        """Return a task's log from the last exception on, newest line last; [] without a log."""
        logs = clients.aws.logs
        request = {
            "logGroupName": self.service.task_definition.log_group.name,
            "logStreamName": f"{CONTAINER}/{CONTAINER}/{task}",  # ECS, awslogs-stream-prefix
            "startFromHead": False,
        }
        messages: list[str] = []
        for _page in range(LOG_PAGES):
            answer = call_or_none(NO_LOG, logs.get_log_events, **request)
            if not answer or not answer["events"]:
                break
            messages = [str(event["message"]) for event in answer["events"]] + messages
            if crash_log.has_exception(messages):
                break
            request["nextToken"] = answer["nextBackwardToken"]
        return messages

    def poll(self, clients: Clients) -> Live | None:
        """Find only the service while nothing has failed, to send one call instead of five."""
        live = self.service.find(clients)
        if live is None or not self._is_unsteady(live) or _is_progressing(live):
            return live
        return self.find(clients)

    def _is_unsteady(self, live: Live) -> bool:
        deployments = live.get("deployments", [])
        rolling = any(d.get("rolloutState") == "IN_PROGRESS" for d in deployments)
        return bool(live["runningCount"] < live["desiredCount"] or rolling or len(deployments) > 1)

    def pending(self, live: Live) -> Pending | None:
        """Return how many tasks are running, and why not all. Raise ProvisionError if the rollout failed."""
        if not live:
            return Pending(_("the service does not exist"))
        if live["desiredCount"] == 0:
            return None
        deployment, revision = EcsDeployment(live), self.service.task_definition.arn
        failed = any(d.get("rolloutState") == "FAILED" for d in deployment.deployments)
        if failed or (revision and live["taskDefinition"] != revision):
            why = deployment.permanent_failure() or _(
                "ECS rolled back to {arn}", arn=live["taskDefinition"]
            )
            reasons = [why, *deployment.log_excerpt()]
            then = advice(" ".join(reasons))
            raise ProvisionError(_("The service did not become stable."), "\n".join(reasons), then)
        if not self._is_unsteady(live):
            return None
        if shortage := deployment.capacity_shortage():
            raise NoCapacity(shortage)
        running = _(
            "{running} of {wanted} tasks running",
            running=live["runningCount"],
            wanted=live["desiredCount"],
        )
        failures = [*list(deployment.failures())[:1], *deployment.log_excerpt()]
        why = ": ".join(failures) or deployment.latest_event()
        all_running = live["runningCount"] >= live["desiredCount"]
        if not why and all_running:
            why = _("waiting until ECS reports the deployment as completed")
        why = why or _("no ECS events yet")
        timeout = None
        if not live.get("events"):
            starting = not all_running and (live["runningCount"] or live.get("Tasks"))
            timeout = NO_EVENTS_TIMEOUT if starting else NO_ACTIVITY_TIMEOUT
        return Pending(f"{running}; {why}", timeout=timeout)


def _is_progressing(live: Live) -> bool:
    """Return whether tasks are starting or about to start, and nothing has failed."""
    deployments, events = live.get("deployments", []), live.get("events") or []
    failed = any(d.get("failedTasks") or d.get("rolloutState") == "FAILED" for d in deployments)
    starting = live["pendingCount"] or live["runningCount"] or not events
    return (
        bool(starting) and not failed and not any(FAILURE.search(e["message"]) for e in events[:1])
    )


def _list_targets(clients: Clients, live: Live) -> list[Live]:
    """Return the targets of a service's target groups."""
    health = clients.aws.elbv2.describe_target_health
    return [
        target
        for group in live.get("loadBalancers", [])
        for target in health(TargetGroupArn=group["targetGroupArn"])["TargetHealthDescriptions"]
    ]


def _list_tasks(clients: Clients, live: Live) -> list[Live]:
    """Return a service's tasks, including those that stopped within about an hour."""
    ecs, cluster, name = clients.aws.ecs, live["clusterArn"], live["serviceName"]
    arns: list[str] = []
    for status in ("RUNNING", "STOPPED"):
        answer = ecs.list_tasks(cluster=cluster, serviceName=name, desiredStatus=status)
        arns += answer["taskArns"][:50]  # DescribeTasks takes 100
    return list(ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"]) if arns else []
