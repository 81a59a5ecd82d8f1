"""`provision recover` as a process, and commands that recover by themselves."""

import json

import pytest

from tests.provision.shell import Person

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
    teardown = person.types("--sandbox", "teardown", "--yes", "--everything", "--json")
    assert (0, []) == (teardown.returncode, json.loads(teardown.stdout)["left"]), teardown.stderr
    assert "which exists in this account: recovered" in teardown.stderr


def test_nothing_to_recover(person: Person) -> None:
    """Without a stack the error says what to do; no file is created."""
    done = person.types("--sandbox", "recover")
    assert 1 == done.returncode
    assert [
        "  why:  there is none",
        "  next: To look in another region: --set region=...",
    ] == done.stderr.splitlines()[1:]
    assert [] == list(person.folder.glob("*.yaml"))
