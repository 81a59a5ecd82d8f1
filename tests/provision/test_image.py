"""Building the image: reproducible layers, their content, and the tag derived from the inputs."""

import ast
import io
import json
import re
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from provision.clients.package_index import PackageIndex
from provision.clients.registry import Registries, sha256
from provision.console.server import HttpServer
from provision.errors import ProvisionError, UsageError
from provision.image import base as bases
from provision.image import code, inputs, layer, own, wheels
from provision.image.assembled import COMMAND, ENVIRONMENT, HOME, PACKAGES, PORT, USER, assemble
from provision.image.base import Base
from provision.image.inputs import Inputs
from provision.image.reference import parse
from provision.sandbox.aws.ecr.public_gallery import Gallery

FILES = {"bot/app.py": b"print()\n", "bot/samples/a.json": b"[]"}
BASE = Base("sha256:of-the-index", {"architecture": "amd64", "os": "linux"}, ())
DIGEST = "sha256:" + "0" * 64


def layer_members(found: layer.Layer) -> dict[str, tarfile.TarInfo]:
    """Return the members of a layer by name."""
    packed = io.BytesIO(b"".join(found.blob.read()))
    with tarfile.open(fileobj=packed, mode="r:gz") as tar:
        return {member.name: member for member in tar.getmembers()}


def make_wheel(folder: Path, name: str = "thing") -> Path:
    """Create a small wheel with four kinds of data."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}/__init__.py", "one = 1\n")
        archive.writestr(f"{name}-1.0.data/purelib/{name}_pure.py", "")
        archive.writestr(f"{name}-1.0.data/platlib/{name}_fast.so", "")
        archive.writestr(f"{name}-1.0.data/scripts/{name}", "#!python\n")
        archive.writestr(f"{name}-1.0.dist-info/METADATA", f"Name: {name}\nVersion: 1.0\n")
        metadata = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        archive.writestr(f"{name}-1.0.dist-info/WHEEL", metadata)
    return path


def test_layer_is_reproducible() -> None:
    """Whatever the order or the time, and without anything of this machine."""
    one = layer.in_memory([("b/2", b"two"), ("a/b/1", b"one")], "")
    other = layer.in_memory([("a/b/1", b"one"), ("b/2", b"two")], "")
    assert (one.blob.digest, one.diff_id) == (other.blob.digest, other.diff_id)
    members = layer_members(one)
    assert ["a", "a/b", "a/b/1", "b", "b/2"] == list(members)
    assert {(0, 0, 0, "", "")} == {
        (m.mtime, m.uid, m.gid, m.uname, m.gname) for m in members.values()
    }
    assert (0o755, 0o644) == (members["a"].mode, members["b/2"].mode)


def test_layer_digests() -> None:
    """The blob's digest is of the bytes that are sent, diff_id of the tar inside."""
    import gzip

    made = layer.in_memory([("a", b"x" * 100_000)], "")
    packed = b"".join(made.blob.read())
    assert (sha256(packed), len(packed)) == (made.blob.digest, made.blob.size)
    assert sha256(gzip.decompress(packed)) == made.diff_id


def test_wheels_unpack_as_pip_would(tmp_path: Path) -> None:
    """Modules and metadata go below the packages folder; scripts are left out."""
    places = dict(wheels.unpack([make_wheel(tmp_path)]))
    assert [
        f"{PACKAGES}/thing/__init__.py",
        f"{PACKAGES}/thing_pure.py",
        f"{PACKAGES}/thing_fast.so",
        f"{PACKAGES}/thing-1.0.dist-info/METADATA",
        f"{PACKAGES}/thing-1.0.dist-info/WHEEL",
    ] == list(places)


class FakePackageIndex(PackageIndex):
    """An index with one wheel, which records its requests."""

    def __init__(self, folder: Path) -> None:
        super().__init__(lambda: folder)
        self.requests: list[tuple[str, str]] = []

    def wheels(self, lock: bytes, python: str, platform: str) -> list[Path]:
        self.requests.append((python, platform))
        return [make_wheel(self.folder())]


def test_layer_of_wheels(tmp_path: Path) -> None:
    """The index is asked each time, as it compares the wheels with the lock; no layer is cached on disk."""
    index = FakePackageIndex(tmp_path)
    made = [wheels.wheels(index, b"lock", "3.12", "linux/amd64") for _ in range(2)]
    assert made[0].blob.digest == made[1].blob.digest
    assert [("3.12", "linux/amd64")] * 2 == index.requests
    assert ["thing-1.0-py3-none-any.whl"] == [path.name for path in tmp_path.rglob("*")]


