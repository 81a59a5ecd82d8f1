"""The `provision` command as a process, the sandbox in another: the interface that scripts rely on."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from provision.settings import BY_KEY
from tests.provision.shell import (
    Person,
    aws_environment,
    client,
    control,
    environment,
    request_json,
    send,
)


def changes(addresses: dict[str, str]) -> list[Any]:
    """Return the mutating calls so far, except those of the schedules: an hour is 36 seconds here."""
    calls = control(addresses, "calls")
    return [call for call in calls if call["mutating"] and call["caller"].endswith(":root")]


def test_setup_status_plan_and_teardown(person: Person, addresses: dict[str, str]) -> None:
    """Exit status, streams and JSON of each; a second setup makes no mutating call."""
    setup = person.types("--sandbox", "setup", "--yes")
    assert (0, "https://news-bot.example/webhook\n") == (setup.returncode, setup.stdout), (
        setup.stderr
    )

    status = json.loads(person.types("status", "--sandbox", "--json").stdout)
    assert "https://news-bot.example/webhook" == status["url"]
    assert [] == [entry for entry in status["resources"] if not entry["ready"] or not entry["live"]]
    assert {"key", "kind", "state", "checked", "live", "ready", "reason", "drift"} == set(
        status["resources"][0]
    )

    plan = json.loads(person.types("plan", "--sandbox", "--json").stdout)
    assert {"resources", "monthly_usd", "seconds"} == set(plan)
    assert {"keep"} == {step["action"] for step in plan["resources"]}

    before = changes(addresses)
    assert 0 == person.types("--sandbox", "setup", "--yes").returncode
    assert before == changes(addresses)

    message = send(addresses, "help")
    assert (200, 1) == (message["status"], len(message["reply"]))

    teardown = person.types("teardown", "--sandbox", "--yes", "--everything", "--json")
    result = json.loads(teardown.stdout)
    assert (0, []) == (teardown.returncode, result["left"])
    assert {"deleted", "kept", "left"} == set(result)
    (zone,) = [entry for entry in status["resources"] if entry["kind"] == "HostedZone"]
    assert zone["key"] in result["deleted"]
    gone = "The hosted zone of news-bot.example is gone, and your registrar still lists its name servers"
    assert f"Left for you to do:\n- {gone}" in teardown.stderr
    switch = '\n- LINE still calls https://news-bot.example/webhook: switch "Use webhook" off at '
    assert f"{switch}http://127.0.0.1:" in teardown.stderr  # the sandbox's, not LINE's own console
    assert "/?view=line#" in teardown.stderr
    assert {"key", "why", "monthly_usd"} == set(result["kept"][0])
    assert "resources" not in yaml.safe_load((person.folder / "stack.sandbox.yaml").read_text())


def test_wrong_folder_without_credentials(person: Person) -> None:
    """One error: what is missing in this folder, what is unknown, and how to sign in."""
    done = person.types("status", HOME=str(person.folder), AWS_EC2_METADATA_DISABLED="true")
    assert (2, "") == (done.returncode, done.stdout)
    assert (
        "Error: There is no stack in this folder.\n"
        "  why:  stack.yaml does not exist; whether the account has a stack is unknown: Unable to locate "
        "credentials\n"
        "  next: Sign in first (for example `aws configure` or `aws sso login`), then run the same command "
        "again.\n"
    ) == done.stderr


@pytest.mark.slow
def test_missing_delegation_is_exit_status_3(person: Person, addresses: dict[str, str]) -> None:
    """The name servers to enter at the registrar are shown; afterwards the same command finishes."""
    complete = {
        **aws_environment(addresses),
        **_secrets(person),
    }
    sets = [
        "--set",
        "domain=shop.example",
        "--set",
        "network.vpc=default",
        "--set",
        "image.uri=a/b:1",
    ]
    first = person.types("setup", "--yes", "--wait", "0", *sets, **complete)
    assert (3, "") == (first.returncode, first.stdout), first.stderr
    zone = yaml.safe_load((person.folder / "stack.yaml").read_text())["resources"][
        "zone/shop.example"
    ]
    assert all(server in first.stderr for server in zone["name_servers"])
    entered = {"name_servers": zone["name_servers"]}
    request_json(addresses, f"{addresses['registrar']}/domains/shop.example", entered, "PUT")
    second = person.types("setup", "--yes", **complete)
    assert (0, "https://shop.example/webhook\n") == (second.returncode, second.stdout), (
        second.stderr
    )
    assert 0 == person.types("teardown", "--yes", "--everything", **complete).returncode


def _secrets(person: Person) -> dict[str, str]:
    """Return what the sandbox's LINE console would show."""
    runtime = json.loads(
        (Path(person.environ["XDG_RUNTIME_DIR"]) / "provision/sandbox.json").read_text()
    )
    return {
        "LINE_CHANNEL_ACCESS_TOKEN": runtime["access_token"],
        "LINE_CHANNEL_SECRET": runtime["channel_secret"],
    }


