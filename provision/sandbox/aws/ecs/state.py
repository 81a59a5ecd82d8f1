"""ECS: services and tasks, whose changes in time moto does not keep.

What a task goes through is in launch, start, initialize and lifecycle; the service scheduler in scheduler;
tick.py carries out what is due.
"""

from provision.sandbox.aws.account import Account
from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.ec2.reachability import admits
from provision.sandbox.aws.ecs.service import EcsService
from provision.sandbox.aws.ecs.task import SPOT_INTERRUPTION, RunTaskCall, Task
from provision.sandbox.aws.elbv2.state import Elbv2
from provision.sandbox.tasks.runners import Reply, Request, RunningTask

_REMEMBERED = 3600.0  # seconds for which DescribeTasks still shows a stopped task
_PROBE_TIMEOUT = 2.0  # real seconds for the answer to a health check


class Ecs:
    """Services by (region, cluster, name), and every task that is remembered.

    `spot_available` False plays a shortage of FARGATE_SPOT.
    """

    def __init__(self, account: Account, elbv2: Elbv2) -> None:
        self.account = account
        self.elbv2 = elbv2
        self.services: dict[tuple[str, str, str], EcsService] = {}
        self.tasks: list[Task] = []
        self.runs: dict[
            tuple[str, str, str], RunTaskCall
        ] = {}  # RunTask by (region, cluster, token)
        self.attaching: dict[str, float] = {}  # clusters by ARN: until when providers are attached
        self.spot_available = True
        elbv2.check = self.check
        account.on_close(account.tasks.close)

    def service_of(self, task: Task) -> EcsService | None:
        """Return the service that started the task, if it still exists."""
        service = self.services.get((task.region, task.cluster, task.service))
        return service if service and task in service.tasks else None

    def task_at(self, ip: str) -> Task | None:
        """Return the task with this private address."""
        for task in self.tasks:
            if task.ip == ip and task.container and task.last_status != "STOPPED":
                return task
        return None

    def container_at(self, ip: str, port: int) -> RunningTask | None:
        """Return the container that a load balancer reaches at this address; None where it reaches none."""
        with self.account.lock:
            task = self.task_at(ip)
            return task.container if task is not None and self._admits(task, port) else None

    def _admits(self, task: Task, port: int) -> bool:
        """Tell whether the task's security groups admit its target group's load balancers."""
        if task.target is None:
            return True
        return any(
            all(
                admits(task.interface.group_set, port, address, balancer.security_groups)
                for address in self.elbv2.addresses(balancer.arn)
            )
            for balancer in self.elbv2.load_balancers_of(task.target.group)
        )

    def check(self, ip: str, port: int, path: str) -> int | None:
        """Carry out a health check: the HTTP status, None where no answer came in time.

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

    @behaves(
        "ecs.spot-interruption",
        "an interrupted Spot task gets SIGTERM at once, two minutes at most, and is replaced",
        "stopCode SpotInterruption, stoppedReason Your Spot Task was interrupted.",
        "Amazon ECS Developer Guide, Fargate Spot termination notices",
    )
    @behaves(
        "ecs.spot-target-stays-registered",
        "an interrupted Spot task still gets requests for a while after its SIGTERM",
        "its target stays healthy while the container may be ending",
        "AWS Knowledge Center, How do I handle Spot termination notices in AWS Fargate Spot tasks",
    )
    def interrupt(self, region: str, cluster: str, service: str = "") -> list[str]:
        """Take the capacity of these Spot tasks back, of all the cluster's without `service`; their ARNs."""
        with self.account.lock:
            taken = [
                task
                for task in self.tasks
                if (task.region, task.cluster) == (region, cluster)
                and service in ("", task.service)
                and task.capacity_provider == "FARGATE_SPOT"
                and task.wanted
            ]
            for task in taken:
                reason = "Your Spot Task was interrupted."
                task.ask_to_stop(self.account.clock.now(), SPOT_INTERRUPTION, reason)
            return [task.arn for task in taken]

    @behaves(
        "ecs.stopped-task-an-hour",
        "a stopped task is described and listed for an hour, then it is MISSING",
        "failures, reason MISSING",
        "Amazon ECS Developer Guide, Viewing Amazon ECS stopped task errors",
    )
    def forget(self) -> None:
        """Forget tasks an hour after they stopped."""
        before = self.account.clock.now() - _REMEMBERED
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
    def forget_definitions(self, region: str) -> None:
        """Remove deleted task definitions once nothing uses them (API DeleteTaskDefinitions)."""
        used = {task.definition.arn for task in self.tasks if task.last_status != "STOPPED"}
        for service in self.services.values():
            if service.status != "INACTIVE":
                used |= {deployment.task_definition for deployment in service.deployments}
        for revisions in self.account.backend("ecs", region).task_definitions.values():
            for revision, definition in list(revisions.items()):
                if definition.status == "DELETE_IN_PROGRESS" and definition.arn not in used:
                    del revisions[revision]
