"""ECS: health of a service's tasks behind their load balancer."""

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ecs.circuit_breaker import fail
from provision.sandbox.aws.ecs.service import EcsService
from provision.sandbox.aws.ecs.task import Task


def is_well(cloud: Cloud, task: Task) -> bool:
    """Tell whether the task runs, and is healthy behind its load balancer if it has one."""
    if not (task.running and task.wanted):
        return False
    return task.target is None or _state(cloud, task) == "healthy"


@behaves(
    "ecs.unhealthy-task-replaced",
    "a task that fails its load balancer's health checks is stopped and replaced",
    "stoppedReason Task failed ELB health checks in (target-group ARN)",
    "Amazon ECS Developer Guide, Amazon ECS service unhealthy event messages",
)
@behaves(
    "ecs.health-check-grace-period",
    "failed health checks of a task that has started a moment ago do not count",
    "healthCheckGracePeriodSeconds",
    "Amazon ECS API Reference, CreateService, healthCheckGracePeriodSeconds",
)
def look_at_targets(cloud: Cloud, service: EcsService) -> None:
    """Note who is well; let go of who is not, once the grace period is over."""
    now = cloud.clock.now()
    grace = service.given.get("healthCheckGracePeriodSeconds") or 0
    for task in service.tasks:
        if is_well(cloud, task):
            task.was_well = True
            if service.primary.id == task.deployment:
                service.primary.failed_tasks = 0
        elif task.running and task.wanted and _state(cloud, task) == "unhealthy":
            if now < (task.started_at or now) + grace or task.target is None:
                continue
            group = task.target.group
            service.say(
                now,
                f"(task {task.id}) (port {task.target.port}) is unhealthy in (target-group "
                f"{group}) due to (reason {_reason(cloud, task)}).",
            )
            reason = f"Task failed ELB health checks in (target-group {group})"
            fail(cloud, task, "ServiceSchedulerInitiated", reason)


def _state(cloud: Cloud, task: Task) -> str:
    if task.target is None:
        return ""
    target = cloud.elbv2.targets.get(task.target.group, {}).get((task.ip, task.target.port))
    return "" if target is None else str(target.state)


def _reason(cloud: Cloud, task: Task) -> str:
    assert task.target is not None
    target = cloud.elbv2.targets[task.target.group][task.ip, task.target.port]
    return target.description or "Health checks failed"
