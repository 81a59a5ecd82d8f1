"""One ECS task on Fargate: its life from PROVISIONING to STOPPED, and how ECS shows it.

States and their order: ECS Developer Guide, "Amazon ECS task lifecycle".
"""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from provision.sandbox.tasks import RunningTask

_STOP_TIMEOUT = 30.0  # seconds from SIGTERM to SIGKILL where a container names no stopTimeout


def moment(time: float | None) -> datetime | None:
    """Epoch seconds as the API's timestamp."""
    return None if time is None else datetime.fromtimestamp(time, UTC)


@dataclass
class Target:
    """Where the service registered the task: a target group, and the container's port."""

    group: str
    port: int


@dataclass
class Task:
    """A task; times are simulated epoch seconds."""

    region: str
    account: str
    cluster: str  # its name
    service: str
    deployment: str
    definition: Any  # moto's TaskDefinition
    capacity_provider: str
    launch_type: str
    subnet: str
    interface: Any  # moto's NetworkInterface
    created_at: float
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    last_status: str = "PROVISIONING"
    desired_status: str = "RUNNING"
    container: RunningTask | None = None
    exit_code: int | None = None
    started_at: float | None = None
    stopping_at: float | None = None  # when it was asked to go
    terminated_at: float | None = None  # when SIGTERM went out
    deprovisioned_at: float | None = None  # when its interface was let go
    stopped_at: float | None = None
    stop_code: str = ""
    stopped_reason: str = ""
    target: Target | None = None
    was_well: bool = False  # it has been counted as running and healthy once

    @property
    def arn(self) -> str:
        return f"arn:aws:ecs:{self.region}:{self.account}:task/{self.cluster}/{self.id}"

    @property
    def ip(self) -> str:
        return str(self.interface.private_ip_address)

    @property
    def wanted(self) -> bool:
        """Nobody has asked it to go."""
        return self.desired_status == "RUNNING"

    @property
    def running(self) -> bool:
        return self.last_status == "RUNNING"

    @property
    def essential(self) -> dict[str, Any]:
        """The container that a task's fate hangs on; the sandbox runs no other."""
        containers: list[dict[str, Any]] = self.definition.container_definitions
        return next((c for c in containers if c.get("essential", True)), containers[0])

    @property
    def stop_timeout(self) -> float:
        return float(self.essential.get("stopTimeout") or _STOP_TIMEOUT)

    def ask_to_stop(self, now: float, code: str, reason: str) -> None:
        """From here on it goes; the first reason stands."""
        if self.wanted:
            self.desired_status = "STOPPED"
            self.stopping_at = now
            self.stop_code = code
            self.stopped_reason = reason

    def describe(self) -> dict[str, Any]:
        """The task as DescribeTasks shows it."""
        cluster_arn = f"arn:aws:ecs:{self.region}:{self.account}:cluster/{self.cluster}"
        shown: dict[str, Any] = {
            "taskArn": self.arn,
            "clusterArn": cluster_arn,
            "taskDefinitionArn": self.definition.arn,
            "availabilityZone": self.interface.subnet.availability_zone,
            "attachments": [self._attachment()],
            "connectivity": "CONNECTED" if self.started_at else None,
            "containers": [self._container()],
            "cpu": self.definition.cpu,
            "memory": self.definition.memory,
            "createdAt": moment(self.created_at),
            "startedAt": moment(self.started_at),
            "stoppingAt": moment(self.stopping_at),
            "stoppedAt": moment(self.stopped_at),
            "startedBy": self.deployment,
            "group": f"service:{self.service}",
            "lastStatus": self.last_status,
            "desiredStatus": self.desired_status,
            "healthStatus": "UNKNOWN",
            "launchType": self.launch_type,
            "capacityProviderName": self.capacity_provider or None,
            "platformVersion": "1.4.0",
            "platformFamily": "Linux",
            "stopCode": self.stop_code or None,
            "stoppedReason": self.stopped_reason or None,
            "tags": [],
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
            "networkInterfaces": [
                {"attachmentId": self.id, "privateIpv4Address": self.ip},
            ],
        }
        if self.exit_code is not None:
            shown["exitCode"] = self.exit_code
        return shown
