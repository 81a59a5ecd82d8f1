"""The bot's image: in ECR, under a tag that follows from what it is made of; or one that is given."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from provision.clients.aws import call_or_none
from provision.clients.registry import GALLERY, Registries, Remote
from provision.errors import ProvisionError
from provision.i18n import _
from provision.image.given import platforms
from provision.image.inputs import PREFIX, Inputs, build, pinned
from provision.image.push import push
from provision.image.reference import Reference, known
from provision.resources.base import Clients, Difference, Live, Resource, Tagged, output, resource
from provision.resources.repository import Repository

AMAZON = ".amazonaws.com"
KEPT = 10  # built images, the newest, besides those that a revision can still be run with
SHOWN = 30  # of the person's files, in a plan
_BATCH = 100  # images in a call


@dataclass(frozen=True)
class GivenImage:
    """An image that somebody else has built and pushed."""

    uri: str

    def fits(self, clients: Clients, platform: str) -> None:
        """Raises ProvisionError where its manifest is for other processors only.

        Read are this account's ECR and the public gallery; of any other image a task tells.
        """
        at = known(self.uri)
        remote = self._remote(clients, at) if at else None
        have = platforms(remote, at.wanted) if remote and at else ()
        if have and platform not in have:
            raise ProvisionError(
                _("Reading the image {uri}.", uri=self.uri),
                _("it is for {have}, not for {platform}", have=", ".join(have), platform=platform),
                _(
                    "Give one for {platform}, or: --set image.platform={have}",
                    platform=platform,
                    have=have[0],
                ),
            )

    def _remote(self, clients: Clients, at: Reference) -> Remote | None:
        """Where it can be read; None: not from here."""
        if at.host == GALLERY:
            return clients.registries.public(at.host, at.repository)
        if not at.host.endswith(f".dkr.ecr.{clients.aws.region}{AMAZON}"):
            return None
        endpoint, token = _signed_in(clients)
        here = endpoint and (endpoint == f"https://{at.host}" or AMAZON not in endpoint)
        return clients.registries.private(endpoint, at.repository, token) if here else None


@resource
class Image(Resource):
    """The image that is built here; other inputs make another one, as with a task definition's revisions.

    Looking for it downloads nothing. It costs next to nothing beside its repository.
    """

    repository: Repository
    read: Callable[[], Inputs]  # from the disk; not called by who looks at what is recorded
    registries: Registries | None = field(default=None, init=False)  # as `find` was handed them
    digest: str = output("imageDigest")
    tag: str = output("imageTag")
    base_digest: str = output("baseDigest")
    repository_name: str = output("repositoryName")
    by_name = True
    not_found = ("ImageNotFoundException", "RepositoryNotFoundException")
    retry = ("RepositoryNotFoundException",)
    expected = 60  # of which most is the way up from a home

    @property
    def uri(self) -> str:
        """What a task definition says. ECS notes the digest when a deployment begins (VersionConsistency)."""
        return f"{self.repository.uri}:{self.inputs.tag}"

    @cached_property
    def inputs(self) -> Inputs:
        """What it would be made of now; a base given by tag is asked for its digest. Raises Usage."""
        made = self.read()
        return pinned(made, self.registries, self.base_digest) if self.registries else made

    def identity(self) -> str:
        """None: there is one at a time."""
        return ""

    def before_create(self, clients: Clients) -> dict[str, str]:
        """The tag, so that it is found whatever becomes of the files."""
        return {"tag": self.inputs.tag}

    @classmethod
    def tagged(cls, clients: Clients, stack: str) -> list[Tagged]:
        """By the tags that only provision gives, the newest first, in the repository of the stack's name."""
        tags = {"provision:stack": stack, "provision:resource": "image"}
        return [(tags, image) for image in _built(clients, stack)] if stack else []

    def find(self, clients: Clients) -> Live | None:
        """DescribeImages by the recorded tag, else by that of what it would be made of now."""
        self.registries = clients.registries
        return self._described(clients, self.tag or self.inputs.tag)

    def _described(self, clients: Clients, tag: str) -> Live | None:
        name = self.repository_name or self.repository.name
        describe, image = clients.aws.ecr.describe_images, {"imageTag": tag}
        answer = call_or_none(self.not_found, describe, repositoryName=name, imageIds=[image])
        details = answer["imageDetails"] if answer else []  # empty: some clouds' way to say so
        return {**details[0], "imageTag": tag} if details else None

    def desired(self) -> dict[str, Any]:
        """What it would be made of now."""
        return {"imageTag": self.inputs.tag}

    def shown_in_plan(self) -> list[str]:
        """Return the person's files that go in, with their sizes, and what of their folder does not."""
        own = [(_shown(name), len(self.inputs.files[name])) for name in self.inputs.own]
        shown = [_("{name} ({size} bytes)", name=name, size=size) for name, size in own[:SHOWN]]
        if more := own[SHOWN:]:
            size = sum(size for _name, size in more)
            shown.append(_("{count} more files ({size} bytes)", count=len(more), size=size))
        return shown + [_("left out: {name}", name=_shown(name)) for name in self.inputs.left_out]

    def update(self, clients: Clients, live: Live, differences: list[Difference]) -> None:
        """Another image beside it, which from here on is the one that is found; made, if there is none."""
        self.load_from_api(self._described(clients, self.inputs.tag) or self.create(clients))

    def create(self, clients: Clients) -> Live:
        """Builds it, and pushes what the repository does not have. The last call, PutImage, makes it."""
        tag, name, registries = self.inputs.tag, self.repository.repository_name, clients.registries
        remote = self._remote(clients)
        image, base = build(self.inputs, registries, clients.index)
        push(image, remote, tag, registries.tell)
        return {
            "imageDigest": image.manifest.digest,
            "imageTag": tag,
            "baseDigest": base,
            "repositoryName": name,
        }

    def _remote(self, clients: Clients) -> Remote:
        """Our repository, signed in: its registry is where ECR's token says. Raises ProvisionError."""
        endpoint, token = _signed_in(clients)
        if not endpoint:
            raise ProvisionError(
                _("Pushing the bot's image."),
                _(
                    "{endpoint} is AWS here, and has no registry of its own",
                    endpoint=clients.aws.ecr.meta.endpoint_url,
                ),
                _("Bring an image that is there already: --set image.uri=..."),
            )
        return clients.registries.private(endpoint, self.repository.repository_name, token)

    def fits(self, clients: Clients, platform: str) -> None:
        """It is built for that platform."""

    def tags_of(self, clients: Clients, live: Live) -> dict[str, str]:
        """Its one tag is ours: it is a hash of what we would build."""
        return self.tags

    def holders(self, clients: Clients, live: Live) -> list[Resource]:
        """Return its repository; none for one of the stack's name, where only this stack builds images.

        That one may have been there before, without our tags.
        """
        name = live.get("repositoryName") or self.repository_name
        return [] if name == self.stack else [Repository.named_by(self.stack, repository_name=name)]

    def keep_on_replace(self, clients: Clients) -> str:
        """Revisions of the task definition run what was built for them."""
        return _("earlier versions of the bot run it; the repository forgets it in time")

    def prune(self, clients: Clients, used: Callable[[], set[str]]) -> None:
        """Deletes what was built beyond the newest KEPT. used: the URIs of those that may still be run."""
        old = _built(clients, self.repository_name)[KEPT:]
        if not old:
            return
        tags = {uri.rpartition(":")[2] for uri in used()} | {self.inputs.tag}
        _delete(clients, self.repository_name, [i for i in old if not tags & set(i["imageTags"])])

    def delete(self, clients: Clients) -> None:
        """BatchDeleteImage of everything that was built here: what others pushed stays."""
        _delete(clients, self.repository_name, _built(clients, self.repository_name))


