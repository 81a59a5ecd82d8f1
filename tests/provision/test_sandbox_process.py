"""The sandbox as a process: what is left when it ends, and a second one beside it."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.provision.shell import PROVISION, TIMEOUT, Person, environment
from tests.provision.test_unexpected_errors import processes

Starts = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A temporary folder and a runtime folder of its own."""
    (tmp_path / "temporary").mkdir()
    return {**environment(tmp_path / "runtime"), "TMPDIR": str(tmp_path / "temporary")}


@pytest.fixture
def starts(environ: dict[str, str]) -> Iterator[Starts]:
    """Starts sandboxes that serve when this returns, each in a session of its own as in a terminal."""
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


def found(environ: dict[str, str]) -> int | None:
    """The process that --sandbox means, as the runtime file has it."""
    path = Path(environ["XDG_RUNTIME_DIR"]) / "provision" / "sandbox.json"
    return int(json.loads(path.read_text())["pid"]) if path.exists() else None


def ended(process: "subprocess.Popen[str]", number: signal.Signals) -> tuple[int, str]:
    """Its whole session gets the signal, as from a terminal: its exit status and what it said."""
    os.killpg(process.pid, number)
    _said, wrong = process.communicate(timeout=TIMEOUT)
    return process.returncode, wrong


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "status", "left"),
    [
        (signal.SIGHUP, 0, False),
        (signal.SIGINT, 0, False),
        (signal.SIGQUIT, -signal.SIGQUIT, True),
    ],
)
def test_no_bot_is_left(
    environ: dict[str, str],
    starts: Starts,
    tmp_path: Path,
    number: signal.Signals,
    status: int,
    left: bool,
) -> None:
    """A closed terminal, Ctrl-C, Ctrl-\\: the bots end with it, and its files where it can take them."""
    sandbox = starts()
    setup = Person(tmp_path, environ).types("--sandbox", "setup", "--yes")
    assert 0 == setup.returncode, setup.stderr
    assert [] != [line for line in processes(environ) if "-m bot" in line]
    code, wrong = ended(sandbox, number)
    assert status == code
    assert "Traceback" not in wrong
    gone(environ)
    assert left == any(Path(environ["TMPDIR"]).iterdir())


def gone(environ: dict[str, str]) -> None:
    """No process is left; a bot that is killed takes a moment."""
    for _attempt in range(200):
        if not processes(environ):
            return
        signal.sigtimedwait([], 0.05)
    assert [] == processes(environ)


def test_nohup_is_heeded(environ: dict[str, str], starts: Starts) -> None:
    """Whoever started it with nohup wants it to go on when the terminal closes."""
    sandbox = starts(("nohup",))
    os.killpg(sandbox.pid, signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        sandbox.wait(timeout=2)
    code, _wrong = ended(sandbox, signal.SIGINT)
    assert 0 == code


@pytest.mark.slow
def test_second_sandbox(environ: dict[str, str], starts: Starts, tmp_path: Path) -> None:
    """It says that another one runs; when it ends, the former is found again, also over one that has gone."""
    first, second, third = starts(), starts(), starts()
    assert third.pid == found(environ)
    assert (0, True) == (second.poll() or 0, second.poll() is None)
    code, wrong = ended(second, signal.SIGINT)
    assert code == 0
    assert (
        f"Another sandbox runs (process {first.pid}): until this one ends, --sandbox means this one.\n"
        "The sandbox ends, and everything in it.\n"
    ) == wrong
    assert third.pid == found(environ)
    assert 0 == ended(third, signal.SIGINT)[0]
    assert first.pid == found(environ)
    status = Person(tmp_path, environ).types("--sandbox", "status")
    assert 0 == status.returncode, status.stderr
    assert (0, "The sandbox ends, and everything in it.\n") == ended(first, signal.SIGINT)
    assert found(environ) is None
