"""Every verb on a stack in every state: it works or says what to do, and teardown leaves nothing."""

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
)  # done, refused with a reason, waits on something outside: never a traceback or usage
READING = ("plan", "status", "verify", "cost", "logs")
CHANGING = ("start", "stop", "pause", "resume", "setup", "teardown")
LIMIT = 60.0  # seconds for a stack to reach the point at which its process is killed


def nothing(person: Person) -> None:
    """No stack at all."""


def half_made(person: Person) -> None:
    """Setup is killed (SIGKILL) when the load balancer has just been recorded."""
    killed(person, ["setup", "--yes"], lambda text: "load_balancer/" in text)


def waiting(person: Person) -> None:
    """Everything stands but what needs the registrar."""
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
    """The bot answers."""
    done = person.types("--sandbox", "setup", "--yes")
    assert 0 == done.returncode, done.stderr


def stopped(person: Person) -> None:
    """Live, but no task is wanted."""
    live(person)
    assert 0 == person.types("--sandbox", "stop").returncode


def paused(person: Person) -> None:
    """Live once; what is paid by the hour is gone."""
    live(person)
    assert 0 == person.types("--sandbox", "pause", "--yes").returncode


def half_torn_down(person: Person) -> None:
    """Teardown is killed when the HTTPS listener has gone."""
    live(person)
    killed(person, ["teardown", "--yes", "--everything"], lambda text: "https/" not in text)


def killed(person: Person, words: list[str], reached: Callable[[str], bool]) -> None:
    """A run that is killed as soon as its stack file says so."""
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


STATES = (nothing, half_made, waiting, live, stopped, paused, half_torn_down)


def works(person: Person, verb: str) -> None:
    """An allowed exit status, no traceback, and one JSON document where one was asked for."""
    more = ["--json"] if verb in ("plan", "status", "cost") else []
    more += ["--wait", "0"] if verb in ("setup", "resume") else []
    done = person.types("--sandbox", "--yes", verb, *more)
    assert done.returncode in ALLOWED, (verb, done.stderr)
    assert "Traceback" not in done.stderr, (verb, done.stderr)
    if "--json" in more:
        json.loads(done.stdout)


def goes_away(person: Person) -> None:
    """Teardown, from wherever it stands."""
    done = person.types("--sandbox", "--yes", "teardown", "--everything", "--json")
    assert (0, []) == (done.returncode, json.loads(done.stdout)["left"]), done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_looking_and_teardown(person: Person, state: Callable[[Person], None]) -> None:
    """The verbs that only look work in every state and leave the file as it is; teardown works, too."""
    state(person)
    file = person.folder / "stack.sandbox.yaml"
    written = file.read_bytes() if file.exists() else None
    for verb in READING:
        works(person, verb)
    assert written == (file.read_bytes() if file.exists() else None)
    goes_away(person)


@pytest.mark.full
@pytest.mark.parametrize("verb", CHANGING)
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_changing(person: Person, state: Callable[[Person], None], verb: str) -> None:
    """Every verb that changes something, in every state; then teardown leaves nothing."""
    state(person)
    works(person, verb)
    goes_away(person)
