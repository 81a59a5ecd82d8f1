"""ECS RunTask: tasks that belong to no service.

They have the lifecycle of a service's tasks; nothing replaces them.
"""

from collections import Counter
from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ecs.capacity import NO_CAPACITY, next_provider, with_default
from provision.sandbox.aws.ecs.clusters import find_cluster, require_service_linked_role
from provision.sandbox.aws.ecs.launch import new_task
from provision.sandbox.aws.ecs.run_task_checks import check_run
from provision.sandbox.aws.ecs.task import RunTaskCall, Task
from provision.sandbox.aws.rules import Answer, before

_TOKEN_TTL = 24 * 3600.0  # seconds


@behaves("ecs.run-task")
@before("ecs", "RunTask")
def run_tasks(cloud: Cloud, call: Call) -> Answer:
    """Start tasks (API RunTask)."""
    require_service_linked_role(cloud)
    cluster = find_cluster(cloud, call.region, call.params.get("cluster"))
    token = call.params.get("clientToken")
    key = (call.region, cluster.name, token or "")
    repeated = _repeated(cloud, call, key) if token else None
    if repeated is not None:
        return {"tasks": [task.describe(True) for task in repeated], "failures": []}
    params = with_default(cloud, call.params, cluster)
    definition = check_run(cloud, call, params, cluster)
    tasks: list[Task] = []
    failures = []
    for _ in range(params.get("count") or 1):
        task = _place(cloud, call, params, cluster.name, definition, tasks)
        if task is None:
            failures.append({"arn": cluster.arn, "reason": NO_CAPACITY.removesuffix(".")})
        else:
            tasks.append(task)
    if token:
        cloud.ecs.run_task_calls[key] = RunTaskCall(call.params, tasks, cloud.clock.now())
    return {"tasks": [task.describe(True) for task in tasks], "failures": failures}


@behaves("ecs.run-task-token-repeated", "ecs.run-task-token-conflict")
def _repeated(cloud: Cloud, call: Call, key: tuple[str, str, str]) -> list[Task] | None:
    previous = cloud.ecs.run_task_calls.get(key)
    if previous is None or cloud.clock.now() >= previous.at + _TOKEN_TTL:
        return None
    if previous.params != call.params:
        raise AwsError(
            "ConflictException",
            "The RunTask request could not be processed due to conflicts. The provided clientToken "
            "is already in use with a different RunTask request.",
        )
    return previous.tasks


@behaves("ecs.run-task-no-spot-capacity")
def _place(
    cloud: Cloud,
    call: Call,
    params: dict[str, Any],
    cluster: str,
    definition: Any,
    others: list[Task],
) -> Task | None:
    """Start the call's next task, after its `others`; return None without Spot capacity."""
    used = Counter(task.capacity_provider for task in others)
    provider = next_provider(params.get("capacityProviderStrategy") or [], used)
    if provider == "FARGATE_SPOT" and not cloud.ecs.spot_available:
        return None
    network = params["networkConfiguration"]["awsvpcConfiguration"]
    from_definition = params.get("propagateTags") == "TASK_DEFINITION"
    managed = [{"key": "aws:ecs:clusterName", "value": cluster}]
    return new_task(
        cloud,
        region=call.region,
        network=network,
        subnet=network["subnets"][len(others) % len(network["subnets"])],
        cluster=cluster,
        definition=definition,
        capacity_provider=provider,
        group=params.get("group") or f"family:{definition.family}",
        started_by=params.get("startedBy") or "",
        overrides=params.get("overrides") or {},
        tags=[
            *(definition.tags or [] if from_definition else []),
            *(params.get("tags") or []),
            *(managed if params.get("enableECSManagedTags") else []),
        ],
        exec_enabled=bool(params.get("enableExecuteCommand")),
    )
