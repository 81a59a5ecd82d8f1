"""Network and capacity parameters of Fargate tasks, for services, single tasks and schedules."""

from typing import Any

from provision.resources.network import Network
from provision.resources.security_group import SecurityGroup

PROVIDERS = {"spot": "FARGATE_SPOT", "on-demand": "FARGATE"}


def strategy(capacity: str) -> list[dict[str, Any]]:
    """Return the list of CapacityProviderStrategyItem, which is the same for ECS and Scheduler."""
    return [{"capacityProvider": PROVIDERS[capacity], "base": 0, "weight": 1}]


def awsvpc_configuration(network: Network, group: SecurityGroup) -> dict[str, Any]:
    """Return ECS's AwsVpcConfiguration: public subnets without NAT, so a public IP address."""
    return {
        "subnets": network.subnet_ids,
        "securityGroups": [group.id],
        "assignPublicIp": "ENABLED",
    }
