"""A person at a shell: the `provision` command as its own process, the sandbox in another process."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest

PROVISION = [sys.executable, "-m", "provision"]
ROOT = Path(__file__).parent.parent.parent
TIMEOUT = 400  # seconds; ends a command that hangs, however slow and busy the machine is


class Person:
    """Somebody at a shell, in a folder of their own."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self.folder, self.environ = folder, environ

    def types(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """One command, without a terminal."""
        return subprocess.run(
            [*PROVISION, *words],
            cwd=self.folder,
            env={**self.environ, **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
        )


def environment(runtime: Path) -> dict[str, str]:
    """A bare environment: nobody's credentials, English, a runtime folder of the test's own."""
    kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    return {**kept, "LANG": "C.UTF-8", "XDG_RUNTIME_DIR": str(runtime), "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="session")
def served(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """A sandbox in a process of its own: its addresses, and the environment in which it is found."""
    with running(tmp_path_factory.mktemp("runtime"), speed=100) as told:
        yield told


@contextmanager
def running(runtime: Path, speed: int) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Such a sandbox, so much faster than reality, told in the runtime folder."""
    environ = environment(runtime)
    command = [*PROVISION, "sandbox", "--speed", str(speed), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline()), environ
        finally:
            process.send_signal(signal.SIGINT)
        assert 0 == process.wait(timeout=30)


def ask(addresses: dict[str, str], url: str, body: Any = None, method: str | None = None) -> Any:
    """A request to one of the sandbox's own surfaces, with its token: the JSON that comes back."""
    data = json.dumps(body).encode() if body is not None else None
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {addresses['token']}"}
    request = urllib.request.Request(url, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
        return json.loads(answer.read() or b"null")


def control(addresses: dict[str, str], path: str, body: Any = None) -> Any:
    """The sandbox's control surface."""
    return ask(addresses, f"{addresses['aws']}/_sandbox/{path}", body)


def client(addresses: dict[str, str], service: str) -> Any:
    """boto3's client of the sandbox's account, as its root."""
    return boto3.client(
        service,
        endpoint_url=addresses["aws"],
        region_name="ap-northeast-1",
        aws_access_key_id=addresses["access_key_id"],
        aws_secret_access_key=addresses["secret_access_key"],
    )


def told(person: Person) -> dict[str, str]:
    """What the sandbox tells commands on this machine: its addresses, its keys and LINE's two secrets."""
    runtime = Path(person.environ["XDG_RUNTIME_DIR"]) / "provision/sandbox.json"
    return dict(json.loads(runtime.read_text()))


def own_aws(addresses: dict[str, str]) -> dict[str, str]:
    """The environment of somebody who signs in to an account of their own, which is the sandbox's."""
    return {
        "AWS_ENDPOINT_URL": addresses["aws"],
        "AWS_ACCESS_KEY_ID": addresses["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": addresses["secret_access_key"],
        "LINE_API_URL": addresses["line"],
        "PROVISION_DNS": addresses["dns"],
    }


def send(addresses: dict[str, str], words: str) -> dict[str, Any]:
    """One message to the bot on the sandbox's LINE: what became of it."""
    said = {"text": words, "user": "U" + "1" * 32}
    return dict(ask(addresses, f"{addresses['line']}/_sandbox/send", said))


@pytest.fixture
def person(served: tuple[dict[str, str], dict[str, str]], tmp_path: Path) -> Person:
    """Somebody in an empty folder, with an empty account."""
    control(served[0], "reset", {})
    return Person(tmp_path, served[1])


@pytest.fixture
def addresses(served: tuple[dict[str, str], dict[str, str]]) -> dict[str, str]:
    """The sandbox's."""
    return served[0]
