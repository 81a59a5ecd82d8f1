"""`provision policy`: every command runs with it, and it allows nothing else."""

import json
import re
from collections import defaultdict
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from policy_sentry.querying.actions import get_action_data

from provision.operator_policy import Account, documents, statements
from provision.resources.permissions import CollectorExecutionPermissions
from provision.resources.role import Role, RolePolicy
from provision.settings import Settings
from provision.stack import Stack
from tests.golden.command_runner import ROOT
from tests.golden.test_requests import HOURS_AND_FEEDS, SHIPPED
from tests.provision.operator import ANSWERS, NAME, SCENARIOS, Operator, open_operator, play, verify
from tests.provision.operator import operator as operator
from tests.provision.operator import root as root

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
(EXAMPLE,) = re.findall(r"```json\n(.*?)```", (ROOT / "docs/SECURITY.md").read_text(), re.DOTALL)
ANYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
TRUST = {
    "Effect": "Allow",
    "Principal": {"Service": "ecs-tasks.amazonaws.com"},
    "Action": "sts:AssumeRole",
}
HOURS = {"schedule.start": "cron(0 8 * * ? *)", "schedule.stop": "cron(0 9 * * ? *)"}
OTHER_PARAMETERS = {
    "line__access_token_parameter": "/news-bot-2/token",
    "line__channel_secret_parameter": "/news-bot-2/secret",
}
# The commands for which each policy is, beside those that only read.
READING = ("plan", "status", "verify", "logs", "cost", "recover")
COMMANDS = {
    "": ("setup", "resume", "deploy", "start", "stop", "pause", "teardown"),
    "setup": ("setup", "resume", "start", "stop"),
    "deploy": ("deploy", "start", "stop"),
    "status": (),
    "teardown": ("teardown",),
}
# What no command of a policy needs in the scenarios, and why the policy has it.
NOT_NEEDED = {
    ("", "ecs:StopTask"): "stops a collector that runs during a teardown",
    ("teardown", "ecs:StopTask"): "stops a collector that runs during a teardown",
    ("", "logs:GetLogEvents"): "tells why a task stopped",
    ("setup", "logs:GetLogEvents"): "tells why a task stopped",
    ("deploy", "logs:GetLogEvents"): "tells why a task stopped",
    ("setup", "ecs:ListTasks"): "finds the tasks of a service that is not steady yet",
    ("status", "ecs:ListTasks"): "finds the tasks of a service that is not steady yet",
    ("status", "ecs:DescribeTasks"): "finds the tasks of a service that is not steady yet",
}
# What scenarios need and a policy lacks, and why.
NOT_ALLOWED = {
    ("status", "ssm:GetParameter"): "without it, what needs LINE's secrets is not checked",
}
VERBS = ("", "setup", "deploy", "status", "teardown")


