"""The outermost error handler: whatever goes wrong, the user reads sentences and no traceback."""

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import urllib.error
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pytest

from provision.cli import main
from provision.errors import ProvisionError
from provision.image import own
from provision.state.lock import locked
from tests.provision.shell import PROVISION, TIMEOUT, Person, control, environment

SECRET = "channel-secret-0123456789"

VERBS = ("setup", "deploy", "start", "stop", "pause", "teardown")
# Encodings of terminals and of redirected output on Windows; they lack at least the check mark.
ENCODINGS = ("cp932", "shift_jis", "euc_jp", "ascii", "cp1252", "latin-1")


def raising(error: BaseException) -> Callable[[], int]:
    """Return an action that raises this error."""

    def action() -> int:
        secret = SECRET  # a local variable
        assert secret
        raise error

    return action


def test_unexpected_error_is_reported_with_details_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three sentences and exit status 1; the frames go to a private file, without values and messages."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    inner = ValueError(f"Invalid header value b'Bearer {SECRET}'")
    outer = RuntimeError(SECRET)
    outer.__cause__ = inner
    inner.__context__ = outer  # a cycle must not cause an endless loop
    assert 1 == main.guarded(raising(outer))
    (path,) = tmp_path.iterdir()
    assert (
        "Error: Provision encountered an unexpected error.\n"
        "  why:  RuntimeError\n"
        f"  next: The details, without secrets, are in {path}: please report them to provision's "
        "developers. Run the same command to continue.\n"
    ) == capsys.readouterr().err
    assert 0o100600 == path.stat().st_mode
    written = path.read_text()
    assert SECRET not in written
    assert "in action\n    raise error\n" in written
    assert [line for line in written.splitlines() if line.endswith("Error")] == [
        "ValueError",
        "RuntimeError",
    ]


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (
            PermissionError(13, "Permission denied", "/x/y"),
            "PermissionError: Permission denied: /x/y",
        ),
        (OSError(28, "No space left on device", "/x"), "OSError: No space left on device: /x"),
        (OSError(SECRET), "OSError"),
        (urllib.error.URLError(SECRET), "urllib.error.URLError"),
        (KeyError(SECRET), "KeyError"),
        (MemoryError(), "MemoryError"),
    ],
)
def test_os_error_message_is_shown_and_others_are_not(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    why: str,
) -> None:
    """Messages of the operating system are shown; other messages may contain secrets and are not."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert 1 == main.guarded(raising(error))
    assert f"  why:  {why}" == capsys.readouterr().err.splitlines()[1]
    (path,) = tmp_path.iterdir()
    assert why == path.read_text().splitlines()[-1]


def test_details_file_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A full disk or missing temporary folder is reported without a second error."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    assert 1 == main.guarded(raising(RuntimeError()))
    lines = capsys.readouterr().err.splitlines()
    assert lines[2].startswith("  next: The details could not be written: FileNotFoundError: ")
    assert 3 == len(lines)


def test_ctrl_c_and_provision_errors_keep_their_exit_status(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Ctrl-C exits with 130; a ProvisionError with its own status and message."""
    assert 130 == main.guarded(raising(KeyboardInterrupt()))
    assert 1 == main.guarded(raising(ProvisionError("a", "b", "c")))
    assert "a\n  why:  b\n  next: c" in capsys.readouterr().err


PRESSED = """
import os, runpy, signal, sys

class Person:
    def find_spec(self, name, path=None, target=None):
        if name == "click":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Person())
runpy.run_module("provision", run_name="__main__")
"""


@pytest.mark.usefixtures("default_signals")
def test_ctrl_c_while_the_command_is_loaded(tmp_path: Path) -> None:
    """Before it has begun: the process ends by the signal, which shells show as 130, without a traceback."""
    done = subprocess.run(
        [sys.executable, "-c", PRESSED],
        env=environment(tmp_path),
        capture_output=True,
        timeout=TIMEOUT,
    )
    assert (-signal.SIGINT, b"", b"") == (done.returncode, done.stdout, done.stderr)


