"""ECS: what is due for every task and service on the sandbox's clock."""

from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ecs import initialize, lifecycle, scheduler, start


def tick(cloud: Cloud) -> None:
    """Do everything that is due by now."""
    with cloud.lock:
        now, delay = cloud.clock.now(), cloud.delays.task_start
        due = [
            task
            for task in cloud.ecs.tasks
            if task.wanted and task.last_status == "PENDING" and now >= task.created_at + delay
        ]
    for task in due:
        start.start(cloud, task)
    with cloud.lock:
        for task in cloud.ecs.tasks:
            initialize.write_log(cloud, task)
            lifecycle.advance(cloud, task)
        for service in cloud.ecs.services.values():
            scheduler.reconcile(cloud, service)
        cloud.ecs.forget()
        for region in cloud.regions("ecs"):
            cloud.ecs.forget_definitions(region)
