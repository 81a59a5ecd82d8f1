"""Where a Fargate task runs, and on what capacity: the service's, a single one, and a schedule's."""

from typing import Any

from provision.resources.network import Network
from provision.resources.security_group import SecurityGroup

PROVIDERS = {"spot": "FARGATE_SPOT", "on-demand": "FARGATE"}


def strategy(capacity: str) -> list[dict[str, Any]]:
    """API CapacityProviderStrategyItem; Scheduler and ECS spell it alike."""
    return [{"capacityProvider": PROVIDERS[capacity], "base": 0, "weight": 1}]


def placed(network: Network, group: SecurityGroup) -> dict[str, Any]:
    """API AwsVpcConfiguration as ECS spells it: the public subnets, without NAT, so with an address."""
    return {
        "subnets": network.subnet_ids,
        "securityGroups": [group.id],
        "assignPublicIp": "ENABLED",
    }
