"""An ECS task from PROVISIONING to STOPPED.

ECS Developer Guide, "Amazon ECS task lifecycle" and "Amazon ECS clusters for Fargate: Fargate Spot".
"""

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ecs.circuit_breaker import stop_failed_task
from provision.sandbox.aws.ecs.task import Task

_PROVISIONING = 0.3  # the part of `delays.task_start` before PENDING
_DEREGISTRATION_DELAY = 20.0  # seconds for which an interrupted task still receives requests
EXITED = "Essential container in task exited"


@behaves("ecs.task-lifecycle", "ecs.essential-container-exits")
def advance(cloud: Cloud, task: Task) -> None:
    """Move the task to its next state if that is due."""
    now, container = cloud.clock.now(), task.container
    match task.last_status:
        case "PROVISIONING" | "PENDING" if not task.should_run:
            _deprovision(cloud, task)
        case "PROVISIONING":
            if now >= task.created_at + _PROVISIONING * cloud.delays.task_start:
                task.last_status = "PENDING"
        case "RUNNING":
            if container is not None and container.exit_code is not None:
                stop_failed_task(cloud, task, "EssentialContainerExited", EXITED)
            if not task.should_run and task.interrupted:
                _terminate(cloud, task)
            elif not task.should_run:
                _deregister(cloud, task)
                task.last_status = "DEACTIVATING"
        case "DEACTIVATING":
            if container is None or container.exit_code is not None or _drained(cloud, task):
                _terminate(cloud, task)
        case "STOPPING":
            _stop_container(cloud, task)
        case "DEPROVISIONING":
            if now >= (task.deprovisioned_at or 0) + cloud.delays.network_interfaces:
                task.last_status = "STOPPED"
                task.stopped_at = now


def _terminate(cloud: Cloud, task: Task) -> None:
    """Send SIGTERM."""
    if task.container is not None:
        task.container.terminate()
    task.terminated_at = cloud.clock.now()
    task.last_status = "STOPPING"


@behaves("ecs.stop-timeout")
def _stop_container(cloud: Cloud, task: Task) -> None:
    """Move on once the container ended after SIGTERM; kill it after its stop timeout."""
    container, since = task.container, cloud.clock.now() - (task.terminated_at or 0)
    ended = container is None or container.exit_code is not None
    if task.target is not None and task.interrupted and (ended or since >= _DEREGISTRATION_DELAY):
        _deregister(cloud, task)
        task.target = None
    if container is not None and not ended:
        if since < task.stop_timeout:
            return
        container.kill()
    if container is not None:
        task.exit_code = container.exit_code
    _deprovision(cloud, task)


def _deprovision(cloud: Cloud, task: Task) -> None:
    cloud.ec2.release(task.region, task.interface.id)
    task.deprovisioned_at = cloud.clock.now()
    task.last_status = "DEPROVISIONING"


def _deregister(cloud: Cloud, task: Task) -> None:
    service, target = cloud.ecs.service_of(task), task.target
    if target is None:
        return
    cloud.elbv2.deregister(target.group, task.ip, target.port)
    if service is not None:
        now = cloud.clock.now()
        service.add_event(now, f"deregistered 1 targets in (target-group {target.group})")
        service.add_event(now, "has begun draining connections on 1 tasks.")


@behaves("ecs.task-drains-first")
def _drained(cloud: Cloud, task: Task) -> bool:
    target = task.target
    if target is None:
        return True
    return (task.ip, target.port) not in cloud.elbv2.targets.get(target.group, {})
