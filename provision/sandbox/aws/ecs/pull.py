"""ECS: the execution role's permissions, and pulling the image."""

from collections.abc import Mapping
from types import MappingProxyType

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ecr.image_store import CannotPullError, repository_arn
from provision.sandbox.aws.ecs.task import Task

_NOTHING: Mapping[str, str] = MappingProxyType({})


class CannotStartError(Exception):
    """The task stops before its container runs; the message is its stoppedReason."""


@behaves("ecs.task-image-missing", "ecs.task-image-of-no-matching-platform")
def pull_image(cloud: Cloud, task: Task) -> bool:
    """Return whether this platform can execute the image. Raises CannotStartError if it cannot be pulled."""
    platform = getattr(task.definition, "runtime_platform", None) or {}
    _check_pull_permissions(cloud, task)
    try:
        return cloud.ecr.images.pull(task.essential["image"], platform)
    except CannotPullError as reason:
        raise cannot_pull(task, reason) from None


def cannot_pull(task: Task, reason: CannotPullError) -> CannotStartError:
    """Return the error that stops the task, and set the same reason on its container."""
    task.container_reason = f"CannotPullContainerError: {reason}"
    return CannotStartError(task.container_reason)


@behaves("ecs.image-permission-missing")
def _check_pull_permissions(cloud: Cloud, task: Task) -> None:
    """Check the execution role's permissions to pull a private image."""
    image = task.essential["image"]
    repository = repository_arn(image)
    if not repository:
        return
    denial = execution_role_denial(cloud, task, "ecr:GetAuthorizationToken", "*")
    if denial:
        raise CannotStartError(
            "ResourceInitializationError: unable to pull secrets or registry auth: execution "
            "resource retrieval failed: unable to retrieve ecr registry auth: service call has been "
            f"retried 3 time(s): AccessDeniedException: {denial}"
        )
    needed = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
    if any(execution_role_denial(cloud, task, action, repository) for action in needed):
        task.container_reason = (
            "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to "
            f"resolve ref {image}: pulling from host {image.partition('/')[0]} failed with status "
            f"code [manifests {image.rpartition(':')[2]}]: 403 Forbidden"
        )
        raise CannotStartError(task.container_reason)


@behaves("ecs.secret-permission-missing", "ecs.log-permission-missing")
def execution_role_denial(
    cloud: Cloud, task: Task, action: str, resource: str, context: Mapping[str, str] = _NOTHING
) -> str:
    """Return AWS's message if the task's execution role lacks this permission, else ""."""
    name = task.execution_role.rpartition("/")[2]
    session = f"arn:aws:sts::{cloud.account_id}:assumed-role/{name}/{task.id}"
    return cloud.permissions.denied(session, action, resource, context) if name else ""
