"""The image as a resource: found by its inputs, built and pushed once, kept, deleted."""

import io
import json
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from provision.clients.registry import Registries
from provision.console.server import HttpServer
from provision.engine.inventory import list_inventory
from provision.engine.plan import plan
from provision.errors import ProvisionError, UsageError
from provision.image.inputs import Inputs
from provision.pricing import prices
from provision.resources.base import Clients
from provision.resources.image import GivenImage, Image
from provision.resources.repository import Repository
from provision.state.stack_file import StackFile
from provision.ui.reports import show_steps
from provision.wizard import recovery
from provision.wizard.discovery import DiscoveredSettings
from tests.provision.conftest import Env
from tests.provision.test_image import FakePackageIndex

OCI = "application/vnd.oci.image.manifest.v1+json"
PUSHED = ("InitiateLayerUpload", "PutImage")


class Builder:
    """An environment in which the image is built, with a package index of one small wheel."""

    def __init__(self, env: Env, folder: Path) -> None:
        self.env, self.own = env, folder / "own"
        self.own.mkdir()
        (self.own / "words.txt").write_text("one")
        env.set(image__uri="", image__files="own")

    @property
    def ecr(self) -> Any:
        return self.env.aws_session.client("ecr")

    def images(self) -> dict[str, str]:
        """Return the images in the repository: digests by tag."""
        found = self.ecr.describe_images(repositoryName="news-bot")["imageDetails"]
        return {tag: i["imageDigest"] for i in found for tag in i.get("imageTags", [""])}

    def pushes(self) -> list[str]:
        """Return the push operations that the registry received."""
        log = self.env.sandbox.cloud.log
        return [call["operation"] for call in log if call["operation"] in PUSHED]

    def running_image(self) -> str:
        """Return the image of the newest task."""
        tasks = self.env.sandbox.tasks
        return str(tasks.started[-1].image)  # type: ignore[attr-defined]

    def planned_actions(self) -> dict[str, str]:
        """Return what setup would do, without unchanged resources."""
        changes = plan(self.env.engine().inspect(), [], prices("ap-northeast-1")).changes
        return {step.key: step.action for step in changes}


@pytest.fixture
def builder(env: Env, tmp_path: Path) -> Iterator[Builder]:
    """Yield a builder with ECR's registry and a gallery."""
    servers = [HttpServer(env.sandbox.registry), HttpServer(env.sandbox.gallery)]
    env.sandbox.cloud.registry, gallery = (server.url for server in servers)
    (tmp_path / "cache").mkdir()
    env.registries, env.index = Registries(lambda: gallery), FakePackageIndex(tmp_path / "cache")
    yield Builder(env, tmp_path)
    for server in servers:
        server.close()


def test_image_is_built_and_pushed_once(builder: Builder) -> None:
    """With unchanged inputs nothing is built again."""
    env = builder.env
    assert [] == env.setup().errors
    ((tag, digest),) = builder.images().items()
    record = StackFile(env.path).records["image"]
    assert (tag, digest) == (record.outputs["tag"], record.outputs["digest"])
    assert env.sandbox.gallery.digest == record.outputs["base_digest"]
    assert builder.running_image().endswith(f".amazonaws.com/news-bot:{tag}")
    pushed = builder.pushes()
    assert {} == builder.planned_actions()
    env.setup()
    assert pushed == builder.pushes()


def test_image_is_pushed_while_other_resources_are_created(builder: Builder) -> None:
    """The push waits here until everything that does not need the image has begun."""
    env, begun = builder.env, threading.Event()
    in_time: list[bool] = []

    def hold(operation: str) -> None:
        if operation == "CreateRule":  # the last call that needs no image
            begun.set()
        if operation == "GetAuthorizationToken":  # the start of a push
            in_time.append(begun.wait(30))

    env.aws_session.before = hold
    assert [] == env.setup().errors
    assert [True] == in_time[:1]
    events = [f"{event} {key.partition('/')[0]}" for event, key, _ in env.events]
    after = events[events.index("done image") :]
    assert {"creating task_definition", "creating service"} <= set(after)


def test_changed_files_give_another_image(builder: Builder) -> None:
    """The plan shows it without fetching anything; setup pushes one small layer; the old image is kept."""
    env = builder.env
    env.setup()
    (tag,) = builder.images()
    before = builder.pushes().count("InitiateLayerUpload")
    (builder.own / "words.txt").write_text("two")
    revisions = ("task_definition/news-bot", "collector_definition/news-bot-collector")
    assert dict.fromkeys(("image", *revisions), "update") == builder.planned_actions()
    assert before == builder.pushes().count("InitiateLayerUpload")
    assert [] == env.setup().errors
    assert before + 2 == builder.pushes().count("InitiateLayerUpload")  # code and configuration
    assert 2 == len(builder.images())
    assert not builder.running_image().endswith(tag)


