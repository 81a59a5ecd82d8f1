"""Tasks run what is in their image's layers; of an image whose layers are not here, the checkout's bot."""

import json
import time
from collections.abc import Iterator

import pytest

from provision.image import layer
from provision.registry import sha256
from provision.sandbox.cloud import Cloud
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
    account.client("ecr").create_repository(repositoryName="bot")
    docker = Docker(account)
    made = [layer.in_memory(files.items(), "") for files in layers]
    told = {
        "Env": ["PYTHONPATH=/app:/app/packages", "SAID=image", "PATH=/nowhere"],
        "WorkingDir": "/app",
        "Cmd": ["python", "-m", "says"],
    }
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": told}).encode()
    for blob in (config, *(b"".join(each.blob.read()) for each in made)):
        assert 201 == docker.upload(blob).status_code
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI,
        "config": {"digest": sha256(config), "size": len(config)},
        "layers": [{"digest": each.blob.digest, "size": each.blob.size} for each in made],
    }
    assert 201 == docker.put("1", json.dumps(manifest).encode()).status_code


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
