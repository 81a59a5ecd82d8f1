"""The image as a resource: found by what it is made of, built and pushed once, kept, taken away."""

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
from provision.engine.inventory import list_inventory
from provision.engine.plan import plan
from provision.errors import ProvisionError, UsageError
from provision.image.inputs import Inputs
from provision.pricing import prices
from provision.resources.base import Clients
from provision.resources.image import GivenImage, Image
from provision.resources.repository import Repository
from provision.sandbox.web.serving import HttpServer
from provision.state.stack_file import StackFile
from provision.ui.progress import show_steps
from provision.wizard import recovery
from provision.wizard.discovery import DiscoveredSettings
from tests.provision.conftest import Env
from tests.provision.test_image import Shelf

OCI = "application/vnd.oci.image.manifest.v1+json"
PUSHED = ("InitiateLayerUpload", "PutImage")


class Builder:
    """An environment in which the image is built, from a shelf with one small wheel."""

    def __init__(self, env: Env, folder: Path) -> None:
        self.env, self.own = env, folder / "own"
        self.own.mkdir()
        (self.own / "words.txt").write_text("one")
        env.set(image__uri="", image__files="own")

    @property
    def ecr(self) -> Any:
        return self.env.aws_session.client("ecr")

    def images(self) -> dict[str, str]:
        """What is in the repository: digests by tag."""
        found = self.ecr.describe_images(repositoryName="news-bot")["imageDetails"]
        return {tag: i["imageDigest"] for i in found for tag in i.get("imageTags", [""])}

    def asked(self) -> list[str]:
        """What the registry was asked for, besides ECR's API."""
        log = self.env.sandbox.cloud.log
        return [call["operation"] for call in log if call["operation"] in PUSHED]

    def running(self) -> str:
        """The image of the newest task."""
        tasks = self.env.sandbox.tasks
        return str(tasks.started[-1].image)  # type: ignore[attr-defined]

    def planned(self) -> dict[str, str]:
        """What setup would do, where it is anything."""
        changes = plan(self.env.engine().inspect(), [], prices("ap-northeast-1")).changes
        return {step.key: step.action for step in changes}


@pytest.fixture
def builder(env: Env, tmp_path: Path) -> Iterator[Builder]:
    """With ECR's registry and a gallery."""
    servers = [HttpServer(env.sandbox.registry), HttpServer(env.sandbox.gallery)]
    env.sandbox.cloud.registry, gallery = (server.url for server in servers)
    (tmp_path / "cache").mkdir()
    env.registries, env.index = Registries(lambda: gallery), Shelf(tmp_path / "cache")
    yield Builder(env, tmp_path)
    for server in servers:
        server.close()


def test_built_and_pushed_once(builder: Builder) -> None:
    """Setup makes it and runs it; what it is made of being the same, nothing is built again."""
    env = builder.env
    assert [] == env.setup().errors
    ((tag, digest),) = builder.images().items()
    record = StackFile(env.path).records["image"]
    assert (tag, digest) == (record.outputs["tag"], record.outputs["digest"])
    assert env.sandbox.gallery.digest == record.outputs["base_digest"]
    assert builder.running().endswith(f".amazonaws.com/news-bot:{tag}")
    pushed = builder.asked()
    assert {} == builder.planned()
    env.setup()
    assert pushed == builder.asked()


def test_pushed_while_aws_makes_the_rest(builder: Builder) -> None:
    """All that does not need the image is begun meanwhile: here the push is not over before it is."""
    env, begun = builder.env, threading.Event()
    in_time: list[bool] = []

    def hold(operation: str) -> None:
        if operation == "CreateRule":  # of the warm door: the last of what needs no image
            begun.set()
        if operation == "GetAuthorizationToken":  # with which a push begins
            in_time.append(begun.wait(30))

    env.aws_session.before = hold
    assert [] == env.setup().errors
    assert [True] == in_time[:1]
    told = [f"{event} {key.partition('/')[0]}" for event, key, _ in env.events]
    after = told[told.index("done image") :]
    assert {"creating task_definition", "creating service"} <= set(after)


