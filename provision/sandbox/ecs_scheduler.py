"""The service scheduler: brings a service to its desired count, deployment by deployment.

ECS Developer Guide: "Rolling update", "Deployment circuit breaker", "Service event messages".
"""

import math
from typing import TYPE_CHECKING

from provision.sandbox import ecs_launch
from provision.sandbox.ecs_service import Deployment, Service
from provision.sandbox.ecs_task import Task

if TYPE_CHECKING:
    from provision.sandbox.cloud import Cloud


def reconcile(cloud: "Cloud", service: Service) -> None:
    """One look of the scheduler at one service."""
    if service.status == "INACTIVE":
        return
    look_at_targets(cloud, service)
    if service.status == "DRAINING":
        _drain(cloud, service)
        return
    _break_circuit(cloud, service)
    _scale(cloud, service)
    _retire_old(cloud, service)
    _settle(cloud, service)


def is_well(cloud: "Cloud", task: Task) -> bool:
    """Running, and healthy where a load balancer looks."""
    if not (task.running and task.wanted):
        return False
    return task.target is None or _target_state(cloud, task) == "healthy"


def look_at_targets(cloud: "Cloud", service: Service) -> None:
    """Note who is well; let go of who is not, once the grace period is over."""
    now = cloud.clock.now()
    grace = service.given.get("healthCheckGracePeriodSeconds") or 0
    for task in service.tasks:
        if is_well(cloud, task):
            task.was_well = True
            if service.primary.id == task.deployment:
                service.primary.failed_tasks = 0
        elif task.running and task.wanted and _target_state(cloud, task) == "unhealthy":
            if now < (task.started_at or now) + grace or task.target is None:
                continue
            group = task.target.group
            service.say(
                now,
                f"(task {task.id}) (port {task.target.port}) is unhealthy in (target-group "
                f"{group}) due to (reason {_target_reason(cloud, task)}).",
            )
            reason = f"Task failed ELB health checks in (target-group {group})"
            cloud.ecs.fail(service, task, "ServiceSchedulerInitiated", reason)


def _target_state(cloud: "Cloud", task: Task) -> str:
    if task.target is None:
        return ""
    target = cloud.elbv2.targets.get(task.target.group, {}).get((task.ip, task.target.port))
    return "" if target is None else str(target.state)


def _target_reason(cloud: "Cloud", task: Task) -> str:
    assert task.target is not None
    target = cloud.elbv2.targets[task.target.group][task.ip, task.target.port]
    return target.description or "Health checks failed"


def _wanted(service: Service, deployment: Deployment) -> list[Task]:
    return [task for task in service.tasks if task.wanted and task.deployment == deployment.id]


def _scale(cloud: "Cloud", service: Service) -> None:
    """As many tasks of the primary deployment as are desired."""
    now, primary = cloud.clock.now(), service.primary
    tasks = _wanted(service, primary)
    if len(tasks) > service.desired:
        # ECS stops what has not started before what serves.
        order = sorted(tasks, key=lambda task: (task.was_well, task.created_at))
        _stop(cloud, service, order[: len(tasks) - service.desired], "")
    started: list[Task] = []
    while (
        primary.rollout_state != "FAILED"
        and now >= service.retry_at
        and len(tasks) + len(started) < service.desired
    ):
        task = ecs_launch.place(cloud, service, primary)
        if task is None:
            break
        service.tasks.append(task)
        cloud.ecs.tasks.append(task)
        started.append(task)
    if started:
        service.steady = False
        service.say(now, f"has started {len(started)} tasks: {_names(started)}.")


def _retire_old(cloud: "Cloud", service: Service) -> None:
    """Old tasks go as new ones are healthy (minimum healthy 100 %); empty deployments vanish."""
    well = [task for task in _wanted(service, service.primary) if is_well(cloud, task)]
    for old in service.deployments[1:]:
        tasks = _wanted(service, old)
        spare = len(well) + len(tasks) - service.desired
        if tasks and spare > 0:
            _stop(cloud, service, tasks[:spare], f" (deployment {old.id})")
    service.deployments = [
        deployment
        for deployment in service.deployments
        if deployment is service.primary or any(_alive(service, deployment))
    ]


def _alive(service: Service, deployment: Deployment) -> list[Task]:
    mine = [task for task in service.tasks if task.deployment == deployment.id]
    return [task for task in mine if task.last_status not in ("DEPROVISIONING", "STOPPED")]


def _settle(cloud: "Cloud", service: Service) -> None:
    """Deployment completed, steady state reached."""
    now, primary = cloud.clock.now(), service.primary
    tasks = _wanted(service, primary)
    well = len(tasks) == service.desired and all(is_well(cloud, task) for task in tasks)
    going = len(_alive(service, primary)) > len(tasks)
    if not well or going or len(service.deployments) > 1:
        service.steady, service.well_since = False, None
        return
    if service.well_since is None:
        service.well_since = now
    if now < service.well_since + cloud.delays.steady:
        return
    if primary.rollout_state == "IN_PROGRESS":
        primary.rollout_state = "COMPLETED"
        primary.reason = f"ECS deployment {primary.id} completed."
        primary.updated_at = now
        service.completed = primary.task_definition
        service.say(now, f"(deployment {primary.id}) deployment completed.")
    if not service.steady and primary.rollout_state == "COMPLETED":
        service.steady = True
        service.say(now, "has reached a steady state.")


def _break_circuit(cloud: "Cloud", service: Service) -> None:
    """Threshold: half the desired count, at least 3, at most 200 failed tasks."""
    primary = service.primary
    threshold = min(200, max(3, math.ceil(service.desired / 2)))
    if (
        not service.breaker.get("enable")
        or primary.rollout_state != "IN_PROGRESS"
        or primary.failed_tasks < threshold
    ):
        return
    now = cloud.clock.now()
    primary.rollout_state = "FAILED"
    primary.reason = "ECS deployment circuit breaker: tasks failed to start."
    primary.updated_at = now
    service.say(now, f"(deployment {primary.id}) deployment failed: tasks failed to start.")
    _stop(cloud, service, _wanted(service, primary), "")
    back = service.completed
    if service.breaker.get("rollback") and back and not primary.is_rollback:
        failed = primary.id
        new = service.deploy(now, back, is_rollback=True)
        new.reason = f"ECS deployment circuit breaker: rolling back to deploymentId {new.id}."
        service.say(now, f"(deployment {failed}) rolling back to deployment {new.id}.")


def _drain(cloud: "Cloud", service: Service) -> None:
    _stop(cloud, service, [task for task in service.tasks if task.wanted], "")
    ended = all(task.last_status == "STOPPED" for task in service.tasks)
    if ended and cloud.clock.now() >= (service.drained_at or 0):
        service.status = "INACTIVE"
        service.deployments = service.deployments[:1]


def _stop(cloud: "Cloud", service: Service, tasks: list[Task], of: str) -> None:
    now = cloud.clock.now()
    for task in tasks:
        reason = f"Scaling activity initiated by ({of.strip(' ()') or 'service ' + service.name})"
        task.ask_to_stop(now, "ServiceSchedulerInitiated", reason)
    if tasks:
        service.steady = False
        service.say(now, f"has stopped {len(tasks)} running tasks: {_names(tasks)}.")


def _names(tasks: list[Task]) -> str:
    return " ".join(f"(task {task.id})" for task in tasks)
