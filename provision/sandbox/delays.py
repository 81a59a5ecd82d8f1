"""AWS's delays; the numbers are medians from logs of other tools."""

from dataclasses import dataclass, fields
from typing import Self


@dataclass
class Delays:
    """All delays of the emulated account, in simulated seconds."""

    resource_record: float = 5  # ACM: until DescribeCertificate shows the validation record
    certificate: float = 60  # ACM: from record visible and delegation to ISSUED
    certificate_usable: float = 2  # ELBv2 says CertificateNotFound for a moment after ISSUED
    certificate_in_use: float = 30  # ACM: in use for a while after its listener has gone
    load_balancer: float = 150  # ALB: provisioning to active
    network_interfaces: float = 30  # interfaces outlive their load balancer or task
    route53_sync: float = 40  # PENDING to INSYNC, when name servers answer with the change
    parameter: float = 0  # SSM: while a parameter is being written, TooManyUpdates
    role: float = 8  # IAM: until another service can assume a new role
    task_start: float = 30  # Fargate: PROVISIONING and PENDING until RUNNING
    steady: float = 30  # ECS: all tasks well until the scheduler calls it a steady state
    cluster_attachments: float = 5  # ECS: until changed capacity providers are attached
    schedule_group: float = 5  # Scheduler: a deleted group shows DELETING for a while
    service_drain: float = 160  # ECS: a deleted service from DRAINING to INACTIVE
    # Until a change is seen by those who read: for every service that lags (lag.py), or by service.
    lag: float | dict[str, float] = 0

    @classmethod
    def none(cls) -> Self:
        """Return delays of 0."""
        return cls(**{field.name: 0.0 for field in fields(cls)})
