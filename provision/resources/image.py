"""Manage the bot's image: built and pushed to ECR with a tag that is a hash of its inputs, or given."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from provision.clients.aws import list_items
from provision.clients.aws_errors import call_or_none
from provision.clients.registry import GALLERY, Registries, Remote
from provision.errors import ProvisionError
from provision.i18n import _
from provision.image.given import platforms
from provision.image.inputs import PREFIX, Inputs, build, pin
from provision.image.push import push
from provision.image.reference import Reference, parse_or_none
from provision.resources.base import (
    Clients,
    Difference,
    Errors,
    Live,
    Permission,
    Polling,
    Resource,
    Tagged,
    output,
    resource,
)
from provision.resources.repository import Repository

AMAZON = ".amazonaws.com"
KEPT = 10  # newest built images to keep, besides those that active revisions use
SHOWN = 30  # number of the person's files listed in a plan
BATCH_SIZE = 100  # ECR API, BatchDeleteImage


@dataclass(frozen=True)
class GivenImage:
    """An existing image, set by image.uri."""

    uri: str

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions to read the manifest of an image in this account's ECR."""
        reference = parse_or_none(self.uri or "")
        if reference is None or AMAZON not in reference.host:
            return []
        actions = "BatchGetImage GetDownloadUrlForLayer"
        return [
            Permission("read", "ecr", "GetAuthorizationToken"),
            Permission("read", "ecr", actions, f"repository/{reference.repository}"),
        ]

    def check_platform(self, clients: Clients, platform: str) -> None:
        """Raise ProvisionError if the image is only for other platforms.

        Check images in this account's ECR and in the public gallery only.
        """
        reference = parse_or_none(self.uri)
        remote = self._remote(clients, reference) if reference else None
        have = platforms(remote, reference.tag_or_digest) if remote and reference else ()
        if have and platform not in have:
            raise ProvisionError(
                _("Could not use the image {uri}.", uri=self.uri),
                _("it is for {have}, not for {platform}", have=", ".join(have), platform=platform),
                _(
                    "Use an image for {platform}, or: --set image.platform={have}",
                    platform=platform,
                    have=have[0],
                ),
            )

    def _remote(self, clients: Clients, reference: Reference) -> Remote | None:
        """Return the repository; None if it cannot be read."""
        host, repository = reference.host, reference.repository
        if host == GALLERY:
            return clients.registries.public(host, repository)
        if not host.endswith(f".dkr.ecr.{clients.aws.region}{AMAZON}"):
            return None
        endpoint, token = _sign_in(clients)
        own = endpoint and (endpoint == f"https://{host}" or AMAZON not in endpoint)
        return clients.registries.private(endpoint, repository, token) if own else None


