"""Ctrl-C and a closed terminal (SIGHUP) where a command asks or waits: nothing is changed or lost."""

import json
import signal
from collections.abc import Callable

import pytest

from tests.provision.shell import Person, set_endpoint
from tests.provision.terminal import ENTER, Terminal

STOPPED = "Stopped. Nothing is lost. Run the same command to continue."
SETS = ("--set", "domain=stop.example", "--set", "network.vpc=default", "--set", "image.uri=a/b:1")


def answer(terminal: Terminal, *questions: str) -> None:
    """Press Enter at these questions."""
    for words in questions:
        terminal.until(words)
        terminal.type(ENTER)


@pytest.mark.slow(seconds=60)
def test_setup_is_stopped_and_goes_on(person: Person, terminals: Callable[..., Terminal]) -> None:
    """At its last question, and while it waits for the registrar; what is created is created once."""
    secrets = ("channel access token (", "channel secret (")
    last = "Should provision enter the name servers"
    file = person.folder / "stack.sandbox.yaml"
    set_endpoint(person, "https://stop.example/webhook")  # its own: teardown does not ask about it
    for sent, status in ((signal.SIGINT, 130), (signal.SIGHUP, -signal.SIGHUP)):
        terminal = terminals("--sandbox", "setup", *SETS)
        answer(terminal, *secrets, "Build this?")
        terminal.until(last)
        terminal.process.send_signal(sent)
        assert status == terminal.wait()
        assert (sent == signal.SIGINT) == (STOPPED in terminal.output)
        assert not file.exists() or "resources:" not in file.read_text()
    terminal = terminals("--sandbox", "setup", *SETS)
    answer(terminal, *secrets, "Build this?")
    terminal.until(last)
    terminal.type("n")
    terminal.until("You may press Ctrl-C")
    terminal.process.send_signal(signal.SIGHUP)
    assert -signal.SIGHUP == terminal.wait()
    terminal = terminals("--sandbox", "setup", "--yes")
    assert 0 == terminal.wait(), terminal.output
    status_document = json.loads(person.types("--sandbox", "status", "--json").stdout)
    assert [] == [each for each in status_document["resources"] if not each["ready"]]
    terminal = terminals("--sandbox", "setup", "--set", "service.memory=1024")
    answer(terminal, "Build this?")
    terminal.until(
        "The bot answers at"
    )  # the domain is delegated already: there is nothing to enter
    assert last not in terminal.output
    terminal.stop()
    for words, question in (
        (("pause",), "for now?"),
        (("secrets", "rotate"), "channel access token ("),
        (("teardown",), "to delete it:"),
    ):
        before = file.read_bytes()
        terminal = terminals("--sandbox", *words)
        terminal.until(question)
        assert 130 == terminal.interrupt()
        assert STOPPED in terminal.output
        assert before == file.read_bytes()
    result = person.types("--sandbox", "teardown", "--yes", "--everything", "--json")
    assert [] == json.loads(result.stdout)["left"]