def _signed_in(clients: Clients) -> tuple[str, str]:
    """The registry of this account and region, and a token for it; "" where another AWS names Amazon's."""
    ecr = clients.aws.ecr
    told = ecr.get_authorization_token()["authorizationData"][0]
    endpoint = str(told["proxyEndpoint"])
    foreign = AMAZON in endpoint and AMAZON not in str(ecr.meta.endpoint_url)
    return ("", "") if foreign else (endpoint, str(told["authorizationToken"]))


def _built(clients: Clients, repository: str) -> list[Live]:
    """The images of a repository that were built here, the newest first."""
    pages = clients.aws.ecr.get_paginator("describe_images")

    def every() -> list[Live]:
        found = pages.paginate(repositoryName=repository, filter={"tagStatus": "TAGGED"})
        return [dict(image) for page in found for image in page["imageDetails"]]

    images = call_or_none("RepositoryNotFoundException", every) or []
    ours = [
        {**image, "imageTag": tag}
        for image in images
        if (tag := next((t for t in image.get("imageTags", []) if t.startswith(PREFIX)), ""))
    ]
    return sorted(ours, key=_pushed, reverse=True)


def _shown(name: str) -> str:
    """Return a file's name without what would steer a terminal."""
    return name if name.isprintable() else repr(name)


def _pushed(image: Live) -> Any:
    return image["imagePushedAt"]


def _delete(clients: Clients, repository: str, images: list[Live]) -> None:
    digests = [{"imageDigest": digest} for digest in {i["imageDigest"]: i for i in images}]
    for start in range(0, len(digests), _BATCH):
        clients.aws.ecr.batch_delete_image(
            repositoryName=repository, imageIds=digests[start : start + _BATCH]
        )