def test_other_files_other_image(builder: Builder) -> None:
    """The plan says so and fetches nothing; setup pushes one small layer more; the old image stays."""
    env = builder.env
    env.setup()
    (tag,) = builder.images()
    before = builder.asked().count("InitiateLayerUpload")
    (builder.own / "words.txt").write_text("two")
    revisions = ("task_definition/news-bot", "collector_definition/news-bot-collector")
    assert dict.fromkeys(("image", *revisions), "update") == builder.planned()
    assert before == builder.asked().count("InitiateLayerUpload")
    assert [] == env.setup().errors
    assert before + 2 == builder.asked().count("InitiateLayerUpload")  # code and configuration
    assert 2 == len(builder.images())
    assert not builder.running().endswith(tag)


def test_base_given_by_its_tag(builder: Builder) -> None:
    """The image's tag is of the digest that the base has; a registry that is silent changes nothing."""
    env = builder.env
    base = "public.ecr.aws/docker/library/python:3.12-slim"
    env.set(image__base=base)
    assert [] == env.setup().errors
    (tag,) = builder.images()
    stack = env.stack()
    assert isinstance(stack.image, Image)
    assert tag != stack.image.inputs.tag
    assert tag == replace(stack.image.inputs, base=f"{base}@{env.sandbox.gallery.digest}").tag
    assert {} == builder.planned()
    env.registries = Registries(lambda: "http://127.0.0.1:9")
    assert {} == builder.planned()
    assert ([], {}) == (env.teardown().left, env.inventory())


def test_plan_names_the_files(builder: Builder) -> None:
    """Each file of the person's with its size, and what is left out, before anything is made or changed."""
    env = builder.env
    (builder.own / ".env").write_text("A=1")
    (builder.own / "bot").mkdir()
    (builder.own / "bot/phrases\x1b.txt").write_text("x" * 2000)
    for number in range(40):
        (builder.own / f"z{number:02}").write_text("12345")

    def noted() -> list[str]:
        steps = plan(env.engine().inspect(), [], prices("ap-northeast-1")).steps
        (step,) = [step for step in steps if step.key == "image"]
        assert step.notes == step.shown().get("notes", [])
        return step.notes

    notes = noted()
    assert ["'bot/phrases\\x1b.txt' (2000 bytes)", "words.txt (3 bytes)"] == notes[:2]
    assert ["12 more files (60 bytes)", "left out: .env"] == notes[-2:]
    assert 32 == len(notes)
    env.setup()
    assert [] == noted()
    told = io.StringIO()
    (builder.own / "words.txt").write_text("three")
    show_steps(plan(env.engine().inspect(), [], prices("ap-northeast-1")).changes, told)
    assert "      words.txt (5 bytes)\n" in told.getvalue()


def test_files_with_a_key_stop_everything(builder: Builder) -> None:
    """A private key behind a link: refused before anything is made, and nothing of it is pushed."""
    key = builder.env.path.parent / "id"
    key.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    (builder.own / "readme.txt").symlink_to("../id")
    observation = builder.env.engine().inspect()["image"]
    assert observation.refusal is not None
    assert "readme.txt: this link points outside the folder" in observation.refusal.why
    builder.env.setup()
    assert [] == builder.asked()


def test_files_as_they_were(builder: Builder) -> None:
    """What was built before is there still: nothing is built or pushed, and it runs again."""
    env = builder.env
    env.setup()
    first = builder.running()
    for content in ("two", "one"):
        before = builder.asked()
        (builder.own / "words.txt").write_text(content)
        assert [] == env.setup().errors
    assert before == builder.asked()
    assert first == builder.running()


def test_folder_gone(builder: Builder) -> None:
    """Setup says so, and what it needs no folder for goes on: another look, a teardown."""
    env = builder.env
    env.setup()
    shutil.rmtree(builder.own)
    observations = env.engine().inspect()
    refused = [
        key.partition("/")[0] for key, observation in observations.items() if observation.refusal
    ]
    assert ["image", "task_definition", "collector_definition"] == refused
    told = plan(observations, [], prices("ap-northeast-1")).errors + env.setup().errors
    then = "Set image.files to a folder next to stack.yaml, or leave it empty."
    assert {(UsageError, then)} == {(type(refusal), refusal.then) for refusal in told}
    assert ([], []) == ((gone := env.teardown()).left, gone.errors)
    assert {} == env.inventory()


