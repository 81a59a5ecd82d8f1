"""The commands of daily use, run as processes."""

import json
import re
from typing import Any

import pytest

from tests.provision.shell import Person, client, control, send


@pytest.mark.slow
def test_stop_and_start(person: Person, addresses: dict[str, str]) -> None:
    """Stopped, the bot is silent and nothing is deleted; started, it answers."""
    assert 0 == person.types("--sandbox", "setup", "--yes").returncode
    assert (0, "desired tasks: 0\n") == result_of(person.types("--sandbox", "stop"))
    assert send(addresses, "help")["reply"] is None
    status = json.loads(person.types("--sandbox", "status", "--json").stdout)
    assert [] == [entry["key"] for entry in status["resources"] if not entry["ready"]]
    again = person.types("--sandbox", "setup", "--yes")
    assert 0 == again.returncode
    assert "the bot is stopped: `provision --sandbox start` starts it." in again.stderr
    assert (0, "desired tasks: 1\n") == result_of(person.types("--sandbox", "start"))
    assert 1 == len(send(addresses, "help")["reply"])


@pytest.mark.slow
def test_pause_and_resume(person: Person, addresses: dict[str, str]) -> None:
    """Pause deletes load balancer and service; setup then refers to resume, and resume recreates them."""
    assert 0 == person.types("--sandbox", "setup", "--yes").returncode
    paused = person.types("--sandbox", "pause", "--yes")
    assert 0 == paused.returncode, paused.stderr
    assert (
        "Paused: about 37.53 USD (5,820 yen) a month less. `provision --sandbox resume` restores it.\n"
    ) == paused.stdout
    kinds = {entry["key"].partition("/")[0]: entry for entry in _status(person)}
    assert {False} == {
        kinds[line]["live"] for line in ("load_balancer", "service", "https", "alias")
    }
    assert {True} == {
        kinds[line]["live"] for line in ("zone", "certificate", "log_group", "cluster")
    }
    headline = "Paused: `provision --sandbox resume` creates again what the pause deleted."
    assert headline == person.types("--sandbox", "verify").stdout.splitlines()[0]
    for verb in ("status", "plan", "cost"):
        done = person.types("--sandbox", verb)
        assert "`provision --sandbox resume`" in done.stdout + done.stderr
    status = json.loads(person.types("--sandbox", "status", "--json").stdout)
    assert (True, {"start": None, "stop": None}) == (status["paused"], status["next"])
    cost = json.loads(person.types("--sandbox", "cost", "--json").stdout)
    assert (0.63, []) == (cost["monthly_usd"], cost["lower"])
    setup = person.types("--sandbox", "setup", "--yes")
    assert 1 == setup.returncode
    assert "provision --sandbox resume" in setup.stderr
    assert 1 == person.types("--sandbox", "start").returncode
    asked = person.types("--sandbox", "resume")
    assert 2 == asked.returncode
    assert "37.53 USD, 5,820 yen, a month)?" in asked.stderr
    assert "--yes" in asked.stderr
    assert "  + Load balancer    28.69  create 6\n" in asked.stderr
    resumed = person.types("--sandbox", "resume", "--yes")
    assert (0, "https://news-bot.example/webhook\n") == result_of(resumed), resumed.stderr
    assert 1 == len(send(addresses, "help")["reply"])
    assert 0 == person.types("--sandbox", "pause", "--yes").returncode
    result = json.loads(
        person.types("--sandbox", "teardown", "--yes", "--everything", "--json").stdout
    )
    assert [] == result["left"]


@pytest.mark.slow
def test_stopped_before_a_pause(person: Person, addresses: dict[str, str]) -> None:
    """Resume restores what was: the bot stays stopped, until it is started."""
    sets = ("--set", "image.uri=a/b:1", "--set", "news.feeds=")
    assert 0 == person.types("--sandbox", "setup", "--yes", *sets).returncode
    assert 0 == person.types("--sandbox", "stop").returncode
    paused = person.types("--sandbox", "pause", "--yes")
    said = "The bot was stopped, and `provision --sandbox resume` leaves it stopped.\n"
    assert said == paused.stderr.splitlines(keepends=True)[-1]
    assert "\npaused: stopped\n" in (person.folder / "stack.sandbox.yaml").read_text()
    resumed = person.types("--sandbox", "resume", "--yes")
    assert 0 == resumed.returncode, resumed.stderr
    assert "The bot was stopped before the pause, and stays stopped.\n" in resumed.stderr
    assert "the bot is stopped: `provision --sandbox start` starts it." in resumed.stderr
    assert "paused" not in (person.folder / "stack.sandbox.yaml").read_text()
    assert send(addresses, "help")["reply"] is None
    assert (0, "desired tasks: 1\n") == result_of(person.types("--sandbox", "start"))
    assert 1 == len(send(addresses, "help")["reply"])


