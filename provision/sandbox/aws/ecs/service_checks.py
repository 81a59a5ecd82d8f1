"""ECS: checks of a service's parameters."""

from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ecs.capacity import check_capacity, check_compatible, with_default
from provision.sandbox.aws.ecs.clusters import find_cluster
from provision.sandbox.aws.ecs.load_balancers import check_balancers
from provision.sandbox.aws.ecs.network import check_network, check_platform

_BALANCING = {"taskDefinition", "loadBalancers", "healthCheckGracePeriodSeconds"}


def check_wish(
    cloud: Cloud, call: Call, wish: dict[str, Any], definition: Any, given: set[str]
) -> None:
    """Check a new or changed service: `given` are the new parameters, `wish` all of them."""
    cluster = find_cluster(cloud, call.region, call.params.get("cluster"))
    check_capacity(wish, cluster)
    wish = with_default(cloud, wish, cluster)
    on_fargate = bool(wish.get("capacityProviderStrategy")) or wish.get("launchType") == "FARGATE"
    check_compatible(definition, on_fargate)
    check_platform(wish)
    if given & {"taskDefinition", "networkConfiguration"}:
        check_network(cloud, call.region, definition, wish)
    if given & _BALANCING:
        check_balancers(cloud, definition, wish)
    _check_percents(wish)
    _check_exec(definition, wish)


@behaves(
    "ecs.service-without-count",
    "a REPLICA service names its desired count",
    "InvalidParameterException 400",
    "Amazon ECS API Reference, CreateService, desiredCount",
)
@behaves(
    "ecs.service-count-negative",
    "a desired count is 0 or more",
    "InvalidParameterException 400",
    "Amazon ECS API Reference, CreateService, desiredCount",
)
def check_count(given: dict[str, Any]) -> None:
    """Check desiredCount (API CreateService, UpdateService)."""
    count = given.get("desiredCount")
    if count is None and given.get("schedulingStrategy") != "DAEMON":
        raise _invalid("The desired count must be specified for the scheduling strategy REPLICA.")
    if (count or 0) < 0:
        raise _invalid("The desired count cannot be negative.")


@behaves(
    "ecs.percents-that-block",
    "minimumHealthyPercent and maximumPercent are not both 100",
    "InvalidParameterException 400",
    "cdk_preflight, rule pf-ecs-svc-min-healthy-over-max-percent",
)
@behaves(
    "ecs.percents-out-of-range",
    "minimumHealthyPercent is 0 to 100, maximumPercent 100 or more",
    "InvalidParameterException 400",
    "Amazon ECS API Reference, DeploymentConfiguration",
)
def _check_percents(wish: dict[str, Any]) -> None:
    percents = wish.get("deploymentConfiguration") or {}
    least = percents.get("minimumHealthyPercent", 100)
    most = percents.get("maximumPercent", 200)
    if least == most == 100:
        raise _invalid(
            "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block "
            "deployments"
        )
    if not 0 <= least <= 100 <= most:
        raise _invalid(
            "minimumHealthyPercent must be between 0 and 100, and maximumPercent at least 100."
        )


@behaves(
    "ecs.exec-needs-task-role",
    "ECS Exec needs a task role",
    "InvalidParameterException 400",
    "Amazon ECS Developer Guide, ECS Exec: task IAM role permissions",
)
def _check_exec(definition: Any, wish: dict[str, Any]) -> None:
    if wish.get("enableExecuteCommand") and not getattr(definition, "task_role_arn", None):
        raise _invalid(
            "The service couldn't be created because a valid taskRoleArn is not being used. Specify "
            "a valid task role in your task definition and try again."
        )


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)
