"""Tasks run their image's layers, or the checkout's bot if the layers are not in the sandbox."""

import gzip
import io
import json
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provision.clients.registry import sha256
from provision.image import layer
from provision.sandbox.aws.cloud import Cloud
from provision.sandbox.aws.ecr.image_store import CannotPullError
from provision.sandbox.tasks.processes import ProcessTask, ProcessTasks
from provision.sandbox.tasks.rootfs import Rootfs
from tests.sandbox.aws.ecr.test_registry_api import OCI, DockerClient
from tests.sandbox.conftest import Account

URI = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/bot:1"
SAYS = b"import os, words; print(words.SAID, os.getcwd()[-4:], os.environ['SAID'])"


@pytest.fixture
def tasks(account: Account) -> Iterator[ProcessTasks]:
    """Return tasks that use the account's ECR."""
    rootfs = Rootfs(account.cloud)
    tasks = ProcessTasks(("python", "-c", "print('the checkout')"))
    tasks.unpacked = rootfs.unpacked
    yield tasks
    tasks.close()
    rootfs.close()


CONFIG: dict[str, Any] = {
    "Env": ["PYTHONPATH=/app:/app/packages", "SAID=image", "PATH=/nowhere"],
    "WorkingDir": "/app",
    "Cmd": ["python", "-m", "says"],
}


def push(account: Account, *layers: dict[str, bytes]) -> None:
    """Push an image of these files, which starts `python -m says` in /app."""
    made = [layer.in_memory(files.items(), "") for files in layers]
    push_blobs(account, *(b"".join(each.blob.read()) for each in made))


def push_blobs(account: Account, *blobs: bytes, **told: Any) -> None:
    """Push an image of these layers, with a given configuration instead of CONFIG."""
    account.client("ecr").create_repository(repositoryName="bot")
    docker = DockerClient(account)
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": CONFIG | told}).encode()
    for blob in (config, *blobs):
        assert 201 == docker.upload(blob).status_code
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI,
        "config": {"digest": sha256(config), "size": len(config)},
        "layers": [{"digest": sha256(blob), "size": len(blob)} for blob in blobs],
    }
    assert 201 == docker.put("1", json.dumps(manifest).encode()).status_code


def tar(*members: tuple[str, dict[str, Any], bytes]) -> bytes:
    """Return a layer of these entries: name, tarfile's other properties, content."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as made:
        for name, more, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            for key, value in more.items():
                setattr(member, key, value)
            made.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def output_of(task: ProcessTask) -> list[str]:
    """Return all that the task printed, once it has ended."""
    end = time.monotonic() + 20
    while task.exit_code is None and time.monotonic() < end:
        task._process.wait(20)
    task._reader.join(5)
    return task.lines()


def test_task_runs_its_layers(account: Account, tasks: ProcessTasks) -> None:
    """The image's folder, variables, packages and command; later layers and the task's own settings win."""
    push(
        account,
        {"app/says.py": b"print('older')", "app/packages/words.py": b"SAID = 'layers'"},
        {"app/says.py": SAYS},
    )
    assert ["layers /app image"] == output_of(tasks.start({}, URI, 80))
    assert ["layers /app task"] == output_of(tasks.start({"SAID": "task"}, URI, 80))
    command = ("python", "-c", "import words; print(words.SAID)")
    assert ["layers"] == output_of(tasks.start({}, URI, 80, command))


def test_checkout_stands_for_others(account: Account, tasks: ProcessTasks) -> None:
    """For a public image, and for an index."""
    assert ["the checkout"] == output_of(tasks.start({}, "example.jp/bot:1", 80))
    cloud: Cloud = account.cloud
    cloud.ecr.images.public["example.jp/bot:2"] = ("linux/amd64",)
    assert ["the checkout"] == output_of(tasks.start({}, "example.jp/bot:2", 80))


LINK = {"type": tarfile.SYMTYPE}


def test_links_are_left_out(account: Account, tasks: ProcessTasks, tmp_path: Path) -> None:
    """Links out of the image, directly or through others, and links to its own files."""
    deep = "d" * 247
    steps = "abcdefghijklmnop"
    chain: list[
        tuple[str, dict[str, Any], bytes]
    ] = []  # CVE-2025-4517: longer than PATH_MAX, resolved
    place = ""
    for step in steps:
        chain.append((f"{place}{deep}", {"type": tarfile.DIRTYPE}, b""))
        chain.append((f"{place}{step}", LINK | {"linkname": deep}, b""))
        place += f"{deep}/"
    way = "/".join(steps)
    chain.append((f"{way}/{'l' * 254}", LINK | {"linkname": "../" * len(steps)}, b""))
    chain.append(("escape", LINK | {"linkname": f"{way}/{'l' * 254}/../../../{tmp_path}"}, b""))
    layer = tar(
        (
            "app/says.py",
            {},
            b"import os; print([n for n in os.listdir('.') if n != '__pycache__'])",
        ),
        ("app/own", LINK | {"linkname": "says.py"}, b""),
        ("app/hard", {"type": tarfile.LNKTYPE, "linkname": "app/says.py"}, b""),
        ("app/out", LINK | {"linkname": str(tmp_path)}, b""),
        ("app/up", LINK | {"linkname": "../../../../../../../.."}, b""),
        ("app/pipe", {"type": tarfile.FIFOTYPE}, b""),
        *chain,
    )
    push_blobs(account, layer)
    assert ["['says.py']"] == output_of(tasks.start({}, URI, 80))
    assert [] == list(tmp_path.iterdir())


def test_file_through_a_link(account: Account, tasks: ProcessTasks, tmp_path: Path) -> None:
    """A later file below a link's name is placed in the image, wherever the link points."""
    out = ("app/out", LINK | {"linkname": str(tmp_path)}, b"")
    push_blobs(account, tar(out), tar(("app/out/file", {}, b"1"), ("app/says.py", {}, SAYS)))
    tasks.start({}, URI, 80).kill()
    assert [] == list(tmp_path.iterdir())