@pytest.mark.slow
def test_interrupted_pause_stopped_nothing(person: Person, addresses: dict[str, str]) -> None:
    """The service without tasks, which it leaves, is no bot that somebody stopped."""
    sets = ("--set", "image.uri=a/b:1", "--set", "news.feeds=")
    assert 0 == person.types("--sandbox", "setup", "--yes", *sets).returncode
    assert 0 == person.types("--sandbox", "stop").returncode
    stack = person.folder / "stack.sandbox.yaml"
    stack.write_text(stack.read_text().replace("\nresources:\n", "\npaused: true\nresources:\n"))
    assert 0 == person.types("--sandbox", "pause", "--yes").returncode
    assert "\npaused: 'true'\n" in stack.read_text()


@pytest.mark.slow
def test_resume_where_nothing_is_paused(person: Person, addresses: dict[str, str]) -> None:
    """With no stack or a complete one: an error with advice, no question and no mutating call."""
    for stands in (False, True):
        if stands:
            assert 0 == person.types("--sandbox", "setup", "--yes").returncode
        before = [call for call in control(addresses, "calls") if call["mutating"]]
        for words in ((), ("--yes",)):
            done = person.types("--sandbox", "resume", *words)
            assert 1 == done.returncode
            assert "nothing is paused" in done.stderr
            assert "provision --sandbox setup" in done.stderr
        assert before == [call for call in control(addresses, "calls") if call["mutating"]]


def test_pause_where_nothing_is_charged(person: Person, addresses: dict[str, str]) -> None:
    """Without a stack nothing is marked as paused, so that resume does not build one."""
    for words in ((), ("--yes",)):
        done = person.types("--sandbox", "pause", "--json", *words)
        assert 1 == done.returncode, done.stderr
        assert {
            "errors": [
                {
                    "what": "Could not pause the stack.",
                    "why": "nothing of it is charged by the hour",
                    "next": "Run `provision --sandbox status`.",
                }
            ]
        } == json.loads(done.stdout)
        assert 1 == person.types("--sandbox", "resume", "--yes").returncode
    assert [] == [call for call in control(addresses, "calls") if call["mutating"]]


@pytest.mark.slow
def test_deploy_asks_before_recreating_load_balancer(
    person: Person, addresses: dict[str, str]
) -> None:
    """Recreating a deleted load balancer costs money, so deploy asks, as resume does."""
    assert 0 == person.types("--sandbox", "setup", "--yes").returncode
    elbv2 = client(addresses, "elbv2")
    balancer = elbv2.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    elbv2.delete_load_balancer(LoadBalancerArn=balancer)
    elbv2.close()
    done = person.types("--sandbox", "deploy")
    assert 2 == done.returncode, done.stderr
    assert "28.69 USD" in done.stderr
    assert "--yes" in done.stderr


@pytest.mark.slow
def test_logs(person: Person, addresses: dict[str, str]) -> None:
    """The bot's own log lines; an invalid --since is a usage error that shows a valid one."""
    assert 0 == person.types("--sandbox", "setup", "--yes").returncode
    send(addresses, "help")
    logs = person.types("--sandbox", "logs", "--since", "1d")
    assert 0 == logs.returncode
    assert re.search(r"^\d\d:\d\d:\d\d INFO Listening at: ", logs.stdout, re.M)
    assert re.search(r"^\d\d:\d\d:\d\d INFO event event=message outcome=taken$", logs.stdout, re.M)
    raw = person.types("--sandbox", "logs", "--since", "1d", "--json")
    assert {"level", "logger", "message", "time"} <= json.loads(raw.stdout.splitlines()[0]).keys()
    errors = person.types("--sandbox", "logs", "--since", "1d", "--level", "error")
    assert ("", "No lines in the last 1d.\n") == (errors.stdout, errors.stderr)
    nothing = person.types("--sandbox", "logs", "--since", "0s")
    assert "No lines in the last 0s." in nothing.stderr
    assert 0 == person.types("--sandbox", "logs", "--since", "999999999999d").returncode
    wrong = person.types("--sandbox", "logs", "--since", "yesterday")
    assert 2 == wrong.returncode
    assert "--since 10m" in wrong.stderr
    wrong = person.types("--sandbox", "logs", "--since", "9999999999999d")
    assert "a number of up to 12 digits and s, m, h or d was expected" in wrong.stderr


