"""ECS: ListTasks, DescribeTasks, StopTask."""

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ecs.clusters import find_cluster
from provision.sandbox.aws.ecs.errors import invalid_parameter
from provision.sandbox.aws.ecs.limits import check_items
from provision.sandbox.aws.ecs.pagination import page
from provision.sandbox.aws.ecs.services import find_service
from provision.sandbox.aws.rules import Answer, before


@behaves(
    "ecs.list-tasks-filters", "ecs.list-tasks-of-unknown-service", "ecs.list-tasks-starter-alone"
)
@before("ecs", "ListTasks")
def list_tasks(cloud: Cloud, call: Call) -> Answer:
    """List by service, family, startedBy and desired status, default RUNNING (API ListTasks)."""
    params = call.params
    cluster = find_cluster(cloud, call.region, params.get("cluster"))
    service = params.get("serviceName")
    if service is not None and find_service(cloud, call, service) is None:
        raise AwsError("ServiceNotFoundException", "Service not found.")
    if params.get("startedBy") and (service or params.get("family")):
        raise invalid_parameter("Cannot specify startedBy with serviceName or family.")
    desired = params.get("desiredStatus") or "RUNNING"
    arns = [
        task.arn
        for task in cloud.ecs.tasks_in(call.region, cluster.name)
        if task.desired_status == desired
        and (service is None or task.service == service.rpartition("/")[2])
        and params.get("family") in (None, task.definition.family)
        and params.get("startedBy") in (None, task.started_by)
        and params.get("launchType") in (None, task.launch_type)
    ]
    return page("taskArns", arns, call)


@behaves("ecs.describe-task-missing", "ecs.describe-tasks-hundred")
@before("ecs", "DescribeTasks")
def describe_tasks(cloud: Cloud, call: Call) -> Answer:
    """Describe tasks, stopped ones for an hour; report unknown ones as MISSING (API DescribeTasks)."""
    cluster = find_cluster(cloud, call.region, call.params.get("cluster"))
    names = call.params["tasks"]
    if not names:
        raise invalid_parameter("Tasks cannot be empty.")
    check_items("tasks", names, 100)
    with_tags = "TAGS" in (call.params.get("include") or [])
    tasks = {task.id: task for task in cloud.ecs.tasks_in(call.region, cluster.name)}
    prefix = f"arn:aws:ecs:{call.region}:{cloud.account_id}:task/{cluster.name}"
    found, failures = [], []
    for name in names:
        task_id = name.rpartition("/")[2]
        if task_id in tasks:
            found.append(tasks[task_id].describe(with_tags))
        else:
            failures.append({"arn": f"{prefix}/{task_id}", "reason": "MISSING"})
    return {"tasks": found, "failures": failures}


@behaves("ecs.stop-task", "ecs.stop-task-unknown")
@before("ecs", "StopTask")
def stop_task(cloud: Cloud, call: Call) -> Answer:
    """Stop a task by SIGTERM, then SIGKILL; its service starts another one (API StopTask)."""
    cluster = find_cluster(cloud, call.region, call.params.get("cluster"))
    task_id = call.params["task"].rpartition("/")[2]
    for task in cloud.ecs.tasks_in(call.region, cluster.name):
        if task.id == task_id:
            reason = call.params.get("reason") or "Task stopped by user"
            task.stop(cloud.clock.now(), "UserInitiated", reason)
            return {"task": task.describe()}
    raise invalid_parameter("The referenced task was not found.")
