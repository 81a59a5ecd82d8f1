"""`provision console`: the page of a stack, read-only, on loopback."""

import json
import signal
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.provision.shell import (
    PROVISION,
    TIMEOUT,
    Person,
    aws_environment,
    request_json,
    running_sandbox,
)

pytestmark = pytest.mark.slow


class Served:
    """`provision console`, running in a folder with a finished stack."""

    def __init__(self, folder: Path, environ: dict[str, str], *words: str) -> None:
        self.process = subprocess.Popen(
            [*PROVISION, *words, "console", "--json"],
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.address, _, self.token = json.loads(self.process.stdout.readline())["page"].partition(
            "/#"
        )

    def status(self, path: str, method: str = "GET", **headers: str) -> int:
        """Return the status of a request with these headers (_ for -)."""
        request = urllib.request.Request(
            self.address + path,
            method=method,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code

    def end(self) -> int:
        """End it as Ctrl-C does; return the exit status."""
        self.process.send_signal(signal.SIGINT)
        self.process.communicate(timeout=TIMEOUT)
        return self.process.returncode


def document(address: str, token: str) -> Any:
    """Return what the page shows of the stack."""
    return request_json({"token": token}, f"{address}/stack.json")


def test_console(tmp_path: Path) -> None:
    """A finished stack by steps, as `status` has it; only with the token, only read, only from this page.

    The sandbox's own page shows the same stack.
    """
    with running_sandbox(tmp_path / "runtime", speed=100) as (addresses, environ):
        person = Person(tmp_path, environ)
        nothing = person.types("console", **aws_environment(addresses))
        assert 2 == nothing.returncode, "there is no stack in the folder"
        assert "There is no stack in this folder." in nothing.stderr
        stack_of_page = f"{addresses['line']}/_sandbox/stack.json"
        assert {} == request_json(addresses, stack_of_page)
        setup = person.types("--sandbox", "setup", "--yes")
        assert 0 == setup.returncode, setup.stderr
        served = Served(tmp_path, environ, "--sandbox")
        shown = document(served.address, served.token)
        assert ("news-bot", "ap-northeast-1", "All is well.", "ready", True) == tuple(
            shown[name] for name in ("name", "region", "headline", "state", "delegated")
        )
        assert [
            "Domain",
            "Certificate",
            "Storage and secrets",
            "Roles",
            "Network",
            "Load balancer",
            "Bot",
            "News",
            "Schedules",
            "LINE",
        ] == [step["name"] for step in shown["steps"]]
        assert {"ready"} == {step["state"] for step in shown["steps"]}
        assert 4 == len(shown["name_servers"])
        assert {"running": 1, "wanted": 1, "rollout": []} == shown["tasks"]
        assert "About 38.16 USD (5,910 yen) a month; 155 yen to the dollar." == shown["cost"]
        assert "https://news-bot.example/webhook" == shown["url"]
        listener = next(
            each for each in shown["steps"][5]["resources"] if each["key"].startswith("https/")
        )
        assert ("HTTPS listener", "HttpsListener", "created", "ready", "") == tuple(
            listener[name] for name in ("name", "kind", "recorded", "state", "reason")
        )

        bearer = {"Authorization": f"Bearer {served.token}"}
        own = served.address.removeprefix("http://")
        assert 200 == served.status("/")
        assert 200 == served.status("/console/stack.js")
        assert 401 == served.status("/stack.json")
        assert 401 == served.status("/stack.json", Authorization="Bearer wrong")
        assert 403 == served.status("/stack.json", **bearer, Origin="http://evil.example")
        assert 403 == served.status("/stack.json", **bearer, Host="evil.example:80")
        assert 403 == served.status("/stack.json", **bearer, Sec_Fetch_Site="cross-site")
        assert 403 == served.status("/stack.json", "OPTIONS", Origin=f"http://{own}")
        assert 405 == served.status("/", "POST", **bearer)
        assert 405 == served.status("/stack.json", "DELETE", **bearer)
        assert 404 == served.status("/_sandbox/send", **bearer)

        same = request_json(addresses, stack_of_page)
        assert shown["steps"] == same["steps"]
        teardown = person.types("--sandbox", "teardown", "--yes", "--everything")
        assert 0 == teardown.returncode, teardown.stderr
        for _attempt in range(50):
            shown = document(served.address, served.token)
            if shown["steps"][5]["state"] == "absent":
                break
            signal.sigtimedwait([], 1)
        assert "absent" == shown["steps"][5]["state"]
        assert 0.0 == sum(each["usd"] for step in shown["steps"] for each in step["resources"])

        (tmp_path / "stack.sandbox.yaml").write_text("name: [\n")
        for _attempt in range(50):
            shown = document(served.address, served.token)
            if "error" in shown:
                break
            signal.sigtimedwait([], 1)
        assert "stack.sandbox.yaml" in shown["error"]["what"]
        assert 0 == served.end()