@resource
class Image(Resource):
    """The image that provision builds and pushes. Changed inputs make a new image.

    `find` downloads nothing.
    """

    repository: Repository
    read: Callable[[], Inputs]  # reads the disk; a recorded image does not need it
    registries: Registries | None = field(default=None, init=False)  # set by `find`
    digest: str = output("imageDigest")
    tag: str = output("imageTag")
    base_digest: str = output("baseDigest")
    repository_name: str = output("repositoryName")
    errors = Errors(
        not_found=("ImageNotFoundException", "RepositoryNotFoundException"),
        retry=("RepositoryNotFoundException",),
    )
    polling = Polling(
        expected=60,  # mostly the upload over a home's connection
    )

    def operator_permissions(self) -> list[Permission]:
        """Return the permissions."""
        repository = f"repository/{self.stack}"
        return [
            Permission("read", "ecr", "DescribeImages", repository),
            Permission("deploy", "ecr", "GetAuthorizationToken"),
            Permission(
                "deploy",
                "ecr",
                "BatchCheckLayerAvailability InitiateLayerUpload UploadLayerPart CompleteLayerUpload "
                "PutImage",
                repository,
            ),
            Permission("delete", "ecr", "BatchDeleteImage", repository),
        ]

    @property
    def uri(self) -> str:
        """Return the URI for a task definition.

        ECS resolves the digest when a deployment starts (VersionConsistency).
        """
        return f"{self.repository.uri}:{self.inputs.tag}"

    @cached_property
    def inputs(self) -> Inputs:
        """Return the current inputs, with the base's tag resolved to its digest. Raise UsageError."""
        inputs = self.read()
        return pin(inputs, self.registries, self.base_digest) if self.registries else inputs

    def identity(self) -> str:
        """Return "", because there is one image at a time."""
        return ""

    def before_create(self, clients: Clients) -> dict[str, str]:
        """Return the tag, so that the image is found even if the files change."""
        return {"tag": self.inputs.tag}

    @classmethod
    def list_tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """Return the images with provision's tags, newest first, in the repository of the stack's name."""
        tags = {"provision:stack": stack, "provision:resource": "image"}
        return [(tags, image) for image in _list_built(clients, stack)] if stack else []

    def lookup_needs(self) -> list[Resource]:
        """Return [], because it is found by name."""
        return []

    def find(self, clients: Clients) -> Live | None:
        """Call DescribeImages with the recorded tag, else with the tag of the current inputs."""
        self.registries = clients.registries
        return self._describe(clients, self.tag or self.inputs.tag)

    def _describe(self, clients: Clients, tag: str) -> Live | None:
        name = self.repository_name or self.repository.name
        describe, image = clients.aws.ecr.describe_images, {"imageTag": tag}
        answer = call_or_none(
            self.errors.not_found, describe, repositoryName=name, imageIds=[image]
        )
        details = answer["imageDetails"] if answer else []  # some emulators return an empty list
        return {**details[0], "imageTag": tag} if details else None

    def desired(self) -> dict[str, Any]:
        """Return the tag of the current inputs."""
        return {"imageTag": self.inputs.tag}

    def plan_notes(self) -> list[str]:
        """Return the person's files with their sizes, and the files that are left out."""
        own = [(name, len(self.inputs.files[name])) for name in self.inputs.own]
        shown = [_("{name} ({size} bytes)", name=name, size=size) for name, size in own[:SHOWN]]
        if more := own[SHOWN:]:
            size = sum(size for _name, size in more)
            shown.append(_("{count} more files ({size} bytes)", count=len(more), size=size))
        return shown + [_("left out: {name}", name=name) for name in self.inputs.left_out]

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """Switch to the image of the current inputs; build it if it does not exist."""
        self.load_from_api(self._describe(clients, self.inputs.tag) or self.create(clients))

    def create(self, clients: Clients) -> Live:
        """Build the image and push the missing layers. PutImage, the last call, creates it."""
        tag, name, registries = self.inputs.tag, self.repository.repository_name, clients.registries
        remote = self._remote(clients)
        image, base = build(self.inputs, registries, clients.index)
        push(image, remote, tag, registries.report)
        return {
            "imageDigest": image.manifest.digest,
            "imageTag": tag,
            "baseDigest": base,
            "repositoryName": name,
        }

    def _remote(self, clients: Clients) -> Remote:
        """Return the stack's repository, with ECR's authorization token. Raise ProvisionError."""
        endpoint, token = _sign_in(clients)
        if not endpoint:
            raise ProvisionError(
                _("Could not push the bot's image."),
                _(
                    "the AWS emulator at {endpoint} has no container registry",
                    endpoint=clients.aws.ecr.meta.endpoint_url,
                ),
                _("Use an existing image: --set image.uri=..."),
            )
        return clients.registries.private(endpoint, self.repository.repository_name, token)

    def check_platform(self, clients: Clients, platform: str) -> None:
        """Do nothing, because the image is built for that platform."""

    def owners(self, live: Live) -> None:
        """Return None: see `tags_of`."""

    def tags_of(self, clients: Clients, live: Live) -> dict[str, str]:
        """Return the stack's tags: the image tag is a hash that only provision produces."""
        return self.tags

    def holders(self, clients: Clients, live: Live) -> list[Resource]:
        """Return its repository.

        Return [] for the repository of the stack's name: it may be adopted, without the stack's tags.
        """
        name = live.get("repositoryName") or self.repository_name
        if name == self.stack:
            return []
        return [Repository.from_record(self.stack, name, {"repository_name": name})]

    def keep_on_replace(self, clients: Clients) -> str:
        """Keep it, because older revisions of the task definition use it."""
        return _("earlier versions of the bot use it; the repository deletes it later")

    def prune(self, clients: Clients, used: Callable[[], set[str]]) -> None:
        """Delete all but the newest KEPT built images. used: returns the URIs of images still in use."""
        old = _list_built(clients, self.repository_name)[KEPT:]
        if not old:
            return
        tags = {uri.rpartition(":")[2] for uri in used()} | {self.inputs.tag}
        _delete(clients, self.repository_name, [i for i in old if not tags & set(i["imageTags"])])

    def delete(self, clients: Clients) -> None:
        """Call BatchDeleteImage for all images built by provision; keep those that others pushed."""
        _delete(clients, self.repository_name, _list_built(clients, self.repository_name))


def built_tag(uri: str, stack: str) -> str:
    """Return the tag of an image that provision built for the stack; "" for any other image."""
    name, _colon, tag = uri.rpartition(":")
    return tag if name.endswith(f"/{stack}") and tag.startswith(PREFIX) else ""


def _sign_in(clients: Clients) -> tuple[str, str]:
    """Return the registry of this account and region, and its token.

    If an AWS emulator names Amazon's registry, return the emulator's own URL if that is a registry too, else
    "" for both.
    """
    ecr = clients.aws.ecr
    data = ecr.get_authorization_token()["authorizationData"][0]
    endpoint, own = str(data["proxyEndpoint"]), str(ecr.meta.endpoint_url)
    if AMAZON in endpoint and AMAZON not in own:
        if not clients.registries.answers_at(own):
            return "", ""
        endpoint = own
    return endpoint, str(data["authorizationToken"])


def _list_built(clients: Clients, repository: str) -> list[Live]:
    """Return the images of a repository that provision built, newest first."""
    tagged = {"repositoryName": repository, "filter": {"tagStatus": "TAGGED"}}
    describe = partial(list_items, clients.aws.ecr, "describe_images", "imageDetails", **tagged)
    images = call_or_none("RepositoryNotFoundException", describe) or []
    built = [
        {**image, "imageTag": tag}
        for image in images
        if (tag := next((t for t in image.get("imageTags", []) if t.startswith(PREFIX)), ""))
    ]
    return sorted(built, key=lambda image: image["imagePushedAt"], reverse=True)


def _delete(clients: Clients, repository: str, images: list[Live]) -> None:
    digests = [{"imageDigest": digest} for digest in {i["imageDigest"]: i for i in images}]
    for start in range(0, len(digests), BATCH_SIZE):
        clients.aws.ecr.batch_delete_image(
            repositoryName=repository, imageIds=digests[start : start + BATCH_SIZE]
        )
