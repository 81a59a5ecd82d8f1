"""ECR as it lives, and what its repositories refuse; moto keeps repositories, images and layers."""

import secrets
from base64 import b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from provision.sandbox.aws.calls import Call, Refusal
from provision.sandbox.aws.ecr.image_store import Images
from provision.sandbox.aws.ecr.lifecycle_policies import DAY, expired
from provision.sandbox.aws.rules import Answer, after, before, behaves

if TYPE_CHECKING:
    from provision.sandbox.aws.account import Cloud

_TOKEN_LIVES = 12 * 3600.0  # seconds
_BATCH = 100
_TAGS = 50


@dataclass(frozen=True)
class Token:
    """An authorization token: who asked for it, for which region, and until when it is good."""

    access_key: str
    region: str
    expires: float


@dataclass
class Ecr:
    """What can be pulled, and the lifecycle policies at their time."""

    cloud: "Cloud"
    _tokens: dict[str, "Token"] = field(default_factory=dict)
    _due: dict[str, float] = field(default_factory=dict)  # repositories by ARN

    def __post_init__(self) -> None:
        self.images = Images(self.cloud)
        self.cloud.on_tick(self.tick)

    def token(self, access_key: str, region: str) -> str:
        """A new one, good for twelve hours, which acts as its caller in the registry of its region."""
        token = b64encode(f"AWS:{secrets.token_urlsafe(300)}".encode()).decode()
        self._tokens[token] = Token(access_key, region, self.cloud.clock.now() + _TOKEN_LIVES)
        return token

    def signed_in(self, token: str) -> "Token | None":
        """Whose it is; None where it is none, or has expired."""
        known = self._tokens.get(token)
        return known if known and self.cloud.clock.now() < known.expires else None

    def tick(self) -> None:
        """User Guide, lifecycle policies: what they match is deleted within 24 hours."""
        with self.cloud.lock:
            now = self.cloud.clock.now()
            for region in self.cloud.regions("ecr"):
                for repository in self.cloud.backend("ecr", region).repositories.values():
                    if repository.lifecycle_policy is None:
                        self._due.pop(repository.arn, None)
                    elif now >= self._due.setdefault(repository.arn, now + DAY):
                        self._due[repository.arn] = now + DAY
                        gone = expired(repository.lifecycle_policy, repository.images, now)
                        repository.images = [i for i in repository.images if i not in gone]


@behaves(
    "ecr.name-invalid",
    "a repository's name is of lower case letters, digits, and single . _ - / between them",
    "InvalidParameterException 400",
    "Amazon ECR API Reference, CreateRepository, repositoryName",
    moto="moto refuses it as well",
)
@behaves(
    "ecr.name-used",
    "a second repository of a name",
    "RepositoryAlreadyExistsException 400",
    "Amazon ECR API Reference, CreateRepository, Errors",
    moto="moto refuses it as well",
)
@behaves(
    "ecr.too-many-tags",
    "a repository has up to 50 tags",
    "TooManyTagsException 400",
    "Amazon ECR API Reference, CreateRepository, Errors",
)
@before("ecr", "CreateRepository")
def repository_can_be(cloud: "Cloud", call: Call) -> None:
    """API CreateRepository."""
    if len(call.params.get("tags") or []) > _TAGS:
        raise Refusal(
            "TooManyTagsException",
            f"The list of tags on the repository is over the limit. The maximum number of tags "
            f"that can be applied to a repository is {_TAGS}.",
        )


@behaves(
    "ecr.not-empty",
    "a repository with images is deleted by force only",
    "RepositoryNotEmptyException 400",
    "Amazon ECR API Reference, DeleteRepository, Errors",
    moto="moto refuses it as well",
)
@behaves(
    "ecr.batch-too-long",
    "up to 100 images are named a call",
    "InvalidParameterException 400",
    "Amazon ECR API Reference, BatchGetImage, imageIds",
)
@before("ecr", "BatchGetImage", "BatchDeleteImage", "DescribeImages")
def batch_is_short(cloud: "Cloud", call: Call) -> None:
    """API ImageIdentifierList: 1 to 100."""
    if len(call.params.get("imageIds") or []) > _BATCH:
        raise invalid("imageIds", f"Member must have length less than or equal to {_BATCH}")


@behaves(
    "ecr.token-lives-twelve-hours",
    "an authorization token is good for twelve hours",
    "expiresAt",
    "Amazon ECR API Reference, GetAuthorizationToken",
)
@after("ecr", "GetAuthorizationToken")
def token_expires(cloud: "Cloud", call: Call, answer: Answer) -> None:
    """API GetAuthorizationToken: moto's tokens have expired long ago, and it serves no registry."""
    for entry in answer["authorizationData"]:
        entry["authorizationToken"] = cloud.ecr.token(call.access_key, call.region)
        entry["proxyEndpoint"] = cloud.registry or entry["proxyEndpoint"]
        entry["expiresAt"] = datetime.fromtimestamp(cloud.clock.now() + _TOKEN_LIVES, UTC)


def invalid(parameter: str, constraint: str) -> Refusal:
    return Refusal(
        "InvalidParameterException",
        f"Invalid parameter at '{parameter}' failed to satisfy constraint: '{constraint}'",
    )
