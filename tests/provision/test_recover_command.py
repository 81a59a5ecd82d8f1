"""`provision recover` as a process, and the verbs that recover by themselves."""

import json

import pytest

from tests.provision.shell import Person

CONFLICT = "<<<<<<< HEAD\nname: news-bot\n=======\nname: other\n>>>>>>> theirs\n"


def actions(person: Person) -> set[str]:
    """What the plan would do."""
    plan = json.loads(person.types("--sandbox", "plan", "--json").stdout)
    return {step["action"] for step in plan["resources"]}


@pytest.mark.slow
def test_story_of_a_lost_file(person: Person) -> None:
    """Lost, recovered, refused over records, damaged, put aside, lost again, and torn down all the same."""
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
    assert {"keep"} == actions(person)

    text = file.read_text()
    again = person.types("--sandbox", "recover")
    assert (1, text) == (again.returncode, file.read_text())
    assert "it has records" in again.stderr

    file.write_text(CONFLICT)
    refused = person.types("--sandbox", "recover")
    assert (2, CONFLICT) == (refused.returncode, file.read_text())
    assert "line 1" in refused.stderr
    agreed = person.types("--sandbox", "recover", "--yes")
    assert 0 == agreed.returncode, agreed.stderr
    assert CONFLICT == (person.folder / "stack.sandbox.yaml.damaged-1").read_text()
    assert {"keep"} == actions(person)

    file.unlink()
    gone = person.types("--sandbox", "teardown", "--yes", "--everything", "--json")
    assert (0, []) == (gone.returncode, json.loads(gone.stdout)["left"]), gone.stderr
    assert "which exists in this account: recovered" in gone.stderr


def test_nothing_to_recover(person: Person) -> None:
    """No stack in the account: said, with what to do; no file is made."""
    done = person.types("--sandbox", "recover")
    assert 1 == done.returncode
    assert "there is none" in done.stderr
    assert [] == list(person.folder.glob("*.yaml"))
