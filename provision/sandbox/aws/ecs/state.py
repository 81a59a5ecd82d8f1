"""ECS: services and tasks, whose states moto does not emulate.

The states of a task are in launch, initialize, start and lifecycle, the service scheduler is in scheduler;
tick.py runs them.
"""

from typing import Any

from provision.sandbox.aws.account import Account
from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.ec2.reachability import admits, lets_out
from provision.sandbox.aws.ecs.service import EcsService
from provision.sandbox.aws.ecs.task import SPOT_INTERRUPTION, RunTaskCall, Task
from provision.sandbox.aws.elbv2.state import Elbv2
from provision.sandbox.tasks.runners import Reply, Request, RunningTask

_STOPPED_TASK_RETENTION = 3600.0  # seconds
_PROBE_TIMEOUT = 2.0  # real seconds for a health check


class Ecs:
    """Services by (region, cluster, name), and all tasks, stopped ones for an hour.

    Set `spot_available` to False for a shortage of FARGATE_SPOT capacity.
    """

    def __init__(self, account: Account, elbv2: Elbv2) -> None:
        self.account = account
        self.elbv2 = elbv2
        self.services: dict[tuple[str, str, str], EcsService] = {}
        self.tasks: list[Task] = []
        self.run_task_calls: dict[
            tuple[str, str, str], RunTaskCall
        ] = {}  # by (region, cluster, clientToken)
        self.attachments_until: dict[
            str, float
        ] = {}  # by cluster ARN: when the attachment of capacity providers is complete
        self.spot_available = True
        elbv2.check = self.check
        account.on_close(account.tasks.close)

    def service_of(self, task: Task) -> EcsService | None:
        """Return the service that started the task, if it still exists."""
        service = self.services.get((task.region, task.cluster, task.service))
        return service if service and task in service.tasks else None

    def services_in(self, region: str, cluster: str) -> list[EcsService]:
        """Return the services in this cluster that are not INACTIVE."""
        return [
            service
            for (service_region, name, _), service in self.services.items()
            if (service_region, name) == (region, cluster) and service.status != "INACTIVE"
        ]

    def tasks_in(self, region: str, cluster: str) -> list[Task]:
        """Return the tasks in this cluster, in any state."""
        return [task for task in self.tasks if (task.region, task.cluster) == (region, cluster)]

    def task_at(self, ip: str) -> Task | None:
        """Return the task with this private address."""
        for task in self.tasks:
            if task.ip == ip and task.container and task.last_status != "STOPPED":
                return task
        return None

    def container_at(self, ip: str, port: int) -> RunningTask | None:
        """Return the container that a load balancer reaches at this address, or None."""
        with self.account.lock:
            task = self.task_at(ip)
            return task.container if task is not None and self._admits(task, port) else None

    def _admits(self, task: Task, port: int) -> bool:
        """Return whether the security groups of load balancer and task let the connection through."""
        if task.target is None:
            return True
        groups = [group.id for group in task.interface.group_set]
        return any(
            all(
                admits(task.interface.group_set, port, address, load_balancer.security_groups)
                and lets_out(self._groups_of(load_balancer, task), port, task.ip, groups)
                for address in self.elbv2.addresses(load_balancer.arn)
            )
            for load_balancer in self.elbv2.load_balancers_of(task.target.group)
        )

    def _groups_of(self, load_balancer: Any, task: Task) -> list[Any]:
        """Return moto's security groups of a load balancer."""
        backend = self.account.backend("ec2", task.region)
        found = map(backend.get_security_group_from_id, load_balancer.security_groups)
        return [group for group in found if group is not None]

    def check(self, ip: str, port: int, path: str) -> int | None:
        """Run a health check; return the HTTP status, None after a timeout.

        Raises ConnectionError if the task does not listen. Call it without the lock.
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

    @behaves("ecs.spot-interruption", "ecs.spot-target-stays-registered")
    def interrupt(self, region: str, cluster: str, service: str = "") -> list[str]:
        """Interrupt the Spot tasks of a service, or of the whole cluster; return their ARNs."""
        with self.account.lock:
            interrupted = [
                task
                for task in self.tasks_in(region, cluster)
                if service in ("", task.service)
                and task.capacity_provider == "FARGATE_SPOT"
                and task.should_run
            ]
            for task in interrupted:
                reason = "Your Spot Task was interrupted."
                task.stop(self.account.clock.now(), SPOT_INTERRUPTION, reason)
            return [task.arn for task in interrupted]

    @behaves("ecs.stopped-task-an-hour")
    def remove_stopped_tasks(self) -> None:
        """Remove tasks an hour after they stopped."""
        before = self.account.clock.now() - _STOPPED_TASK_RETENTION
        expired = {task.id for task in self.tasks if (task.stopped_at or before + 1) <= before}
        if not expired:
            return
        self.tasks = [task for task in self.tasks if task.id not in expired]
        for service in self.services.values():
            service.tasks = [task for task in service.tasks if task.id not in expired]

    @behaves("ecs.definition-delete-in-progress")
    def remove_unused_definitions(self, region: str) -> None:
        """Remove deleted task definitions once nothing uses them (API DeleteTaskDefinitions)."""
        used = {task.definition.arn for task in self.tasks if task.last_status != "STOPPED"}
        for service in self.services.values():
            if service.status != "INACTIVE":
                used |= {deployment.task_definition for deployment in service.deployments}
        for revisions in self.account.backend("ecs", region).task_definitions.values():
            for revision, definition in list(revisions.items()):
                if definition.status == "DELETE_IN_PROGRESS" and definition.arn not in used:
                    del revisions[revision]
