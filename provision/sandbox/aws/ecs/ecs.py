"""ECS as it lives: services that keep their tasks running, on the sandbox's clock.

moto keeps clusters, task definitions and tags; what happens in time is kept here. Refusals and
answers are in ecs_clusters, ecs_definitions, ecs_services, ecs_run and ecs_tasks; what a task goes
through in ecs_launch, ecs_start, ecs_initialize and ecs_lifecycle; the scheduler in ecs_scheduler.
"""

from typing import TYPE_CHECKING

from provision.sandbox.aws.ec2.reachability import admits
from provision.sandbox.aws.ecs import circuit_breaker, initialize, lifecycle, scheduler, spot, start
from provision.sandbox.aws.ecs.run_task import Run
from provision.sandbox.aws.ecs.service import Service
from provision.sandbox.aws.ecs.task import Task
from provision.sandbox.aws.rules import behaves
from provision.sandbox.tasks.runners import Reply, Request, RunningTask

if TYPE_CHECKING:
    from provision.sandbox.aws.account import Cloud

_REMEMBERED = 3600.0  # seconds for which DescribeTasks still shows a stopped task
_PROBE_TIMEOUT = 2.0  # real seconds for the answer to a health check


class Ecs:
    """Services by (region, cluster, name), and every task that is remembered.

    `spot_available` False plays a shortage of FARGATE_SPOT.
    """

    def __init__(self, cloud: "Cloud") -> None:
        self.cloud = cloud
        self.services: dict[tuple[str, str, str], Service] = {}
        self.tasks: list[Task] = []
        self.runs: dict[tuple[str, str, str], Run] = {}  # RunTask by (region, cluster, token)
        self.attaching: dict[str, float] = {}  # clusters by ARN: until when providers are attached
        self.spot_available = True
        cloud.elbv2.check = self.check
        cloud.on_tick(self.tick)
        cloud.on_close(cloud.tasks.close)

    def service_of(self, task: Task) -> Service | None:
        """The service that started it, if it is still that one."""
        service = self.services.get((task.region, task.cluster, task.service))
        return service if service and task in service.tasks else None

    def task_at(self, ip: str) -> Task | None:
        """The task with this private address."""
        for task in self.tasks:
            if task.ip == ip and task.container and task.last_status != "STOPPED":
                return task
        return None

    def container_at(self, ip: str, port: int) -> RunningTask | None:
        """What a load balancer reaches at this address: None where nothing lets it through."""
        with self.cloud.lock:
            task = self.task_at(ip)
            return task.container if task is not None and self._admits(task, port) else None

    def _admits(self, task: Task, port: int) -> bool:
        """Whether the task's security groups let its target group's load balancers in: by their
        groups, or by all of their private addresses (User Guide, Security groups for your ALB)."""
        if task.target is None:
            return True
        return any(
            all(
                admits(task.interface.group_set, port, address, balancer.security_groups)
                for address in self.cloud.elbv2.addresses(balancer.arn)
            )
            for balancer in self.cloud.elbv2.load_balancers_of(task.target.group)
        )

    def check(self, ip: str, port: int, path: str) -> int | None:
        """A health check: the HTTP status, None where no answer came in time.

        ConnectionError where the task does not listen. Call it without the lock.
        """
        container = self.container_at(ip, port)
        if container is None:
            return None
        headers = [("Host", f"{ip}:{port}"), ("User-Agent", "ELB-HealthChecker/2.0")]
        try:
            reply: Reply = container.send(Request("GET", path, headers), _PROBE_TIMEOUT)
        except TimeoutError:
            return None
        return reply.status

    def tick(self) -> None:
        """Everything that is due by now."""
        with self.cloud.lock:
            now, delay = self.cloud.clock.now(), self.cloud.delays.task_start
            due = [
                task
                for task in self.tasks
                if task.wanted and task.last_status == "PENDING" and now >= task.created_at + delay
            ]
        for task in due:
            start.start(self.cloud, task)
        with self.cloud.lock:
            for task in self.tasks:
                initialize.write_log(self.cloud, task)
                lifecycle.advance(self.cloud, task)
            for service in self.services.values():
                scheduler.reconcile(self.cloud, service)
            self._forget()
            for region in self.cloud.regions("ecs"):
                self._forget_definitions(region)

    def fail(self, task: Task, code: str, reason: str) -> None:
        """The task ends for a reason of its own; its service counts it, and starts another one."""
        if not task.wanted:
            return
        now, service = self.cloud.clock.now(), self.service_of(task)
        task.ask_to_stop(now, code, reason)
        if service is not None:
            circuit_breaker.count(service, task, now)

    def interrupt(self, region: str, cluster: str, service: str = "") -> list[str]:
        """Play a Spot interruption: the ARNs of the tasks that are taken."""
        with self.cloud.lock:
            return [task.arn for task in spot.interrupt(self.cloud, region, cluster, service)]

    @behaves(
        "ecs.stopped-task-an-hour",
        "a stopped task is described and listed for an hour, then it is MISSING",
        "failures, reason MISSING",
        "Amazon ECS Developer Guide, Viewing Amazon ECS stopped task errors",
    )
    def _forget(self) -> None:
        before = self.cloud.clock.now() - _REMEMBERED
        gone = {task.id for task in self.tasks if (task.stopped_at or before + 1) <= before}
        if not gone:
            return
        self.tasks = [task for task in self.tasks if task.id not in gone]
        for service in self.services.values():
            service.tasks = [task for task in service.tasks if task.id not in gone]

    @behaves(
        "ecs.definition-delete-in-progress",
        "a deleted task definition is DELETE_IN_PROGRESS until no service and no task uses it",
        "status DELETE_IN_PROGRESS, then ClientException",
        "Amazon ECS API Reference, DeleteTaskDefinitions",
    )
    def _forget_definitions(self, region: str) -> None:
        """API DeleteTaskDefinitions: DELETE_IN_PROGRESS until nothing uses it."""
        used = {task.definition.arn for task in self.tasks if task.last_status != "STOPPED"}
        for service in self.services.values():
            if service.status != "INACTIVE":
                used |= {deployment.task_definition for deployment in service.deployments}
        for revisions in self.cloud.backend("ecs", region).task_definitions.values():
            for revision, definition in list(revisions.items()):
                if definition.status == "DELETE_IN_PROGRESS" and definition.arn not in used:
                    del revisions[revision]