def a_policy(verb: str = "", **settings: Any) -> list[dict[str, Any]]:
    """Return the statements for a stack with hours and a new network."""
    given = {
        "domain": "example.jp",
        "network.vpc": "new",
        **HOURS,
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
    """No call is refused; each policy allows what its commands need, and they need all of it but NOT_NEEDED.

    So without any other action of a policy one of its commands fails in a scenario.
    """
    allowed: dict[str, set[str]] = {verb: set() for verb in VERBS}
    needed: dict[str, set[str]] = defaultdict(set)
    for number, name in enumerate(SCENARIOS):
        folder = tmp_path / str(number)
        folder.mkdir()
        with (
            monkeypatch.context() as patches,
            open_operator(root, folder, patches, capsys) as operator,
        ):
            for verb, found in play(operator, name).items():
                allowed[verb] |= actions(found)
            assert (name, set()) == (name, operator.checks(allowed=False))
            for command, found in operator.commands.items():
                needed[command] |= {action for action, _allowed in found}
    unneeded, missing = set(), set()
    for verb, commands in COMMANDS.items():
        wanted = set().union(*(needed[command] for command in (*READING, *commands)))
        unneeded |= {(verb, action) for action in allowed[verb] - wanted}
        missing |= {(verb, action) for action in wanted - allowed[verb]}
    assert sorted(NOT_NEEDED) == sorted(unneeded)
    assert set(NOT_ALLOWED) == missing


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
    refused = {action for wanted, action in NOT_ALLOWED if wanted == verb}
    assert refused == operator.checks(allowed=False)


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


@pytest.mark.slow(seconds=10)
def test_permissions_cannot_be_raised(operator: Operator) -> None:
    """With a boundary, whatever the user gives a role, who assumes it is held to the boundary."""
    root, iam = operator.root.client("iam"), boto3.Session().client("iam")
    boundary = root.create_policy(PolicyName="b", PolicyDocument=EXAMPLE)["Policy"]["Arn"]
    settings = (*ANSWERS.split(), "--set", f"aws.permissions_boundary={boundary}")
    operator.shell.write_stack(SHIPPED)
    operator.allow("--for", "setup", *settings)
    operator.run("setup", *settings)
    verify(operator)  # the roles have what they need
    assert set() == operator.checks(allowed=False)

    role = {"RoleName": "news-bot-task-ap-northeast-1"}
    anything = json.dumps({"Version": "2012-10-17", "Statement": ANYTHING})
    iam.put_role_policy(PolicyName="mine", PolicyDocument=anything, **role)
    arn = root.get_role(**role)["Role"]["Arn"]
    permissions = operator.env.sandbox.cloud.permissions  # with which tasks are run
    assert permissions.denied(arn, "iam:ListUsers", "*").endswith(
        "because no permissions boundary allows the iam:ListUsers action"
    )
    foreign = {"RoleName": "admin"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": TRUST})
    root.create_role(AssumeRolePolicyDocument=trust, **foreign)
    root.create_role(RoleName="news-bot-collector-eu-west-1", AssumeRolePolicyDocument=trust)
    policy = {"PolicyName": "mine", "PolicyDocument": anything}
    version = {"PolicyArn": boundary, "PolicyDocument": anything, "SetAsDefault": True}
    task = {"family": "news-bot", "containerDefinitions": [{"name": "a", "image": "a"}]}
    path = {"Path": "/provision/", "AssumeRolePolicyDocument": trust}
    ecs = boto3.Session().client("ecs")
    for call, parameters in (
        (iam.delete_role_permissions_boundary, role),
        (iam.put_role_permissions_boundary, {**role, "PermissionsBoundary": ADMINISTRATOR}),
        (iam.attach_role_policy, {**role, "PolicyArn": ADMINISTRATOR}),
        (iam.create_policy_version, version),
        (iam.create_role, {**path, "RoleName": "news-bot-execution-eu-west-1"}),
        (iam.put_role_policy, {**foreign, **policy}),
        (iam.update_assume_role_policy, {**foreign, "PolicyDocument": trust}),
        (iam.put_user_policy, {"UserName": NAME, **policy}),
        (iam.create_user, {"UserName": "other"}),
        (ecs.register_task_definition, {**task, "taskRoleArn": "admin"}),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            call(**parameters)
    root.delete_role_permissions_boundary(
        **role
    )  # by an administrator: then the role is out of reach
    with pytest.raises(ClientError, match="AccessDenied"):
        iam.put_role_policy(**policy, **role)


def test_what_is_said_without_a_boundary(operator: Operator) -> None:
    """Only where the policy can change what a role may do."""
    operator.shell.write_stack(SHIPPED)
    boundary = ("--set", f"aws.permissions_boundary={ADMINISTRATOR}")
    said = {}
    for options in ((), ("--for", "setup"), ("--for", "deploy"), boundary):
        operator.shell.run("policy", *ANSWERS.split(), *options)
        said[options] = "any permission" in operator.capsys.readouterr().err
    assert [True, True, False, False] == list(said.values())


def test_what_is_only_recorded_is_not_created() -> None:
    """Its boundary is not known; it may be deleted."""
    name = "news-bot-collector-ap-northeast-1"
    orphans = [
        kind.from_record("news-bot", f"x/{name}", {"role_name": name})
        for kind in (Role, CollectorExecutionPermissions)
    ]
    where = Account("news-bot", "123456789012", "ap-northeast-1")
    found = [one for one in statements(orphans, where) if name in str(one["Resource"])]
    assert {"iam:DeleteRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy"} == {
        action for action in actions(found) if level(action) not in ("Read", "List")
    }


def test_boundary_of_the_documentation_allows_what_the_roles_need() -> None:
    """Each action of a role's policy is in the example, and nothing else is."""
    stack = Stack(Settings({"domain": "example.jp", "network.vpc": "new", **HOURS}))
    roles = [one.statements() for one in stack.resources if isinstance(one, RolePolicy)]
    needed = {a for found in roles for one in found for a in listed(one["Action"])}
    example = json.loads(EXAMPLE)["Statement"]
    assert needed == {action for one in example for action in listed(one["Action"])}


def listed(value: str | list[str]) -> list[str]:
    """Return an element of a policy as a list."""
    return [value] if isinstance(value, str) else value


# What changes something on resources that neither name nor tag limit to the stack, and why.
SHARED = {
    "ec2:AuthorizeSecurityGroupEgress": "the rule is new; its security group must have the tag",
    "ec2:AuthorizeSecurityGroupIngress": "the rule is new; its security group must have the tag",
    "ec2:CreateSecurityGroup": "in any network, which does not change it; the group must have the tag",
    "ec2:CreateTags": "only while something is created",
    "ec2:ModifySecurityGroupRules": "its security group must have the tag",
    "ecs:DeregisterTaskDefinition": "takes no resource and no tag",
    "iam:CreateServiceLinkedRole": "the services' own roles, one in an account",
    "route53:ChangeResourceRecordSets": "any zone, but only names of the domain",
    "route53:ChangeTagsForResource": "zones have no tags in policies; once it is recorded, one zone",
    "route53:CreateHostedZone": "takes no resource and no tag",
    "route53:DeleteHostedZone": "zones have no tags in policies; once it is recorded, one zone",
}


def test_nothing_of_another_stack_can_be_changed() -> None:
    """Mutating actions are limited to the stack by name or tag, which match no other stack."""
    other = a_policy(name="news-bot-2", domain="example.com", **OTHER_PARAMETERS)
    theirs = {arn for one in other for arn in one["Resource"] if "news-bot-2" in arn}
    assert theirs
    shared = set()
    for statement in a_policy():
        changing = {a for a in statement["Action"] if level(a) not in ("Read", "List")}
        if changing and "/provision:stack" not in str(statement.get("Condition")):
            for pattern in statement["Resource"]:
                if not re.search("news-bot|ACCESS_TOKEN|CHANNEL_SECRET", pattern):
                    shared |= changing
                assert [] == [
                    arn
                    for arn in theirs
                    if pattern != "*" and fnmatchcase(arn.replace("*", "x"), pattern)
                ]
    assert set(SHARED) == shared


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


def test_policy_for_status_reads_no_secret() -> None:
    """GetParameters would return LINE's secrets decrypted as well, and no condition prevents that."""
    reading = {"ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath", "kms:Decrypt"}
    assert set() == actions(a_policy("status")) & reading


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
            dependent = {d for row in table for d in row["dependent_actions"]}
            if action.startswith("wafv2:"):  # takes other services' resources too
                dependent = {d for d in dependent if d.startswith("elasticloadbalancing:")}
            assert dependent <= allowed, action
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
    if service == "wafv2":
        return f"{service} {resource.split('/')[1]}"
    if service == "elasticloadbalancing" and not resource.startswith("targetgroup/"):
        return f"{service} {'/'.join(resource.split('/')[:2])}"
    return f"{service} {re.split('[:/]', resource)[0]}"
