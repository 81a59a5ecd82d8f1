"""ECS: checks of RunTask."""

import json
from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ecs.capacity import NO_INSTANCES, check_capacity, check_compatible
from provision.sandbox.aws.ecs.definitions import find_active_definition
from provision.sandbox.aws.ecs.errors import client_error, invalid_parameter
from provision.sandbox.aws.ecs.launch import assume_role_error, find_unassumable_role
from provision.sandbox.aws.ecs.limits import check_started_by, check_tags
from provision.sandbox.aws.ecs.network import check_network, check_platform

_MAX_COUNT = 10
_OVERRIDES = 8192  # characters, as JSON


@behaves("ecs.run-task-count", "ecs.run-task-fresh-role", "ecs.run-task-on-ec2-without-instances")
def check_run(cloud: Cloud, call: Call, params: dict[str, Any], cluster: Any) -> Any:
    """Check the parameters of RunTask; return the task definition."""
    if not 1 <= (params.get("count") or 1) <= _MAX_COUNT:
        raise invalid_parameter(f"Count must be between 1 and {_MAX_COUNT}.")
    definition = find_active_definition(cloud, call.region, params["taskDefinition"])
    check_started_by(params.get("startedBy"))
    check_tags(params.get("tags") or [])
    check_capacity(params, cluster)
    check_platform(params)
    on_fargate = (
        bool(params.get("capacityProviderStrategy")) or params.get("launchType") == "FARGATE"
    )
    check_compatible(definition, on_fargate)
    check_network(cloud, call.region, definition, params)
    _check_overrides(definition, params.get("overrides") or {})
    role = find_unassumable_role(
        cloud, definition, f"{cluster.arn.replace(':cluster/', ':task/')}/*"
    )
    if role:
        raise client_error(assume_role_error(role))
    if not on_fargate:
        raise invalid_parameter(NO_INSTANCES)
    return definition


@behaves("ecs.override-of-unknown-container", "ecs.overrides-too-long")
def _check_overrides(definition: Any, overrides: dict[str, Any]) -> None:
    names = [container["name"] for container in definition.container_definitions]
    for override in overrides.get("containerOverrides") or []:
        if override.get("name") not in names:
            raise invalid_parameter(
                f"Override for container named {override.get('name')} is not a container in the "
                "TaskDefinition."
            )
    if len(json.dumps(overrides, separators=(",", ":"))) > _OVERRIDES:
        raise invalid_parameter(f"Container Overrides length must be at most {_OVERRIDES}")
