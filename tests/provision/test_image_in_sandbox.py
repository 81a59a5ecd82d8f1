"""From a folder of the user's files to a bot that answers with them, through the command and the sandbox."""

import json
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.provision.shell import PROVISION, ROOT, Person, control, send

PHRASES = (ROOT / "bot/phrases.json").read_text()
HELP = "for the newest articles, the name of a category"


@pytest.mark.slow
def test_user_files_in_the_image(person: Person, addresses: dict[str, str]) -> None:
    """Setup builds and pushes, the task runs the layers, deploy pushes only what has changed."""
    phrases = person.folder / "own/bot/phrases.json"
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


@pytest.mark.parametrize("readme", ["README.md", "README.ja.md"])
def test_readme_example_of_a_command(readme: str, tmp_path: Path) -> None:
    """The Python of the README works unchanged: the bot answers in the user's language."""
    (source,) = re.findall(r"```python\n(.*?)```", (ROOT / readme).read_text(), re.S)
    program = """
import json, sys
from bot.events import read_event
from bot.handlers import answer
from bot.news.articles import ArticleIndex
import bot.custom
for words in ("天気", "Weather!"):
    event = {"type": "message", "replyToken": "r", "message": {"type": "text", "text": words}}
    print(answer(read_event(event), ArticleIndex(), 0.0)[0]["text"])
"""
    folder = tmp_path / "bot"
    shutil.copytree(ROOT / "bot", folder)
    (folder / "custom.py").write_text(textwrap.dedent(source))
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "晴れです。\nIt is sunny.\n" == done.stdout, done.stderr


@pytest.mark.full
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("operation", ["UploadLayerPart", "CompleteLayerUpload", "PutImage"])
def test_push_that_is_killed_is_resumed(
    person: Person, addresses: dict[str, str], operation: str, when: str
) -> None:
    """kill -9 at each boundary of the push: the next run continues, and there is one image."""
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
    teardown = person.types("--sandbox", "teardown", "--yes", "--everything", "--json")
    assert [] == json.loads(teardown.stdout)["left"]
