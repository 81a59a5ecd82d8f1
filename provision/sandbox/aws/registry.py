"""What the emulated account consists of; importing this file registers every service's rules.

A service's file has its rules and, where moto keeps too little, a class with the service's own
state; the line in `build` makes it reachable as `cloud.<service>`.
"""

from typing import TYPE_CHECKING

from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data

from provision.sandbox.aws import (  # noqa: F401  importing a file registers its rules
    regions,
)
from provision.sandbox.aws.acm import (  # noqa: F401  importing a file registers its rules
    requests,
)
from provision.sandbox.aws.acm.certificates import Acm
from provision.sandbox.aws.ec2 import (  # noqa: F401  importing a file registers its rules
    default_vpc,
    group_changes,
    group_rules,
    interfaces,
    networks,
    routes,
    security_groups,
)
from provision.sandbox.aws.ecr import (  # noqa: F401  importing a file registers its rules
    images,
    lifecycle_policies,
    registry_api,
    repositories,
)
from provision.sandbox.aws.ecr.repositories import Ecr
from provision.sandbox.aws.ecs import (  # noqa: F401  importing a file registers its rules
    clusters,
    definitions,
    describe_services,
    limits,
    registration,
    run_task,
    services,
    tasks,
)
from provision.sandbox.aws.ecs.ecs import Ecs
from provision.sandbox.aws.elbv2 import (  # noqa: F401  importing a file registers its rules
    attributes,
    listener_rules,
    listeners,
    load_balancers,
    registrations,
    subnets,
    target_groups,
)
from provision.sandbox.aws.elbv2.elbv2 import Elbv2
from provision.sandbox.aws.iam import (  # noqa: F401  importing a file registers its rules
    documents,
    entities,
    iam,
)
from provision.sandbox.aws.logs import (  # noqa: F401  importing a file registers its rules
    log_events,
    log_groups,
)
from provision.sandbox.aws.permissions import (  # noqa: F401  importing a file registers its rules
    Permissions,
    simulation,
)
from provision.sandbox.aws.route53 import (  # noqa: F401  importing a file registers its rules
    changes,
    dnssec,
    hosted_zones,
    lists,
    route53,
)
from provision.sandbox.aws.s3 import (  # noqa: F401  importing a file registers its rules
    buckets,
    objects,
    policies,
)
from provision.sandbox.aws.scheduler import (  # noqa: F401  importing a file registers its rules
    schedule_checks,
    schedule_groups,
)
from provision.sandbox.aws.scheduler.schedules import Scheduler
from provision.sandbox.aws.ssm import (  # noqa: F401  importing a file registers its rules
    parameter_changes,
    parameters,
)
from provision.sandbox.aws.sts import (  # noqa: F401  importing a file registers its rules
    assume_role,
)
from provision.sandbox.aws.tagging import (  # noqa: F401  importing a file registers its rules
    inventory,
    tag_limits,
)

if TYPE_CHECKING:
    from provision.sandbox.aws.account import Cloud


def build(cloud: "Cloud") -> None:
    """An empty account: moto's backends (one set per process) and our state beside them."""
    BackendDict.reset()
    reset_model_data()
    cloud.iam = iam.Iam(cloud)
    cloud.permissions = Permissions(cloud)
    cloud.s3 = buckets.S3()
    cloud.ssm = parameters.Ssm()
    cloud.ec2 = default_vpc.Ec2(cloud)
    cloud.route53 = route53.Route53(cloud)
    cloud.acm = Acm(cloud)
    cloud.elbv2 = Elbv2(cloud)
    cloud.scheduler = Scheduler(cloud)
    cloud.ecr = Ecr(cloud)
    cloud.ecs = Ecs(cloud)
