"""Create the private ECR repository of the bot's image."""

import json
from typing import Any

from provision.clients.aws import list_items
from provision.clients.aws_errors import call_or_none
from provision.parallel import run_all
from provision.resources.base import (
    Clients,
    Deletion,
    Difference,
    Errors,
    Live,
    Permission,
    Resource,
    Tagged,
    arn_pattern,
    has_stack_tag,
    identity_in,
    output,
    resource,
    tags_to_dict,
    tags_to_list,
)

# The newest images; older ones expire. Far more than the versions that a deploy can return to, because ECR
# does not know which image is running. The images share all but a layer of 100 kB.
KEPT_IMAGES = 100


@resource
class Repository(Resource):
    """The repository of the bot's images; adopted if one of that name exists.

    It costs 0.10 USD per GB and month; an image of the bot has about 60 MB.
    """

    name: str
    arn: str = output("repositoryArn", arn_pattern("repository/"))
    uri: str = output("repositoryUri")
    repository_name: str = output("repositoryName")
    deletion = Deletion(immediate=True)
    errors = Errors(
        not_found=("RepositoryNotFoundException",),
        exists=("RepositoryAlreadyExistsException",),
    )

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions."""
        repository = f"repository/{identity_in(self.key)}"
        return [
            Permission("read", "ecr", "DescribeRepositories", "repository/*"),
            Permission("read", "ecr", "ListTagsForResource", f"repository/{self.stack}*"),
            Permission("read", "ecr", "GetLifecyclePolicy", repository),
            Permission("create", "ecr", "CreateRepository TagResource", repository),
            Permission(
                "create",
                "ecr",
                "PutImageScanningConfiguration PutImageTagMutability PutLifecyclePolicy",
                repository,
            ),
            Permission("delete", "ecr", "DeleteRepository", repository),
        ]

    @classmethod
    def list_tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """Return repositories by name and tags."""
        repositories = list_items(clients.aws.ecr, "describe_repositories", "repositories")
        named = [dict(live) for live in repositories if live["repositoryName"].startswith(stack)]
        tagged = run_all(lambda live: (_tags(clients, live), live), named)
        return [(tags, live) for tags, live in tagged if has_stack_tag(tags, stack)]

    def find(self, clients: Clients) -> Live | None:
        """Find the repository by name, with its lifecycle policy."""
        ecr, name = clients.aws.ecr, self.repository_name or self.name
        repositories = ecr.describe_repositories(repositoryNames=[name])["repositories"]
        if not repositories:
            return None
        policy = call_or_none(
            "LifecyclePolicyNotFoundException", ecr.get_lifecycle_policy, repositoryName=name
        )
        return {
            **repositories[0],
            "LifecyclePolicy": json.loads(policy["lifecyclePolicyText"]) if policy else None,
        }

    def create(self, clients: Clients) -> Live | None:
        """Call CreateRepository, which takes no lifecycle policy; `update` sets it."""
        answer = clients.aws.ecr.create_repository(
            repositoryName=self.name,
            imageScanningConfiguration={"scanOnPush": True},
            imageTagMutability="IMMUTABLE",  # a tag is a hash of what the image is made of
            tags=tags_to_list(self.tags),
        )
        return {**answer["repository"], "LifecyclePolicy": None}

    def tags_of(self, clients: Clients, live: Live) -> dict[str, str]:
        """Return the tags (ListTagsForResource)."""
        return _tags(clients, live)

    def may_adopt(self, live: Live) -> bool:
        """Adopt an existing repository, because the article creates it by hand."""
        return True

    def desired(self) -> dict[str, Any]:
        """Return scanOnPush, immutable tags and the lifecycle policy."""
        return {
            "imageTagMutability": "IMMUTABLE",
            "imageScanningConfiguration.scanOnPush": True,
            "LifecyclePolicy": _lifecycle_policy(),
        }

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """Call PutImageScanningConfiguration, PutImageTagMutability and PutLifecyclePolicy."""
        ecr, name = clients.aws.ecr, self.repository_name
        differing = {difference.path for difference in differences}
        if "imageScanningConfiguration.scanOnPush" in differing:
            ecr.put_image_scanning_configuration(
                repositoryName=name, imageScanningConfiguration={"scanOnPush": True}
            )
        if "imageTagMutability" in differing:
            ecr.put_image_tag_mutability(repositoryName=name, imageTagMutability="IMMUTABLE")
        if "LifecyclePolicy" in differing:
            ecr.put_lifecycle_policy(
                repositoryName=name, lifecyclePolicyText=json.dumps(_lifecycle_policy())
            )

    def delete(self, clients: Clients) -> None:
        """Call DeleteRepository with its images, which can be built again."""
        clients.aws.ecr.delete_repository(repositoryName=self.repository_name, force=True)


def _tags(clients: Clients, live: Live) -> dict[str, str]:
    answer = clients.aws.ecr.list_tags_for_resource(resourceArn=live["repositoryArn"])
    return tags_to_dict(answer.get("tags", []))


def _lifecycle_policy() -> dict[str, Any]:
    """Return the lifecycle policy, by image count.

    Source: ECR User Guide, "Examples of lifecycle policies".
    """
    rule = {
        "rulePriority": 1,
        "description": f"Keep the newest {KEPT_IMAGES}",
        "selection": {
            "tagStatus": "any",
            "countType": "imageCountMoreThan",
            "countNumber": KEPT_IMAGES,
        },
        "action": {"type": "expire"},
    }
    return {"rules": [rule]}
