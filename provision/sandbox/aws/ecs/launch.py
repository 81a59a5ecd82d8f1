"""ECS: creation of a task in PROVISIONING: roles, capacity, Availability Zones."""

from collections import Counter
from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ecs.capacity import NO_CAPACITY, NO_INSTANCES, next_provider
from provision.sandbox.aws.ecs.service import Deployment, EcsService
from provision.sandbox.aws.ecs.task import Task

_RETRY = 30.0  # seconds until ECS tries again to place a task


def place(cloud: Cloud, service: EcsService, deployment: Deployment) -> Task | None:
    """Create a service's task with its network interface; None, and a service event, if ECS cannot."""
    now = cloud.clock.now()
    definition = find_definition(cloud, service.region, deployment.task_definition)
    failure = placement_failure(cloud, service, definition)
    if not failure:
        try:
            task = new_task(
                cloud,
                region=service.region,
                cluster=service.cluster,
                definition=definition,
                capacity_provider=_provider(service),
                network=service.network,
                subnet=_least_used_subnet(service),
                group=f"service:{service.name}",
                started_by=deployment.id,
                service=service.name,
                deployment=deployment.id,
                exec_enabled=bool(service.params.get("enableExecuteCommand")),
            )
        except AwsError as error:  # the subnet has no free address
            failure = f"was unable to place a task. Reason: {error}"
        else:
            task.tags = service.tags_of_task(definition)
            return task
    service.retry_at = now + _RETRY
    service.add_event(now, failure)
    return None


@behaves(
    "ecs.fresh-role-costs-half-a-minute",
    "ecs.no-spot-capacity",
    "ecs.service-on-ec2-without-instances",
)
def placement_failure(cloud: Cloud, service: EcsService, definition: Any) -> str:
    """Return why no task of this service can be placed now, as a service event; "" if one can."""
    role = find_unassumable_role(cloud, definition, service.arn)
    if role:
        return f"failed to launch a task with (error {assume_role_error(role)})."
    if service.launch_type == "EC2":
        return (
            "was unable to place a task because no container instance met all of its "
            f"requirements. Reason: {NO_INSTANCES} For more information, see the Troubleshooting "
            "section of the Amazon ECS Developer Guide."
        )
    if _provider(service) == "FARGATE_SPOT" and not cloud.ecs.spot_available:
        return (
            f"was unable to place a task. Reason: {NO_CAPACITY} For more information, see the "
            "Troubleshooting section of the Amazon ECS Developer Guide."
        )
    return ""


def new_task(
    cloud: Cloud, *, region: str, network: dict[str, Any], subnet: str, **params: Any
) -> Task:
    """Create a task in PROVISIONING with its network interface in `subnet`."""
    groups = list(network.get("securityGroups") or [])
    interface = cloud.ec2.attach(region, subnet, groups, "")
    task = Task(
        region=region,
        account=cloud.account_id,
        launch_type="FARGATE",
        subnet=subnet,
        public=network.get("assignPublicIp") == "ENABLED",
        interface=interface,
        created_at=cloud.clock.now(),
        **params,
    )
    interface.description = f"arn:aws:ecs:{region}:{cloud.account_id}:attachment/{task.id}"
    cloud.ecs.tasks.append(task)
    return task


def find_unassumable_role(cloud: Cloud, definition: Any, source: str) -> str:
    """Return the first of a task definition's roles that ECS cannot assume (yet); "" if it can assume all.

    `source` is the ARN for the condition key aws:SourceArn (ECS Developer Guide, "Task IAM role").
    """
    names = ("execution_role_arn", "task_role_arn")
    roles = [role for name in names if (role := getattr(definition, name, None))]
    for role in roles:
        if not cloud.iam.can_be_assumed(role, "ecs-tasks.amazonaws.com", source):
            return str(role)
    return ""


def assume_role_error(role: str) -> str:
    """Return ECS's message for a role that it cannot assume."""
    return (
        f"ECS was unable to assume the role '{role}' that was provided for this task. Please "
        "verify that the role being passed has the proper trust relationship and permissions and "
        "that your IAM user has permissions to pass this role."
    )


def find_definition(cloud: Cloud, region: str, arn: str) -> Any:
    """Return moto's TaskDefinition for an ARN, family:revision, or family (its latest revision)."""
    return cloud.backend("ecs", region).describe_task_definition(arn)


def _provider(service: EcsService) -> str:
    strategy = service.params.get("capacityProviderStrategy") or []
    used = Counter(task.capacity_provider for task in service.tasks if task.should_run)
    return next_provider(strategy, used)


@behaves("ecs.tasks-spread-over-zones")
def _least_used_subnet(service: EcsService) -> str:
    """Return the subnet with the fewest of the service's tasks."""
    subnets: list[str] = service.network["subnets"]
    used = Counter(task.subnet for task in service.tasks if task.should_run)
    return min(subnets, key=lambda subnet: (used[subnet], subnets.index(subnet)))
