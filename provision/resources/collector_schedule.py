"""When the news is collected: a schedule that runs the collector's task, and what it may do for that."""

from typing import Any

from provision.pricing import Prices
from provision.resources.awsvpc import PROVIDERS, placed, strategy
from provision.resources.base import resource
from provision.resources.cluster import Cluster
from provision.resources.collector import (
    CPU,
    MEMORY,
    CollectorDefinition,
    CollectorPermissions,
)
from provision.resources.network import Network
from provision.resources.role import Role, RolePolicy, Statement
from provision.resources.schedule import Scheduled
from provision.resources.security_group import SecurityGroup
from provision.schedules import times_a_month

A_RUN = 1 / 60  # hours: Fargate charges a minute at least, and a run takes less


@resource
class CollectingPermissions(RolePolicy):
    """What Scheduler may do to collect the news: run that family in our cluster, with its two roles."""

    definition: CollectorDefinition
    cluster: Cluster
    execution_role: Role
    collector_role: Role

    def statements(self) -> list[Statement]:
        """ECS Developer Guide, "EventBridge Scheduler IAM role": RunTask, and PassRole for each role."""
        family = self.definition.arn.rpartition(":")[0]
        return [
            {
                "Sid": "RunTheCollector",
                "Effect": "Allow",
                "Action": "ecs:RunTask",
                "Resource": f"{family}:*",
                "Condition": {"ArnEquals": {"ecs:cluster": self.cluster.arn}},
            },
            {
                "Sid": "PassItsRoles",
                "Effect": "Allow",
                "Action": "iam:PassRole",
                "Resource": [self.execution_role.arn, self.collector_role.arn],
                "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
            },
        ]


@resource
class CollectorSchedule(Scheduled):
    """The times at which the news is collected."""

    definition: CollectorDefinition
    cluster: Cluster
    network: Network
    security_group: SecurityGroup
    collector_permissions: CollectorPermissions
    capacity: str

    def _target(self) -> dict[str, Any]:
        """ECS RunTask, a templated target."""
        return {
            "Arn": self.cluster.arn,
            "EcsParameters": {
                "TaskDefinitionArn": self.definition.arn,
                "TaskCount": 1,
                "CapacityProviderStrategy": strategy(self.capacity),
                "NetworkConfiguration": {"awsvpcConfiguration": self._placed()},
            },
        }

    def _placed(self) -> dict[str, Any]:
        """As Scheduler spells it."""
        place = placed(self.network, self.security_group)
        return {name[0].upper() + name[1:]: value for name, value in place.items()}

    def desired(self) -> dict[str, Any]:
        """Each by itself: Scheduler may show more of a target than it was given, and in another order."""
        wanted = self._settings()
        target, ecs = wanted.pop("Target"), "Target.EcsParameters"
        network = f"{ecs}.NetworkConfiguration.awsvpcConfiguration"
        place = self._placed()
        return {
            **wanted,
            "Target.Arn": target["Arn"],
            "Target.RoleArn": target["RoleArn"],
            "Target.RetryPolicy": target["RetryPolicy"],
            f"{ecs}.TaskDefinitionArn": self.definition.arn,
            f"{ecs}.CapacityProviderStrategy[0].capacityProvider": PROVIDERS[self.capacity],
            f"sort({network}.Subnets || `[]`)": sorted(place["Subnets"]),
            f"{network}.SecurityGroups": place["SecurityGroups"],
            f"{network}.AssignPublicIp": place["AssignPublicIp"],
        }

    def costs(self, prices: Prices) -> float:
        """A minute for each run."""
        return times_a_month(self.expression) * A_RUN * prices.task_hour(CPU, MEMORY, self.capacity)
