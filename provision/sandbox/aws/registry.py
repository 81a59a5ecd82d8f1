"""The table of rules and tickers: importing a rule's file registers it."""

from provision.sandbox.aws import (  # noqa: F401  importing a file registers its rules
    regions,
)
from provision.sandbox.aws.acm import (  # noqa: F401  importing a file registers its rules
    requests,
)
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ec2 import (  # noqa: F401  importing a file registers its rules
    filters,
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
from provision.sandbox.aws.ecs import (  # noqa: F401  importing a file registers its rules
    clusters,
    definitions,
    describe_services,
    limits,
    registration,
    run_task,
    services,
    spot,
    tasks,
    tick,
)
from provision.sandbox.aws.elbv2 import (  # noqa: F401  importing a file registers its rules
    attributes,
    listener_rules,
    listeners,
    load_balancers,
    registrations,
    subnets,
    target_groups,
)
from provision.sandbox.aws.iam import (  # noqa: F401  importing a file registers its rules
    documents,
    entities,
    propagation,
)
from provision.sandbox.aws.logs import (  # noqa: F401  importing a file registers its rules
    log_events,
    log_groups,
)
from provision.sandbox.aws.permissions import (  # noqa: F401  importing a file registers its rules
    simulation,
)
from provision.sandbox.aws.route53 import (  # noqa: F401  importing a file registers its rules
    change_batches,
    dnssec,
    hosted_zones,
    lists,
    request_limits,
)
from provision.sandbox.aws.s3 import (  # noqa: F401  importing a file registers its rules
    buckets,
    objects,
    policies,
)
from provision.sandbox.aws.scheduler import (  # noqa: F401  importing a file registers its rules
    firing,
    schedule_checks,
    schedule_groups,
)
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

Cloud.tickers += (firing.fire_due, tick.tick)