def test_base_by_tag(builder: Builder) -> None:
    """The image's tag depends on the base's digest; an unreachable registry changes nothing."""
    env = builder.env
    base = "public.ecr.aws/docker/library/python:3.12-slim"
    env.set(image__base=base)
    assert [] == env.setup().errors
    (tag,) = builder.images()
    stack = env.stack()
    assert isinstance(stack.image, Image)
    assert tag != stack.image.inputs.tag
    assert tag == replace(stack.image.inputs, base=f"{base}@{env.sandbox.gallery.digest}").tag
    assert {} == builder.planned_actions()
    env.registries = Registries(lambda: "http://127.0.0.1:9")
    assert {} == builder.planned_actions()
    assert ([], {}) == (env.teardown().left, env.inventory())


def test_plan_lists_the_files(builder: Builder) -> None:
    """Each user file with its size, and what is left out, before anything is created."""
    env = builder.env
    (builder.own / ".env").write_text("A=1")
    (builder.own / "bot").mkdir()
    (builder.own / "bot/phrases\x1b.txt").write_text("x" * 2000)
    for number in range(40):
        (builder.own / f"z{number:02}").write_text("12345")

    def plan_notes() -> list[str]:
        steps = plan(env.engine().inspect(), [], prices("ap-northeast-1")).steps
        (step,) = [step for step in steps if step.key == "image"]
        assert step.notes == step.to_dict().get("notes", [])
        return step.notes

    notes = plan_notes()
    assert ["bot/phrases\x1b.txt (2000 bytes)", "words.txt (3 bytes)"] == notes[:2]
    assert ["12 more files (60 bytes)", "left out: .env"] == notes[-2:]
    assert 32 == len(notes)
    env.setup()
    assert [] == plan_notes()
    output = io.StringIO()
    (builder.own / "words.txt").write_text("three")
    show_steps(plan(env.engine().inspect(), [], prices("ap-northeast-1")).changes, output)
    assert "      words.txt (5 bytes)\n" in output.getvalue()


def test_private_key_in_the_files_stops_setup(builder: Builder) -> None:
    """A private key behind a link is rejected, and nothing is pushed."""
    key = builder.env.path.parent / "id"
    key.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    (builder.own / "readme.txt").symlink_to("../id")
    observation = builder.env.engine().inspect()["image"]
    assert observation.error is not None
    assert "readme.txt: this link points outside the folder" in observation.error.why
    builder.env.setup()
    assert [] == builder.pushes()


def test_restored_files_reuse_the_image(builder: Builder) -> None:
    """An image built before is not built or pushed again."""
    env = builder.env
    env.setup()
    first = builder.running_image()
    for content in ("two", "one"):
        before = builder.pushes()
        (builder.own / "words.txt").write_text(content)
        assert [] == env.setup().errors
    assert before == builder.pushes()
    assert first == builder.running_image()


def test_missing_user_folder(builder: Builder) -> None:
    """Setup reports it; inspection and teardown do not need the folder."""
    env = builder.env
    env.setup()
    shutil.rmtree(builder.own)
    observations = env.engine().inspect()
    refused = [
        key.partition("/")[0] for key, observation in observations.items() if observation.error
    ]
    assert ["image", "task_definition", "collector_definition"] == refused
    errors = plan(observations, [], prices("ap-northeast-1")).errors + env.setup().errors
    then = "Set image.files to a folder next to stack.yaml, or leave it empty."
    assert {(UsageError, then)} == {(type(refusal), refusal.then) for refusal in errors}
    assert ([], []) == ((gone := env.teardown()).left, gone.errors)
    assert {} == env.inventory()


@pytest.mark.sample(1)
@pytest.mark.parametrize("gone", ["image", "tag", "repository"])
def test_image_deleted_by_hand_is_pushed_again(builder: Builder, gone: str) -> None:
    """Whether the image, its tag or the repository was deleted; teardown leaves nothing."""
    env = builder.env
    env.setup()
    ((tag, digest),) = builder.images().items()

    def delete() -> None:
        if gone == "repository":
            builder.ecr.delete_repository(repositoryName="news-bot", force=True)
        else:
            which = {"imageTag": tag} if gone == "tag" else {"imageDigest": digest}
            builder.ecr.batch_delete_image(repositoryName="news-bot", imageIds=[which])

    delete()
    assert "create" == builder.planned_actions()["image"]
    assert [] == env.setup().errors
    assert {tag: digest} == builder.images()
    assert {} == builder.planned_actions()
    delete()
    assert [] == env.teardown().left
    assert {} == env.inventory()


@pytest.mark.parametrize("kind", ["lost", "reset", "error", "throttle"])
@pytest.mark.parametrize("operation", ["CompleteLayerUpload", "PutImage"])
def test_fault_while_pushing(builder: Builder, operation: str, kind: str) -> None:
    """The push is retried in the same run, and there is one image."""
    faults = builder.env.sandbox.cloud.faults
    faults.add({"kind": kind, "service": "ecr", "operation": operation})
    assert [] == builder.env.setup().errors
    assert 1 == len(builder.images())
    assert [] == faults.describe()


