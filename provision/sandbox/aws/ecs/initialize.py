"""ECS: initialization of a Fargate task before its container runs: internet access, secrets, log.

Messages are from the ECS Developer Guide, "Amazon ECS stopped task error messages", or else from the issues
that the behaviours name.
"""

from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ec2.reachability import lets_out
from provision.sandbox.aws.ecs.pull import CannotStartError, execution_role_denial
from provision.sandbox.aws.ecs.task import Task

_ANYWHERE = "203.0.113.1"  # an address on the internet (RFC 5737)
_PULL = (
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource "
    "retrieval failed: unable to retrieve secrets from ssm: "
)
_LOGGER = (
    "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 "
    "times: failed to create Cloudwatch log stream: "
)


def prepare(cloud: Cloud, task: Task) -> dict[str, str]:
    """Return the container's environment variables, secrets included; the caller holds the lock.

    Raises CannotStartError.
    """
    check_internet_access(cloud, task)
    environment = {"AWS_REGION": task.region} | task.environment
    environment |= read_secrets(cloud, task)
    if task.task_role:
        environment = cloud.permissions.credentials(task.task_role, task.id) | environment
    open_log(cloud, task)
    return environment


@behaves("ecs.task-without-a-way-out", "ecs.task-without-egress")
def check_internet_access(cloud: Cloud, task: Task) -> None:
    """Raise CannotStartError for a task that cannot reach the internet on 443.

    Either it has no public address in a public subnet, which has no NAT, or its groups do not let it out.
    """
    no_address = not task.public and cloud.ec2.is_public(task.region, task.interface.subnet)
    if no_address or not lets_out(task.interface.group_set, 443, _ANYWHERE):
        raise CannotStartError(
            f"{_PULL}There is a connection "
            "issue between the task and AWS Systems Manager Parameter Store. Check your task "
            f"network configuration. RequestError: send request failed caused by: Post "
            f'"https://ssm.{task.region}.amazonaws.com/": dial tcp: i/o timeout'
        )


@behaves("ecs.task-secret-missing")
def read_secrets(cloud: Cloud, task: Task) -> dict[str, str]:
    """Return the container's secrets, read with the execution role. Raises CannotStartError."""
    values, missing = {}, []
    for entry in task.essential.get("secrets") or []:
        name = entry["valueFrom"]
        arn = f"arn:aws:ssm:{task.region}:{cloud.account_id}:parameter/{name.lstrip('/')}"
        denial = execution_role_denial(
            cloud, task, "ssm:GetParameters", name if name.startswith("arn:") else arn
        )
        if denial:
            raise CannotStartError(
                f"{_PULL}service call has been retried 1 time(s): AccessDeniedException: {denial}"
            )
        found = cloud.backend("ssm", task.region).get_parameters([name])
        if name in found:
            values[entry["name"]] = found[name].response_object(True, task.region)["Value"]
        else:
            missing.append(name)
    if missing:
        raise CannotStartError(
            f"{_PULL}service call has been retried 1 time(s): invalid parameters: "
            f"{', '.join(missing)}"
        )
    return values


@behaves("ecs.task-log-group-missing")
def open_log(cloud: Cloud, task: Task) -> tuple[Any, str] | None:
    """Return moto's log group and the name of the task's stream; None with another log driver."""
    configuration = task.essential.get("logConfiguration") or {}
    if configuration.get("logDriver") != "awslogs":
        return None
    options = configuration.get("options") or {}
    region, group = options.get("awslogs-region", task.region), options.get("awslogs-group", "")
    logs = cloud.backend("logs", region)
    if group not in logs.groups:
        if options.get("awslogs-create-group") != "true":
            raise CannotStartError(
                f"{_LOGGER}ResourceNotFoundException: The specified log group does not exist. : "
                "exit status 1"
            )
        logs.create_log_group(group, {})
    stream = f"{options.get('awslogs-stream-prefix', 'ecs')}/{task.essential['name']}/{task.id}"
    if stream not in logs.groups[group].streams:
        arn = f"arn:aws:logs:{region}:{cloud.account_id}:log-group:{group}:log-stream:{stream}"
        denial = execution_role_denial(cloud, task, "logs:CreateLogStream", arn)
        if denial:
            raise CannotStartError(f"{_LOGGER}AccessDeniedException: {denial} : exit status 1")
    logs.ensure_log_stream(group, stream)
    return logs.groups[group], stream


@behaves("ecs.task-log-stream")
def write_log(cloud: Cloud, task: Task) -> None:
    """Write the container's output since the last call to its log stream."""
    lines = task.container.lines() if task.container else []
    if not lines:
        return
    try:
        opened = open_log(cloud, task)
    except CannotStartError:
        return  # the log group was deleted: the output is lost, as on AWS
    if opened is not None:
        group, stream = opened
        at = int(cloud.clock.now() * 1000)
        # Not moto's PutLogEvents, which compares timestamps with real time.
        group.put_log_events(stream, [{"timestamp": at, "message": line} for line in lines])
