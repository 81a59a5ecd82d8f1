"""`provision policy`: every command runs with it, and it allows nothing else."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from policy_sentry.querying.actions import get_action_data

from provision.operator_policy import Account, documents, statements
from provision.settings import Settings
from provision.stack import Stack
from tests.golden.test_requests import HOURS_AND_FEEDS, SHIPPED
from tests.provision.operator import ANSWERS, SCENARIOS, Operator, open_operator, play
from tests.provision.operator import operator as operator
from tests.provision.operator import root as root

# What no scenario needs, and why the policy has it.
NOT_ASKED = {
    "ecs:StopTask": "stops a collector that runs during a teardown",
    "logs:GetLogEvents": "tells why a task stopped",
}
VERBS = ("", "setup", "deploy", "status", "teardown")


def a_policy(verb: str = "", **settings: Any) -> list[dict[str, Any]]:
    """Return the statements for a stack with hours and a new network."""
    given = {
        "domain": "example.jp",
        "network.vpc": "new",
        "schedule.start": "cron(0 8 * * ? *)",
        "schedule.stop": "cron(0 9 * * ? *)",
        **{key.replace("__", "."): value for key, value in settings.items()},
    }
    stack = Stack(Settings(given))
    where = Account(stack.name, "123456789012", "ap-northeast-1")
    return statements(stack.resources, where, verb)


def actions(found: list[dict[str, Any]]) -> set[str]:
    """Return the actions of statements."""
    return {action for statement in found for action in statement["Action"]}


@pytest.mark.slow(seconds=200)
def test_every_command_runs_with_the_policy(
    root: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """No call is refused, and all but two actions are needed."""
    allowed, needed = set(), set()
    for number, name in enumerate(SCENARIOS):
        folder = tmp_path / str(number)
        folder.mkdir()
        with (
            monkeypatch.context() as patches,
            open_operator(root, folder, patches, capsys) as operator,
        ):
            for document in play(operator, name):
                allowed |= actions(json.loads(document)["Statement"])
            assert (name, set()) == (name, operator.checks(allowed=False))
            needed |= operator.checks(allowed=True)
    assert set(NOT_ASKED) == allowed - needed
    assert set() == needed - allowed


@pytest.mark.full
@pytest.mark.parametrize(
    ("verb", "commands"),
    [
        ("setup", [f"setup {ANSWERS}", "setup", "stop", "start"]),
        ("deploy", ["deploy --set service.memory=1024", "deploy --rollback"]),
        ("status", ["plan", "status --json", "logs", "cost"]),
        ("teardown", ["teardown", "teardown --everything"]),
    ],
)
def test_policy_for_one_command(operator: Operator, verb: str, commands: list[str]) -> None:
    """Each of its commands runs, also with what an earlier one recorded."""
    operator.shell.write_stack(SHIPPED)
    if verb != "setup":
        operator.allow("--for", "setup", *ANSWERS.split())
        operator.run("setup", *ANSWERS.split())
    operator.allow("--for", verb, *(ANSWERS.split() if verb == "setup" else ()))
    for command in commands:
        operator.run(*command.split())
    assert set() == operator.checks(allowed=False)


@pytest.mark.full
def test_second_stack_cannot_be_changed(operator: Operator) -> None:
    """With the policy for news-bot, a teardown of `other` deletes nothing."""
    operator.shell.write_stack(HOURS_AND_FEEDS)
    operator.allow()
    operator.run("setup")
    before = operator.env.inventory()
    operator.shell.write_stack(SHIPPED.replace("example.jp", "example.com"))
    (operator.shell.folder / "mine.yaml").write_text(SHIPPED)
    operator.allow(
        "--stack", "mine.yaml", "--set", "domain=example.com", "--set", "network.vpc=new"
    )
    operator.shell.write_stack(HOURS_AND_FEEDS)
    with pytest.raises(AssertionError, match="provision teardown"):
        operator.run("teardown", "--everything")
    assert before == operator.env.inventory()


def test_roles_are_passed_only_to_their_services() -> None:
    """iam:PassRole names each role and the service that assumes it."""
    role = "arn:aws:iam::123456789012:role/provision/news-bot"
    passed = [one for one in a_policy() if "iam:PassRole" in one["Action"]]
    assert [
        {
            "Effect": "Allow",
            "Action": ["iam:PassRole"],
            "Resource": [
                f"{role}-collector-ap-northeast-1",
                f"{role}-collector-execution-ap-northeast-1",
                f"{role}-execution-ap-northeast-1",
                f"{role}-task-ap-northeast-1",
            ],
            "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        },
        {
            "Effect": "Allow",
            "Action": ["iam:PassRole"],
            "Resource": [f"{role}-scheduler-ap-northeast-1"],
            "Condition": {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}},
        },
    ] == passed


@pytest.mark.parametrize("verb", VERBS)
def test_documents_are_within_iams_limit(verb: str) -> None:
    """Each has at most 6,144 characters, also with the longest names; together they have every statement."""
    label = "a" * 60
    host = f"{label}.{label}.{label}.example.jp"
    longest = a_policy(
        verb,
        name="a" * 20,
        domain=host,
        host=f"bot.{host}",
        line__access_token_parameter="/" + "t" * 300,
        line__channel_secret_parameter="/" + "s" * 300,
        news__bucket="b" * 63,
    )
    for found in (a_policy(verb), longest):
        texts = documents(found)
        assert all(len(text) <= 6144 for text in texts)
        assert found == [one for text in texts for one in json.loads(text)["Statement"]]


def test_policy_for_status_only_reads() -> None:
    """All of its actions are of the access levels Read and List."""
    assert {"Read", "List"} == {level(action) for action in actions(a_policy("status"))}


@pytest.mark.parametrize("verb", ["status", "deploy"])
def test_policy_without_lines_secrets(verb: str) -> None:
    """It does not read them: GetParameters returns them decrypted as well, and no condition prevents that."""
    reading = {"ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath", "kms:Decrypt"}
    assert set() == actions(a_policy(verb)) & reading


def test_policy_for_teardown_creates_nothing() -> None:
    """It cannot create, register, run or pass anything."""
    found = actions(a_policy("teardown"))
    assert [] == [a for a in found if re.search(":(Create|Register|Run|Pass|PutRole)", a)]


def level(action: str) -> str:
    """Return an action's access level."""
    service, name = action.split(":")
    return str(get_action_data(service, name)[service][0]["access_level"])


