"""ECS as it lives: services that keep their tasks running, on the sandbox's clock.

moto keeps clusters, task definitions and tags; what happens in time is kept here. The refusals and
answers are in ecs_clusters, ecs_definitions and ecs_answers; the scheduler in ecs_scheduler.
"""

from typing import TYPE_CHECKING

from provision.sandbox import ecs_launch, ecs_scheduler
from provision.sandbox.ecs_service import Service
from provision.sandbox.ecs_task import Task
from provision.sandbox.reach import admits
from provision.sandbox.tasks import Reply, Request, RunningTask

if TYPE_CHECKING:
    from provision.sandbox.cloud import Cloud

_REMEMBERED = 3600.0  # seconds for which DescribeTasks still shows a stopped task
_PROVISIONING = 0.3  # the part of `delays.task_start` before PENDING
_PROBE_TIMEOUT = 2.0  # real seconds for the answer to a health check


class Ecs:
    """Services by (region, cluster, name), and every task that is remembered.

    `spot_available` False plays a shortage of FARGATE_SPOT.
    """

    def __init__(self, cloud: "Cloud") -> None:
        self.cloud = cloud
        self.services: dict[tuple[str, str, str], Service] = {}
        self.tasks: list[Task] = []
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
        """Whether the task's security groups let its target group's load balancers in."""
        if task.target is None:
            return True
        balancers = self.cloud.elbv2.load_balancers_of(task.target.group)
        sources = {group for balancer in balancers for group in balancer.security_groups}
        return admits(task.interface.group_set, port, sources)

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
                (service, task)
                for task in self.tasks
                if task.wanted and task.last_status == "PENDING" and now >= task.created_at + delay
                if (service := self.service_of(task))
            ]
        for service, task in due:
            ecs_launch.start(self.cloud, service, task)
        with self.cloud.lock:
            for task in self.tasks:
                ecs_launch.write_log(self.cloud, task)
                self._advance(task)
            for service in self.services.values():
                ecs_scheduler.reconcile(self.cloud, service)
            self._forget()

    def fail(self, service: Service, task: Task, code: str, reason: str) -> None:
        """The task ends for a reason of its own; a deployment in progress counts it."""
        if not task.wanted:
            return
        task.ask_to_stop(self.cloud.clock.now(), code, reason)
        for deployment in service.deployments:
            unsettled = deployment.rollout_state == "IN_PROGRESS" and not task.was_well
            if deployment.id == task.deployment and unsettled:
                deployment.failed_tasks += 1

    def _advance(self, task: Task) -> None:
        now, container = self.cloud.clock.now(), task.container
        match task.last_status:
            case "PROVISIONING" | "PENDING" if not task.wanted:
                self._deprovision(task)
            case "PROVISIONING":
                if now >= task.created_at + _PROVISIONING * self.cloud.delays.task_start:
                    task.last_status = "PENDING"
            case "RUNNING":
                service = self.service_of(task)
                ended = container is not None and container.exit_code is not None
                if ended and service is not None:
                    exited = "Essential container in task exited"
                    self.fail(service, task, "EssentialContainerExited", exited)
                if not task.wanted:
                    self._deregister(task)
                    task.last_status = "DEACTIVATING"
            case "DEACTIVATING":
                if container is None or container.exit_code is not None or self._drained(task):
                    if container is not None:
                        container.terminate()
                    task.terminated_at = now
                    task.last_status = "STOPPING"
            case "STOPPING":
                self._await_end(task)
            case "DEPROVISIONING":
                if now >= (task.deprovisioned_at or 0) + self.cloud.delays.network_interfaces:
                    task.last_status = "STOPPED"
                    task.stopped_at = now

    def _await_end(self, task: Task) -> None:
        """SIGTERM is out: wait for the container, in the end kill it."""
        container = task.container
        if container is not None and container.exit_code is None:
            if self.cloud.clock.now() < (task.terminated_at or 0) + task.stop_timeout:
                return
            container.kill()
        if container is not None:
            task.exit_code = container.exit_code
        self._deprovision(task)

    def _deprovision(self, task: Task) -> None:
        self.cloud.ec2.release(task.region, task.interface.id)
        task.deprovisioned_at = self.cloud.clock.now()
        task.last_status = "DEPROVISIONING"

    def _deregister(self, task: Task) -> None:
        service, target = self.service_of(task), task.target
        if target is None:
            return
        self.cloud.elbv2.deregister(target.group, task.ip, target.port)
        if service is not None:
            now = self.cloud.clock.now()
            service.say(now, f"deregistered 1 targets in (target-group {target.group})")
            service.say(now, "has begun draining connections on 1 tasks.")

    def _drained(self, task: Task) -> bool:
        target = task.target
        if target is None:
            return True
        return (task.ip, target.port) not in self.cloud.elbv2.targets.get(target.group, {})

    def _forget(self) -> None:
        before = self.cloud.clock.now() - _REMEMBERED
        gone = {task.id for task in self.tasks if (task.stopped_at or before + 1) <= before}
        self.tasks = [task for task in self.tasks if task.id not in gone]
        for service in self.services.values():
            service.tasks = [task for task in service.tasks if task.id not in gone]
        for region in self.cloud.regions("ecs"):
            self._forget_definitions(region)

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
