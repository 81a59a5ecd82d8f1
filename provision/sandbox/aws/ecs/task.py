"""One ECS task on Fargate, from PROVISIONING to STOPPED.

States and their order: ECS Developer Guide, "Amazon ECS task lifecycle".
"""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from provision.sandbox.tasks.runners import Command, RunningTask

_STOP_TIMEOUT = 30.0  # seconds from SIGTERM to SIGKILL without a stopTimeout
SPOT_INTERRUPTION = "SpotInterruption"  # API Task, stopCode


def timestamp(time: float | None) -> datetime | None:
    """Return epoch seconds as the API's timestamp."""
    return None if time is None else datetime.fromtimestamp(time, UTC)


@dataclass
class TaskTarget:
    """The target group in which the service registered the task, and the container's port."""

    group: str
    port: int


@dataclass
class Task:
    """A task of a service or of RunTask; times are simulated epoch seconds."""

    region: str
    account: str
    cluster: str  # its name
    definition: Any  # moto's TaskDefinition
    capacity_provider: str
    launch_type: str
    subnet: str
    public: bool  # has a public address
    interface: Any  # moto's NetworkInterface
    created_at: float
    group: str  # service:NAME or family:NAME
    started_by: str = ""
    service: str = ""  # empty for RunTask
    deployment: str = ""
    overrides: dict[str, Any] = field(default_factory=dict)
    tags: list[dict[str, str]] = field(default_factory=list)
    exec_enabled: bool = False
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    last_status: str = "PROVISIONING"
    desired_status: str = "RUNNING"
    container: RunningTask | None = None
    container_reason: str = ""
    exit_code: int | None = None
    started_at: float | None = None
    stopping_at: float | None = None  # when its desired status became STOPPED
    terminated_at: float | None = None  # when SIGTERM was sent
    deprovisioned_at: float | None = None  # when its interface was released
    stopped_at: float | None = None
    stop_code: str = ""
    stopped_reason: str = ""
    target: TaskTarget | None = None
    was_healthy: bool = False  # has been RUNNING and healthy once

    @property
    def arn(self) -> str:
        """Return the task's ARN."""
        return f"arn:aws:ecs:{self.region}:{self.account}:task/{self.cluster}/{self.id}"

    @property
    def ip(self) -> str:
        """Return the private address."""
        return str(self.interface.private_ip_address)

    @property
    def should_run(self) -> bool:
        """Return whether the desired status is RUNNING."""
        return self.desired_status == "RUNNING"

    @property
    def running(self) -> bool:
        """Return whether the task is RUNNING."""
        return self.last_status == "RUNNING"

    @property
    def interrupted(self) -> bool:
        """Return whether Fargate Spot interrupted the task."""
        return self.stop_code == SPOT_INTERRUPTION

    @property
    def essential(self) -> dict[str, Any]:
        """Return the essential container; the sandbox runs no other."""
        containers: list[dict[str, Any]] = self.definition.container_definitions
        return next((c for c in containers if c.get("essential", True)), containers[0])

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment variables of the container definition and of the override."""
        entries = [*(self.essential.get("environment") or [])]
        entries += self._override.get("environment") or []
        return {entry["name"]: entry.get("value", "") for entry in entries}

    @property
    def command(self) -> Command:
        """Return the command that replaces the image's; empty if none does."""
        command = self._override.get("command") or self.essential.get("command") or []
        return (*(self.essential.get("entryPoint") or []), *command)

    @property
    def _override(self) -> dict[str, Any]:
        overrides = self.overrides.get("containerOverrides") or []
        return next((o for o in overrides if o.get("name") == self.essential["name"]), {})

    @property
    def execution_role(self) -> str:
        """Return the ARN of the execution role, or ""."""
        override = self.overrides.get("executionRoleArn")
        return str(override or getattr(self.definition, "execution_role_arn", "") or "")

    @property
    def task_role(self) -> str:
        """Return the ARN of the task role, or ""."""
        override = self.overrides.get("taskRoleArn")
        return str(override or getattr(self.definition, "task_role_arn", "") or "")

    @property
    def stop_timeout(self) -> float:
        """Return the seconds from SIGTERM to SIGKILL."""
        return float(self.essential.get("stopTimeout") or _STOP_TIMEOUT)

    def stop(self, now: float, code: str, reason: str) -> None:
        """Set the desired status to STOPPED; the first reason is kept."""
        if self.should_run:
            self.desired_status = "STOPPED"
            self.stopping_at = now
            self.stop_code = code
            self.stopped_reason = reason

    def describe(self, with_tags: bool = False) -> dict[str, Any]:
        """Return the task as DescribeTasks shows it."""
        cluster_arn = f"arn:aws:ecs:{self.region}:{self.account}:cluster/{self.cluster}"
        shown: dict[str, Any] = {
            "taskArn": self.arn,
            "clusterArn": cluster_arn,
            "taskDefinitionArn": self.definition.arn,
            "availabilityZone": self.interface.subnet.availability_zone,
            "attachments": [self._attachment()],
            "connectivity": "CONNECTED" if self.started_at else None,
            "containers": [self._container()],
            "cpu": self.overrides.get("cpu") or self.definition.cpu,
            "memory": self.overrides.get("memory") or self.definition.memory,
            "createdAt": timestamp(self.created_at),
            "startedAt": timestamp(self.started_at),
            "stoppingAt": timestamp(self.stopping_at),
            "stoppedAt": timestamp(self.stopped_at),
            "startedBy": self.started_by or None,
            "group": self.group,
            "lastStatus": self.last_status,
            "desiredStatus": self.desired_status,
            "healthStatus": "UNKNOWN",
            "launchType": self.launch_type,
            "capacityProviderName": self.capacity_provider or None,
            "platformVersion": "1.4.0",
            "platformFamily": "Linux",
            "overrides": {"containerOverrides": [], "inferenceAcceleratorOverrides": []}
            | self.overrides,
            "enableExecuteCommand": self.exec_enabled,
            "stopCode": self.stop_code or None,
            "stoppedReason": self.stopped_reason or None,
            "tags": self.tags if with_tags else [],
        }
        return {key: value for key, value in shown.items() if value is not None}

    def _attachment(self) -> dict[str, Any]:
        gone = self.last_status == "STOPPED"
        details = {
            "subnetId": self.subnet,
            "networkInterfaceId": self.interface.id,
            "privateIPv4Address": self.ip,
        }
        return {
            "id": self.id,
            "type": "ElasticNetworkInterface",
            "status": "DELETED" if gone else "ATTACHED",
            "details": [{"name": name, "value": value} for name, value in details.items()],
        }

    def _container(self) -> dict[str, Any]:
        last = self.last_status if self.last_status in ("RUNNING", "STOPPED") else "PENDING"
        shown: dict[str, Any] = {
            "name": self.essential["name"],
            "image": self.essential["image"],
            "taskArn": self.arn,
            "lastStatus": last,
            "networkInterfaces": [{"attachmentId": self.id, "privateIpv4Address": self.ip}],
        }
        if self.exit_code is not None:
            shown["exitCode"] = self.exit_code
        if self.container_reason:
            shown["reason"] = self.container_reason
        return shown


@dataclass
class RunTaskCall:
    """A RunTask call with a clientToken, and the tasks it started."""

    params: dict[str, Any]
    tasks: list[Task]
    at: float
