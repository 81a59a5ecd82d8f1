"""ECS: advance every task and service to the current simulated time."""

from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ecs import initialize, lifecycle, scheduler, start


def tick(cloud: Cloud) -> None:
    """Start, advance and stop everything that is due by now."""
    with cloud.lock:
        now, delay = cloud.clock.now(), cloud.delays.task_start
        due = [
            task
            for task in cloud.ecs.tasks
            if task.should_run and task.last_status == "PENDING" and now >= task.created_at + delay
        ]
    for task in due:
        start.start(cloud, task)
    with cloud.lock:
        for task in cloud.ecs.tasks:
            initialize.write_log(cloud, task)
            lifecycle.advance(cloud, task)
        for service in cloud.ecs.services.values():
            scheduler.reconcile(cloud, service)
        cloud.ecs.remove_stopped_tasks()
        for region in cloud.regions("ecs"):
            cloud.ecs.remove_unused_definitions(region)
