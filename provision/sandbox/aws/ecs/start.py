"""ECS: start of the container of a task in PENDING."""

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ecr.image_store import CannotPullError
from provision.sandbox.aws.ecs.circuit_breaker import stop_failed_task
from provision.sandbox.aws.ecs.initialize import prepare
from provision.sandbox.aws.ecs.pull import CannotStartError, cannot_pull, pull_image
from provision.sandbox.aws.ecs.service import EcsService
from provision.sandbox.aws.ecs.task import Task, TaskTarget
from provision.sandbox.tasks.runners import InlineTask, RunningTask

_READY_TIMEOUT = 20.0  # real seconds for a container to answer its first request
_READY_TIMEOUT_NO_PORT = 5.0  # real seconds, for a container without a port, which may just end


@behaves("ecs.task-image-damaged")
def start(cloud: Cloud, task: Task) -> None:
    """Start the container; simulated time stops until it answers or has ended.

    Called without the lock, so that other calls are served meanwhile.
    """
    try:
        with cloud.lock:
            environment = prepare(cloud, task)
            executable = pull_image(cloud, task)
        with cloud.clock.hold():
            container = _run(cloud, task, environment, executable)
    except CannotStartError as reason:
        with cloud.lock:
            stop_failed_task(cloud, task, "TaskFailedToStart", str(reason))
        return
    with cloud.lock:
        task.container = container
        task.started_at = cloud.clock.now()
        task.last_status = "RUNNING"
        service = cloud.ecs.service_of(task)
        if service is not None:
            service.failed_starts = 0
            _register(cloud, service, task)


@behaves("ecs.task-image-of-another-processor")
def _run(cloud: Cloud, task: Task, environment: dict[str, str], executable: bool) -> RunningTask:
    image, mappings = task.essential["image"], task.essential.get("portMappings") or []
    port = mappings[0]["containerPort"] if mappings else 80
    if not executable:
        broken = InlineTask(environment, image, port, task.command)
        broken.end(1, f"exec {(*task.command, '/entrypoint')[0]}: exec format error")
        return broken
    try:
        container = cloud.tasks.start(environment, image, port, task.command)
    except CannotPullError as reason:
        raise cannot_pull(task, reason) from None
    container.ready(_READY_TIMEOUT if mappings else _READY_TIMEOUT_NO_PORT)
    return container


def _register(cloud: Cloud, service: EcsService, task: Task) -> None:
    load_balancer, container = service.load_balancer, task.container
    if (
        load_balancer is None
        or not task.should_run
        or container is None
        or container.exit_code is not None
    ):
        return
    task.target = TaskTarget(load_balancer["targetGroupArn"], load_balancer["containerPort"])
    cloud.elbv2.register(task.target.group, task.ip, task.target.port)
    service.add_event(
        cloud.clock.now(), f"registered 1 targets in (target-group {task.target.group})"
    )
