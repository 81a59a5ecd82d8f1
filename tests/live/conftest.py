"""One stack in a real account: built once, used by every test, always torn down.

`stack.yaml` is in `.live/` until the teardown has left nothing. A killed run leaves it there, and the next
run begins by tearing that stack down.
"""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent.parent
HOURS = 730  # in the month that `provision plan` assumes
REGISTRAR_WAIT = "7200"  # seconds for a delegation and the certificate


@dataclass(frozen=True)
class LiveStack:
    """The stack under test, driven by the `provision` command."""

    folder: Path
    host: str
    settings: tuple[str, ...]

    def run(self, verb: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Run a command; show its progress on this terminal, and return its output."""
        command = [sys.executable, "-m", "provision", verb, *options]
        print(f"\n$ provision {verb} {' '.join(options)}", flush=True)
        return subprocess.run(
            command,
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )

    def read(self, verb: str, *options: str) -> Any:
        """Run a command with --json and return its document."""
        return json.loads(self.run(verb, "--json", *options).stdout)

    def teardown(self) -> dict[str, Any]:
        """Delete everything the stack created; delete its folder once nothing is left."""
        report = self.read("teardown", "--yes", "--everything")
        print(f"deleted: {len(report['deleted'])}, left: {len(report['left'])}", flush=True)
        if report["left"] == []:
            shutil.rmtree(self.folder)
        return dict(report)


def _required(variable: str) -> str:
    value = os.environ.get(variable, "")
    assert value, f"{variable} is not set: see CONTRIBUTING.md, `make live`"
    return value


def _clean_up(folder: Path) -> None:
    """Tear down what a killed run left in the account."""
    if (folder / "stack.yaml").exists():
        print("\nAn earlier run left a stack; it is torn down first.", flush=True)
        assert [] == LiveStack(folder, "", ()).teardown()["left"]
    shutil.rmtree(folder, ignore_errors=True)


def _confirm(stack: LiveStack) -> None:
    """Show what will be built and its cost; go on only if the domain is typed."""
    plan = stack.read("plan", *stack.settings)
    monthly = float(plan["monthly_usd"])
    print(
        f"\nThis builds {len(plan['resources'])} resources for {stack.host} in your AWS account"
        f" (profile {os.environ.get('AWS_PROFILE', 'default')}) and deletes them again."
        f"\nIt costs about {monthly / HOURS:.2f} USD an hour ({monthly:.2f} a month) while it stands."
        "\nThe LINE channel's webhook leads to it meanwhile.",
        flush=True,
    )
    if os.environ.get("LIVE_YES") == "1":
        return
    answer = input(f"Type {os.environ['LIVE_DOMAIN']} to go on: ")
    assert os.environ["LIVE_DOMAIN"] == answer, "not confirmed: nothing was built"


@pytest.fixture(scope="module")
def stack() -> Iterator[LiveStack]:
    """Yield a complete stack; delete it at the end, also after a failure, Ctrl-C or SIGTERM."""
    for variable in ("LINE_CHANNEL_ACCESS_TOKEN", "LINE_CHANNEL_SECRET"):
        _required(variable)
    domain = _required("LIVE_DOMAIN")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = Path(os.environ.get("LIVE_FOLDER", ROOT / ".live"))
    _clean_up(folder)
    folder.mkdir(mode=0o700)
    name = f"live-{secrets.token_hex(3)}"
    host = f"{name}.{domain}"
    values = {
        "name": name,
        "domain": domain,
        "host": host,
        "network.vpc": os.environ.get("LIVE_VPC") or "default",
        "schedule.start": "",
        "schedule.stop": "",
        "line.access_token_parameter": f"/{name}/ACCESS_TOKEN",
        "line.channel_secret_parameter": f"/{name}/CHANNEL_SECRET",
    }
    if feeds := os.environ.get("LIVE_FEEDS"):
        values["news.feeds"] = feeds
    settings = [word for key, value in values.items() for word in ("--set", f"{key}={value}")]
    stack = LiveStack(folder, host, tuple(settings))
    _confirm(stack)
    try:
        setup = stack.run("setup", "--yes", "--wait", REGISTRAR_WAIT, *settings)
        assert (0, f"https://{host}/webhook") == (setup.returncode, setup.stdout.strip())
        yield stack
    finally:
        if (folder / "stack.yaml").exists():
            stack.teardown()
