"""The advice of every error works: the command it names is run until the stack is complete."""

import json
import re
from collections.abc import Callable

import pytest

from tests.provision.shell import Person

STEPS = 4  # the most commands that are followed


def restore_older_copy(person: Person) -> None:
    """Restore stack.yaml from before the last deploy, with the hidden backup of after it."""
    file = person.folder / "stack.sandbox.yaml"
    old = file.read_text()
    done = person.types("--sandbox", "deploy", "--yes", "--set", "service.memory=1024")
    assert 0 == done.returncode, done.stderr
    assert old != file.read_text()
    file.write_text(old)


def restore_older_copy_without_backup(person: Person) -> None:
    """Do the same as on another machine, without the hidden backup."""
    restore_older_copy(person)
    (person.folder / ".stack.sandbox.yaml.last").unlink()


def change(old: str, new: str, *, last: bool = True) -> Callable[[Person], None]:
    """Return a function that changes text in stack.yaml. last: the hidden backup exists."""

    def state(person: Person) -> None:
        file = person.folder / "stack.sandbox.yaml"
        changed = re.sub(old, new, file.read_text())
        assert changed != file.read_text()
        file.write_text(changed)
        if not last:
            (person.folder / ".stack.sandbox.yaml.last").unlink()

    return state


def delete_file(person: Person) -> None:
    """Delete the file."""
    (person.folder / "stack.sandbox.yaml").unlink()


def truncate_file(person: Person) -> None:
    """Keep the first half of the file."""
    file = person.folder / "stack.sandbox.yaml"
    file.write_text(file.read_text()[: len(file.read_text()) // 2])


def write_merge_conflict(person: Person) -> None:
    """Write a git merge conflict."""
    file = person.folder / "stack.sandbox.yaml"
    text = file.read_text()
    file.write_text(f"<<<<<<< HEAD\n{text}=======\n{text}>>>>>>> theirs\n")


def pause(person: Person) -> None:
    """Pause: delete the load balancer and the service."""
    assert 0 == person.types("--sandbox", "pause", "--yes").returncode


STATES: dict[str, Callable[[Person], None]] = {
    "older copy": restore_older_copy,
    "older copy elsewhere": restore_older_copy_without_backup,
    "another account": change("account: '123456789012'", "account: '999999999999'"),
    "another account elsewhere": change("account: '1234.*", "account: '999999999999'", last=False),
    "another region": change("region: ap-northeast-1", "region: us-east-1"),
    "another sandbox": change("sandbox: [0-9a-f'\"]+", "sandbox: '0000000000000000'"),
    "somebody's group": change("id: sg-[0-9a-f]+", "id: sg-0123456789abcdef0"),
    "somebody's group elsewhere": change("id: sg-[0-9a-f]+", "id: sg-01234567", last=False),
    "no kind": change("kind: Cluster", "kind: Clutter"),
    "missing": delete_file,
    "cut off": truncate_file,
    "conflict": write_merge_conflict,
    "paused": pause,
}


def follow_advice(person: Person, verb: str) -> list[str]:
    """Run the command, then what each error advises, until one succeeds; return the commands."""
    run = [verb]
    while len(run) <= STEPS:
        done = person.types("--sandbox", "--yes", run[-1])
        assert "Traceback" not in done.stderr, done.stderr
        if done.returncode == 0:
            return run
        advice = done.stderr.rpartition("next: ")[2]
        named = re.search(r"`provision --sandbox ([a-z]+)", advice)
        assert named, (run, done.stderr)
        run.append(named[1])
    raise AssertionError(f"round and round: {run}")


@pytest.mark.slow(seconds=70)
@pytest.mark.parametrize(
    "verb",
    ["setup", pytest.param("status", marks=pytest.mark.full)],
)
def test_advice_leads_back_to_a_complete_stack(person: Person, verb: str) -> None:
    """From each broken state, starting with a mutating command or with a read-only one."""
    setup = person.types("--sandbox", "setup", "--yes")
    assert 0 == setup.returncode, setup.stderr
    for name, state in STATES.items():
        if verb == "status" and name == "paused":
            continue  # it succeeds on a paused stack
        state(person)
        run = follow_advice(person, verb)
        if run[-1] != "setup":
            follow_advice(person, "setup")
        status = person.types("--sandbox", "status", "--json")
        assert 0 == status.returncode, (name, run, status.stderr)
        whole = {(e["live"], e["ready"]) for e in json.loads(status.stdout)["resources"]}
        assert {(True, True)} == whole, (name, run)
        drift = [e["key"] for e in json.loads(status.stdout)["resources"] if e["drift"]]
        assert [] == drift, (name, run)
