"""ECS capacity: Fargate or Fargate Spot, as a launch type or by a capacity provider strategy."""

from collections import Counter
from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ecs.errors import invalid_parameter

PROVIDERS = ("FARGATE", "FARGATE_SPOT")  # the sandbox has no Auto Scaling groups
NO_CAPACITY = (
    "Capacity is unavailable at this time. Please try again later or in a different availability "
    "zone."
)
NO_INSTANCES = "No Container Instances were found in your cluster."


@behaves("ecs.strategy-with-launch-type", "ecs.strategy-provider-not-in-cluster")
def check_capacity(params: dict[str, Any], cluster: Any) -> None:
    """Refuse launchType beside capacityProviderStrategy (API CreateService, UpdateService, RunTask)."""
    strategy = params.get("capacityProviderStrategy") or []
    if strategy and params.get("launchType"):
        raise invalid_parameter(
            "Specifying both a launch type and capacity provider strategy is not supported. Remove "
            "one and try again."
        )
    for entry in strategy:
        if entry["capacityProvider"] not in (cluster.capacity_providers or []):
            raise invalid_parameter(
                "The specified capacity provider strategy cannot contain a capacity provider that "
                "is not associated with the cluster. Associate the capacity provider with the "
                "cluster and try again."
            )
    check_strategy(strategy)


@behaves("ecs.strategy-one-base", "ecs.strategy-all-weights-zero", "ecs.strategy-limits")
def check_strategy(strategy: list[dict[str, Any]]) -> None:
    """Check weights and bases (API CapacityProviderStrategyItem)."""
    for entry in strategy:
        for name, maximum in (("weight", 1000), ("base", 100000)):
            if not 0 <= (entry.get(name) or 0) <= maximum:
                raise invalid_parameter(
                    f"The capacity provider {name} must be between 0 and {maximum}. Specify a valid "
                    "value and try again."
                )
    if sum(1 for entry in strategy if entry.get("base")) > 1:
        raise invalid_parameter(
            "Only one capacity provider in a capacity provider strategy can have a base value "
            "defined. Remove the others and try again."
        )
    if len(strategy) > 1 and not any(entry.get("weight") for entry in strategy):
        raise invalid_parameter(
            "The capacity provider strategy must have at least one capacity provider with a "
            "weight greater than 0."
        )


@behaves("ecs.capacity-provider-unknown")
def check_providers(params: dict[str, Any]) -> None:
    """Check providers and the default strategy (API CreateCluster, PutClusterCapacityProviders)."""
    providers = params.get("capacityProviders") or []
    for name in providers:
        if name not in PROVIDERS:
            raise invalid_parameter(
                f"The specified capacity provider '{name}' was not found. Specify a valid name or "
                "ARN and try again."
            )
    strategy = params.get("defaultCapacityProviderStrategy") or []
    if any(entry["capacityProvider"] not in providers for entry in strategy):
        raise invalid_parameter(
            "The specified default capacity provider strategy contains a capacity provider that is "
            "not associated with the cluster. Associate the capacity provider and try again."
        )
    check_strategy(strategy)


@behaves("ecs.launch-type-incompatible")
def check_compatible(definition: Any, on_fargate: bool) -> None:
    """Refuse a task definition without the compatibility FARGATE on Fargate."""
    if on_fargate and "FARGATE" not in (definition.compatibilities or []):
        raise invalid_parameter("Task definition does not support launch_type FARGATE.")


def next_provider(strategy: list[dict[str, Any]], used: Counter[str]) -> str:
    """Return the capacity provider of the next task, by base, then by weight; "" without a strategy."""
    if not strategy:
        return ""
    for entry in strategy:
        if used[entry["capacityProvider"]] < (entry.get("base") or 0):
            return str(entry["capacityProvider"])
    weighted = [entry for entry in strategy if entry.get("weight")] or strategy[:1]

    def load(entry: dict[str, Any]) -> float:
        above = used[entry["capacityProvider"]] - (entry.get("base") or 0)
        return (above + 1) / float(entry.get("weight") or 1)

    return str(min(weighted, key=load)["capacityProvider"])


def with_default(cloud: Cloud, params: dict[str, Any], cluster: Any) -> dict[str, Any]:
    """Return the parameters, with the cluster's default strategy if they name no capacity."""
    default = cluster.default_capacity_provider_strategy
    if default and not params.get("launchType") and not params.get("capacityProviderStrategy"):
        return {**params, "capacityProviderStrategy": default}
    return params
