"""A server to be measured: a process with a limited share of a CPU, as in its container."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PERIOD = 100_000  # microseconds: what Fargate and Docker use
ROOT = Path(__file__).parents[1]


class NoQuota(Exception):
    """CPU cannot be limited on this machine; the message says why."""


@contextmanager
def limit_cpu(cpus: float) -> Iterator[Path]:
    """Create a control group with that much CPU; yield its file for process ids. Raise NoQuota."""
    old = Path("/sys/fs/cgroup/cpu")
    group = (old if old.is_dir() else Path("/sys/fs/cgroup")) / f"bot-benchmark-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        raise NoQuota(str(error)) from error
    try:
        if old.is_dir():
            (group / "cpu.cfs_period_us").write_text(str(PERIOD))
            (group / "cpu.cfs_quota_us").write_text(str(int(cpus * PERIOD)))
        else:
            (group / "cpu.max").write_text(f"{int(cpus * PERIOD)} {PERIOD}")
        yield group / "cgroup.procs"
    except OSError as error:
        raise NoQuota(str(error)) from error
    finally:
        end = time.monotonic() + 5
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                group.rmdir()
                break
            time.sleep(0.05)


class ServerProcess:
    """The process and its children, and how long it took to become healthy."""

    def __init__(self, command: list[str], environment: dict[str, str], group: Path) -> None:
        self.port = free_port()
        given = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOST": "127.0.0.1"}
        given |= {"PORT": str(self.port), **environment}
        command = [part.replace("$PORT", str(self.port)) for part in command]
        began = time.monotonic()
        self.process = subprocess.Popen(
            command,
            env=given,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=lambda: _enter(group),
        )
        self._wait_until_healthy()
        self.seconds_to_healthy = time.monotonic() - began

    def _wait_until_healthy(self) -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            try:
                connection.request("GET", "/healthz")
                if connection.getresponse().status == 200:
                    return
            except OSError:
                time.sleep(0.005)
            finally:
                connection.close()
        raise TimeoutError("never healthy")

    def _processes(self) -> list[Path]:
        """Return the processes of its session: the master and its workers."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError, IndexError):
                if int(_stat(folder)[3]) == self.process.pid:
                    found.append(folder)
        return found

    def memory(self) -> float:
        """Return the proportional set size of all processes, in MB."""
        kilobytes = 0
        for folder in self._processes():
            for line in (folder / "smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    kilobytes += int(line.split()[1])
        return kilobytes / 1024

    def cpu(self) -> float:
        """Return the CPU seconds used."""
        ticks = sum(int(_stat(one)[11]) + int(_stat(one)[12]) for one in self._processes())
        return ticks / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """Kill it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def _stat(folder: Path) -> list[str]:
    """Return the fields of /proc/PID/stat after the name: state, parent, group, session, ..."""
    return (folder / "stat").read_text().rpartition(")")[2].split()


def _enter(group: Path) -> None:
    group.write_text(str(os.getpid()))


def free_port() -> int:
    """Return a free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
