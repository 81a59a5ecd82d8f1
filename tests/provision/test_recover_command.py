"""`provision recover` as a process, and commands that recover by themselves."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.provision.shell import Person, control
from tests.provision.terminal import Terminal

CONFLICT = "<<<<<<< HEAD\nname: news-bot\n=======\nname: other\n>>>>>>> theirs\n"


def planned_actions(person: Person) -> set[str]:
    """Return the plan's actions."""
    plan = json.loads(person.types("--sandbox", "plan", "--json").stdout)
    return {step["action"] for step in plan["resources"]}


@pytest.mark.slow
def test_lost_and_damaged_files(person: Person) -> None:
    """Lost, recovered, not recovered over records, damaged, moved aside, lost again, and torn down."""
    file = person.folder / "stack.sandbox.yaml"
    assert 0 == person.types("--sandbox", "setup", "--yes").returncode
    file.unlink()

    status = person.types("--sandbox", "status", "--json")
    assert {True} == {entry["live"] for entry in json.loads(status.stdout)["resources"]}
    verify = person.types("--sandbox", "verify", "--json")
    assert 0 == json.loads(verify.stdout)["ng"], verify.stdout
    assert not file.exists()

    recovered = person.types("--sandbox", "recover")
    assert 0 == recovered.returncode, recovered.stderr
    assert {"keep"} == planned_actions(person)

    text = file.read_text()
    again = person.types("--sandbox", "recover")
    assert (1, text) == (again.returncode, file.read_text())
    assert "it has records" in again.stderr

    file.write_text(CONFLICT)
    refused = person.types("--sandbox", "recover")
    assert (2, CONFLICT) == (refused.returncode, file.read_text())
    assert "line 1" in refused.stderr
    confirmed = person.types("--sandbox", "recover", "--yes")
    assert 0 == confirmed.returncode, confirmed.stderr
    assert CONFLICT == (person.folder / "stack.sandbox.yaml.damaged-1").read_text()
    assert {"keep"} == planned_actions(person)

    file.unlink()
    recovered = person.types("--sandbox", "recover")
    assert 0 == recovered.returncode, recovered.stderr
    teardown = person.types("--sandbox", "teardown", "--yes", "--everything", "--json")
    assert (0, []) == (teardown.returncode, json.loads(teardown.stdout)["left"]), teardown.stderr


@pytest.mark.slow
def test_yes_does_not_answer_for_a_file_that_does_not_exist(
    person: Person, terminals: Callable[..., Terminal], addresses: dict[str, str]
) -> None:
    """Mistyped: no verb changes the stack that the account has; at a terminal it is named, and asked for."""
    sets = ("--set", "image.uri=a/b:1", "--set", "news.feeds=")
    assert 0 == person.types("--sandbox", "setup", "--yes", *sets).returncode

    def changes() -> list[Any]:
        return [call for call in control(addresses, "calls") if call["mutating"]]

    before = changes()
    typed = ("--sandbox", "--yes", "--stack", "typo/STACK.yaml")
    for words in (
        ("teardown", "--everything"),
        ("setup",),
        ("deploy", "--set", "service.memory=1024"),
        ("start",),
        ("stop",),
        ("pause",),
        ("resume",),
        ("secrets", "rotate"),
    ):
        refused = person.types(*typed, *words)
        assert (2, "") == (refused.returncode, refused.stdout), (words, refused.stderr)
        assert (
            "  why:  typo/STACK.yaml does not exist; this account has the stack news-bot for "
            "news-bot.example (resources: 19)\n"
            "  next: If you mean that stack, run `provision --sandbox --stack typo/STACK.yaml recover` "
            "first: it writes the file. If not, name the right file with --stack FILE.\n"
        ) in refused.stderr
    terminal = terminals(*typed, "teardown", "--everything")
    shown = terminal.until("Do you mean that stack?")
    assert "this account has the stack news-bot for" in " ".join(shown.split())
    terminal.type("n")
    terminal.until("Cancelled. Nothing was changed.")
    assert 1 == terminal.wait()
    assert not (person.folder / "typo").exists()
    assert before == changes()


def test_nothing_to_recover(person: Person) -> None:
    """Without a stack the error says what to do; no file is created."""
    done = person.types("--sandbox", "recover")
    assert 1 == done.returncode
    assert [
        "  why:  there is none",
        "  next: To look in another region: --set region=...",
    ] == done.stderr.splitlines()[1:]
    assert [] == list(person.folder.glob("*.yaml"))
