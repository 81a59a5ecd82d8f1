"""Every refusal's own advice leads out: the verb that it names is run, until the stack's status is whole."""

import json
import re
from collections.abc import Callable

import pytest

from tests.provision.shell import Person

STEPS = 4  # commands of advice that are followed, at most


def older_copy(person: Person) -> None:
    """From before the last deploy, with the hidden copy of after it."""
    file = person.folder / "stack.sandbox.yaml"
    old = file.read_text()
    done = person.types("--sandbox", "deploy", "--yes", "--set", "service.memory=1024")
    assert 0 == done.returncode, done.stderr
    assert old != file.read_text()
    file.write_text(old)


def older_copy_elsewhere(person: Person) -> None:
    """The same on another machine, where no hidden copy is."""
    older_copy(person)
    (person.folder / ".stack.sandbox.yaml.last").unlink()


def change(old: str, new: str, *, last: bool = True) -> Callable[[Person], None]:
    """Some text is another, wherever it stands. last: the hidden copy is there."""

    def state(person: Person) -> None:
        file = person.folder / "stack.sandbox.yaml"
        changed = re.sub(old, new, file.read_text())
        assert changed != file.read_text()
        file.write_text(changed)
        if not last:
            (person.folder / ".stack.sandbox.yaml.last").unlink()

    return state


def missing(person: Person) -> None:
    """No file."""
    (person.folder / "stack.sandbox.yaml").unlink()


def cut_off(person: Person) -> None:
    """The first half of it."""
    file = person.folder / "stack.sandbox.yaml"
    file.write_text(file.read_text()[: len(file.read_text()) // 2])


def conflict(person: Person) -> None:
    """As git leaves it."""
    file = person.folder / "stack.sandbox.yaml"
    text = file.read_text()
    file.write_text(f"<<<<<<< HEAD\n{text}=======\n{text}>>>>>>> theirs\n")


def paused(person: Person) -> None:
    """Load balancer and service are gone."""
    assert 0 == person.types("--sandbox", "pause", "--yes").returncode


STATES: dict[str, Callable[[Person], None]] = {
    "older copy": older_copy,
    "older copy elsewhere": older_copy_elsewhere,
    "another account": change("account: '123456789012'", "account: '999999999999'"),
    "another account elsewhere": change("account: '1234.*", "account: '999999999999'", last=False),
    "another region": change("region: ap-northeast-1", "region: us-east-1"),
    "another sandbox": change("sandbox: [0-9a-f'\"]+", "sandbox: '0000000000000000'"),
    "somebody's group": change("id: sg-[0-9a-f]+", "id: sg-0123456789abcdef0"),
    "somebody's group elsewhere": change("id: sg-[0-9a-f]+", "id: sg-01234567", last=False),
    "no kind": change("kind: Cluster", "kind: Clutter"),
    "missing": missing,
    "cut off": cut_off,
    "conflict": conflict,
    "paused": paused,
}


def follow(person: Person, verb: str) -> list[str]:
    """Run the verb, then what each refusal advises, until one succeeds; the verbs that were run."""
    run = [verb]
    while len(run) <= STEPS:
        done = person.types("--sandbox", "--yes", run[-1])
        assert "Traceback" not in done.stderr, done.stderr
        if done.returncode == 0:
            return run
        advice = done.stderr.rpartition("next: ")[2]
        named = re.search(r"`provision ([a-z]+)", advice)
        assert named, (run, done.stderr)
        run.append(named[1])
    raise AssertionError(f"round and round: {run}")


@pytest.mark.slow
def test_every_advice_leads_out(person: Person) -> None:
    """From each broken state, beginning with a verb that looks and with one that changes something."""
    assert 0 == person.types("--sandbox", "setup", "--yes").returncode
    for name, state in STATES.items():
        for verb in ("status", "setup"):
            if verb == "status" and name == "paused":
                continue  # it says what is there, and that is as it should be
            state(person)
            run = follow(person, verb)
            follow(person, "setup")
            told = person.types("--sandbox", "status", "--json")
            assert 0 == told.returncode, (name, run, told.stderr)
            whole = {(e["live"], e["ready"]) for e in json.loads(told.stdout)["resources"]}
            assert {(True, True)} == whole, (name, run)
            drift = [e["key"] for e in json.loads(told.stdout)["resources"] if e["drift"]]
            assert [] == drift, (name, run)
