"""--set is written to stack.yaml only once the run has been confirmed."""

import json
from pathlib import Path

import pytest
import yaml

from provision.run import Options, open_stack
from tests.provision.shell import Person


def planned_actions(person: Person, *words: str) -> dict[str, str]:
    """Return what setup would do, by logical id, without unchanged resources."""
    plan = json.loads(person.types("--sandbox", "plan", "--json", *words).stdout)
    return {
        step["key"].partition("/")[0]: step["action"]
        for step in plan["resources"]
        if step["action"] != "keep"
    }


@pytest.mark.slow
def test_failed_run_leaves_the_file_unchanged(person: Person) -> None:
    """Another region, conflicts, an impossible plan, no confirmation, no service, valid records."""
    assert 0 == person.types("--sandbox", "setup", "--yes").returncode
    file = person.folder / "stack.sandbox.yaml"
    text = file.read_text()
    for status, *words in (
        (1, "setup", "--yes", "--set", "region=us-east-1"),
        (2, "setup", "--set", "name=other-bot"),
        (2, "setup", "--yes", "--set", "host=elsewhere.example"),
        (1, "setup", "--yes", "--set", "network.vpc=vpc-0123456789abcdef0"),
        (1, "start", "--set", "name=other-bot"),
        (1, "resume", "--yes", "--set", "service.memory=1024"),
        (1, "recover", "--yes", "--set", "name=other-bot"),
        (1, "deploy", "--yes", "--set", "name=other-bot"),
    ):
        done = person.types("--sandbox", *map(str, words))
        assert (status, text) == (done.returncode, file.read_text()), (words, done.stderr)
    assert {} == planned_actions(person)


def test_failed_first_run_creates_no_file(person: Person) -> None:
    """A setting is missing without a terminal to ask, or a value is invalid."""
    for words in (["--set", "domain=shop.example"], ["--yes", "--set", "domain=nonsense"]):
        assert 2 == person.types("setup", *words).returncode
    assert [] == list(person.folder.iterdir())


@pytest.mark.slow
def test_recover_keeps_name_from_set(person: Person) -> None:
    """The name that recover itself recommends stays in the file, with other settings given."""
    file = person.folder / "stack.sandbox.yaml"
    setup = person.types("--sandbox", "setup", "--yes", "--set", "name=shop-bot")
    assert 0 == setup.returncode, setup.stderr
    assert "shop-bot" == yaml.safe_load(file.read_text())["name"]
    file.unlink()
    words = ("--set", "name=shop-bot", "--set", "service.memory=1024")
    done = person.types("--sandbox", "recover", *words)
    assert 0 == done.returncode, done.stderr
    settings = yaml.safe_load(file.read_text())
    assert ("shop-bot", 1024) == (settings["name"], settings["service"]["memory"])
    assert {"task_definition": "update"} == planned_actions(person)

    file.unlink()  # another command recovers it by itself, with a setting for this run only
    words = ("--sandbox", "start", "--set", "name=shop-bot", "--set", "service.count=2")
    assert 2 == person.types(*words).returncode  # a second task costs more: it asks
    done = person.types(*words, "--yes")
    assert 0 == done.returncode, done.stderr
    settings = yaml.safe_load(file.read_text())
    assert ("shop-bot", 1) == (settings["name"], settings["service"].get("count", 1))
    assert {} == planned_actions(person)

    flow = "name: shop-bot\nservice: {memory: 512}\n"  # no line can be added to it
    file.write_text(flow)
    refused = person.types("--sandbox", "recover")
    assert (2, flow) == (refused.returncode, file.read_text())
    assert "write service on separate lines" in refused.stderr
    done = person.types("--sandbox", "recover", "--yes", "--set", "name=shop-bot")
    assert 0 == done.returncode, done.stderr
    assert flow == (person.folder / "stack.sandbox.yaml.damaged-1").read_text()
    assert {} == planned_actions(person)


def test_region_of_the_aws_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new stack is in the region that the AWS CLI would use; the file and --set come first."""
    (tmp_path / "config").write_text("[profile paris]\nregion = eu-west-3\n")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "paris")
    stack = tmp_path / "stack.yaml"

    def region(*sets: str) -> str:
        return str(open_stack(Options(stack=str(stack), sets=sets))[0].settings["region"])

    assert "eu-west-3" == region()
    assert "us-west-2" == region("region=us-west-2")
    stack.write_text("region: ap-northeast-3\n")
    assert "ap-northeast-3" == region()


@pytest.mark.parametrize(
    ("pair", "then"),
    [
        ("line.token=foo", "Set line.token to one of: long-lived, stateless."),
        ("service.count=many", "Set service.count to a whole number from 1 to 100."),
        (
            "host=elsewhere.example",
            "Set host to the domain news-bot.example or a subdomain of it.",
        ),
    ],
)
def test_next_step_after_a_wrong_value(person: Person, pair: str, then: str) -> None:
    """It names the allowed ones."""
    done = person.types("--sandbox", "cost", "--set", "domain=news-bot.example", "--set", pair)
    assert (2, f"  next: {then}") == (done.returncode, done.stderr.splitlines()[-1])
