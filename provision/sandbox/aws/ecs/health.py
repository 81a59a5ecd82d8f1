"""ECS: health of a service's tasks behind their load balancer."""

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ecs.circuit_breaker import stop_failed_task
from provision.sandbox.aws.ecs.service import EcsService
from provision.sandbox.aws.ecs.task import Task


def is_healthy(cloud: Cloud, task: Task) -> bool:
    """Return whether the task is RUNNING, and its target, if it has one, healthy."""
    if not (task.running and task.should_run):
        return False
    return task.target is None or _state(cloud, task) == "healthy"


@behaves("ecs.unhealthy-task-replaced", "ecs.health-check-grace-period")
def check_targets(cloud: Cloud, service: EcsService) -> None:
    """Record healthy tasks; stop those that are unhealthy after the grace period."""
    now = cloud.clock.now()
    grace = service.params.get("healthCheckGracePeriodSeconds") or 0
    for task in service.tasks:
        if is_healthy(cloud, task):
            task.was_healthy = True
            if service.primary.id == task.deployment:
                service.primary.failed_tasks = 0
        elif task.running and task.should_run and _state(cloud, task) == "unhealthy":
            if now < (task.started_at or now) + grace or task.target is None:
                continue
            group = task.target.group
            service.add_event(
                now,
                f"(task {task.id}) (port {task.target.port}) is unhealthy in (target-group "
                f"{group}) due to (reason {_reason(cloud, task)}).",
            )
            reason = f"Task failed ELB health checks in (target-group {group})"
            stop_failed_task(cloud, task, "ServiceSchedulerInitiated", reason)


def _state(cloud: Cloud, task: Task) -> str:
    if task.target is None:
        return ""
    target = cloud.elbv2.targets.get(task.target.group, {}).get((task.ip, task.target.port))
    return "" if target is None else str(target.state)


def _reason(cloud: Cloud, task: Task) -> str:
    assert task.target is not None
    target = cloud.elbv2.targets[task.target.group][task.ip, task.target.port]
    return target.description or "Health checks failed"
