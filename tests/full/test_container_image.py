"""The image for real: Debian's registry, a base that debootstrap made, and podman runs what was pulled.

`make full`; as root, with debootstrap, docker-registry, podman and runc installed, else skipped. The
base is made once and kept in this user's cache.
"""

import hashlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import tarfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from provision.clients.package_index import PackageIndex, cache_folder
from provision.clients.registry import OCI_MANIFEST, Blob, Manifest, Registries, Remote, sha256
from provision.image import inputs
from provision.image.inputs import Inputs
from provision.image.push import push
from provision.sandbox.clock import RunningClock
from provision.sandbox.line.platform import LinePlatform
from provision.sandbox.web.serving import HttpServer

NEEDED = ("debootstrap", "docker-registry", "podman", "runc")
# podman asks for more than a container in a container may have.
LIMITS = ("--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024")
PACKAGES = "python3,python-is-python3,python3-pip"
ROOT = Path(__file__).parent.parent.parent
BASE = "public.ecr.aws/debian/python:bookworm"
LAYER = "application/vnd.oci.image.layer.v1.tar"
CONFIG = "application/vnd.oci.image.config.v1+json"
TINY = 1_000_000  # bytes that a change of the code may cost

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(
        any(shutil.which(name) is None for name in NEEDED) or os.geteuid() != 0,
        reason=f"as root, with {', '.join(NEEDED)}",
    ),
]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(what: Any, seconds: float = 60) -> Any:
    """What it gives, once it gives anything; AssertionError after so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if found := what():
                return found
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.2)
    raise AssertionError(f"nothing after {seconds} s")


@pytest.fixture(scope="module")
def root() -> Path:
    """A tar of Debian with its Python."""
    made = cache_folder() / "tests" / "debian-python.tar"
    if not made.exists():
        folder = made.with_suffix("")
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm"]
        subprocess.run([*command, str(folder)], check=True, stdout=subprocess.DEVNULL)
        shutil.rmtree(folder / "var/cache/apt")
        with tarfile.open(made.with_suffix(".draft"), "w") as tar:
            tar.add(
                folder, "", filter=lambda e: None if e.name.startswith(("dev/", "proc/")) else e
            )
        shutil.rmtree(folder)
        made.with_suffix(".draft").rename(made)
    return made


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Debian's docker-registry, empty."""
    folder, port = tmp_path_factory.mktemp("registry"), free_port()
    settings = folder / "config.yml"
    settings.write_text(
        f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {folder}/data}}}}\n"
        f'http: {{addr: "127.0.0.1:{port}"}}\n'
    )
    command = ["docker-registry", "serve", str(settings)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        until(lambda: socket.create_connection(("127.0.0.1", port), 1).close() or True)
        yield f"http://127.0.0.1:{port}"
        process.terminate()


def into(registry: str, repository: str) -> Remote:
    """A repository of it, which wants no password."""
    return Registries().private(registry, repository, "")


@pytest.fixture(scope="module")
def based(root: Path, registry: str) -> Registries:
    """Registries whose public gallery is that registry, with the base in it."""
    with root.open("rb") as stream:
        digest = f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
    told = {
        "architecture": "amd64",
        "os": "linux",
        "created": "2026-10-01T00:00:00Z",
        "config": {"Env": ["PATH=/usr/bin:/bin", "PYTHON_VERSION=3.11.2"]},
        "rootfs": {"type": "layers", "diff_ids": [digest]},
        "history": [{"created": "2026-10-01T00:00:00Z", "created_by": "debootstrap"}],
    }
    content = json.dumps(told).encode()
    at = into(registry, "debian/python")
    at.push(Blob(digest, root.stat().st_size, LAYER, lambda: pieces(root)))
    at.push(Blob(sha256(content), len(content), CONFIG, lambda: [content]))
    layer = {"mediaType": LAYER, "digest": digest, "size": root.stat().st_size}
    config = {"mediaType": CONFIG, "digest": sha256(content), "size": len(content)}
    manifest = json.dumps(
        {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [layer]}
    ).encode()
    at.put("bookworm", Manifest(OCI_MANIFEST, sha256(manifest), manifest))
    return Registries(lambda: registry)


def pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while piece := stream.read(1 << 20):
            yield piece


@pytest.fixture(scope="module")
def made_of() -> Inputs:
    """This checkout's bot on that base."""
    return inputs.of(BASE, "linux/amd64", Path(), "")


@pytest.fixture(scope="module")
def pushed(based: Registries, registry: str, made_of: Inputs) -> str:
    """The bot's image in the registry; its digest."""
    image, _base = inputs.build(made_of, based, PackageIndex())
    assert TINY < push(image, into(registry, "bot"), made_of.tag, print)
    return image.manifest.digest


def test_second_build_pushes_nothing(
    based: Registries, registry: str, made_of: Inputs, pushed: str, tmp_path: Path
) -> None:
    """Built anew from wheels that were fetched anew: the same digest, and no byte goes out."""
    image, _base = inputs.build(made_of, based, PackageIndex(lambda: tmp_path))
    assert pushed == image.manifest.digest
    assert 0 == push(image, into(registry, "bot"), made_of.tag, print)


def test_change_of_the_code_is_small(
    based: Registries, registry: str, made_of: Inputs, pushed: str
) -> None:
    """Under a megabyte."""
    changed = replace(made_of, files={**made_of.files, "bot/more.py": b"more = 1\n"})
    image, _base = inputs.build(changed, based, PackageIndex())
    assert pushed != image.manifest.digest
    assert 0 < push(image, into(registry, "bot"), changed.tag, print) < TINY


def line_that_calls(port: int) -> LinePlatform:
    """A LINE whose webhook endpoint is on this port."""

    def deliver(
        url: str, body: bytes, headers: dict[str, str], timeout: float
    ) -> tuple[int, bytes]:
        return asked(port, "POST", "/webhook", body, headers), b""

    line = LinePlatform(deliver, lambda name: [], RunningClock(1))
    line.endpoint = "https://bot.example/webhook"
    return line


@pytest.fixture
def container(
    registry: str, made_of: Inputs, pushed: str
) -> Iterator[tuple[str, int, LinePlatform]]:
    """What podman pulled and runs as Fargate would, its port, and the LINE it answers to."""
    name, port = f"{registry.removeprefix('http://')}/bot:{made_of.tag}", free_port()
    subprocess.run(["podman", "pull", "--quiet", "--tls-verify=false", name], check=True)
    line = line_that_calls(port)
    server = HttpServer(line.wsgi)
    environment = {
        "PORT": str(port),
        "HOST": "127.0.0.1",
        "ACCESS_TOKEN": line.access_token,
        "CHANNEL_SECRET": line.channel_secret,
        "LINE_API_URL": server.url,
        "LINGER_SECONDS": "0",
    }
    given = [word for pair in environment.items() for word in ("--env", "=".join(pair))]
    flags = ["--detach", "--read-only", "--read-only-tmpfs=false", "--network=host"]
    run = ["podman", "--runtime=runc", "run", *LIMITS, *flags, *given, name]
    which = subprocess.run(run, check=True, capture_output=True, text=True).stdout.strip()
    yield which, port, line
    print(subprocess.run(["podman", "logs", which], capture_output=True, text=True).stderr[-3000:])
    subprocess.run(["podman", "rm", "--force", "--time=5", which], capture_output=True)
    server.close()


def test_it_runs(container: tuple[str, int, LinePlatform]) -> None:
    """Nobody's user, a file system that is read only; healthy, and a person gets an answer."""
    which, port, line = container
    assert 200 == until(lambda: asked(port, "GET", "/healthz"))
    user = "import os; print(os.getuid())"
    assert "10001" == python(which, user).stdout.strip()
    assert "Read-only file system" in python(which, "open('/app/a', 'w')").stderr
    told = line.send("help", "U" + "1" * 32)
    assert (200, 1) == (told["status"], len(told["reply"]))
    assert 400 <= asked(port, "POST", "/webhook", b"{}", {"X-Line-Signature": "no"}) < 500


def python(container: str, code: str) -> subprocess.CompletedProcess[str]:
    """A few words of Python in the container."""
    command = ["podman", "exec", container, "python", "-c", code]
    return subprocess.run(command, capture_output=True, text=True)


LISTING = """
import hashlib, os
for folder, _, names in os.walk("/app"):
    for name in names:
        path = os.path.join(folder, name)
        with open(path, "rb") as stream:
            print(path, hashlib.sha256(stream.read()).hexdigest())
"""
PIPS = ("RECORD", "INSTALLER", "REQUESTED")  # what pip notes beside a package


def test_dockerfile_builds_the_same(
    based: Registries, registry: str, made_of: Inputs, pushed: str, tmp_path: Path
) -> None:
    """podman builds bot/Dockerfile on the same base: the same files in /app, the same settings."""
    host = registry.removeprefix("http://")
    wheels = PackageIndex().wheels(made_of.lock, "3.11", "linux/amd64")
    (tmp_path / "pip.conf").write_text("[global]\nno-index = true\nfind-links = /wheels\n")
    subprocess.run(
        [
            *("podman", "--runtime=runc", "build", "--quiet", *LIMITS, "--tls-verify=false"),
            *("--from", f"{host}/debian/python:bookworm", "--network=none"),
            *("--volume", f"{wheels[0].parent}:/wheels:ro"),
            *("--volume", f"{tmp_path}/pip.conf:/etc/pip.conf:ro"),
            *("--file", str(ROOT / "bot/Dockerfile"), "--tag", "localhost/bot:docker", str(ROOT)),
        ],
        check=True,
    )
    ours = f"{host}/bot:{made_of.tag}"
    subprocess.run(["podman", "pull", "--quiet", "--tls-verify=false", ours], check=True)
    assert listing(ours) == listing("localhost/bot:docker")
    assert settings(ours) == settings("localhost/bot:docker")


def listing(image: str) -> dict[str, str]:
    """The digests of the files in /app, but for what pip notes."""
    run = ["podman", "--runtime=runc", "run", "--rm", *LIMITS, image, "python", "-c", LISTING]
    told = subprocess.run(run, check=True, capture_output=True, text=True).stdout
    found = dict(line.split() for line in told.splitlines())
    return {path: digest for path, digest in found.items() if not path.endswith(PIPS)}


def settings(image: str) -> dict[str, Any]:
    """What its configuration says."""
    told = subprocess.run(["podman", "inspect", image], check=True, capture_output=True, text=True)
    config = json.loads(told.stdout)[0]["Config"]
    named = ("User", "WorkingDir", "Cmd", "ExposedPorts", "Entrypoint")
    return {**{name: config.get(name) for name in named}, "Env": sorted(config["Env"])}


def asked(
    port: int, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> int:
    """The status of one request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(method, path, body, headers or {})
        return connection.getresponse().status
    finally:
        connection.close()
