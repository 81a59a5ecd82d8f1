"""A user at a shell: the `provision` command, and the sandbox in its own process."""

import io
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

from provision import i18n
from provision.cli.main import main
from provision.clients.line import Line

PROVISION = [sys.executable, "-m", "provision"]
ROOT = Path(__file__).parent.parent.parent
TIMEOUT = 400  # seconds; ends a command that hangs, however slow and busy the machine is


class Person:
    """A user at a shell, in a folder of their own."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self.folder, self.environ = folder, environ

    def types(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run one command without a terminal, in this process: a new one would import boto3 again."""
        streams = {name: io.TextIOWrapper(io.BytesIO(), "utf-8") for name in ("stdout", "stderr")}
        interrupt, language, environ = (
            signal.getsignal(signal.SIGINT),
            i18n.language(),
            {**os.environ},
        )
        with pytest.MonkeyPatch.context() as patch:
            os.environ.clear()
            os.environ.update({**self.environ, **more})
            patch.chdir(self.folder)
            patch.setattr(sys, "argv", ["provision", *words])
            patch.setattr(sys, "stdin", io.StringIO())
            for name, stream in streams.items():
                patch.setattr(sys, name, stream)
            try:
                with pytest.raises(SystemExit) as ended:
                    main()
            finally:
                os.environ.clear()
                os.environ.update(environ)
                signal.signal(signal.SIGINT, interrupt)
                i18n.use(language)
        printed = {name: stream.detach().getvalue().decode() for name, stream in streams.items()}
        return subprocess.CompletedProcess(words, ended.value.code, **printed)


def environment(runtime: Path) -> dict[str, str]:
    """Return a minimal environment: no credentials, English, its own runtime folder."""
    kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    return {**kept, "LANG": "C.UTF-8", "XDG_RUNTIME_DIR": str(runtime), "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="session")
def served(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Yield the addresses of a sandbox in its own process, and the environment in which commands find it."""
    with running_sandbox(tmp_path_factory.mktemp("runtime"), speed=100) as sandbox:
        yield sandbox


@contextmanager
def running_sandbox(
    runtime: Path, speed: int, **more: str
) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Run a sandbox that many times faster than real time, registered in the runtime folder.

    `more`: variables of its environment.
    """
    environ = environment(runtime) | more
    command = [*PROVISION, "sandbox", "--speed", str(speed), "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline()), environ
        finally:
            process.send_signal(signal.SIGINT)
        assert 0 == process.wait(TIMEOUT)


def request_json(
    addresses: dict[str, str], url: str, body: Any = None, method: str | None = None
) -> Any:
    """Send a request to one of the sandbox's own endpoints, with its token; return the JSON response."""
    data = json.dumps(body).encode() if body is not None else None
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {addresses['token']}"}
    request = urllib.request.Request(url, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
        return json.loads(answer.read() or b"null")


def control(addresses: dict[str, str], path: str, body: Any = None) -> Any:
    """Call the sandbox's control endpoint."""
    return request_json(addresses, f"{addresses['aws']}/_sandbox/{path}", body)


def client(addresses: dict[str, str], service: str) -> Any:
    """Return a boto3 client for the sandbox's account, as root."""
    return boto3.client(
        service,
        endpoint_url=addresses["aws"],
        region_name="ap-northeast-1",
        aws_access_key_id=addresses["access_key_id"],
        aws_secret_access_key=addresses["secret_access_key"],
    )


def runtime_info(person: Person) -> dict[str, str]:
    """Return what the sandbox publishes to local commands: addresses, keys and LINE's two secrets."""
    runtime = Path(person.environ["XDG_RUNTIME_DIR"]) / "provision/sandbox.json"
    return dict(json.loads(runtime.read_text()))


def aws_environment(addresses: dict[str, str]) -> dict[str, str]:
    """Return the environment of a user who signs in to their own account, which here is the sandbox's."""
    return {
        "AWS_ENDPOINT_URL": addresses["aws"],
        "AWS_ACCESS_KEY_ID": addresses["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": addresses["secret_access_key"],
        "LINE_API_URL": addresses["line"],
        "PROVISION_DNS": addresses["dns"],
    }


def send(addresses: dict[str, str], words: str) -> dict[str, Any]:
    """Send the bot a message through the sandbox's LINE; return what happened."""
    message = {"text": words, "user": "U" + "1" * 32}
    return dict(request_json(addresses, f"{addresses['line']}/_sandbox/send", message))


def set_endpoint(person: Person, url: str) -> Line:
    """Set the webhook URL of the sandbox's LINE, which an empty account does not reset."""
    known = runtime_info(person)
    line = Line(lambda: known["access_token"], known["line"])
    line.set_endpoint(url)
    return line


@pytest.fixture
def person(served: tuple[dict[str, str], dict[str, str]], tmp_path: Path) -> Person:
    """Return a user in an empty folder, with an empty account."""
    control(served[0], "reset", {})
    return Person(tmp_path, served[1])


@pytest.fixture
def addresses(served: tuple[dict[str, str], dict[str, str]]) -> dict[str, str]:
    """Return the sandbox's addresses."""
    return served[0]
