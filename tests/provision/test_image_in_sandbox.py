"""From a folder of one's own files to a bot that answers with them, through the command and the sandbox."""

import json
import subprocess

import pytest

from tests.provision.shell import PROVISION, ROOT, Person, control, send

PHRASES = (ROOT / "bot/messages.py").read_text()
HELP = 'Send "latest" for what is new'


def test_own_files_in_the_image(person: Person, addresses: dict[str, str]) -> None:
    """Setup builds and pushes, the task runs the layers, deploy pushes what has changed and no more."""
    phrases = person.folder / "own/bot/messages.py"
    phrases.parent.mkdir(parents=True)
    assert HELP in PHRASES
    phrases.write_text(PHRASES.replace(HELP, "Ask the harbour master"))
    setup = person.types("--sandbox", "setup", "--yes", "--set", "image.files=own")
    assert 0 == setup.returncode, setup.stderr
    assert "Ask the harbour master" in json.dumps(send(addresses, "help"))
    before = len(control(addresses, "calls?operation=InitiateLayerUpload"))
    phrases.write_text(PHRASES.replace(HELP, "The ferry runs again"))
    deploy = person.types("--sandbox", "deploy", "--yes")
    assert 0 == deploy.returncode, deploy.stderr
    assert "The ferry runs again" in json.dumps(send(addresses, "help"))
    assert 2 == len(control(addresses, "calls?operation=InitiateLayerUpload")) - before
    plan = person.types("--sandbox", "plan", "--json")
    assert {"keep"} == {step["action"] for step in json.loads(plan.stdout)["resources"]}


@pytest.mark.full
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("operation", ["UploadLayerPart", "CompleteLayerUpload", "PutImage"])
def test_killed_while_it_pushes(
    person: Person, addresses: dict[str, str], operation: str, when: str
) -> None:
    """kill -9 at a boundary of the push: the next run goes on, and there is one image."""
    hold = {"kind": "hold", "service": "ecr", "operation": operation, "when": when}
    number = control(addresses, "faults", hold)["number"]
    command = [*PROVISION, "--sandbox", "setup", "--yes"]
    with subprocess.Popen(
        command, cwd=person.folder, env=person.environ, stderr=subprocess.DEVNULL
    ) as setup:
        reached = f"faults/{number}/reached?seconds=60"
        assert operation == control(addresses, reached)["call"]["operation"]
        setup.kill()
    control(addresses, f"faults/{number}/release", {})
    again = person.types("--sandbox", "setup", "--yes")
    assert 0 == again.returncode, again.stderr
    status = json.loads(person.types("--sandbox", "status", "--json").stdout)
    (image,) = [entry for entry in status["resources"] if entry["kind"] == "Image"]
    assert ("created", True, []) == (image["state"], image["ready"], image["drift"])
    gone = person.types("--sandbox", "teardown", "--yes", "--everything", "--json")
    assert [] == json.loads(gone.stdout)["left"]
