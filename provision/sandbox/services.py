"""What the emulated account consists of; importing this file registers every service's rules.

A service's file has its rules and, where moto keeps too little, a class with the service's own
state; the line in `build` makes it reachable as `cloud.<service>`.
"""

from typing import TYPE_CHECKING

from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data

from provision.sandbox import (  # noqa: F401  importing a file registers its rules
    acm,
    attributes,
    ec2,
    ecr,
    ecr_images,
    ecr_policies,
    ecs_clusters,
    ecs_definitions,
    ecs_limits,
    ecs_registration,
    ecs_run,
    ecs_services,
    ecs_services_shown,
    ecs_tasks,
    group_changes,
    group_rules,
    hosted_zones,
    iam,
    iam_documents,
    iam_entities,
    interfaces,
    listener_rules,
    listeners,
    load_balancers,
    log_events,
    logs,
    networks,
    regions,
    registrations,
    registry,
    route53,
    route53_changes,
    route53_dnssec,
    route53_lists,
    routes,
    s3,
    s3_objects,
    s3_policies,
    scheduler,
    scheduler_groups,
    security_groups,
    ssm,
    ssm_changes,
    sts,
    tagging,
    tags,
    target_groups,
    zones,
)
from provision.sandbox.certificates import Acm
from provision.sandbox.ecr import Ecr
from provision.sandbox.ecs import Ecs
from provision.sandbox.elbv2 import Elbv2
from provision.sandbox.permissions import Permissions, simulation  # noqa: F401
from provision.sandbox.schedules import Scheduler

if TYPE_CHECKING:
    from provision.sandbox.cloud import Cloud


def build(cloud: "Cloud") -> None:
    """An empty account: moto's backends (one set per process) and our state beside them."""
    BackendDict.reset()
    reset_model_data()
    cloud.iam = iam.Iam(cloud)
    cloud.permissions = Permissions(cloud)
    cloud.s3 = s3.S3()
    cloud.ssm = ssm.Ssm()
    cloud.ec2 = ec2.Ec2(cloud)
    cloud.route53 = route53.Route53(cloud)
    cloud.acm = Acm(cloud)
    cloud.elbv2 = Elbv2(cloud)
    cloud.scheduler = Scheduler(cloud)
    cloud.ecr = Ecr(cloud)
    cloud.ecs = Ecs(cloud)