def test_code_is_the_bot_overlaid_with_user_files(tmp_path: Path) -> None:
    """All modules and samples, no caches or hidden files; the user's files take precedence."""
    (tmp_path / "bot/samples").mkdir(parents=True)
    (tmp_path / "bot/samples/articles.json").write_bytes(b"[]")
    (tmp_path / "own.txt").write_bytes(b"own")
    for hidden in (".env", ".git/config", "__pycache__/own.pyc"):
        (tmp_path / hidden).parent.mkdir(exist_ok=True)
        (tmp_path / hidden).write_bytes(b"secret")
    found = code.files(own.read(tmp_path, tmp_path.parent).files)
    assert b"[]" == found["bot/samples/articles.json"]
    assert b"own" == found["own.txt"]
    assert {"bot/app.py", "bot/__main__.py"} <= found.keys()
    assert [] == [path for path in found if "__pycache__" in path or path.endswith(".in")]
    assert b"secret" not in found.values()
    assert f"{HOME}/bot/app.py" in layer_members(code.code(found))


def test_missing_user_folder(tmp_path: Path) -> None:
    """It is a usage error."""
    with pytest.raises(UsageError, match="is not a folder"):
        own.read(tmp_path / "nowhere", tmp_path)


@pytest.mark.parametrize(
    "other",
    [
        {"base": "python:3.13"},
        {"platform": "linux/arm64"},
        {"lock": b"other"},
        {"files": {**FILES, "bot/app.py": b"print(1)\n"}},
        {"files": {"bot/app2.py": b"print()\n", "bot/samples/a.json": b"[]"}},
    ],
)
def test_tag_depends_on_all_inputs(other: dict[str, Any]) -> None:
    """The same inputs give the same tag; any other input another."""
    given = {"base": "python:3.12", "platform": "linux/amd64", "lock": b"lock", "files": FILES}
    one = Inputs(**given).tag
    assert one == Inputs(**{**given, "files": dict(reversed(FILES.items()))}).tag
    assert one != Inputs(**{**given, **other}).tag
    assert re.fullmatch(r"provision-[0-9a-f]{20}", one)


def test_tag_depends_on_where_a_name_ends() -> None:
    """Moving a byte from a file's name to its content gives another image."""
    tags = {
        Inputs("base", "linux/amd64", b"", files).tag
        for files in ({"ab": b"c"}, {"a": b"bc"}, {"abc": b""}, {"a": b"b", "c": b""})
    }
    assert 4 == len(tags)


def test_configuration_extends_the_bases() -> None:
    """The base's PATH is kept; user, folder, command and port are ours; histories are concatenated."""
    base_config = {
        **BASE.config,
        "created": "2026-10-01T00:00:00Z",
        "config": {"Env": ["PATH=/usr/bin", "PYTHONUNBUFFERED=0"], "User": "root"},
        "rootfs": {"diff_ids": ["sha256:base"]},
        "history": [{"created_by": "base"}],
    }
    ours = layer.in_memory([("app/a", b"")], "ours")
    image = assemble(Base("sha256:of-the-index", base_config, ()), [ours])
    config = json.loads(b"".join(image.blobs[-1].read()))
    assert ["PATH=/usr/bin", *(f"{k}={v}" for k, v in ENVIRONMENT.items())] == config["config"][
        "Env"
    ]
    assert ("10001:10001", "/app") == (config["config"]["User"], config["config"]["WorkingDir"])
    assert ["sha256:base", ours.diff_id] == config["rootfs"]["diff_ids"]
    assert ["base", "ours"] == [entry["created_by"] for entry in config["history"]]
    assert "2026-10-01T00:00:00Z" == config["created"]


def test_build_is_reproducible(tmp_path: Path) -> None:
    """From the base's bytes to the manifest's."""
    gallery = HttpServer(Gallery())
    made = []
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        given = Inputs(bases.DEFAULT, "linux/arm64", b"lock", FILES)
        made.append(
            inputs.build(given, Registries(lambda: gallery.url), FakePackageIndex(folder))[0]
        )
    gallery.close()
    assert made[0].manifest == made[1].manifest
    config = json.loads(b"".join(made[0].blobs[-1].read()))
    assert "arm64" == config["architecture"]


def test_mirror_must_have_the_pinned_image() -> None:
    """With PROVISION_REGISTRY the default's digest is requested, so another image is never built on."""
    mirror = Gallery()  # it has another image with the default's name and tag
    server = HttpServer(mirror)
    registries = Registries(mirror=lambda: server.url)
    with pytest.raises(ProvisionError, match="MANIFEST_UNKNOWN"):
        bases.read(registries, bases.DEFAULT, "linux/amd64")
    given = Inputs(bases.DEFAULT, "linux/amd64", b"lock", FILES)
    with pytest.raises(ProvisionError, match="sha256:dddfd7e07f9d15ae"):
        inputs.build(given, registries, PackageIndex(lambda: Path("/nowhere")))
    digest, name = mirror.digest, "public.ecr.aws/docker/library/python"
    assert digest == bases.read(registries, f"{name}:3.12-slim@{digest}", "linux/amd64").digest
    server.close()