WHOLE = tar(("app/says.py", {}, b"print('ran')"), ("app/noise", {}, b"0" * 10_000))


@pytest.mark.parametrize(
    ("layer", "why"),
    [
        (b"no layer", "failed to register layer: "),
        (WHOLE[:-20], "failed to register layer: "),
        (WHOLE[:40], "failed to register layer: "),
        (WHOLE[:30] + b"\0\0\0\0" + WHOLE[34:], "failed to register layer: "),
        (tar(("../../out", {}, b"1")), "failed to register layer: "),
        (tar(("app", {}, b"1"), ("app/says.py", {}, b"1")), "failed to register layer: "),
    ],
    ids=["none", "cut", "cut short", "damaged", "outside", "file for a folder"],
)
def test_invalid_layer(account: Account, tasks: ProcessTasks, layer: bytes, why: str) -> None:
    """The image cannot be pulled, now or again, and nothing half unpacked is run."""
    push_blobs(account, layer)
    for _again in range(2):
        with pytest.raises(CannotPullError, match=why):
            tasks.start({}, URI, 80)


def test_layer_that_does_not_fit(account: Account) -> None:
    """A layer that becomes too large while unpacking is rejected."""
    zeros = io.BytesIO()
    with gzip.open(zeros, "wb") as packed, tarfile.open(fileobj=packed, mode="w|") as made:
        member = tarfile.TarInfo("app/zeros")
        member.size = 31_000_000
        made.addfile(member, io.BytesIO(bytes(31_000_000)))
    push_blobs(account, zeros.getvalue())
    rootfs = Rootfs(account.cloud, max_bytes=30_000_000)
    with pytest.raises(CannotPullError, match="failed to register layer: no space left on device"):
        rootfs.unpacked(URI)
    rootfs.close()


def test_layer_of_too_many_files(account: Account) -> None:
    """Empty files cannot fill the disk either."""
    push_blobs(account, tar(*((f"app/{number}", {}, b"") for number in range(101))))
    rootfs = Rootfs(account.cloud, max_files=100)
    with pytest.raises(CannotPullError, match="failed to register layer: no space left on device"):
        rootfs.unpacked(URI)
    rootfs.close()


def test_header_without_end(account: Account, tasks: ProcessTasks) -> None:
    """A header of 100 MB is not read into memory."""
    header = tarfile.TarInfo("x")
    header.type, header.size = tarfile.XHDTYPE, 100_000_000
    push_blobs(account, gzip.compress(header.tobuf() + bytes(100_000_000), 1))
    with pytest.raises(CannotPullError, match="failed to register layer: no space left on device"):
        tasks.start({}, URI, 80)


@pytest.mark.parametrize(
    "told",
    [
        {"Env": [1]},
        {"Env": 1},
        {"Env": {"A": 1}, "Cmd": [{}]},
        {"Env": ["PYTHONPATH=/\0"]},
        {"Cmd": 1},
        {"Cmd": []},
        {"Cmd": ["a\0"]},
        {"WorkingDir": ["/app"]},
        {"WorkingDir": "/app\0"},
    ],
    ids=str,
)
def test_invalid_configuration(account: Account, tasks: ProcessTasks, told: dict[str, Any]) -> None:
    """The task fails without an exception."""
    push_blobs(account, WHOLE, **told)
    with pytest.raises(CannotPullError):
        tasks.start({}, URI, 80)


@pytest.mark.parametrize("folder", ["/../../../app", "app/../../app", "//app/."])
def test_folder_is_in_the_image(account: Account, tasks: ProcessTasks, folder: str) -> None:
    """However it is written."""
    push_blobs(
        account,
        tar(("app/says.py", {}, SAYS), ("p/words.py", {}, b"SAID = 'in'")),
        WorkingDir=folder,
        Env=["PYTHONPATH=/../../p:/app", "SAID=x", "NOTHING", "LD_PRELOAD=/p/a.so"],
    )
    assert ["in /app x"] == output_of(tasks.start({}, URI, 80))


def test_folder_is_made(account: Account, tasks: ProcessTasks) -> None:
    """A working directory that is in no layer."""
    push_blobs(
        account,
        WHOLE,
        WorkingDir="/work/here",
        Cmd=["python", "-c", "import os; print(os.getcwd()[-10:])"],
    )
    assert ["/work/here"] == output_of(tasks.start({}, URI, 80))


def test_modes(account: Account, tasks: ProcessTasks) -> None:
    """Only the executable bit of a file's mode is kept: no set-user-ID, and the user can replace it."""
    modes = {"program": 0o4755, "plain": 0o666, "locked": 0o000}
    layer = tar(*((f"app/{name}", {"mode": mode}, b"") for name, mode in modes.items()))
    push_blobs(account, layer, tar(("app/locked", {"mode": 0o000}, b"")))
    found = tasks.unpacked(URI)
    assert found is not None
    assert {"program": 0o100755, "plain": 0o100644, "locked": 0o100644} == {
        path.name: path.stat().st_mode for path in found.folder.iterdir()
    }
