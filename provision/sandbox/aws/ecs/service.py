"""An ECS service and its deployments."""

import math
import random
import uuid
from dataclasses import dataclass, field
from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.ecs.task import Task, timestamp

_MAX_EVENTS = 100  # API Service: "a maximum of 100 of the latest events"
# UpdateService: a change of any of these starts a new deployment.
DEPLOYMENT_PARAMETERS = (
    "taskDefinition",
    "networkConfiguration",
    "capacityProviderStrategy",
    "launchType",
    "platformVersion",
    "loadBalancers",
)


@dataclass
class Deployment:
    """A deployment of one task definition; the newest is PRIMARY."""

    task_definition: str  # ARN
    created_at: float
    desired: int
    status: str = "PRIMARY"
    rollout_state: str = "IN_PROGRESS"
    reason: str = ""
    failed_tasks: int = 0
    is_rollback: bool = False
    blocked_reported: bool = False
    updated_at: float = 0.0
    id: str = field(default_factory=lambda: f"ecs-svc/{random.randrange(10**18, 10**19)}")

    def describe(self, service: "EcsService") -> dict[str, Any]:
        """Return the deployment as DescribeServices shows it."""
        deployment_tasks = [task for task in service.tasks if task.deployment == self.id]
        shown = {
            "id": self.id,
            "status": self.status,
            "taskDefinition": self.task_definition,
            "desiredCount": self.desired,
            "pendingCount": sum(
                1 for task in deployment_tasks if task.should_run and not task.running
            ),
            "runningCount": sum(1 for task in deployment_tasks if task.running),
            "failedTasks": self.failed_tasks,
            "createdAt": timestamp(self.created_at),
            "updatedAt": timestamp(self.updated_at or self.created_at),
            "networkConfiguration": service.params.get("networkConfiguration"),
            "rolloutState": self.rollout_state,
            "rolloutStateReason": self.reason or f"ECS deployment {self.id} in progress.",
            **service.capacity(),
        }
        return {key: value for key, value in shown.items() if value is not None}


