"""A stage for benchmarks: a sandbox as its own process, and `provision` beside it, each run measured."""

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

# The command as it is installed, not `python -m`, which costs some milliseconds more.
PROVISION = [
    sys.executable,
    "-c",
    "import sys; from provision.cli.main import main; sys.exit(main())",
]


@dataclass(frozen=True)
class Took:
    """One run of a command: seconds by the clock and of CPU, peak memory in MB, and what it said.

    still: seconds for which the sandbox's time stood still meanwhile, because bots were being started.
    """

    seconds: float
    cpu: float
    memory: float
    status: int
    said: str
    complained: str
    still: float = 0.0


def timed(command: list[str], environ: dict[str, str]) -> Took:
    """Run it to its end, its output in files so that nothing waits for a reader."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.monotonic()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environ
        )
        _pid, status, used = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        said = [_read(file) for file in (out, err)]
    cpu = used.ru_utime + used.ru_stime
    memory = used.ru_maxrss / (1024 if sys.platform != "darwin" else 1024 * 1024)
    return Took(seconds, cpu, memory, process.returncode, *said)


def _read(file: Any) -> str:
    file.seek(0)
    return str(file.read().decode(errors="replace"))


class Stage:
    """A sandbox that runs, `speed` times as fast as reality, and a folder with one person's stack in it."""

    def __init__(self, folder: Path, addresses: dict[str, str], speed: float) -> None:
        self.folder, self.addresses, self.speed = folder, addresses, speed
        self.environ = environment(folder)

    def provision(self, *words: str) -> Took:
        """`provision --sandbox`, asked nothing; ends the benchmark where the command fails."""
        file = self.folder / "stack.yaml"
        before = self.now()
        took = timed([*PROVISION, "--sandbox", "--yes", "--stack", str(file), *words], self.environ)
        passed = (self.now() - before) / self.speed
        if took.status:
            raise SystemExit(f"provision {' '.join(words)}: {took.status}\n{took.complained}")
        return replace(took, still=max(0.0, took.seconds - passed))

    def now(self) -> float:
        """Return the sandbox's time, in its own seconds."""
        return float(self.control("clock")["now"])

    def control(self, path: str, body: Any = None, method: str | None = None) -> Any:
        """Call the sandbox's control surface."""
        return self._ask(f"{self.addresses['aws']}/_sandbox/{path}", body, method)

    def _ask(self, url: str, body: Any, method: str | None) -> Any:
        """Send a request to one of the sandbox's own surfaces, with its token."""
        data = json.dumps(body).encode() if body is not None else None
        bearer = f"Bearer {self.addresses['token']}"
        headers = {"Content-Type": "application/json", "Authorization": bearer}
        request = urllib.request.Request(url, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def secrets(self) -> dict[str, str]:
        """LINE's two, as the sandbox tells them to whoever runs on this machine."""
        told = json.loads((self.folder / "provision" / "sandbox.json").read_text())
        return {
            "LINE_CHANNEL_ACCESS_TOKEN": told["access_token"],
            "LINE_CHANNEL_SECRET": told["channel_secret"],
        }

    def name_servers(self) -> list[str]:
        """Those of the zone, once the stack's file tells them."""
        file = self.folder / "stack.yaml"
        while True:
            found = re.findall(r"^ *- (ns-\S+)$", file.read_text() if file.exists() else "", re.M)
            if len(found) >= 4:
                return found[:4]
            time.sleep(0.05)

    def enter(self, domain: str, servers: list[str]) -> None:
        """Enter the name servers, as the person does at the registrar's site."""
        url = f"{self.addresses['registrar']}/domains/{domain}"
        self._ask(url, {"name_servers": servers}, "PUT")

    def calls(self, after: int = -1) -> list[dict[str, Any]]:
        """Return the calls after that number that commands made; a task's own are its role's."""
        made = self.control(f"calls?after={after}")
        return [call for call in made if call["caller"].endswith(":root")]


def environment(folder: Path) -> dict[str, str]:
    """Nobody's credentials, English, and a runtime folder of its own."""
    kept = {k: os.environ[k] for k in ("PATH", "HOME", "PYTHONPATH") if k in os.environ}
    root = str(Path(__file__).parent.parent)
    return {"PYTHONPATH": root, **kept, "LANG": "C.UTF-8", "XDG_RUNTIME_DIR": str(folder)}


@contextlib.contextmanager
def stage(speed: float) -> Iterator[Stage]:
    """Start a sandbox of its own, with an empty folder."""
    with tempfile.TemporaryDirectory(prefix="provision-benchmark-") as name:
        folder = Path(name)
        command = [*PROVISION, "sandbox", "--speed", str(speed), "--json"]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=environment(folder)
        ) as process:
            try:
                assert process.stdout is not None
                yield Stage(folder, json.loads(process.stdout.readline()), speed)
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(30)


def machine() -> str:
    """Date, cores, load and Python, for the head of a table."""
    load = os.getloadavg()[0]
    python = platform.python_version()
    return f"{date.today()}, {os.cpu_count()} cores, load {load:.1f}, Python {python}"


def middle(values: list[float], digits: int = 2) -> str:
    """Return the median, and the middle half of the values."""
    if len(values) == 1:
        return f"{values[0]:.{digits}f}"
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"{median:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"
