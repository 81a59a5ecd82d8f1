"""ECS: failed tasks, the service throttle, and the deployment circuit breaker.

ECS Developer Guide, "Amazon ECS service throttle logic", "How the Amazon ECS deployment circuit
breaker detects failures".
"""

import math

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ecs.service import EcsService
from provision.sandbox.aws.ecs.task import Task

_MAX_PAUSE = 27 * 60.0  # seconds between two attempts
_FIRST_PAUSE = (
    30.0  # seconds, after the third failure, then doubled; AWS does not document the steps
)
_THROTTLED_AFTER = 3  # failed starts


@behaves("ecs.failed-start-is-an-event", "ecs.restarts-are-throttled")
def _record_failure(service: EcsService, task: Task, now: float) -> None:
    """Count a failed task for its deployment, if that is in progress, and for the service throttle."""
    for deployment in service.deployments:
        counts = deployment.rollout_state == "IN_PROGRESS" and not task.was_healthy
        if deployment.id == task.deployment and counts:
            deployment.failed_tasks += 1
    if task.stop_code != "TaskFailedToStart":
        return
    service.add_event(now, f"was unable to place a task. Reason: {task.stopped_reason}.")
    service.failed_starts += 1
    if service.failed_starts >= _THROTTLED_AFTER:
        pause = _FIRST_PAUSE * 2 ** (service.failed_starts - _THROTTLED_AFTER)
        service.retry_at = now + min(_MAX_PAUSE, pause)
        service.add_event(
            now,
            "is unable to consistently start tasks successfully. For more information, see the "
            "Troubleshooting section of the Amazon ECS Developer Guide.",
        )


def stop_failed_task(cloud: Cloud, task: Task, code: str, reason: str) -> None:
    """Stop a task that failed, and count the failure for its service."""
    if not task.should_run:
        return
    now, service = cloud.clock.now(), cloud.ecs.service_of(task)
    task.stop(now, code, reason)
    if service is not None:
        _record_failure(service, task, now)


@behaves(
    "ecs.circuit-breaker-threshold",
    "ecs.circuit-breaker-rolls-back",
    "ecs.circuit-breaker-nothing-to-go-back-to",
)
def check_circuit_breaker(cloud: Cloud, service: EcsService) -> list[Task]:
    """Fail the primary deployment if it reached the threshold; return its tasks, which are to stop."""
    primary = service.primary
    threshold = min(200, max(3, math.ceil(service.desired / 2)))
    if (
        not service.circuit_breaker.get("enable")
        or primary.rollout_state != "IN_PROGRESS"
        or primary.failed_tasks < threshold
    ):
        return []
    now = cloud.clock.now()
    primary.rollout_state = "FAILED"
    primary.reason = "ECS deployment circuit breaker: tasks failed to start."
    primary.updated_at = now
    service.add_event(now, f"(deployment {primary.id}) deployment failed: tasks failed to start.")
    failed = service.active_tasks(primary)
    previous = service.completed
    if service.circuit_breaker.get("rollback") and previous and not primary.is_rollback:
        new = service.deploy(now, previous, is_rollback=True)
        new.reason = f"ECS deployment circuit breaker: rolling back to deploymentId {new.id}."
        service.add_event(now, f"(deployment {primary.id}) rolling back to deployment {new.id}.")
    return failed