def test_name_conflict_stops_setup_before_any_change(
    person: Person, addresses: dict[str, str]
) -> None:
    """A foreign cluster of our name: exit status 1, its name, and no mutating call."""
    ecs, iam = client(addresses, "ecs"), client(addresses, "iam")
    iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")
    ecs.create_cluster(clusterName="news-bot")
    ecs.close()
    iam.close()
    before = changes(addresses)
    setup = person.types("--sandbox", "setup", "--yes")
    assert 1 == setup.returncode
    assert "cluster/news-bot" in setup.stderr
    assert before == changes(addresses)


@pytest.mark.slow
def test_setup_retries_lost_responses_and_throttling(
    person: Person, addresses: dict[str, str]
) -> None:
    """Lost responses, an error inside AWS and throttling: setup succeeds nevertheless."""
    for service, operation, kind, times in (
        ("elbv2", "CreateTargetGroup", "lost", 1),
        ("iam", "CreateRole", "lost", 1),
        ("ecs", "CreateCluster", "reset", 1),
        ("route53", "CreateHostedZone", "lost", 1),
        ("acm", "RequestCertificate", "error", 1),
        ("ec2", "CreateSecurityGroup", "throttle", 3),
    ):
        fault = {"service": service, "operation": operation, "kind": kind, "times": times}
        control(addresses, "faults", fault)
    setup = person.types("--sandbox", "setup", "--yes")
    assert 0 == setup.returncode, setup.stderr
    result = json.loads(
        person.types("--sandbox", "teardown", "--yes", "--everything", "--json").stdout
    )
    assert [] == result["left"]


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["setup", "--yes"], 2, "--set domain="),
        (["setup", "--set", "domian=x.jp"], 2, "domian"),
        (["setup", "--set", "domain=nonsense"], 2, "example.jp"),
        (["setup", "--wait", "soon"], 2, "--wait"),
        (["setup", "--wait", "nan"], 2, "'--wait': nan is not a number."),
        (["setup", "--wait", "inf"], 2, "'--wait': inf is not a number."),
        (["sandbox", "--speed", "nan"], 2, "'--speed': nan is not a number."),
        (["nonsense"], 2, "nonsense"),
        (["--lang", "ja", "setup", "--yes"], 2, "ターミナル"),
        (["--help"], 0, ""),
        (["--version"], 0, ""),
    ],
)
def test_usage(person: Person, words: list[str], status: int, message: str) -> None:
    """A usage error is exit status 2, says what is wrong, and shows no traceback."""
    done = person.types(*words)
    assert status == done.returncode, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_no_folder_is_made_without_a_stack(person: Person) -> None:
    """A mistyped --stack: only setup, and recover where there is a stack, make the folder."""
    reading = ("plan", "status", "verify", "logs", "cost", "diagram")
    changing = ("deploy", "start", "stop", "pause", "resume", "teardown", "secrets rotate")
    for verb in (*reading, *changing, "recover"):
        done = person.types("--sandbox", "--yes", "--stack", "no/such/x.yaml", *verb.split())
        assert not (person.folder / "no").exists(), verb
        if verb in changing and verb != "resume":
            assert 2 == done.returncode, done.stderr
            assert "no/such/x.yaml does not exist" in done.stderr


def test_no_sandbox_running(tmp_path: Path) -> None:
    """Exit status 1, and the command that starts a sandbox."""
    done = Person(tmp_path, environment(tmp_path)).types("--sandbox", "status")
    assert 1 == done.returncode
    assert "provision sandbox" in done.stderr


