"""Deploys on a sandbox of real processes, with 20 messages per second: none is lost."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.provision.shell import Person, running_sandbox, send

RATE = 20  # messages a second, which leaves most of a core to the tool and the sandbox
WORKERS = 10
SPEED = 20
MISSING = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/news-bot:nobody-pushed-it"


class Load:
    """Sends messages at a steady rate while entered, and records the result of each."""

    def __init__(self, addresses: dict[str, str]) -> None:
        self._addresses, self._over = addresses, threading.Event()
        self._threads = [threading.Thread(target=self._work, args=(n,)) for n in range(WORKERS)]
        self.answered = 0
        self.lost: list[object] = []
        self.seconds = 0.0

    def __enter__(self) -> "Load":
        self._began = time.monotonic()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        self.seconds = time.monotonic() - self._began

    def _work(self, number: int) -> None:
        due = self._began + number / RATE
        while not self._over.wait(max(0.0, due - time.monotonic())):
            message = send(self._addresses, "help")
            if message["status"] == 200 and message["reply"]:
                self.answered += 1
            else:
                self.lost.append(message)
            due += WORKERS / RATE


@pytest.fixture(scope="module")
def live_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Person, dict[str, str]]]:
    """Yield a user with a complete stack, and the sandbox's addresses."""
    folder: Path = tmp_path_factory.mktemp("load")
    with running_sandbox(tmp_path_factory.mktemp("runtime"), SPEED) as (addresses, environ):
        person = Person(folder, environ)
        done = person.types("--sandbox", "setup", "--yes")
        assert 0 == done.returncode, done.stderr
        yield person, addresses


@pytest.mark.slow
def test_good_deploy_loses_no_message(live_stack: tuple[Person, dict[str, str]]) -> None:
    """The new task takes over while messages arrive."""
    person, addresses = live_stack
    with Load(addresses) as load:
        done = person.types("--sandbox", "deploy", "--set", "service.memory=1024")
    assert (0, "news-bot:2\n") == (done.returncode, done.stdout), done.stderr
    assert [] == load.lost
    assert load.answered > 0.8 * RATE * load.seconds


@pytest.mark.slow
def test_bad_deploy_loses_no_message(live_stack: tuple[Person, dict[str, str]]) -> None:
    """The image was never pushed: rolled back with the reason, and stack.yaml is unchanged."""
    person, addresses = live_stack
    before = (person.folder / "stack.sandbox.yaml").read_text().partition("resources:")[0]
    with Load(addresses) as load:
        done = person.types("--sandbox", "deploy", "--set", f"image.uri={MISSING}")
    assert 1 == done.returncode
    assert "nobody-pushed-it: not found" in done.stderr
    assert "keeps answering" in done.stderr
    assert [] == load.lost
    assert load.answered > 0.8 * RATE * load.seconds
    assert before == (person.folder / "stack.sandbox.yaml").read_text().partition("resources:")[0]
