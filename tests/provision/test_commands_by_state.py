"""Every command on a stack in every state works or says what to do, and teardown leaves nothing."""

import json
import subprocess
import time
from collections.abc import Callable

import pytest

from tests.provision.shell import PROVISION, Person, aws_environment, runtime_info

ALLOWED = (
    0,
    1,
    3,
)  # success, failure with a reason, waiting outside AWS; never a traceback or usage error
READING = ("plan", "status", "verify", "cost", "logs")
CHANGING = ("start", "stop", "pause", "resume", "setup", "teardown")
LIMIT = 60.0  # seconds for a stack to reach the point at which its process is killed


def no_stack(person: Person) -> None:
    """Create no stack."""


def partial_setup(person: Person) -> None:
    """Kill setup (SIGKILL) as soon as the load balancer is recorded."""
    run_and_kill(person, ["setup", "--yes"], lambda text: "load_balancer/" in text)


def waiting_for_registrar(person: Person) -> None:
    """Set up everything except what needs the registrar."""
    known = runtime_info(person)
    environ = {
        **aws_environment(known),
        "LINE_CHANNEL_ACCESS_TOKEN": known["access_token"],
        "LINE_CHANNEL_SECRET": known["channel_secret"],
    }
    sets = [
        "--set",
        "domain=late.example",
        "--set",
        "network.vpc=default",
        "--set",
        "image.uri=a/b:1",
    ]
    file = ["--stack", "stack.sandbox.yaml"]
    done = person.types("setup", "--yes", "--wait", "0", *sets, *file, **environ)
    assert 3 == done.returncode, done.stderr


def live(person: Person) -> None:
    """Set up a complete stack."""
    done = person.types("--sandbox", "setup", "--yes")
    assert 0 == done.returncode, done.stderr


def stopped(person: Person) -> None:
    """Set up a stack and stop it."""
    live(person)
    assert 0 == person.types("--sandbox", "stop").returncode


def paused(person: Person) -> None:
    """Set up a stack and pause it."""
    live(person)
    assert 0 == person.types("--sandbox", "pause", "--yes").returncode


def partial_teardown(person: Person) -> None:
    """Kill teardown as soon as the HTTPS listener is deleted."""
    live(person)
    run_and_kill(person, ["teardown", "--yes", "--everything"], lambda text: "https/" not in text)


def run_and_kill(person: Person, words: list[str], reached: Callable[[str], bool]) -> None:
    """Kill a run as soon as its stack file meets the condition."""
    file = person.folder / "stack.sandbox.yaml"
    with subprocess.Popen(
        [*PROVISION, "--sandbox", *words],
        cwd=person.folder,
        env=person.environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        end = time.monotonic() + LIMIT
        while not (file.exists() and reached(file.read_text())):
            assert process.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < end
        process.kill()


STATES = (no_stack, partial_setup, waiting_for_registrar, live, stopped, paused, partial_teardown)


def check_command(person: Person, verb: str) -> None:
    """Check the exit status, for no traceback, and for one JSON document where one was requested."""
    more = ["--json"] if verb in ("plan", "status", "cost") else []
    more += ["--wait", "0"] if verb in ("setup", "resume") else []
    done = person.types("--sandbox", "--yes", verb, *more)
    assert done.returncode in ALLOWED, (verb, done.stderr)
    assert "Traceback" not in done.stderr, (verb, done.stderr)
    if "--json" in more:
        json.loads(done.stdout)


def check_teardown(person: Person) -> None:
    """Tear down, and check that nothing is left."""
    done = person.types("--sandbox", "--yes", "teardown", "--everything", "--json")
    assert (0, []) == (done.returncode, json.loads(done.stdout)["left"]), done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "state",
    [
        no_stack,
        partial_setup,
        live,
        paused,
        *(
            pytest.param(state, marks=pytest.mark.full)
            for state in (waiting_for_registrar, stopped, partial_teardown)
        ),
    ],
    ids=lambda state: state.__name__,
)
def test_read_only_commands_and_teardown(person: Person, state: Callable[[Person], None]) -> None:
    """Read-only commands work in every state and leave the file unchanged; teardown works too."""
    state(person)
    file = person.folder / "stack.sandbox.yaml"
    written = file.read_bytes() if file.exists() else None
    for verb in READING:
        check_command(person, verb)
    assert written == (file.read_bytes() if file.exists() else None)
    check_teardown(person)


@pytest.mark.full
@pytest.mark.parametrize("verb", CHANGING)
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_mutating_commands(person: Person, state: Callable[[Person], None], verb: str) -> None:
    """Every mutating command works in every state; then teardown leaves nothing."""
    state(person)
    check_command(person, verb)
    check_teardown(person)