def test_tag_depends_on_the_bases_digest() -> None:
    """Without an answer the digest used before is kept."""
    gallery = Gallery()
    server = HttpServer(gallery)
    base = "public.ecr.aws/docker/library/python:3.12-slim"
    given = Inputs(base, "linux/amd64", b"lock", FILES)
    registries = Registries(mirror=lambda: server.url)
    now = inputs.pin(given, registries, "")
    assert f"{base}@{gallery.digest}" == now.base
    assert now.tag != given.tag
    assert now == inputs.pin(now, Registries(mirror=lambda: "http://127.0.0.1:9"), "")
    server.close()
    silent = Registries(mirror=lambda: "http://127.0.0.1:9")
    assert f"{base}@{DIGEST}" == inputs.pin(given, silent, DIGEST).base
    assert given == inputs.pin(given, silent, "")


def test_base_without_the_platform_is_rejected() -> None:
    """The error lists the platforms it has."""
    gallery = Gallery()
    server = HttpServer(gallery)
    pinned = f"public.ecr.aws/docker/library/python@{gallery.digest}"
    registries = Registries(lambda: server.url)
    assert "3.12" == bases.read(registries, pinned, "linux/amd64").python
    with pytest.raises(
        ProvisionError, match="it is for linux/amd64, linux/arm64, not for linux/s390x"
    ):
        bases.read(registries, pinned, "linux/s390x")
    with pytest.raises(ProvisionError, match="MANIFEST_UNKNOWN"):
        bases.read(registries, f"public.ecr.aws/docker/library/python@{DIGEST}", "linux/amd64")
    server.close()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("public.ecr.aws/a/b:1", ("public.ecr.aws", "a/b", "1")),
        ("localhost:5000/bot", ("localhost:5000", "bot", "latest")),
        ("localhost/bot:1", ("localhost", "bot", "1")),
        (f"example.jp/bot:1@{DIGEST}", ("example.jp", "bot", DIGEST)),
        ("python:3.12-slim", ("registry-1.docker.io", "library/python", "3.12-slim")),
        ("someone/python", ("registry-1.docker.io", "someone/python", "latest")),
        ("docker.io/someone/python", ("registry-1.docker.io", "someone/python", "latest")),
    ],
)
def test_parse_reference_as_docker_does(text: str, expected: tuple[str, str, str]) -> None:
    """Registry, repository, and tag or digest."""
    reference = parse(text)
    assert expected == (reference.host, reference.repository, reference.tag_or_digest)


@pytest.mark.parametrize("text", ["", "UPPER/case", "a b", "example.jp/bot@sha256:12"])
def test_invalid_reference(text: str) -> None:
    """ValueError."""
    with pytest.raises(ValueError):  # noqa: PT011
        parse(text)


def _list_in_setup(name: str) -> list[str]:
    tree = ast.parse((code.BOT.parent / "setup.py").read_text())
    (found,) = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name
    ]
    return list(ast.literal_eval(found))


def test_lock_matches_setup_py() -> None:
    """requirements.in equals setup.py's `bot`, and the lock contains each package with hashes."""
    lines = (code.BOT / "requirements.in").read_text().splitlines()
    wanted = [line for line in lines if not line.startswith("#")]
    assert sorted(_list_in_setup("bot")) == sorted(wanted)
    lock = inputs.LOCK.read_text()
    locked = re.findall(r"^([a-z0-9-]+)==\S+ \\\n    --hash=sha256:[0-9a-f]{64}", lock, re.M)
    assert {re.split(r"[<>=]", line)[0] for line in wanted} <= set(locked)
    assert len(re.findall(r"^\S+==", lock, re.M)) == len(locked)


def test_dockerfile_matches_the_build() -> None:
    """bot/Dockerfile has the same base, environment, user, folder, port and command."""
    dockerfile = (code.BOT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [
        line.split(None, 1) for line in dockerfile.splitlines() if line and line[0] not in "# "
    ]
    instructions = {name: rest for name, rest in lines if name not in ("COPY", "RUN")}
    environment = dict(pair.split("=", 1) for pair in instructions["ENV"].split())
    assert bases.DEFAULT == instructions["FROM"]
    assert environment == ENVIRONMENT
    assert (USER, f"/{HOME}") == (instructions["USER"], instructions["WORKDIR"])
    assert (PORT.partition("/")[0], list(COMMAND)) == (
        instructions["EXPOSE"],
        json.loads(instructions["CMD"]),
    )


@pytest.mark.parametrize(
    ("config", "python", "environment"),
    [
        ({}, "", {}),
        ({"config": None}, "", {}),
        ({"config": {"Env": None}}, "", {}),
        (
            {"config": {"Env": ["DEBUG", "PYTHON_VERSION=3.12.15", "A=b=c"]}},
            "3.12",
            {"DEBUG": "", "PYTHON_VERSION": "3.12.15", "A": "b=c"},
        ),
    ],
)
def test_a_base_of_somebody(
    config: dict[str, Any], python: str, environment: dict[str, str]
) -> None:
    """Without a configuration, or with a variable that has no value: no version, and no exception."""
    base = Base("sha256:b5b2", config, ())
    assert (python, environment) == (base.python, base.environment)
