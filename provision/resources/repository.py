"""Where the bot's image lies: a private ECR repository."""

import json
from typing import Any

from provision.clients.aws import call_or_none
from provision.parallel import run_all
from provision.resources.base import (
    Clients,
    Difference,
    Live,
    Resource,
    Tagged,
    flat,
    listed,
    marked,
    output,
    resource,
)

# The newest; older ones expire. Far more than the versions that a deploy can go back to: ECR does not know
# which image runs, and ten versions that failed must not push it out. They share all but a layer of 100 kB.
KEPT_IMAGES = 100


@resource
class Repository(Resource):
    """The repository of the bot's images: created, or adopted where there is one of that name.

    Costs next to nothing: 0.10 USD per GB and month, and an image of the bot is some 60 MB.
    """

    name: str
    arn: str = output("repositoryArn")
    uri: str = output("repositoryUri")
    repository_name: str = output("repositoryName")
    at_once = True
    not_found = ("RepositoryNotFoundException",)
    exists = ("RepositoryAlreadyExistsException",)
    later = ("LifecyclePolicy",)

    @classmethod
    def tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """By name and tags."""
        pages = clients.aws.ecr.get_paginator("describe_repositories").paginate()
        repositories = [dict(live) for page in pages for live in page["repositories"]]
        ours = [live for live in repositories if live["repositoryName"].startswith(stack)]
        found = run_all(lambda live: (_tags(clients, live), live), ours)
        return [(tags, live) for tags, live in found if marked(tags, stack)]

    def find(self, clients: Clients) -> Live | None:
        """By name, with its lifecycle policy."""
        ecr, name = clients.aws.ecr, self.repository_name or self.name
        found = ecr.describe_repositories(repositoryNames=[name])["repositories"]
        if not found:
            return None
        policy = call_or_none(
            "LifecyclePolicyNotFoundException", ecr.get_lifecycle_policy, repositoryName=name
        )
        return {
            **found[0],
            "LifecyclePolicy": json.loads(policy["lifecyclePolicyText"]) if policy else None,
        }

    def create(self, clients: Clients) -> Live | None:
        """CreateRepository. The lifecycle policy is a difference, because the call does not take it."""
        answer = clients.aws.ecr.create_repository(
            repositoryName=self.name,
            imageScanningConfiguration={"scanOnPush": True},
            tags=listed(self.tags),
        )
        return dict(answer["repository"])

    def tags_of(self, clients: Clients, live: Live) -> dict[str, str]:
        """ListTagsForResource."""
        return _tags(clients, live)

    def may_adopt(self, live: Live) -> bool:
        """The article made it by hand."""
        return True

    def desired(self) -> dict[str, Any]:
        """Images are scanned when they are pushed, and only the newest are kept."""
        return {
            "imageScanningConfiguration.scanOnPush": True,
            "LifecyclePolicy": _lifecycle(),
        }

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """PutImageScanningConfiguration, PutLifecyclePolicy."""
        ecr, name = clients.aws.ecr, self.repository_name
        differing = {difference.path for difference in differences}
        if "imageScanningConfiguration.scanOnPush" in differing:
            ecr.put_image_scanning_configuration(
                repositoryName=name, imageScanningConfiguration={"scanOnPush": True}
            )
        if "LifecyclePolicy" in differing:
            ecr.put_lifecycle_policy(
                repositoryName=name, lifecyclePolicyText=json.dumps(_lifecycle())
            )

    def delete(self, clients: Clients) -> None:
        """DeleteRepository with its images: they can be built again."""
        clients.aws.ecr.delete_repository(repositoryName=self.repository_name, force=True)


def _tags(clients: Clients, live: Live) -> dict[str, str]:
    answer = clients.aws.ecr.list_tags_for_resource(resourceArn=live["repositoryArn"])
    return flat(answer.get("tags", []))


def _lifecycle() -> dict[str, Any]:
    """ECR User Guide, "Examples of lifecycle policies": by image count."""
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
