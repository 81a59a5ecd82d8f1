"""From a service's wish for a task to a started container, and everything that can be in the way."""

from typing import TYPE_CHECKING, Any

from provision.sandbox.ecs_service import Deployment, Service
from provision.sandbox.ecs_task import Target, Task

if TYPE_CHECKING:
    from provision.sandbox.cloud import Cloud

_PATIENCE = 20.0  # real seconds for a container to answer its first request
_RETRY = 30.0  # seconds until ECS tries again what it could not place or launch


class CannotStart(Exception):
    """The task ends before its container runs; the words are its stoppedReason."""


def place(cloud: "Cloud", service: Service, deployment: Deployment) -> Task | None:
    """A new task in PROVISIONING, with its network interface; None where ECS only says why not."""
    now = cloud.clock.now()
    definition = find_definition(cloud, service.region, deployment.task_definition)
    for role in _roles(definition):
        if not cloud.iam.assumable(role, "ecs-tasks.amazonaws.com", _source(service)):
            service.retry_at = now + _RETRY
            service.say(
                now,
                f"failed to launch a task with (error ECS was unable to assume the role '{role}' "
                "that was provided for this task. Please verify that the role being passed has "
                "the proper trust relationship and permissions and that your IAM user has "
                "permissions to pass this role.).",
            )
            return None
    provider = _provider(service)
    if provider == "FARGATE_SPOT" and not cloud.ecs.spot_available:
        service.retry_at = now + _RETRY
        service.say(
            now,
            "was unable to place a task. Reason: Capacity is unavailable at this time. Please try "
            "again later or in a different availability zone. For more information, see the "
            "Troubleshooting section of the Amazon ECS Developer Guide.",
        )
        return None
    subnets = service.network["subnets"]
    subnet = subnets[len(service.tasks) % len(subnets)]
    return Task(
        region=service.region,
        account=service.account,
        cluster=service.cluster,
        service=service.name,
        deployment=deployment.id,
        definition=definition,
        capacity_provider=provider,
        launch_type="FARGATE",
        subnet=subnet,
        interface=cloud.ec2.attach(
            service.region,
            subnet,
            service.network.get("securityGroups") or [],
            f"arn:aws:ecs:{service.region}:{service.account}:attachment/{deployment.id[8:]}",
        ),
        created_at=now,
    )


def _source(service: Service) -> str:
    """What trust policies of task roles may ask for (ECS Developer Guide, "Task IAM role")."""
    return (
        f"arn:aws:ecs:{service.region}:{service.account}:service/{service.cluster}/{service.name}"
    )


def prepare(cloud: "Cloud", service: Service, task: Task) -> dict[str, str]:
    """The container's variables, secrets among them. Raises CannotStart. Hold the lock."""
    _reach_the_internet(cloud, service, task)
    environment = {e["name"]: e.get("value", "") for e in task.essential.get("environment") or []}
    environment.setdefault("AWS_REGION", task.region)
    environment |= _secrets(cloud, task)
    if role := getattr(task.definition, "task_role_arn", None):
        environment = cloud.permissions.credentials(role, task.id) | environment
    open_log(cloud, task)
    return environment


def start(cloud: "Cloud", service: Service, task: Task) -> None:
    """Start the container; simulated time stands still until it answers or has ended.

    Without the lock: meanwhile the cloud answers others.
    """
    try:
        with cloud.lock:
            environment = prepare(cloud, service, task)
    except CannotStart as reason:
        with cloud.lock:
            cloud.ecs.fail(service, task, "TaskFailedToStart", str(reason))
        return
    with cloud.clock.hold():
        mappings = task.essential.get("portMappings") or [{"containerPort": 80}]
        container = cloud.tasks.start(
            environment, task.essential["image"], mappings[0]["containerPort"]
        )
        container.ready(_PATIENCE)
    with cloud.lock:
        task.container = container
        task.started_at = cloud.clock.now()
        task.last_status = "RUNNING"
        balancer = service.load_balancer
        if balancer is not None and task.wanted and container.exit_code is None:
            task.target = Target(balancer["targetGroupArn"], balancer["containerPort"])
            cloud.elbv2.register(task.target.group, task.ip, task.target.port)
            service.say(
                task.started_at, f"registered 1 targets in (target-group {task.target.group})"
            )


