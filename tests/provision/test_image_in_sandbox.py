"""From a folder of one's own files to a bot that answers with them, through the command and the sandbox."""

import json

from tests.provision.shell import Person, control, send

ARTICLE = {
    "id": "1",
    "title": "The ferry runs again",
    "summary": "From Monday.",
    "url": "https://news.example.com/1",
    "category": "Harbour",
    "source": "News",
    "published": "2026-11-20T00:00:00+00:00",
}


def test_own_files_in_the_image(person: Person, addresses: dict[str, str]) -> None:
    """Setup builds and pushes, the task runs the layers, deploy pushes what has changed and no more."""
    samples = person.folder / "own/bot/samples/articles.json"
    samples.parent.mkdir(parents=True)
    samples.write_text(json.dumps({"articles": [ARTICLE]}))
    sets = ("--set", "image.files=own")
    setup = person.types("--sandbox", "setup", "--yes", *sets)
    assert 0 == setup.returncode, setup.stderr
    assert "The ferry runs again" in json.dumps(send(addresses, "latest"))
    before = len(control(addresses, "calls?operation=InitiateLayerUpload"))
    samples.write_text(json.dumps({"articles": [{**ARTICLE, "title": "The ferry stands still"}]}))
    deploy = person.types("--sandbox", "deploy", "--yes")
    assert 0 == deploy.returncode, deploy.stderr
    assert "The ferry stands still" in json.dumps(send(addresses, "latest"))
    assert 2 == len(control(addresses, "calls?operation=InitiateLayerUpload")) - before
    plan = person.types("--sandbox", "plan", "--json")
    assert {"keep"} == {step["action"] for step in json.loads(plan.stdout)["resources"]}
