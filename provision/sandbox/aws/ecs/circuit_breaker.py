"""ECS: failed tasks, the throttle, and the circuit breaker.

ECS Developer Guide, "Amazon ECS service throttle logic", "How the Amazon ECS deployment circuit
breaker detects failures".
"""

import math

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ecs.service import EcsService
from provision.sandbox.aws.ecs.task import Task

_LONGEST = 27 * 60.0  # seconds between two attempts, at most
_SHORTEST = 30.0  # the first pause, after the third failure; AWS does not tell its steps
_REPEATEDLY = 3


@behaves(
    "ecs.failed-start-is-an-event",
    "a task that could not start is told in the service's events",
    "service event: was unable to place a task. Reason: ...",
    "aviswerdlow/relay#71: events of a service whose image has no matching platform",
)
@behaves(
    "ecs.restarts-are-throttled",
    "tasks that never reach RUNNING are retried ever later; a new deployment is not throttled",
    "service event: is unable to consistently start tasks successfully.",
    "Amazon ECS Developer Guide, Amazon ECS service throttle logic",
)
def _count(service: EcsService, task: Task, now: float) -> None:
    """Count a failed task: for its deployment while in progress, and for the throttle."""
    for deployment in service.deployments:
        unsettled = deployment.rollout_state == "IN_PROGRESS" and not task.was_well
        if deployment.id == task.deployment and unsettled:
            deployment.failed_tasks += 1
    if task.stop_code != "TaskFailedToStart":
        return
    service.say(now, f"was unable to place a task. Reason: {task.stopped_reason}.")
    service.unstarted += 1
    if service.unstarted >= _REPEATEDLY:
        pause = _SHORTEST * 2 ** (service.unstarted - _REPEATEDLY)
        service.retry_at = now + min(_LONGEST, pause)
        service.say(
            now,
            "is unable to consistently start tasks successfully. For more information, see the "
            "Troubleshooting section of the Amazon ECS Developer Guide.",
        )


def fail(cloud: Cloud, task: Task, code: str, reason: str) -> None:
    """End a task for a reason of its own; its service counts it and starts another one."""
    if not task.wanted:
        return
    now, service = cloud.clock.now(), cloud.ecs.service_of(task)
    task.ask_to_stop(now, code, reason)
    if service is not None:
        _count(service, task, now)


@behaves(
    "ecs.circuit-breaker-threshold",
    "a deployment fails after as many failed tasks as half the desired count, 3 to 200",
    "rolloutState FAILED, ECS deployment circuit breaker: tasks failed to start.",
    "Amazon ECS Developer Guide, How the deployment circuit breaker detects failures",
)
@behaves(
    "ecs.circuit-breaker-rolls-back",
    "with rollback, the service goes back to the last deployment that was completed",
    "rolloutStateReason ECS deployment circuit breaker: rolling back to deploymentId ...",
    "Amazon ECS Developer Guide, How the deployment circuit breaker detects failures",
)
@behaves(
    "ecs.circuit-breaker-nothing-to-go-back-to",
    "a first deployment that fails stays FAILED, and starts no more tasks",
    "rolloutState FAILED",
    "Amazon ECS API Reference, DeploymentCircuitBreaker, rollback",
)
def break_circuit(cloud: Cloud, service: EcsService) -> list[Task]:
    """Give the primary deployment up where it has failed too often; its tasks, which are to stop."""
    primary = service.primary
    threshold = min(200, max(3, math.ceil(service.desired / 2)))
    if (
        not service.breaker.get("enable")
        or primary.rollout_state != "IN_PROGRESS"
        or primary.failed_tasks < threshold
    ):
        return []
    now = cloud.clock.now()
    primary.rollout_state = "FAILED"
    primary.reason = "ECS deployment circuit breaker: tasks failed to start."
    primary.updated_at = now
    service.say(now, f"(deployment {primary.id}) deployment failed: tasks failed to start.")
    given_up = service.wanted(primary)
    back = service.completed
    if service.breaker.get("rollback") and back and not primary.is_rollback:
        new = service.deploy(now, back, is_rollback=True)
        new.reason = f"ECS deployment circuit breaker: rolling back to deploymentId {new.id}."
        service.say(now, f"(deployment {primary.id}) rolling back to deployment {new.id}.")
    return given_up
