"""ECS: the target groups with which a service registers its tasks."""

from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ecs.errors import invalid_parameter
from provision.sandbox.aws.ecs.limits import check_items


@behaves("ecs.too-many-load-balancers", "ecs.grace-period-without-load-balancer")
def check_load_balancers(cloud: Cloud, definition: Any, params: dict[str, Any]) -> None:
    """Check loadBalancers and healthCheckGracePeriodSeconds (API CreateService, UpdateService)."""
    load_balancers = params.get("loadBalancers") or []
    check_items("load balancers", load_balancers, 5)
    if params.get("healthCheckGracePeriodSeconds") and not load_balancers:
        raise invalid_parameter(
            "Health check grace period is only valid for services configured to use load balancers"
        )
    for load_balancer in load_balancers:
        _check_container(definition, load_balancer)
        _check_group(cloud, definition, load_balancer.get("targetGroupArn") or "")


@behaves("ecs.wrong-container-name", "ecs.wrong-container-port")
def _check_container(definition: Any, load_balancer: dict[str, Any]) -> None:
    name, port = load_balancer.get("containerName"), load_balancer.get("containerPort")
    containers = {c["name"]: c for c in definition.container_definitions}
    if name not in containers:
        raise invalid_parameter(f"The container {name} does not exist in the task definition.")
    mappings = containers[name].get("portMappings") or []
    if port not in [mapping["containerPort"] for mapping in mappings]:
        raise invalid_parameter(
            f"The container {name} did not have a container port {port} defined."
        )


@behaves("ecs.target-group-unknown", "ecs.target-type-not-ip", "ecs.target-group-without-listener")
def _check_group(cloud: Cloud, definition: Any, arn: str) -> None:
    group = cloud.elbv2.target_group(arn) if arn.count(":") >= 5 else None
    if group is None:
        raise invalid_parameter(
            f"Unable to assume role and validate the specified targetGroupArn: {arn}"
            if not arn
            else "The specified target group does not exist."
        )
    if definition.network_mode == "awsvpc" and group.target_type != "ip":
        raise invalid_parameter(
            f"The provided target group {arn} has target type {group.target_type}, which is "
            "incompatible with the awsvpc network mode specified in the task definition."
        )
    if not cloud.elbv2.load_balancers_of(arn):
        raise invalid_parameter(
            f"The target group with targetGroupArn {arn} does not have an associated load balancer."
        )
