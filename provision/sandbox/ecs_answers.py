"""ECS: looking at services and tasks, and stopping a task."""

from typing import TYPE_CHECKING

from provision.sandbox.calls import Call, Refusal
from provision.sandbox.ecs_clusters import find_cluster
from provision.sandbox.ecs_definitions import page
from provision.sandbox.ecs_services import find_service
from provision.sandbox.ecs_task import Task
from provision.sandbox.rules import Answer, before

if TYPE_CHECKING:
    from provision.sandbox.cloud import Cloud


@before("ecs", "DescribeServices")
def services_as_they_are(cloud: "Cloud", call: Call) -> Answer:
    """API DescribeServices: up to ten, INACTIVE ones too; failures MISSING."""
    names = call.params["services"]
    if not names:
        raise Refusal("InvalidParameterException", "Services cannot be empty.")
    if len(names) > 10:
        raise Refusal("InvalidParameterException", "Services cannot have more than 10 elements")
    cluster = find_cluster(cloud, call.region, call.params.get("cluster"))
    found, failures = [], []
    for name in names:
        service = find_service(cloud, call, name)
        if service is None:
            prefix = f"arn:aws:ecs:{call.region}:{cloud.account}:service/{cluster.name}"
            arn = name if name.startswith("arn:") else f"{prefix}/{name}"
            failures.append({"arn": arn, "reason": "MISSING"})
            continue
        shown = service.describe()
        if "TAGS" in (call.params.get("include") or []):
            backend = cloud.backend("ecs", call.region)
            shown["tags"] = backend.list_tags_for_resource(service.arn)
        found.append(shown)
    return {"services": found, "failures": failures}


@before("ecs", "ListServices")
def listed_services(cloud: "Cloud", call: Call) -> Answer:
    """API ListServices: those that are not INACTIVE."""
    cluster = find_cluster(cloud, call.region, call.params.get("cluster"))
    arns = sorted(
        service.arn
        for (region, name, _), service in cloud.ecs.services.items()
        if (region, name) == (call.region, cluster.name) and service.status != "INACTIVE"
    )
    return page("serviceArns", arns, call)


@before("ecs", "ListTasks")
def listed_tasks(cloud: "Cloud", call: Call) -> Answer:
    """API ListTasks: by service, family, starter; those that are to run, unless asked otherwise."""
    given = call.params
    cluster = find_cluster(cloud, call.region, given.get("cluster"))
    service = given.get("serviceName")
    if service is not None and find_service(cloud, call, service) is None:
        raise Refusal("ServiceNotFoundException", "Service not found.")
    desired = given.get("desiredStatus") or "RUNNING"
    arns = [
        task.arn
        for task in _in_cluster(cloud, call.region, cluster.name)
        if task.desired_status == desired
        and (service is None or task.service == service.rpartition("/")[2])
        and given.get("family") in (None, task.definition.family)
        and given.get("startedBy") in (None, task.deployment)
    ]
    return page("taskArns", arns, call)


@before("ecs", "DescribeTasks")
def tasks_as_they_are(cloud: "Cloud", call: Call) -> Answer:
    """API DescribeTasks: stopped ones for an hour; failures MISSING."""
    cluster = find_cluster(cloud, call.region, call.params.get("cluster"))
    names = call.params["tasks"]
    if not names:
        raise Refusal("InvalidParameterException", "Tasks cannot be empty.")
    known = {task.id: task for task in _in_cluster(cloud, call.region, cluster.name)}
    prefix = f"arn:aws:ecs:{call.region}:{cloud.account}:task/{cluster.name}"
    found, failures = [], []
    for name in names:
        short = name.rpartition("/")[2]
        if short in known:
            found.append(known[short].describe())
        else:
            failures.append({"arn": f"{prefix}/{short}", "reason": "MISSING"})
    return {"tasks": found, "failures": failures}


@before("ecs", "StopTask")
def task_is_stopped(cloud: "Cloud", call: Call) -> Answer:
    """API StopTask: SIGTERM, then SIGKILL; its service starts another one."""
    cluster = find_cluster(cloud, call.region, call.params.get("cluster"))
    short = call.params["task"].rpartition("/")[2]
    for task in _in_cluster(cloud, call.region, cluster.name):
        if task.id == short:
            reason = call.params.get("reason") or "Task stopped by user"
            task.ask_to_stop(cloud.clock.now(), "UserInitiated", reason)
            return {"task": task.describe()}
    raise Refusal("InvalidParameterException", "The referenced task was not found.")


def _in_cluster(cloud: "Cloud", region: str, cluster: str) -> list[Task]:
    return [task for task in cloud.ecs.tasks if (task.region, task.cluster) == (region, cluster)]