def test_without_a_stack(person: Person) -> None:
    """The first line says that there is none, and what to do."""
    for verb in ("status", "verify"):
        first, _line, _rest = person.types("--sandbox", verb, "--yes").stdout.partition("\n")
        assert "There is no stack. `provision --sandbox setup` builds one." == first
    cost = person.types("--sandbox", "cost", "--yes")
    assert "There is no stack: this is what it would cost.\n" == cost.stderr


def test_cost_sends_nothing_to_aws(person: Person, addresses: dict[str, str]) -> None:
    """Cost per resource, in total, and what would lower it."""
    before = len(control(addresses, "calls"))
    cost = json.loads(person.types("--sandbox", "cost", "--yes", "--json").stdout)
    assert before == len(control(addresses, "calls"))
    assert {
        "zone/news-bot.example",
        "load_balancer/news-bot",
        "service/news-bot",
        "collector_schedule/news-bot",
    } == {entry["key"] for entry in cost["resources"]}
    assert cost["monthly_usd"] == round(sum(entry["monthly_usd"] for entry in cost["resources"]), 2)
    assert [
        {"id": "pause", "monthly_usd": 37.53},
        {"id": "two_subnets", "monthly_usd": 3.65},
    ] == cost["lower"]
    japanese = person.types("--sandbox", "--lang", "ja", "cost", "--yes", "--json")
    assert cost == json.loads(japanese.stdout)
    assert [
        "About 38.16 USD (5,910 yen) a month (list prices of 2025 without tax and traffic; 155 yen to "
        "the dollar).",
        "     0.50  Domain: hosted zone",
        "    28.69  Load balancer",
        "     8.84  Bot: service",
        "     0.13  News: collector's schedule",
        "    37.53  less with: `provision --sandbox pause` while nobody needs the bot",
        "     3.65  less with: two subnets instead of three",
    ] == person.types("--sandbox", "cost").stdout.splitlines()
    assert "    28.69  load_balancer/news-bot" in person.types("--sandbox", "cost", "-v").stdout


def test_commands_without_a_stack(person: Person) -> None:
    """Before setup each command says what to do, and none fails unexpectedly."""
    for verb in ("start", "stop", "logs"):
        done = person.types("--sandbox", verb)
        assert 1 == done.returncode
        assert "provision --sandbox setup" in done.stderr
    paused = person.types("--sandbox", "pause", "--yes")
    assert (1, "  next: Run `provision --sandbox status`.") == (
        paused.returncode,
        paused.stderr.splitlines()[-1],
    )
    assert 0 == person.types("--sandbox", "teardown", "--yes").returncode


@pytest.mark.slow
def test_every_verb_has_a_document(person: Person) -> None:
    """--json: one document on stdout for each verb that changes something."""

    def document(*words: str) -> Any:
        done = person.types("--sandbox", *words, "--yes", "--json")
        assert 0 == done.returncode, done.stderr
        return json.loads(done.stdout)

    built = {"url": "https://news-bot.example/webhook", "waiting": [], "notes": []}
    assert built == document("setup")
    assert {"wanted": 0} == document("stop")
    assert {"wanted": 1} == document("start")
    assert {"revision": "news-bot:1", "deployed": False} == document("deploy")
    smaller = document("deploy", "--set", "service.memory=1024")
    assert {"revision": "news-bot:2", "deployed": True} == smaller
    assert {"paused": True, "saved_monthly_usd": 36.32} == document("pause")
    assert built == document("resume")
    (person.folder / "stack.sandbox.yaml").unlink()
    (person.folder / ".stack.sandbox.yaml.last").unlink(missing_ok=True)
    recovered = document("recover")
    assert ("stack.sandbox.yaml", {}) == (recovered["path"], recovered["unknown"])
    assert 0 < recovered["records"]


def _status(person: Person) -> list[dict[str, Any]]:
    return list(json.loads(person.types("--sandbox", "status", "--json").stdout)["resources"])


def result_of(done: object) -> tuple[int, str]:
    """Return the exit status and stdout."""
    return done.returncode, done.stdout  # type: ignore[attr-defined]
