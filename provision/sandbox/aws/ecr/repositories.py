"""ECR: checks of repositories, and authorization tokens."""

from datetime import UTC, datetime

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ecr.state import TOKEN_TTL
from provision.sandbox.aws.rules import Answer, after, before

_BATCH = 100
_TAGS = 50


@behaves("ecr.name-invalid", "ecr.name-used", "ecr.too-many-tags")
@before("ecr", "CreateRepository")
def check_tags(cloud: Cloud, call: Call) -> None:
    """Refuse too many tags (API CreateRepository)."""
    if len(call.params.get("tags") or []) > _TAGS:
        raise AwsError(
            "TooManyTagsException",
            f"The list of tags on the repository is over the limit. The maximum number of tags "
            f"that can be applied to a repository is {_TAGS}.",
        )


@behaves("ecr.not-empty", "ecr.batch-too-long")
@before("ecr", "BatchGetImage", "BatchDeleteImage", "DescribeImages")
def check_batch(cloud: Cloud, call: Call) -> None:
    """Refuse more than 100 images (API ImageIdentifierList)."""
    if len(call.params.get("imageIds") or []) > _BATCH:
        raise invalid("imageIds", f"Member must have length less than or equal to {_BATCH}")


@behaves("ecr.token-lives-twelve-hours")
@after("ecr", "GetAuthorizationToken")
def answer_token(cloud: Cloud, call: Call, answer: Answer) -> None:
    """Return a token for the sandbox's registry (API GetAuthorizationToken); moto's have expired."""
    for entry in answer["authorizationData"]:
        entry["authorizationToken"] = cloud.ecr.token(call.access_key, call.region)
        entry["proxyEndpoint"] = cloud.registry or entry["proxyEndpoint"]
        entry["expiresAt"] = datetime.fromtimestamp(cloud.clock.now() + TOKEN_TTL, UTC)


def repository_not_found(cloud: Cloud, name: str) -> AwsError:
    """Return the error for an unknown repository."""
    return AwsError(
        "RepositoryNotFoundException",
        f"The repository with name '{name}' does not exist in the registry with id '{cloud.account_id}'",
    )


def invalid(parameter: str, constraint: str) -> AwsError:
    """Return the error for a parameter that breaks a constraint."""
    return AwsError(
        "InvalidParameterException",
        f"Invalid parameter at '{parameter}' failed to satisfy constraint: '{constraint}'",
    )
