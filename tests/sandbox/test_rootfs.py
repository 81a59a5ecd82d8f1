"""Tasks run what is in their image's layers; of an image whose layers are not here, the checkout's bot."""

import io
import json
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from provision.image import layer
from provision.registry import sha256
from provision.sandbox import rootfs
from provision.sandbox.cloud import Cloud
from provision.sandbox.images import CannotPull
from provision.sandbox.processes import ProcessTask, ProcessTasks
from provision.sandbox.rootfs import Rootfs
from tests.sandbox.conftest import Account
from tests.sandbox.test_registry import OCI, Docker

URI = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/bot:1"
SAYS = b"import os, words; print(words.SAID, os.getcwd()[-4:], os.environ['SAID'])"


@pytest.fixture
def tasks(account: Account) -> Iterator[ProcessTasks]:
    """With what is in the account's ECR."""
    rootfs = Rootfs(account.cloud)
    tasks = ProcessTasks(("python", "-c", "print('the checkout')"))
    tasks.unpacked = rootfs.unpacked
    yield tasks
    tasks.close()
    rootfs.close()


def push(account: Account, *layers: dict[str, bytes]) -> None:
    """An image of these files, which starts `python -m says` in /app."""
    made = [layer.in_memory(files.items(), "") for files in layers]
    push_layers(account, *(b"".join(each.blob.read()) for each in made))


def push_layers(account: Account, *layers: bytes, folder: str = "/app") -> None:
    """An image of these layers as they are, which starts `python -m says` in the folder."""
    account.client("ecr").create_repository(repositoryName="bot")
    docker = Docker(account)
    told = {
        "Env": ["PYTHONPATH=/app:/app/packages", "SAID=image", "PATH=/nowhere"],
        "WorkingDir": folder,
        "Cmd": ["python", "-m", "says"],
    }
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": told}).encode()
    for blob in (config, *layers):
        assert 201 == docker.upload(blob).status_code
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI,
        "config": {"digest": sha256(config), "size": len(config)},
        "layers": [{"digest": sha256(blob), "size": len(blob)} for blob in layers],
    }
    assert 201 == docker.put("1", json.dumps(manifest).encode()).status_code


def archive(*entries: tarfile.TarInfo) -> bytes:
    """A layer of these entries, in this order; the files are full of zeros."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for entry in entries:
            tar.addfile(entry, io.BytesIO(bytes(entry.size)))
    return packed.getvalue()


def entry(
    name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 0
) -> tarfile.TarInfo:
    """One entry of a layer."""
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.size = kind, link, size
    return made


def said(task: ProcessTask) -> list[str]:
    """All that it printed, once it has ended."""
    end = time.monotonic() + 20
    while task.exit_code is None and time.monotonic() < end:
        task._process.wait(20)
    task._reader.join(5)
    return task.lines()


def test_task_runs_its_layers(account: Account, tasks: ProcessTasks) -> None:
    """The image's folder, variables, packages and command; a later layer wins, the task's own over all."""
    push(
        account,
        {"app/says.py": b"print('older')", "app/packages/words.py": b"SAID = 'layers'"},
        {"app/says.py": SAYS},
    )
    assert ["layers /app image"] == said(tasks.start({}, URI, 80))
    assert ["layers /app task"] == said(tasks.start({"SAID": "task"}, URI, 80))
    command = ("python", "-c", "import words; print(words.SAID)")
    assert ["layers"] == said(tasks.start({}, URI, 80, command))


def test_checkout_stands_for_others(account: Account, tasks: ProcessTasks) -> None:
    """A public image; one that is an index."""
    assert ["the checkout"] == said(tasks.start({}, "example.jp/bot:1", 80))
    cloud: Cloud = account.cloud
    cloud.ecr.images.public["example.jp/bot:2"] = ("linux/amd64",)
    assert ["the checkout"] == said(tasks.start({}, "example.jp/bot:2", 80))


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        ([entry("../outside")], "'../outside' would leave the image"),
        ([entry("app/../../outside")], "'app/../../outside' would leave the image"),
        ([entry("/tmp/outside")], "'/tmp/outside' would leave the image"),
        ([entry("a", tarfile.SYMTYPE, "/etc")], "'a' is neither a file nor a folder"),
        ([entry("a", tarfile.SYMTYPE, "..")], "'a' is neither a file nor a folder"),
        ([entry("a", tarfile.LNKTYPE, "app/says.py")], "'a' is neither a file nor a folder"),
        ([entry("a", tarfile.CHRTYPE)], "'a' is neither a file nor a folder"),
        ([entry("a", tarfile.BLKTYPE)], "'a' is neither a file nor a folder"),
        ([entry("a", tarfile.FIFOTYPE)], "'a' is neither a file nor a folder"),
        ([entry("a", size=60_000), entry("b", size=60_000)], "it has more than 100000 bytes"),
        ([entry(str(number)) for number in range(30)], "it has more than 100000 bytes"),
    ],
)
def test_unsafe_layers(
    account: Account,
    tasks: ProcessTasks,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    entries: list[tarfile.TarInfo],
    why: str,
) -> None:
    """Absolute paths, `..`, links, devices and too much are refused, each time, and nothing of it is left."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(rootfs, "_LARGEST", 100_000)
    blob = archive(entry("app", tarfile.DIRTYPE), entry("app/says.py"), *entries)
    push_layers(account, blob)
    for _attempt in range(2):
        with pytest.raises(CannotPull) as refused:
            tasks.start({}, URI, 80)
        assert f"failed to extract layer {sha256(blob)}: {why}" == str(refused.value)
    assert [] == [path.name for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "blob", [b"no archive", archive(entry("a"))[:-20], b"\0"], ids=["none", "cut", "zero"]
)
def test_broken_layers(account: Account, tasks: ProcessTasks, blob: bytes) -> None:
    """What is no archive, or a part of one, is refused in one line, and not taken for a good one later."""
    push_layers(account, archive(entry("app/says.py")), blob)
    for _attempt in range(2):
        with pytest.raises(CannotPull) as refused:
            tasks.start({}, URI, 80)
        assert str(refused.value).startswith("failed to extract layer sha256:")
        assert "\n" not in str(refused.value)


def test_modes(account: Account, tasks: ProcessTasks) -> None:
    """Of a file's mode only "executable" is kept: no set-user-ID, and this user can replace it."""
    program, plain, locked = entry("app/program"), entry("app/plain"), entry("app/locked")
    program.mode, plain.mode, locked.mode = 0o4755, 0o666, 0o000
    push_layers(account, archive(program, plain, locked), archive(locked))
    found = tasks.unpacked(URI)
    assert found is not None
    assert {"program": 0o100755, "plain": 0o100644, "locked": 0o100644} == {
        path.name: path.stat().st_mode for path in found.folder.iterdir()
    }


@pytest.mark.parametrize(
    ("folder", "there"), [("/app/new", True), ("", True), ("/app/../../x", False)]
)
def test_working_folder(account: Account, tasks: ProcessTasks, folder: str, there: bool) -> None:
    """One that no layer has is made, as a container runtime does; one outside the image is refused."""
    push_layers(account, archive(entry("app/says.py")), folder=folder)
    if there:
        found = tasks.unpacked(URI)
        assert found is not None
        assert found.folder.is_dir()
    else:
        with pytest.raises(
            CannotPull, match=r"the working directory '/app/../../x' leaves the image"
        ):
            tasks.start({}, URI, 80)