def find_definition(cloud: "Cloud", region: str, arn: str) -> Any:
    """Moto's TaskDefinition for an ARN, family:revision, or family (its latest)."""
    return cloud.backend("ecs", region).describe_task_definition(arn)


def open_log(cloud: "Cloud", task: Task) -> tuple[Any, str] | None:
    """Moto's log group and the name of the task's stream in it; None: it logs elsewhere."""
    configuration = task.essential.get("logConfiguration") or {}
    if configuration.get("logDriver") != "awslogs":
        return None
    options = configuration.get("options") or {}
    region, group = options.get("awslogs-region", task.region), options.get("awslogs-group", "")
    logs = cloud.backend("logs", region)
    if group not in logs.groups:
        if options.get("awslogs-create-group") != "true":
            raise CannotStart(
                "ResourceInitializationError: failed to validate logger args: create stream has "
                "been retried 1 times: failed to create Cloudwatch log stream: "
                "ResourceNotFoundException: The specified log group does not exist. : exit "
                "status 1"
            )
        logs.create_log_group(group, {})
    stream = f"{options.get('awslogs-stream-prefix', 'ecs')}/{task.essential['name']}/{task.id}"
    logs.ensure_log_stream(group, stream)
    return logs.groups[group], stream


def write_log(cloud: "Cloud", task: Task) -> None:
    """What the container has said since the last time, into its CloudWatch stream."""
    lines = task.container.lines() if task.container else []
    if not lines:
        return
    try:
        opened = open_log(cloud, task)
    except CannotStart:
        return  # the group was deleted under it: its words are lost, as on AWS
    if opened is not None:
        group, stream = opened
        at = int(cloud.clock.now() * 1000)
        # Past moto's own PutLogEvents, which would hold simulated time against the real one.
        group.put_log_events(stream, [{"timestamp": at, "message": line} for line in lines])


def _secrets(cloud: "Cloud", task: Task) -> dict[str, str]:
    entries = task.essential.get("secrets") or []
    values, missing = {}, []
    for entry in entries:
        name = entry["valueFrom"]
        found = cloud.backend("ssm", task.region).get_parameters([name])
        if name in found:
            values[entry["name"]] = found[name].response_object(True, task.region)["Value"]
        else:
            missing.append(name)
    if missing:
        raise CannotStart(
            "ResourceInitializationError: unable to pull secrets or registry auth: execution "
            "resource retrieval failed: unable to retrieve secrets from ssm: service call has "
            f"been retried 1 time(s): invalid parameters: {', '.join(missing)}"
        )
    return values


def _reach_the_internet(cloud: "Cloud", service: Service, task: Task) -> None:
    """In a public subnet only a public address gets out: there is no NAT on that road."""
    public = service.network.get("assignPublicIp") == "ENABLED"
    if not public and cloud.ec2.is_public(task.region, task.interface.subnet):
        raise CannotStart(
            "ResourceInitializationError: unable to pull secrets or registry auth: execution "
            "resource retrieval failed: unable to retrieve secrets from ssm: There is a connection "
            "issue between the task and AWS Systems Manager Parameter Store. Check your task "
            f"network configuration. RequestError: send request failed caused by: Post "
            f'"https://ssm.{task.region}.amazonaws.com/": dial tcp: i/o timeout'
        )


def _roles(definition: Any) -> list[str]:
    names = ("execution_role_arn", "task_role_arn")
    return [role for name in names if (role := getattr(definition, name, None))]


def _provider(service: Service) -> str:
    strategy = service.given.get("capacityProviderStrategy") or []
    return str(strategy[0]["capacityProvider"]) if strategy else ""
