"""Schedule the collector's task, and permit Scheduler to run it."""

from typing import Any

from provision.pricing import Prices
from provision.resources.awsvpc import PROVIDERS, awsvpc_configuration, strategy
from provision.resources.base import FoundSettings, Live, resource
from provision.resources.cluster import Cluster
from provision.resources.collector import CPU, MEMORY, CollectorDefinition, CollectorPermissions
from provision.resources.network import Network
from provision.resources.role import Role, RolePolicy, Statement
from provision.resources.schedule import Scheduled
from provision.resources.security_group import SecurityGroup
from provision.schedules import times_a_month

RUN_HOURS = 1 / 60  # Fargate charges at least a minute, and a run takes less


@resource
class CollectingPermissions(RolePolicy):
    """Scheduler's permissions: run the collector in the stack's cluster and pass its two roles."""

    definition: CollectorDefinition
    cluster: Cluster
    execution_role: Role
    collector_role: Role

    def statements(self) -> list[Statement]:
        """Return RunTask, and PassRole for each role.

        Source: ECS Developer Guide, "EventBridge Scheduler IAM role".
        """
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

    def recovered_settings(self, live: Live) -> FoundSettings:
        """Return its time."""
        return {
            "news.schedule": str(live["ScheduleExpression"]),
            "schedule.timezone": str(live["ScheduleExpressionTimezone"]),
        }

    def _target(self) -> dict[str, Any]:
        """Return ECS RunTask, a templated target."""
        return {
            "Arn": self.cluster.arn,
            "EcsParameters": {
                "TaskDefinitionArn": self.definition.arn,
                "TaskCount": 1,
                "CapacityProviderStrategy": strategy(self.capacity),
                "NetworkConfiguration": {"awsvpcConfiguration": self._awsvpc_configuration()},
            },
        }

    def _awsvpc_configuration(self) -> dict[str, Any]:
        """Return AwsVpcConfiguration with Scheduler's spelling (PascalCase)."""
        configuration = awsvpc_configuration(self.network, self.security_group)
        return {name[0].upper() + name[1:]: value for name, value in configuration.items()}

    def desired(self) -> dict[str, Any]:
        """Return each property separately: Scheduler may return more properties, and in another order."""
        settings = self._settings()
        target, ecs = settings.pop("Target"), "Target.EcsParameters"
        network = f"{ecs}.NetworkConfiguration.awsvpcConfiguration"
        configuration = self._awsvpc_configuration()
        return {
            **settings,
            "Target.Arn": target["Arn"],
            "Target.RoleArn": target["RoleArn"],
            "Target.RetryPolicy": target["RetryPolicy"],
            f"{ecs}.TaskDefinitionArn": self.definition.arn,
            f"{ecs}.CapacityProviderStrategy[0].capacityProvider": PROVIDERS[self.capacity],
            f"sort({network}.Subnets || `[]`)": sorted(configuration["Subnets"]),
            f"{network}.SecurityGroups": configuration["SecurityGroups"],
            f"{network}.AssignPublicIp": configuration["AssignPublicIp"],
        }

    def costs(self, prices: Prices) -> float:
        """Return the price of one minute for each run."""
        task_hour = prices.task_hour(CPU, MEMORY, self.capacity)
        return times_a_month(self.expression) * RUN_HOURS * task_hour
