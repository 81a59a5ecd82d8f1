"""The ECS service scheduler, which brings a service to its desired count.

ECS Developer Guide: "Rolling update", "Service event messages".
"""

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ecs import launch
from provision.sandbox.aws.ecs.circuit_breaker import check_circuit_breaker
from provision.sandbox.aws.ecs.health import check_targets, is_healthy
from provision.sandbox.aws.ecs.service import Deployment, EcsService
from provision.sandbox.aws.ecs.task import Task


def reconcile(cloud: Cloud, service: EcsService) -> None:
    """Do what is due for one service."""
    if service.status == "INACTIVE":
        return
    check_targets(cloud, service)
    if service.status == "DRAINING":
        _drain(cloud, service)
        return
    _stop(cloud, service, check_circuit_breaker(cloud, service), "")
    _scale(cloud, service)
    _retire_old(cloud, service)
    _complete(cloud, service)


@behaves("ecs.dead-task-replaced", "ecs.maximum-percent")
def _scale(cloud: Cloud, service: EcsService) -> None:
    """Start or stop tasks of the primary deployment, within maximumPercent of the desired count."""
    now, primary = cloud.clock.now(), service.primary
    tasks = service.active_tasks(primary)
    if len(tasks) > service.desired:
        # ECS stops tasks that are not healthy yet before others.
        order = sorted(tasks, key=lambda task: (task.was_healthy, task.created_at))
        _stop(cloud, service, order[: len(tasks) - service.desired], "")
    missing = min(service.desired - len(tasks), service.startable_count())
    started: list[Task] = []
    while primary.rollout_state != "FAILED" and now >= service.retry_at and len(started) < missing:
        task = launch.place(cloud, service, primary)
        if task is None:
            break
        service.tasks.append(task)
        started.append(task)
    if started:
        service.steady = False
        service.add_event(now, f"has started {len(started)} tasks: {_task_list(started)}.")


@behaves("ecs.minimum-healthy-percent")
def _retire_old(cloud: Cloud, service: EcsService) -> None:
    """Stop old tasks as new ones become healthy, or to make room; remove deployments without tasks."""
    new = service.active_tasks(service.primary)
    well = [task for task in new if is_healthy(cloud, task)]
    old = [task for earlier in service.deployments[1:] for task in service.active_tasks(earlier)]
    old.sort(
        key=lambda task: is_healthy(cloud, task)
    )  # of the ill ones, the newest deployment's first
    replaced = len(well) + len(old) - service.desired
    blocked = 0
    if service.primary.rollout_state != "FAILED":
        blocked = service.desired - len(new) - max(0, service.startable_count())
    stopping = old[: max(replaced, min(blocked, _stoppable_count(cloud, service, old)), 0)]
    for earlier in service.deployments[1:]:
        deployment_tasks = [task for task in stopping if task.deployment == earlier.id]
        _stop(cloud, service, deployment_tasks, f" (deployment {earlier.id})")
    if old and not stopping and blocked > 0 and new == well:
        _report_blocked(cloud, service)
    service.deployments = [
        deployment
        for deployment in service.deployments
        if deployment is service.primary or any(_live_tasks(service, deployment))
    ]


@behaves("ecs.superseded-deployment-makes-room")
def _stoppable_count(cloud: Cloud, service: EcsService, old: list[Task]) -> int:
    """Return how many old tasks may stop: unhealthy ones, and healthy ones above minimumHealthyPercent."""
    unhealthy = sum(1 for task in old if not is_healthy(cloud, task))
    healthy = sum(1 for task in service.tasks if is_healthy(cloud, task))
    return unhealthy + max(0, healthy - service.minimum_healthy_count())


@behaves("ecs.deployment-blocked-by-its-percents")
def _report_blocked(cloud: Cloud, service: EcsService) -> None:
    if not service.primary.blocked_reported:
        service.primary.blocked_reported = True
        service.add_event(
            cloud.clock.now(),
            "was unable to stop or start tasks during a deployment because of the service "
            "deployment configuration. Update the minimumHealthyPercent or maximumPercent value "
            "and try again.",
        )


def _live_tasks(service: EcsService, deployment: Deployment) -> list[Task]:
    deployment_tasks = [task for task in service.tasks if task.deployment == deployment.id]
    return [
        task for task in deployment_tasks if task.last_status not in ("DEPROVISIONING", "STOPPED")
    ]


@behaves("ecs.rollout-state", "ecs.steady-state-event")
def _complete(cloud: Cloud, service: EcsService) -> None:
    """Complete the deployment and report the steady state once that is due."""
    now, primary = cloud.clock.now(), service.primary
    tasks = service.active_tasks(primary)
    well = len(tasks) == service.desired and all(is_healthy(cloud, task) for task in tasks)
    stopping = len(_live_tasks(service, primary)) > len(tasks)
    if not well or stopping or len(service.deployments) > 1:
        service.steady, service.healthy_since = False, None
        return
    if service.healthy_since is None:
        service.healthy_since = now
    if now < service.healthy_since + cloud.delays.steady:
        return
    if primary.rollout_state == "IN_PROGRESS":
        primary.rollout_state = "COMPLETED"
        primary.reason = f"ECS deployment {primary.id} completed."
        primary.updated_at = now
        service.completed = primary.task_definition
        service.add_event(now, f"(deployment {primary.id}) deployment completed.")
    if not service.steady and primary.rollout_state == "COMPLETED":
        service.steady = True
        service.add_event(now, "has reached a steady state.")


@behaves("ecs.service-drains")
def _drain(cloud: Cloud, service: EcsService) -> None:
    _stop(cloud, service, [task for task in service.tasks if task.should_run], "")
    ended = all(task.last_status == "STOPPED" for task in service.tasks)
    if ended and cloud.clock.now() >= (service.drained_at or 0):
        service.status = "INACTIVE"
        service.deployments = service.deployments[:1]


def _stop(cloud: Cloud, service: EcsService, tasks: list[Task], of: str) -> None:
    now = cloud.clock.now()
    for task in tasks:
        reason = f"Scaling activity initiated by ({of.strip(' ()') or 'service ' + service.name})"
        task.stop(now, "ServiceSchedulerInitiated", reason)
    if tasks:
        service.steady = False
        service.add_event(now, f"has stopped {len(tasks)} running tasks: {_task_list(tasks)}.")


def _task_list(tasks: list[Task]) -> str:
    return " ".join(f"(task {task.id})" for task in tasks)