@dataclass
class EcsService:
    """A service; `params` are those of CreateService, changed by UpdateService."""

    region: str
    account: str
    cluster: str  # its name
    name: str
    params: dict[str, Any]
    created_at: float
    created: dict[str, Any] = field(default_factory=dict)  # the parameters of CreateService
    status: str = "ACTIVE"
    desired: int = 0
    drained_at: float | None = None  # when DRAINING becomes INACTIVE, if all tasks stopped
    retry_at: float = 0.0  # when the next task may start
    failed_starts: int = 0  # tasks in a row that never reached RUNNING
    steady: bool = False
    healthy_since: float | None = None  # since when all tasks are healthy
    deployments: list[Deployment] = field(default_factory=list)  # newest first
    completed: str = ""  # task definition of the last COMPLETED deployment
    tasks: list[Task] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)  # newest first

    @property
    def arn(self) -> str:
        """Return the service's ARN."""
        return f"arn:aws:ecs:{self.region}:{self.account}:service/{self.cluster}/{self.name}"

    @property
    def primary(self) -> Deployment:
        """Return the newest deployment."""
        return self.deployments[0]

    @property
    def network(self) -> dict[str, Any]:
        """Return the awsvpc configuration: subnets, securityGroups, assignPublicIp."""
        found: dict[str, Any] = self.params["networkConfiguration"]["awsvpcConfiguration"]
        return found

    @property
    def load_balancer(self) -> dict[str, Any] | None:
        """Return the first entry of loadBalancers: target group, container and port."""
        entries = self.params.get("loadBalancers") or []
        return entries[0] if entries else None

    @property
    def circuit_breaker(self) -> dict[str, Any]:
        """Return the circuit breaker's configuration."""
        configuration = self.params.get("deploymentConfiguration") or {}
        return configuration.get("deploymentCircuitBreaker") or {}

    @property
    def launch_type(self) -> str:
        """Return FARGATE or EC2; "" with a capacity provider strategy."""
        if self.params.get("capacityProviderStrategy"):
            return ""
        return str(self.params.get("launchType") or "EC2")

    @property
    def percents(self) -> dict[str, int]:
        """Return maximumPercent and minimumHealthyPercent, or their defaults."""
        configuration = self.params.get("deploymentConfiguration") or {}
        defaults = {"maximumPercent": 200, "minimumHealthyPercent": 100}
        return {name: int(configuration.get(name, value)) for name, value in defaults.items()}

    def active_tasks(self, deployment: Deployment) -> list[Task]:
        """Return the deployment's tasks whose desired status is RUNNING."""
        return [task for task in self.tasks if task.should_run and task.deployment == deployment.id]

    def startable_count(self) -> int:
        """Return how many more tasks may start: up to maximumPercent of the desired count, rounded down."""
        maximum = self.desired * self.percents["maximumPercent"] // 100
        return maximum - sum(1 for task in self.tasks if task.should_run)

    def minimum_healthy_count(self) -> int:
        """Return the tasks to keep healthy: minimumHealthyPercent of the desired count, rounded up."""
        return math.ceil(self.desired * self.percents["minimumHealthyPercent"] / 100)

    @behaves("ecs.propagate-tags")
    def tags_of_task(self, definition: Any) -> list[dict[str, str]]:
        """Return the tags of a task that the service starts."""
        source = self.params.get("propagateTags")
        own = self.params.get("tags") if source == "SERVICE" else None
        tags = list(own or (definition.tags if source == "TASK_DEFINITION" else None) or [])
        if self.params.get("enableECSManagedTags"):
            tags.append({"key": "aws:ecs:clusterName", "value": self.cluster})
            tags.append({"key": "aws:ecs:serviceName", "value": self.name})
        return tags

    def capacity(self) -> dict[str, Any]:
        """Return the launch type or the capacity provider strategy."""
        if self.launch_type:
            return {"launchType": self.launch_type}
        return {"capacityProviderStrategy": self.params["capacityProviderStrategy"]}

    def add_event(self, now: float, message: str) -> None:
        """Add a service event; ECS begins each with the service's name."""
        event = {
            "id": str(uuid.uuid4()),
            "createdAt": timestamp(now),
            "message": f"(service {self.name}) {message}",
        }
        self.events = [event, *self.events][:_MAX_EVENTS]

    def deploy(self, now: float, task_definition: str, is_rollback: bool = False) -> Deployment:
        """Start a new PRIMARY deployment; the others become ACTIVE until their tasks stopped."""
        for old in self.deployments:
            old.status = "ACTIVE"
        new = Deployment(task_definition, now, self.desired, is_rollback=is_rollback)
        self.deployments.insert(0, new)
        self.steady = False
        self.retry_at, self.failed_starts = 0.0, 0
        return new

    @behaves("ecs.zone-rebalancing")
    def describe(self) -> dict[str, Any]:
        """Return the service as DescribeServices shows it, without its tags, which moto stores."""
        shown = {
            "serviceArn": self.arn,
            "serviceName": self.name,
            "clusterArn": f"arn:aws:ecs:{self.region}:{self.account}:cluster/{self.cluster}",
            "loadBalancers": self.params.get("loadBalancers") or [],
            "serviceRegistries": [],
            "status": self.status,
            "desiredCount": self.desired,
            "runningCount": sum(1 for task in self.tasks if task.running),
            "pendingCount": sum(1 for task in self.tasks if task.should_run and not task.running),
            **self.capacity(),
            "platformVersion": self.params.get("platformVersion", "LATEST"),
            "platformFamily": "Linux",
            "taskDefinition": self.primary.task_definition,
            "deploymentConfiguration": {
                **(self.params.get("deploymentConfiguration") or {}),
                **self.percents,
            },
            "deployments": [deployment.describe(self) for deployment in self.deployments],
            "roleArn": f"arn:aws:iam::{self.account}:role/aws-service-role/ecs.amazonaws.com/"
            "AWSServiceRoleForECS",
            "events": self.events,
            "createdAt": timestamp(self.created_at),
            "placementConstraints": [],
            "placementStrategy": [],
            "networkConfiguration": self.params.get("networkConfiguration"),
            "healthCheckGracePeriodSeconds": self.params.get("healthCheckGracePeriodSeconds"),
            "schedulingStrategy": "REPLICA",
            "deploymentController": {"type": "ECS"},
            "enableECSManagedTags": self.params.get("enableECSManagedTags", False),
            "propagateTags": self.params.get("propagateTags", "NONE"),
            "availabilityZoneRebalancing": self.params.get(
                "availabilityZoneRebalancing", "ENABLED"
            ),
            "enableExecuteCommand": self.params.get("enableExecuteCommand", False),
        }
        return {key: value for key, value in shown.items() if value is not None}
