"""An ECS service and its deployments."""

import math
import random
import uuid
from dataclasses import dataclass, field
from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.ecs.task import Task, moment

_EVENTS_KEPT = 100  # API Service: "a maximum of 100 of the latest events"
# UpdateService: a change of any of these starts a new deployment.
REDEPLOYING = (
    "taskDefinition",
    "networkConfiguration",
    "capacityProviderStrategy",
    "launchType",
    "platformVersion",
    "loadBalancers",
)


@dataclass
class Deployment:
    """One attempt to run one task definition; ECS shows the newest as PRIMARY."""

    task_definition: str  # ARN
    created_at: float
    desired: int
    status: str = "PRIMARY"
    rollout_state: str = "IN_PROGRESS"
    reason: str = ""
    failed_tasks: int = 0
    is_rollback: bool = False
    stuck_reported: bool = False
    updated_at: float = 0.0
    id: str = field(default_factory=lambda: f"ecs-svc/{random.randrange(10**18, 10**19)}")

    def describe(self, service: "EcsService") -> dict[str, Any]:
        """Return the deployment as DescribeServices shows it."""
        mine = [task for task in service.tasks if task.deployment == self.id]
        shown = {
            "id": self.id,
            "status": self.status,
            "taskDefinition": self.task_definition,
            "desiredCount": self.desired,
            "pendingCount": sum(1 for task in mine if task.wanted and not task.running),
            "runningCount": sum(1 for task in mine if task.running),
            "failedTasks": self.failed_tasks,
            "createdAt": moment(self.created_at),
            "updatedAt": moment(self.updated_at or self.created_at),
            "networkConfiguration": service.given.get("networkConfiguration"),
            "rolloutState": self.rollout_state,
            "rolloutStateReason": self.reason or f"ECS deployment {self.id} in progress.",
            **service.capacity(),
        }
        return {key: value for key, value in shown.items() if value is not None}