def rows(action: str) -> list[dict[str, Any]]:
    """Return AWS's table for an action: a row for each type of resource that it takes."""
    service, name = action.split(":")
    found = get_action_data(service, name)
    assert found, f"there is no action {action}"
    return list(found[service])


def test_statements_are_as_aws_documents_them() -> None:
    """Each action exists and takes a resource of that kind, and those that it depends on are allowed too."""
    found = a_policy()
    allowed = actions(found)
    for statement in found:
        for action in statement["Action"]:
            table = rows(action)
            assert {d for row in table for d in row["dependent_actions"]} <= allowed, action
            formats = [re.sub(r"\$\{\w+\}", "*", row["resource_arn_format"]) for row in table]
            kinds = [kind(arn) for arn in formats if arn != "*"]
            for arn in statement["Resource"]:
                if arn != "*":
                    assert kind(arn) in kinds, (action, arn)
                elif kinds:
                    assert action in ANY_RESOURCE, action


# Actions that take a resource, with the reason to allow them on any.
ANY_RESOURCE = {
    "acm:DescribeCertificate": "certificates are found by their tags, in every region",
    "acm:ListTagsForCertificate": "certificates are found by their tags, in every region",
    "s3:GetBucketTagging": "buckets are found by their tags",
    "ecs:ListTasks": "takes container instances, which Fargate does not have",
    "logs:DescribeLogGroups": "log groups are found by name",
}


def kind(arn: str) -> str:
    """Return the service and the type of the resource in an ARN."""
    _arn, _partition, service, _region, _account, resource = arn.split(":", 5)
    if service == "s3":
        return f"s3 {'object' if '/' in resource else 'bucket'}"
    if service == "elasticloadbalancing" and not resource.startswith("targetgroup/"):
        return f"{service} {'/'.join(resource.split('/')[:2])}"
    return f"{service} {re.split('[:/]', resource)[0]}"