@pytest.mark.parametrize("gone", ["image", "tag", "repository"])
def test_deleted_by_hand(builder: Builder, gone: str) -> None:
    """The image, its tag, or the repository with all that is in it: pushed again; teardown leaves nothing."""
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
    assert "create" == builder.planned()["image"]
    assert [] == env.setup().errors
    assert {tag: digest} == builder.images()
    assert {} == builder.planned()
    delete()
    assert [] == env.teardown().left
    assert {} == env.inventory()


@pytest.mark.parametrize("kind", ["lost", "reset", "error", "throttle"])
@pytest.mark.parametrize("operation", ["CompleteLayerUpload", "PutImage"])
def test_fault_while_pushing(builder: Builder, operation: str, kind: str) -> None:
    """Asked again in the same walk, and there is one image."""
    faults = builder.env.sandbox.cloud.faults
    faults.add({"kind": kind, "service": "ecr", "operation": operation})
    assert [] == builder.env.setup().errors
    assert 1 == len(builder.images())
    assert [] == faults.shown()


def test_endpoint_without_a_registry() -> None:
    """An emulator that names AWS's own registry: refused before anything is built, with the way out."""
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


def test_repository_of_theirs_keeps_their_images(builder: Builder) -> None:
    """Adopted, it stays with what they pushed; ours goes."""
    config = {"mediaType": OCI, "layers": []}
    builder.ecr.create_repository(repositoryName="news-bot")
    theirs = {"repositoryName": "news-bot", "imageTag": "theirs"}
    builder.ecr.put_image(imageManifest=json.dumps(config), **theirs)
    builder.env.setup()
    assert 2 == len(builder.images())
    gone = builder.env.teardown()
    assert [] == gone.left
    assert ["theirs"] == list(builder.images())


def test_image_of_their_own_later(builder: Builder) -> None:
    """image.uri names another: what was built stays for the earlier versions, and goes with the stack."""
    env = builder.env
    env.setup()
    env.set(image__uri="example.jp/bot:1")
    assert [] == env.setup().errors
    assert "example.jp/bot:1" == builder.running()
    assert 1 == len(builder.images())
    assert [] == env.teardown().left
    assert {} == env.inventory()


def test_lost_file(builder: Builder) -> None:
    """image.uri stays empty; which files of their own went in, AWS does not tell."""
    env = builder.env
    env.setup()
    env.path.unlink()
    file, clients = StackFile(env.path), env.clients()
    discovered = DiscoveredSettings(
        list_inventory(clients, env.clock, "news-bot").tagged, clients, "news-bot"
    )
    assert ["image.base", "image.files"] == recovery.write(file, clients, env.clock, discovered)
    assert "" == file.settings["image.uri"]
    assert "created" == file.records["image"].state
    env.set(image__files="own")
    assert {} == builder.planned()


def test_pruned_but_for_what_can_be_run(builder: Builder) -> None:
    """The newest stay, and those of revisions that a deploy can go back to."""
    env = builder.env
    env.setup()
    (first,) = builder.images()
    uri = builder.running()
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


def test_given_image_of_another_processor(builder: Builder) -> None:
    """Its manifest is read: refused before anything is made, and before a revision is, with the fix."""
    env = builder.env
    env.set(image__platform="linux/arm64")
    env.setup()
    uri = builder.running()
    env.set(image__uri=uri, image__platform="linux/amd64")
    (refusal,) = env.setup().errors
    assert (f"Could not use the image {uri}.", "it is for linux/arm64, not for linux/amd64") == (
        refusal.what,
        refusal.why,
    )
    assert refusal.then.endswith("--set image.platform=linux/arm64")
    env.set(name="other-bot", line__access_token_parameter="A", line__channel_secret_parameter="B")
    observation = env.engine().inspect()["task_definition/other-bot"]
    assert refusal.why == (observation.refusal and observation.refusal.why)
    env.set(image__platform="linux/arm64")
    assert env.engine().inspect()["task_definition/other-bot"].refusal is None


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
def test_what_is_read_of_a_given_image(builder: Builder, uri: str, platform: str, why: str) -> None:
    """An index in the gallery; not what is not there, nor what lies elsewhere."""
    said = ""
    try:
        GivenImage(uri).fits(builder.env.clients(), platform)
    except ProvisionError as refusal:
        said = refusal.why
    assert said.startswith(why)
    assert bool(said) == bool(why)