def test_malformed_file_names_the_line(person: Person) -> None:
    """Exit status 2 with the line number; the file is unchanged."""
    text = "name: news-bot\ndomain: example.jp\nnmae: x\n"
    (person.folder / "stack.yaml").write_text(text)
    done = person.types("plan")
    assert 2 == done.returncode
    assert "line 3" in done.stderr
    assert text == (person.folder / "stack.yaml").read_text()


def test_no_credentials(person: Person) -> None:
    """Exit status 1, three sentences, no traceback."""
    done = person.types(
        "plan",
        "--set",
        "domain=example.jp",
        "--set",
        "network.vpc=default",
        "--set",
        "image.uri=a/b:1",
        AWS_EC2_METADATA_DISABLED="true",
        HOME=str(person.folder),
    )
    assert 1 == done.returncode
    assert "credentials" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("verb", ["setup", "plan", "status", "teardown", "sandbox"])
def test_help_has_an_example(person: Person, verb: str) -> None:
    """Every command shows a runnable example, in both languages."""
    for language in ("en", "ja"):
        done = person.types(verb, "--help", "--lang", language)
        assert 0 == done.returncode
        assert (
            f"provision {verb}"
            in done.stdout.partition("Usage:" if language == "en" else "使い方:")[2].partition(
                "\n"
            )[2]
        )


def test_profile(person: Person) -> None:
    """It counts more than keys in the environment, and recommended commands repeat it."""
    (person.folder / "config").write_text("[profile shop]\nregion = ap-northeast-1\n")
    more = {
        "AWS_CONFIG_FILE": str(person.folder / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(person.folder / "none"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    person.environ.update(more)
    sets = ("--set", "domain=x.example", "--set", "network.vpc=default")
    found = person.types("plan", "--profile", "shop", *sets)
    assert 1 == found.returncode
    assert "Unable to locate credentials" in found.stderr
    missing = person.types("--profile", "nosuch", "plan", *sets)
    assert "The config profile (nosuch) could not be found" in missing.stderr
    empty = person.types("--profile", "shop", "cost")
    assert "`provision --profile shop setup`" in empty.stderr


@pytest.mark.parametrize(
    ("words", "group"),
    [
        (["doctor", "--json"], "This computer"),
        (["doctor", "--json", "--lang", "ja"], "このコンピューター"),
        (["--lang", "ja", "doctor", "--json"], "このコンピューター"),
    ],
)
def test_json_is_english(person: Person, words: list[str], group: str) -> None:
    """Whatever the locale, so that a script reads the same everywhere; unless --lang says otherwise."""
    done = person.types("--sandbox", *words, LANG="ja_JP.UTF-8")
    assert group == json.loads(done.stdout)["checks"][0]["group"]


ERRORS = [
    (
        ["status", "--json", "--nonsense"],
        2,
        {"what": "No such option '--nonsense'.", "why": "", "next": ""},
    ),
    (
        ["--sandbox", "status", "--json", "--set", "domain"],
        2,
        {
            "what": "Could not apply --set domain.",
            "why": "KEY=VALUE was expected",
            "next": f"The settings are: {', '.join(BY_KEY)}",
        },
    ),
    (
        ["--sandbox", "setup", "--json"],
        2,
        {
            "what": "Could not ask: Build this?",
            "why": "there is no terminal to ask on",
            "next": "Add --yes.",
        },
    ),
    (
        ["--sandbox", "start", "--json", "--lang", "ja"],
        1,
        {
            "what": "サービス news-bot が見つかりません。",
            "why": "まだありません",
            "next": "`provision --sandbox setup` を実行してください。",
        },
    ),
]


@pytest.mark.parametrize(("words", "status", "error"), ERRORS)
def test_errors_as_json(
    person: Person, words: list[str], status: int, error: dict[str, str]
) -> None:
    """A command that fails before its JSON document prints its errors as one."""
    done = person.types(*words)
    assert status == done.returncode
    assert {"errors": [error]} == json.loads(done.stdout)
    assert error["what"] in done.stderr


def test_logs_as_json_are_lines(person: Person) -> None:
    """An error of `logs --json` is no line of the log."""
    done = person.types("--sandbox", "logs", "--json", "--since", "yesterday")
    assert (2, "") == (done.returncode, done.stdout)
