"""The sandbox as a process: what is left when it ends, and several of them."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.provision.shell import PROVISION, TIMEOUT, Person, environment
from tests.provision.test_unexpected_errors import processes

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Return an environment with its own temporary and runtime folders."""
    (tmp_path / "temporary").mkdir()
    return {**environment(tmp_path / "runtime"), "TMPDIR": str(tmp_path / "temporary")}


@pytest.fixture
def start_sandbox(environ: dict[str, str], default_signals: None) -> Iterator[Start]:
    """Yield a function that starts a sandbox, in its own session as in a terminal, once it serves."""
    started: list[subprocess.Popen[str]] = []

    def start(wrapper: tuple[str, ...] = ()) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [*wrapper, *PROVISION, "sandbox", "--speed", "100", "--json"],
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert "aws" in json.loads(process.stdout.readline())
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate(timeout=TIMEOUT)


def registered_process(environ: dict[str, str]) -> int | None:
    """Return the process in the runtime file, which --sandbox uses."""
    path = Path(environ["XDG_RUNTIME_DIR"]) / "provision" / "sandbox.json"
    return int(json.loads(path.read_text())["pid"]) if path.exists() else None


def end_session(process: "subprocess.Popen[str]", number: signal.Signals) -> tuple[int, str]:
    """Send the signal to the whole session, as a terminal does; return the exit status and stderr."""
    os.killpg(process.pid, number)
    _stdout, stderr = process.communicate(timeout=TIMEOUT)
    return process.returncode, stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "status", "left"),
    [
        (signal.SIGHUP, 0, False),
        (signal.SIGINT, 0, False),
        (signal.SIGQUIT, -signal.SIGQUIT, True),
    ],
)
def test_ended_sandbox_leaves_no_bot(
    environ: dict[str, str],
    start_sandbox: Start,
    tmp_path: Path,
    number: signal.Signals,
    status: int,
    left: bool,
) -> None:
    """A closed terminal, Ctrl-C, Ctrl-\\: the bots end with it, and its files are deleted if possible."""
    sandbox = start_sandbox()
    setup = Person(tmp_path, environ).types("--sandbox", "setup", "--yes")
    assert 0 == setup.returncode, setup.stderr
    assert [] != [line for line in processes(environ) if "-m bot" in line]
    code, stderr = end_session(sandbox, number)
    assert status == code
    assert "Traceback" not in stderr
    wait_until_no_process_is_left(environ)
    assert left == any(Path(environ["TMPDIR"]).iterdir())


def wait_until_no_process_is_left(environ: dict[str, str]) -> None:
    """Wait until no process is left; a killed bot takes a moment."""
    for _attempt in range(200):
        if not processes(environ):
            return
        signal.sigtimedwait([], 0.05)
    assert [] == processes(environ)


def test_nohup_keeps_the_sandbox_running(environ: dict[str, str], start_sandbox: Start) -> None:
    """The sandbox survives a closed terminal."""
    sandbox = start_sandbox(("nohup",))
    os.killpg(sandbox.pid, signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        sandbox.wait(timeout=2)
    code, _stderr = end_session(sandbox, signal.SIGINT)
    assert 0 == code


@pytest.mark.slow
def test_second_sandbox(environ: dict[str, str], start_sandbox: Start, tmp_path: Path) -> None:
    """It reports that another one is running; when it ends, --sandbox means the previous one again."""
    first, second, third = start_sandbox(), start_sandbox(), start_sandbox()
    assert third.pid == registered_process(environ)
    assert (0, True) == (second.poll() or 0, second.poll() is None)
    code, stderr = end_session(second, signal.SIGINT)
    assert code == 0
    assert (
        f"Another sandbox runs (process {first.pid}): until this one ends, --sandbox means this one.\n"
        "The sandbox ends, and everything in it.\n"
    ) == stderr
    assert third.pid == registered_process(environ)
    assert 0 == end_session(third, signal.SIGINT)[0]
    assert first.pid == registered_process(environ)
    status = Person(tmp_path, environ).types("--sandbox", "status")
    assert 0 == status.returncode, status.stderr
    assert (0, "The sandbox ends, and everything in it.\n") == end_session(first, signal.SIGINT)
    assert registered_process(environ) is None
