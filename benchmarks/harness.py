"""A harness for benchmarks: a sandbox in its own process, and measured runs of `provision`."""

import contextlib
import json
import os
import platform
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

# The command as installed, not `python -m`, which takes some milliseconds more.
PROVISION = [
    sys.executable,
    "-c",
    "import sys; from provision.cli.main import main; sys.exit(main())",
]


@dataclass(frozen=True)
class CommandRun:
    """One run of a command: seconds of wall time and CPU, peak memory in MB, and its output.

    still: seconds for which the sandbox's clock was stopped meanwhile, because bots were being started.
    """

    seconds: float
    cpu: float
    memory: float
    status: int
    stdout: str
    stderr: str
    still: float = 0.0


def run_command(command: list[str], environ: dict[str, str]) -> CommandRun:
    """Run a command to its end, with its output in files so that nothing waits for a reader."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.monotonic()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environ
        )
        _pid, status, used = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        output = [_read(file) for file in (out, err)]
    cpu = used.ru_utime + used.ru_stime
    memory = used.ru_maxrss / (1024 if sys.platform != "darwin" else 1024 * 1024)
    return CommandRun(seconds, cpu, memory, process.returncode, *output)


def _read(file: Any) -> str:
    file.seek(0)
    return str(file.read().decode(errors="replace"))


class Harness:
    """A sandbox running `speed` times as fast as real time, and a folder with one stack."""

    def __init__(self, folder: Path, addresses: dict[str, str], speed: float) -> None:
        self.folder, self.addresses, self.speed = folder, addresses, speed
        self.environ = environment(folder)

    def provision(self, *words: str) -> CommandRun:
        """Run `provision --sandbox` without questions; end the benchmark if the command fails."""
        file = self.folder / "stack.yaml"
        before = self.now()
        run = run_command(
            [*PROVISION, "--sandbox", "--yes", "--stack", str(file), *words], self.environ
        )
        passed = (self.now() - before) / self.speed
        if run.status:
            raise SystemExit(f"provision {' '.join(words)}: {run.status}\n{run.stderr}")
        return replace(run, still=max(0.0, run.seconds - passed))

    def now(self) -> float:
        """Return the sandbox's time, in its own seconds."""
        return float(self.control("clock")["now"])

    def control(self, path: str, body: Any = None, method: str | None = None) -> Any:
        """Call the sandbox's control endpoint."""
        return self._request(f"{self.addresses['aws']}/_sandbox/{path}", body, method)

    def _request(self, url: str, body: Any, method: str | None) -> Any:
        """Send a request to one of the sandbox's own endpoints, with its token."""
        data = json.dumps(body).encode() if body is not None else None
        bearer = f"Bearer {self.addresses['token']}"
        headers = {"Content-Type": "application/json", "Authorization": bearer}
        request = urllib.request.Request(url, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def secrets(self) -> dict[str, str]:
        """Return LINE's two secrets, as the sandbox publishes them to local commands."""
        runtime = json.loads((self.folder / "provision" / "sandbox.json").read_text())
        return {
            "LINE_CHANNEL_ACCESS_TOKEN": runtime["access_token"],
            "LINE_CHANNEL_SECRET": runtime["channel_secret"],
        }

    def name_servers(self) -> list[str]:
        """Return the zone's name servers, once they are in the stack's file."""
        file = self.folder / "stack.yaml"
        while True:
            found = re.findall(r"^ *- (ns-\S+)$", file.read_text() if file.exists() else "", re.M)
            if len(found) >= 4:
                return found[:4]
            time.sleep(0.05)

    def enter_name_servers(self, domain: str, servers: list[str]) -> None:
        """Enter the name servers, as the user does at the registrar."""
        url = f"{self.addresses['registrar']}/domains/{domain}"
        self._request(url, {"name_servers": servers}, "PUT")

    def calls(self, after: int = -1) -> list[dict[str, Any]]:
        """Return the calls after that number made by commands, without those of tasks."""
        made = self.control(f"calls?after={after}")
        return [call for call in made if call["caller"].endswith(":root")]


def environment(folder: Path) -> dict[str, str]:
    """Return an environment without credentials, in English, with its own runtime folder."""
    kept = {k: os.environ[k] for k in ("PATH", "HOME", "PYTHONPATH") if k in os.environ}
    root = str(Path(__file__).parent.parent)
    return {"PYTHONPATH": root, **kept, "LANG": "C.UTF-8", "XDG_RUNTIME_DIR": str(folder)}


@contextlib.contextmanager
def harness(speed: float) -> Iterator[Harness]:
    """Start a sandbox with an empty folder."""
    with tempfile.TemporaryDirectory(prefix="provision-benchmark-") as name:
        folder = Path(name)
        command = [*PROVISION, "sandbox", "--speed", str(speed), "--json"]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=environment(folder)
        ) as process:
            try:
                assert process.stdout is not None
                yield Harness(folder, json.loads(process.stdout.readline()), speed)
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(30)


def machine() -> str:
    """Return date, cores, load and Python version, for the head of a table."""
    load = os.getloadavg()[0]
    python = platform.python_version()
    return f"{date.today()}, {os.cpu_count()} cores, load {load:.1f}, Python {python}"


def format_median(values: list[float], digits: int = 2) -> str:
    """Return the median, and the middle half of the values."""
    if len(values) == 1:
        return f"{values[0]:.{digits}f}"
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"{median:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"