def run(
    person: Person,
    *typed: str,
    stdout: int | IO[Any] = subprocess.PIPE,
    preexec: Callable[[], object] | None = None,
    **more: str,
) -> subprocess.CompletedProcess[bytes]:
    """Run one command, with its output as bytes."""
    return subprocess.run(
        [*PROVISION, *typed],
        cwd=person.folder,
        env={**person.environ, **more},
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        preexec_fn=preexec,
        timeout=TIMEOUT,
    )


@pytest.fixture(scope="module")
def finished_stack(
    served: tuple[dict[str, str], dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> Person:
    """Return a user with a complete stack."""
    control(served[0], "reset", {})
    person = Person(tmp_path_factory.mktemp("finished"), served[1])
    done = person.types("--sandbox", "setup", "--yes")
    assert 0 == done.returncode, done.stderr
    return person


@pytest.mark.sample(2)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_output_in_any_encoding(finished_stack: Person, encoding: str) -> None:
    """Unencodable characters are replaced; JSON stays valid; Japanese is used where it can be encoded."""
    status = run(finished_stack, "--sandbox", "status", PYTHONIOENCODING=encoding)
    assert (0, b"") == (status.returncode, status.stderr)
    assert "  v Bot\n" in status.stdout.decode(encoding)
    json_status = run(
        finished_stack, "--sandbox", "--lang", "ja", "status", "--json", PYTHONIOENCODING=encoding
    )
    assert (0, b"") == (json_status.returncode, json_status.stderr)
    assert (
        "https://news-bot.example/webhook" == json.loads(json_status.stdout.decode(encoding))["url"]
    )
    plan = run(finished_stack, "--sandbox", "--lang", "ja", "plan", PYTHONIOENCODING=encoding)
    assert (0, b"") == (plan.returncode, plan.stderr)
    japanese = encoding in ("cp932", "shift_jis", "euc_jp")
    text = plan.stdout.decode(encoding)
    assert (japanese, not japanese) == ("\u6708" in text, "a month while it runs" in text)


def test_output_in_shift_jis_locale(finished_stack: Person) -> None:
    """Output is encoded in Shift_JIS; PYTHONIOENCODING stands in for the locale here."""
    done = run(
        finished_stack, "--sandbox", "verify", LANG="ja_JP.SJIS", PYTHONIOENCODING="shift_jis"
    )
    assert b"Traceback" not in done.stderr
    assert "OK    \u30c9\u30e1\u30a4\u30f3" == done.stdout.decode("shift_jis").splitlines()[1]


@pytest.mark.sample(2)
@pytest.mark.parametrize("verb", VERBS)
def test_lock_file_that_cannot_be_written(finished_stack: Person, verb: str) -> None:
    """In a folder that is not writable, mutating commands fail at the lock."""
    lock = finished_stack.folder / ".stack.sandbox.yaml.lock"
    lock.unlink(missing_ok=True)
    lock.mkdir()
    try:
        done = run(finished_stack, "--sandbox", verb, "--yes")
    finally:
        lock.rmdir()
    lines = done.stderr.decode().splitlines()
    assert [
        "Error: Could not write .stack.sandbox.yaml.lock.",
        "  why:  Is a directory",
        "  next: Fix that, then run the same command again.",
    ] == lines[-3:]
    assert 1 == done.returncode


@pytest.mark.sample(2)
@pytest.mark.parametrize("verb", VERBS)
def test_full_disk(finished_stack: Person, verb: str) -> None:
    """When nothing can be written, the command fails with three sentences, and the file is unchanged."""
    before = (finished_stack.folder / "stack.sandbox.yaml").read_bytes()

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    done = run(finished_stack, "--sandbox", verb, "--yes", preexec=full)
    assert 1 == done.returncode
    assert b"\n  why:  File too large\n" in done.stderr
    assert b"Traceback" not in done.stderr
    assert before == (finished_stack.folder / "stack.sandbox.yaml").read_bytes()


def test_lock_in_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """The lock fails if its folder cannot be created, and is not held."""
    (tmp_path / "file").touch()
    with pytest.raises(ProvisionError) as error, locked(tmp_path / "file" / "stack.yaml"):
        pytest.fail("locked")
    assert f"Could not write {tmp_path}/file/.stack.yaml.lock." == error.value.what


def test_image_files_that_cannot_be_read(tmp_path: Path) -> None:
    """A file in image.files that cannot be read is reported."""
    folder = tmp_path / "own"
    folder.mkdir()
    os.mkfifo(folder / "pipe.py")
    with pytest.raises(ProvisionError) as error:
        own.read(folder, tmp_path)
    assert "Could not use the files for the image." == error.value.what


@pytest.mark.sample(2)
@pytest.mark.parametrize("typed", [("status",), ("status", "--json"), ("plan",), ("cost",)])
def test_closed_stdout_pipe_is_silent(finished_stack: Person, typed: tuple[str, ...]) -> None:
    """A reader that closes the pipe (`| head -1`), even before reading: no message."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as broken:
        done = run(finished_stack, "--sandbox", *typed, stdout=broken)
    assert (1, b"") == (done.returncode, done.stderr)


def test_closed_stdout_and_stderr_pipes(finished_stack: Person) -> None:
    """With `2>&1 | head` the error message has no reader either."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as broken:
        command = [*PROVISION, "--sandbox", "plan", "--set", "nonsense=1"]
        done = subprocess.run(
            command,
            cwd=finished_stack.folder,
            env=finished_stack.environ,
            stdout=broken,
            stderr=broken,
        )
    assert 1 == done.returncode


@pytest.mark.sample(2)
@pytest.mark.parametrize("typed", [("status", "--json"), ("status",), ("--help",), ("--version",)])
def test_output_to_a_full_disk(finished_stack: Person, typed: tuple[str, ...]) -> None:
    """Exit status 1 and one message of three sentences."""
    with open("/dev/full", "wb") as full:
        done = run(finished_stack, "--sandbox", *typed, stdout=full)
    assert (
        1,
        "Error: Could not write the output.\n"
        "  why:  No space left on device\n"
        "  next: Fix that, then run the same command again.\n",
    ) == (done.returncode, done.stderr.decode())


@pytest.mark.sample(2)
@pytest.mark.parametrize("closed", [">&-", "<&-", "<&- >&- 2>&-", "2>&-"])
def test_closed_streams(finished_stack: Person, closed: str) -> None:
    """The command may be started with any of its standard streams closed."""
    command = f'"$0" -m provision --sandbox status {closed}'
    done = subprocess.run(
        ["sh", "-c", command, sys.executable],
        cwd=finished_stack.folder,
        env=finished_stack.environ,
        capture_output=True,
        text=True,
    )
    assert (0, "") == (done.returncode, done.stderr)
    assert (">" not in closed.replace("2>", "")) == ("Bot\n" in done.stdout)


@pytest.fixture
def temporary(tmp_path: Path) -> dict[str, str]:
    """Return an environment with its own temporary folder."""
    (tmp_path / "temporary").mkdir()
    return {**environment(tmp_path / "runtime"), "TMPDIR": str(tmp_path / "temporary")}


def processes(environ: dict[str, str]) -> list[str]:
    """Return the command lines of the processes that have this temporary folder as TMPDIR or HOME."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            variables = (path / "environ").read_bytes().split(b"\0")
            line = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        folder = environ["TMPDIR"].encode()
        if b"TMPDIR=" + folder in variables or b"HOME=" + folder in variables:
            found.append(line)
    return found


@pytest.mark.usefixtures("default_signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stopped_demo_leaves_nothing(
    temporary: dict[str, str], tmp_path: Path, number: signal.Signals
) -> None:
    """Ctrl-C, kill or a closed terminal: exit status 130, no traceback, and no process or file is left."""
    with subprocess.Popen(
        [sys.executable, "-m", "provision.sandbox.demo"],
        cwd=tmp_path,
        env=temporary,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as demo:
        assert demo.stdout is not None
        while not demo.stdout.readline().startswith("== 1."):
            pass
        os.killpg(demo.pid, number)
        stdout, stderr = demo.communicate(timeout=TIMEOUT)
    assert 130 == demo.returncode
    assert "Stopped. The sandbox ends, and everything in it" in stdout
    assert "Traceback" not in stdout + stderr
    assert [] == processes(temporary)
    assert [] == list(Path(temporary["TMPDIR"]).iterdir())