def test_endpoint_without_a_registry() -> None:
    """An emulator that returns AWS's own registry: rejected before building, with advice."""
    token = {"proxyEndpoint": "https://1.dkr.ecr.a.amazonaws.com", "authorizationToken": "QVdTOmE="}
    ecr = SimpleNamespace(
        meta=SimpleNamespace(endpoint_url="http://127.0.0.1:5000"),
        get_authorization_token=lambda: {"authorizationData": [token]},
    )
    image = Image(Repository("bot"), lambda: Inputs("python:3", "linux/amd64", b"", {}))
    clients: Any = Clients(SimpleNamespace(ecr=ecr), None, None)  # type: ignore[arg-type]
    with pytest.raises(ProvisionError) as caught:
        image.create(clients)
    assert "the AWS emulator at http://127.0.0.1:5000 has no container registry" == caught.value.why
    assert "image.uri" in caught.value.then


def test_adopted_repository_keeps_foreign_images(builder: Builder) -> None:
    """Teardown deletes only our image."""
    config = {"mediaType": OCI, "layers": []}
    builder.ecr.create_repository(repositoryName="news-bot")
    foreign = {"repositoryName": "news-bot", "imageTag": "theirs"}
    builder.ecr.put_image(imageManifest=json.dumps(config), **foreign)
    builder.env.setup()
    assert 2 == len(builder.images())
    result = builder.env.teardown()
    assert [] == result.left
    assert ["theirs"] == list(builder.images())


def test_switching_to_image_uri_keeps_the_built_image(builder: Builder) -> None:
    """It is kept for rollbacks, and deleted with the stack."""
    env = builder.env
    env.setup()
    env.set(image__uri="example.jp/bot:1")
    assert [] == env.setup().errors
    assert "example.jp/bot:1" == builder.running_image()
    assert 1 == len(builder.images())
    assert [] == env.teardown().left
    assert {} == env.inventory()


def test_recovered_image(builder: Builder) -> None:
    """image.uri stays empty; AWS does not know which files went in."""
    env = builder.env
    env.setup()
    env.path.unlink()
    file, clients = StackFile(env.path), env.clients()
    discovered = DiscoveredSettings(
        list_inventory(clients, env.clock, "news-bot").tagged, clients, "news-bot"
    )
    assert ["image.base", "image.files"] == recovery.write_file(
        file, clients, env.clock, discovered
    )
    assert "" == file.settings["image.uri"]
    assert "created" == file.records["image"].state
    env.set(image__files="own")
    assert {} == builder.planned_actions()


def test_prune_keeps_newest_and_deployable_images(builder: Builder) -> None:
    """Images of revisions that a rollback could use are kept."""
    env = builder.env
    env.setup()
    (first,) = builder.images()
    uri = builder.running_image()
    for number in range(12):
        (builder.own / "words.txt").write_text(str(number))
        env.clock.advance(60)
        stack = env.stack()
        assert isinstance(stack.image, Image)
        stack.image.repository.load_from_api(stack.image.repository.find(env.clients()) or {})
        stack.image.create(env.clients())
        stack.image.repository_name = "news-bot"
    assert 13 == len(builder.images())
    stack.image.prune(env.clients(), lambda: {uri})
    assert 11 == len(builder.images())
    assert first in builder.images()


def test_given_image_of_another_platform_is_rejected(builder: Builder) -> None:
    """Its manifest is read before anything is created, and the error has the fix."""
    env = builder.env
    env.set(image__platform="linux/arm64")
    env.setup()
    uri = builder.running_image()
    env.set(image__uri=uri, image__platform="linux/amd64")
    (refusal,) = env.setup().errors
    assert (f"Could not use the image {uri}.", "it is for linux/arm64, not for linux/amd64") == (
        refusal.what,
        refusal.why,
    )
    assert refusal.then.endswith("--set image.platform=linux/arm64")
    env.set(name="other-bot", line__access_token_parameter="A", line__channel_secret_parameter="B")
    observation = env.engine().inspect()["task_definition/other-bot"]
    assert refusal.why == (observation.error and observation.error.why)
    env.set(image__platform="linux/arm64")
    assert env.engine().inspect()["task_definition/other-bot"].error is None


@pytest.mark.parametrize(
    ("uri", "platform", "why"),
    [
        ("public.ecr.aws/docker/library/python:3.12-slim", "linux/arm64", ""),
        ("public.ecr.aws/docker/library/python:3.12-slim", "linux/s390x", "it is for linux/amd64"),
        ("public.ecr.aws/docker/library/python:2", "linux/s390x", ""),
        ("123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/none:1", "linux/s390x", ""),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com/bot:1", "linux/s390x", ""),
        ("example.jp/bot:1", "linux/s390x", ""),
        ("Example//bot@1", "linux/s390x", ""),
    ],
)
def test_platform_check_of_given_images(
    builder: Builder, uri: str, platform: str, why: str
) -> None:
    """An index in the gallery is checked; images that are missing or elsewhere are not."""
    reason = ""
    try:
        GivenImage(uri).check_platform(builder.env.clients(), platform)
    except ProvisionError as refusal:
        reason = refusal.why
    assert reason.startswith(why)
    assert bool(reason) == bool(why)
