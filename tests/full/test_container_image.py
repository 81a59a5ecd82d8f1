"""The image in a real container: Debian's registry, a base made by debootstrap, run by podman.

`make full`; as root, with debootstrap, docker-registry, podman and runc installed, otherwise skipped. The
base is built once and kept in the user's cache.
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
from provision.console.server import HttpServer
from provision.image import inputs
from provision.image.inputs import Inputs
from provision.image.push import push
from provision.sandbox.clock import RunningClock
from provision.sandbox.line.platform import LinePlatform

NEEDED = ("debootstrap", "docker-registry", "podman", "runc")
# podman's defaults exceed the limits of a container in a container.
LIMITS = ("--ulimit=nofile=1024:1024", "--ulimit=nproc=1024:1024")
PACKAGES = "python3,python-is-python3,python3-pip"
ROOT = Path(__file__).parent.parent.parent
BASE = "public.ecr.aws/debian/python:bookworm"
LAYER = "application/vnd.oci.image.layer.v1.tar"
CONFIG = "application/vnd.oci.image.config.v1+json"
TINY = 1_000_000  # the most bytes that a change of the code may need

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


def wait_for(what: Any, seconds: float = 60) -> Any:
    """Return the function's first true result. Raise AssertionError after so many seconds."""
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
def root_filesystem() -> Path:
    """Return a tar of Debian with its Python."""
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
    """Yield the URL of an empty docker-registry."""
    folder, port = tmp_path_factory.mktemp("registry"), free_port()
    config = folder / "config.yml"
    config.write_text(
        f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {folder}/data}}}}\n"
        f'http: {{addr: "127.0.0.1:{port}"}}\n'
    )
    command = ["docker-registry", "serve", str(config)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_for(lambda: socket.create_connection(("127.0.0.1", port), 1).close() or True)
        yield f"http://127.0.0.1:{port}"
        process.terminate()


def repository_client(registry: str, repository: str) -> Remote:
    """Return a client of a repository, which needs no password."""
    return Registries().private(registry, repository, "")


@pytest.fixture(scope="module")
def registries(root_filesystem: Path, registry: str) -> Registries:
    """Return registries whose public gallery is that registry, with the base in it."""
    with root_filesystem.open("rb") as stream:
        digest = f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
    image_config = {
        "architecture": "amd64",
        "os": "linux",
        "created": "2026-10-01T00:00:00Z",
        "config": {"Env": ["PATH=/usr/bin:/bin", "PYTHON_VERSION=3.11.2"]},
        "rootfs": {"type": "layers", "diff_ids": [digest]},
        "history": [{"created": "2026-10-01T00:00:00Z", "created_by": "debootstrap"}],
    }
    content = json.dumps(image_config).encode()
    at = repository_client(registry, "debian/python")
    at.push(Blob(digest, root_filesystem.stat().st_size, LAYER, lambda: chunks(root_filesystem)))
    at.push(Blob(sha256(content), len(content), CONFIG, lambda: [content]))
    layer = {"mediaType": LAYER, "digest": digest, "size": root_filesystem.stat().st_size}
    config = {"mediaType": CONFIG, "digest": sha256(content), "size": len(content)}
    manifest = json.dumps(
        {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [layer]}
    ).encode()
    at.put("bookworm", Manifest(OCI_MANIFEST, sha256(manifest), manifest))
    return Registries(lambda: registry)


def chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while piece := stream.read(1 << 20):
            yield piece


@pytest.fixture(scope="module")
def image_inputs() -> Inputs:
    """Return the inputs: this checkout's bot on that base."""
    return inputs.read_inputs(BASE, "linux/amd64", Path(), "")


@pytest.fixture(scope="module")
def pushed_digest(registries: Registries, registry: str, image_inputs: Inputs) -> str:
    """Push the bot's image to the registry; return its digest."""
    image, _base = inputs.build(image_inputs, registries, PackageIndex())
    assert TINY < push(image, repository_client(registry, "bot"), image_inputs.tag, print)
    return image.manifest.digest


def test_second_build_pushes_nothing(
    registries: Registries, registry: str, image_inputs: Inputs, pushed_digest: str, tmp_path: Path
) -> None:
    """Rebuilt from newly fetched wheels it has the same digest, and nothing is sent."""
    image, _base = inputs.build(image_inputs, registries, PackageIndex(lambda: tmp_path))
    assert pushed_digest == image.manifest.digest
    assert 0 == push(image, repository_client(registry, "bot"), image_inputs.tag, print)


def test_change_of_the_code_is_small(
    registries: Registries, registry: str, image_inputs: Inputs, pushed_digest: str
) -> None:
    """Less than a megabyte is pushed."""
    changed = replace(image_inputs, files={**image_inputs.files, "bot/more.py": b"more = 1\n"})
    image, _base = inputs.build(changed, registries, PackageIndex())
    assert pushed_digest != image.manifest.digest
    assert 0 < push(image, repository_client(registry, "bot"), changed.tag, print) < TINY


def line_platform(port: int) -> LinePlatform:
    """Return a LINE whose webhook endpoint is on this port."""

    def deliver(
        url: str, body: bytes, headers: dict[str, str], timeout: float
    ) -> tuple[int, bytes]:
        return request_status(port, "POST", "/webhook", body, headers), b""

    line = LinePlatform(deliver, lambda name: [], RunningClock(1))
    line.endpoint = "https://bot.example/webhook"
    return line


@pytest.fixture
def container(
    registry: str, image_inputs: Inputs, pushed_digest: str
) -> Iterator[tuple[str, int, LinePlatform]]:
    """Pull and run the image with podman as Fargate would; yield container id, port and LINE."""
    name, port = f"{registry.removeprefix('http://')}/bot:{image_inputs.tag}", free_port()
    subprocess.run(["podman", "pull", "--quiet", "--tls-verify=false", name], check=True)
    line = line_platform(port)
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


def test_container_runs(container: tuple[str, int, LinePlatform]) -> None:
    """An unprivileged user, a read-only file system, healthy, and a message is answered."""
    which, port, line = container
    assert 200 == wait_for(lambda: request_status(port, "GET", "/healthz"))
    user = "import os; print(os.getuid())"
    assert "10001" == run_python(which, user).stdout.strip()
    assert "Read-only file system" in run_python(which, "open('/app/a', 'w')").stderr
    message = line.send("help", "U" + "1" * 32)
    assert (200, 1) == (message["status"], len(message["reply"]))
    assert 400 <= request_status(port, "POST", "/webhook", b"{}", {"X-Line-Signature": "no"}) < 500


def run_python(container: str, code: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in the container."""
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
PIPS = ("RECORD", "INSTALLER", "REQUESTED")  # files that pip writes beside a package


def test_dockerfile_builds_the_same_image(
    registries: Registries, registry: str, image_inputs: Inputs, pushed_digest: str, tmp_path: Path
) -> None:
    """podman builds bot/Dockerfile on the same base: the same files in /app, the same settings."""
    host = registry.removeprefix("http://")
    wheels = PackageIndex().wheels(image_inputs.lock, "3.11", "linux/amd64")
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
    ours = f"{host}/bot:{image_inputs.tag}"
    subprocess.run(["podman", "pull", "--quiet", "--tls-verify=false", ours], check=True)
    assert app_files(ours) == app_files("localhost/bot:docker")
    assert image_settings(ours) == image_settings("localhost/bot:docker")


def app_files(image: str) -> dict[str, str]:
    """Return the digests of the files in /app, without those that pip writes."""
    run = ["podman", "--runtime=runc", "run", "--rm", *LIMITS, image, "python", "-c", LISTING]
    output = subprocess.run(run, check=True, capture_output=True, text=True).stdout
    found = dict(line.split() for line in output.splitlines())
    return {path: digest for path, digest in found.items() if not path.endswith(PIPS)}


def image_settings(image: str) -> dict[str, Any]:
    """Return the image's configuration."""
    inspected = subprocess.run(
        ["podman", "inspect", image], check=True, capture_output=True, text=True
    )
    config = json.loads(inspected.stdout)[0]["Config"]
    named = ("User", "WorkingDir", "Cmd", "ExposedPorts", "Entrypoint")
    return {**{name: config.get(name) for name in named}, "Env": sorted(config["Env"])}


def request_status(
    port: int, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> int:
    """Send a request and return its status."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request(method, path, body, headers or {})
        return connection.getresponse().status
    finally:
        connection.close()
