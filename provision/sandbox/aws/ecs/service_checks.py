"""ECS: checks of a service's parameters."""

from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ecs.capacity import check_capacity, check_compatible, with_default
from provision.sandbox.aws.ecs.clusters import find_cluster
from provision.sandbox.aws.ecs.errors import invalid_parameter
from provision.sandbox.aws.ecs.load_balancers import check_load_balancers
from provision.sandbox.aws.ecs.network import check_network, check_platform

_BALANCING = {"taskDefinition", "loadBalancers", "healthCheckGracePeriodSeconds"}


def check_service(
    cloud: Cloud, call: Call, params: dict[str, Any], definition: Any, changed: set[str]
) -> None:
    """Check the parameters of a new or updated service, of which `changed` are new."""
    cluster = find_cluster(cloud, call.region, call.params.get("cluster"))
    check_capacity(params, cluster)
    params = with_default(cloud, params, cluster)
    on_fargate = (
        bool(params.get("capacityProviderStrategy")) or params.get("launchType") == "FARGATE"
    )
    check_compatible(definition, on_fargate)
    check_platform(params)
    if changed & {"taskDefinition", "networkConfiguration"}:
        check_network(cloud, call.region, definition, params)
    if changed & _BALANCING:
        check_load_balancers(cloud, definition, params)
    _check_percents(params)
    _check_exec(definition, params)


@behaves("ecs.service-without-count", "ecs.service-count-negative")
def check_count(params: dict[str, Any]) -> None:
    """Check desiredCount (API CreateService, UpdateService)."""
    count = params.get("desiredCount")
    if count is None and params.get("schedulingStrategy") != "DAEMON":
        raise invalid_parameter(
            "The desired count must be specified for the scheduling strategy REPLICA."
        )
    if (count or 0) < 0:
        raise invalid_parameter("The desired count cannot be negative.")


@behaves("ecs.percents-that-block", "ecs.percents-out-of-range")
def _check_percents(params: dict[str, Any]) -> None:
    percents = params.get("deploymentConfiguration") or {}
    minimum = percents.get("minimumHealthyPercent", 100)
    maximum = percents.get("maximumPercent", 200)
    if minimum == maximum == 100:
        raise invalid_parameter(
            "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block "
            "deployments"
        )
    if not 0 <= minimum <= 100 <= maximum:
        raise invalid_parameter(
            "minimumHealthyPercent must be between 0 and 100, and maximumPercent at least 100."
        )


@behaves("ecs.exec-needs-task-role")
def _check_exec(definition: Any, params: dict[str, Any]) -> None:
    if params.get("enableExecuteCommand") and not getattr(definition, "task_role_arn", None):
        raise invalid_parameter(
            "The service couldn't be created because a valid taskRoleArn is not being used. Specify "
            "a valid task role in your task definition and try again."
        )