@dataclass
class EcsService:
    """A service; `given` is what CreateService and UpdateService were told, in their words."""

    region: str
    account: str
    cluster: str  # its name
    name: str
    given: dict[str, Any]
    created_at: float
    created: dict[str, Any] = field(default_factory=dict)  # the parameters of CreateService
    status: str = "ACTIVE"
    desired: int = 0
    drained_at: float | None = None  # when DRAINING becomes INACTIVE, if its tasks are gone
    retry_at: float = 0.0  # no new task before
    unstarted: int = 0  # tasks in a row that never reached RUNNING
    steady: bool = False
    well_since: float | None = None  # since when everything is as it should be
    deployments: list[Deployment] = field(default_factory=list)  # newest first
    completed: str = ""  # task definition of the last deployment that came to an end
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
        found: dict[str, Any] = self.given["networkConfiguration"]["awsvpcConfiguration"]
        return found

    @property
    def load_balancer(self) -> dict[str, Any] | None:
        """Return the target group, container and port it registers its tasks with."""
        entries = self.given.get("loadBalancers") or []
        return entries[0] if entries else None

    @property
    def breaker(self) -> dict[str, Any]:
        """Return the circuit breaker's configuration."""
        configuration = self.given.get("deploymentConfiguration") or {}
        return configuration.get("deploymentCircuitBreaker") or {}

    @property
    def launch_type(self) -> str:
        """Return FARGATE or EC2, "" where it has a capacity provider strategy."""
        if self.given.get("capacityProviderStrategy"):
            return ""
        return str(self.given.get("launchType") or "EC2")

    @property
    def percents(self) -> dict[str, int]:
        """Return DeploymentConfiguration's percents with their defaults."""
        given = self.given.get("deploymentConfiguration") or {}
        defaults = {"maximumPercent": 200, "minimumHealthyPercent": 100}
        return {name: int(given.get(name, value)) for name, value in defaults.items()}

    def wanted(self, deployment: Deployment) -> list[Task]:
        """Return the deployment's tasks that nobody has asked to stop."""
        return [task for task in self.tasks if task.wanted and task.deployment == deployment.id]

    def room(self) -> int:
        """Return how many tasks more may run: maximumPercent of the desired count, rounded down."""
        most = self.desired * self.percents["maximumPercent"] // 100
        return most - sum(1 for task in self.tasks if task.wanted)

    def least(self) -> int:
        """Return how many tasks stay healthy: minimumHealthyPercent of the desired count, rounded up."""
        return math.ceil(self.desired * self.percents["minimumHealthyPercent"] / 100)

    @behaves(
        "ecs.propagate-tags",
        "a service's tasks carry its tags, or the task definition's, only where it was told to",
        "propagateTags SERVICE or TASK_DEFINITION; tags of the task",
        "Amazon ECS API Reference, CreateService, propagateTags",
    )
    def tags_of_task(self, definition: Any) -> list[dict[str, str]]:
        """Return the tags of a task that the service starts."""
        source = self.given.get("propagateTags")
        own = self.given.get("tags") if source == "SERVICE" else None
        tags = list(own or (definition.tags if source == "TASK_DEFINITION" else None) or [])
        if self.given.get("enableECSManagedTags"):
            tags.append({"key": "aws:ecs:clusterName", "value": self.cluster})
            tags.append({"key": "aws:ecs:serviceName", "value": self.name})
        return tags

    def capacity(self) -> dict[str, Any]:
        """Return strategy or launch type, whichever it was given."""
        if self.launch_type:
            return {"launchType": self.launch_type}
        return {"capacityProviderStrategy": self.given["capacityProviderStrategy"]}

    def say(self, now: float, sentence: str) -> None:
        """Add a service event; ECS begins each with the service's name."""
        event = {
            "id": str(uuid.uuid4()),
            "createdAt": moment(now),
            "message": f"(service {self.name}) {sentence}",
        }
        self.events = [event, *self.events][:_EVENTS_KEPT]

    def deploy(self, now: float, task_definition: str, is_rollback: bool = False) -> Deployment:
        """Start a new PRIMARY deployment; the others are ACTIVE until their tasks are gone."""
        for old in self.deployments:
            old.status = "ACTIVE"
        new = Deployment(task_definition, now, self.desired, is_rollback=is_rollback)
        self.deployments.insert(0, new)
        self.steady = False
        self.retry_at, self.unstarted = 0.0, 0
        return new

    def describe(self) -> dict[str, Any]:
        """Return the service as DescribeServices shows it, without its tags (moto keeps those)."""
        shown = {
            "serviceArn": self.arn,
            "serviceName": self.name,
            "clusterArn": f"arn:aws:ecs:{self.region}:{self.account}:cluster/{self.cluster}",
            "loadBalancers": self.given.get("loadBalancers") or [],
            "serviceRegistries": [],
            "status": self.status,
            "desiredCount": self.desired,
            "runningCount": sum(1 for task in self.tasks if task.running),
            "pendingCount": sum(1 for task in self.tasks if task.wanted and not task.running),
            **self.capacity(),
            "platformVersion": self.given.get("platformVersion", "LATEST"),
            "platformFamily": "Linux",
            "taskDefinition": self.primary.task_definition,
            "deploymentConfiguration": {
                **(self.given.get("deploymentConfiguration") or {}),
                **self.percents,
            },
            "deployments": [deployment.describe(self) for deployment in self.deployments],
            "roleArn": f"arn:aws:iam::{self.account}:role/aws-service-role/ecs.amazonaws.com/"
            "AWSServiceRoleForECS",
            "events": self.events,
            "createdAt": moment(self.created_at),
            "placementConstraints": [],
            "placementStrategy": [],
            "networkConfiguration": self.given.get("networkConfiguration"),
            "healthCheckGracePeriodSeconds": self.given.get("healthCheckGracePeriodSeconds"),
            "schedulingStrategy": "REPLICA",
            "deploymentController": {"type": "ECS"},
            "enableECSManagedTags": self.given.get("enableECSManagedTags", False),
            "propagateTags": self.given.get("propagateTags", "NONE"),
            "enableExecuteCommand": self.given.get("enableExecuteCommand", False),
        }
        return {key: value for key, value in shown.items() if value is not None}
