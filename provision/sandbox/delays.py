"""AWS's delays, which are medians from logs of other tools."""

from dataclasses import dataclass, fields
from typing import Self


@dataclass
class Delays:
    """All delays of the emulated account, in simulated seconds."""

    resource_record: float = 5  # ACM: until DescribeCertificate shows the validation record
    certificate: float = 60  # ACM: from record visible and delegation to ISSUED
    certificate_usable: float = 2  # ELBv2: CertificateNotFound after ISSUED
    certificate_in_use: float = 30  # ACM: in use after its listener was deleted
    load_balancer: float = 150  # ALB: provisioning to active
    network_interfaces: float = 30  # until interfaces of a load balancer or task are deleted
    route53_sync: float = 40  # PENDING to INSYNC, when name servers answer with the change
    parameter: float = 0  # SSM: TooManyUpdates after a write
    role: float = 8  # IAM: until another service can assume a new role
    task_start: float = 30  # Fargate: PROVISIONING and PENDING until RUNNING
    steady: float = 30  # ECS: from all tasks healthy to steady state
    cluster_attachments: float = 5  # ECS: until changed capacity providers are attached
    schedule_group: float = 5  # Scheduler: DELETING of a group
    function: float = 2  # Lambda: a new function from Pending to Active
    service_drain: float = 160  # ECS: a deleted service from DRAINING to INACTIVE
    # Read-after-write lag (lag.py): of all services that can lag, or by service.
    lag: float | dict[str, float] = 0

    @classmethod
    def none(cls) -> Self:
        """Return delays of 0."""
        return cls(**{field.name: 0.0 for field in fields(cls)})
