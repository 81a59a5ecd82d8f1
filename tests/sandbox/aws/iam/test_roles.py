"""IAM: new roles, trust policies, deletion, service-linked roles."""

import json
from typing import Any

import pytest

from tests.sandbox.conftest import REGION, Account

EXECUTION = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
TASKS = "ecs-tasks.amazonaws.com"


def trust(principal: Any, arn_equals: dict[str, str] | None = None) -> str:
    """Return a trust policy for one principal."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    if arn_equals:
        statement["Condition"] = {
            "ArnEquals": arn_equals,
            "StringEquals": {"aws:SourceAccount": "123456789012"},
        }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def role(
    account: Account,
    name: str = "bot",
    principal: Any = None,
    arn_equals: dict[str, str] | None = None,
) -> str:
    """Create a role; return its ARN."""
    answer = account.client("iam").create_role(
        RoleName=name,
        AssumeRolePolicyDocument=trust(principal or {"Service": TASKS}, arn_equals),
    )
    return str(answer["Role"]["Arn"])


def schedule(account: Account, arn: str, name: str = "start") -> None:
    """Create a schedule with this role, which Scheduler has to be able to assume by then."""
    account.client("scheduler").create_schedule(
        Name=name,
        ScheduleExpression="rate(1 day)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": "arn:aws:scheduler:::aws-sdk:ecs:updateService",
            "RoleArn": arn,
            "Input": '{"Service": "bot"}',
        },
    )


SCHEDULER = "scheduler.amazonaws.com"


@pytest.mark.behaviour("iam.role-fresh")
def test_role_is_not_assumable_at_once(account: Account) -> None:
    """A new role can be assumed `delays.role` after its creation."""
    arn = role(account, principal={"Service": SCHEDULER})
    refused = account.refusal(lambda: schedule(account, arn))
    assert ("ValidationException", 400) == refused[:2]
    account.clock.advance(account.cloud.delays.role)
    schedule(account, arn)


@pytest.mark.behaviour("iam.trust-fresh")
def test_new_trust_takes_time_too(account: Account) -> None:
    """After UpdateAssumeRolePolicy the role has to propagate again."""
    arn = role(account)
    account.clock.advance(account.cloud.delays.role)
    document = trust({"Service": [TASKS, SCHEDULER]})
    account.client("iam").update_assume_role_policy(RoleName="bot", PolicyDocument=document)
    assert "ValidationException" == account.refusal(lambda: schedule(account, arn))[0]
    account.clock.advance(account.cloud.delays.role)
    schedule(account, arn)


@pytest.mark.behaviour("iam.trust-of-services")
def test_services_are_trusted_by_name_and_source(account: Account) -> None:
    """Scheduler cannot assume a role for another service or another group's schedules."""
    group = f"arn:aws:scheduler:{REGION}:123456789012:schedule-group/"
    tasks = role(account, "tasks")
    other = role(account, "other", {"Service": SCHEDULER}, {"aws:SourceArn": f"{group}other"})
    mine = role(account, "mine", {"Service": SCHEDULER}, {"aws:SourceArn": f"{group}default"})
    account.clock.advance(account.cloud.delays.role)
    for arn in (tasks, other):
        code, _, message = account.refusal(lambda arn=arn: schedule(account, arn))
        assert ("ValidationException", True) == (code, "assume the role" in message)
    schedule(account, mine)
    assert account.cloud.iam.can_be_assumed(tasks, TASKS)
    assert not account.cloud.iam.can_be_assumed(tasks.replace("role/tasks", "role/nobody"), TASKS)


@pytest.mark.behaviour("iam.principal-unknown")
@pytest.mark.parametrize(
    ("principal", "said"),
    [
        ({"Service": "ecs-task.amazonaws.com"}, '"SERVICE":"ecs-task.amazonaws.com"'),
        (
            {"AWS": "arn:aws:iam::123456789012:role/nobody"},
            '"AWS":"arn:aws:iam::123456789012:role/nobody"',
        ),
        ({"AWS": "somebody"}, '"AWS":"somebody"'),
    ],
)
def test_unknown_principal(account: Account, principal: dict[str, str], said: str) -> None:
    """A trust policy with an unknown service or role is rejected."""
    refused = account.refusal(lambda: role(account, principal=principal))
    assert ("MalformedPolicyDocument", 400, f"Invalid principal in policy: {said}") == refused


@pytest.mark.behaviour("iam.principal-fresh")
def test_fresh_principal(account: Account) -> None:
    """A role created just now may be trusted some seconds later."""
    first = role(account, "first")
    refused = account.refusal(lambda: role(account, "second", {"AWS": first}))
    expected = f'Invalid principal in policy: "AWS":"{first}"'
    assert ("MalformedPolicyDocument", 400, expected) == refused
    account.clock.advance(account.cloud.delays.role)
    role(account, "second", {"AWS": first})


def test_known_principals(account: Account) -> None:
    """The account, another account and an existing role may be trusted."""
    first = role(account, "first")
    account.clock.advance(account.cloud.delays.role)
    role(account, "second", {"AWS": [first, "123456789012", "arn:aws:iam::210987654321:root"]})


@pytest.mark.behaviour("iam.delete-conflict", "iam.role-missing")
def test_role_with_policies_stays(account: Account) -> None:
    """Attached and inline policies have to be removed first."""
    iam = account.client("iam")
    role(account)
    iam.attach_role_policy(RoleName="bot", PolicyArn=EXECUTION)
    refused = account.refusal(iam.delete_role, RoleName="bot")
    expected = "Cannot delete entity, must detach all policies first."
    assert ("DeleteConflict", 409, expected) == refused
    iam.detach_role_policy(RoleName="bot", PolicyArn=EXECUTION)
    statement = {"Effect": "Allow", "Action": "ssm:GetParameters", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_role_policy(RoleName="bot", PolicyName="ssm", PolicyDocument=document)
    refused = account.refusal(iam.delete_role, RoleName="bot")
    expected = "Cannot delete entity, must delete policies first."
    assert ("DeleteConflict", 409, expected) == refused
    iam.delete_role_policy(RoleName="bot", PolicyName="ssm")
    iam.delete_role(RoleName="bot")
    expected = "The role with name bot cannot be found."
    assert ("NoSuchEntity", 404, expected) == account.refusal(iam.get_role, RoleName="bot")


AWS_POLICIES = [
    "AdministratorAccess",
    "AmazonECS_FullAccess",
    "AmazonS3ReadOnlyAccess",
    "ReadOnlyAccess",
    "service-role/AWSLambdaBasicExecutionRole",
    "service-role/AmazonEC2ContainerServiceEventsRole",
    "service-role/AmazonECSTaskExecutionRolePolicy",
]


@pytest.mark.behaviour("iam.managed-policies")
@pytest.mark.parametrize("path", AWS_POLICIES)
def test_managed_policy(account: Account, path: str) -> None:
    """AWS's own policies can be attached, and read with their documents."""
    iam, arn = account.client("iam"), f"arn:aws:iam::aws:policy/{path}"
    iam.create_role(RoleName="bot", AssumeRolePolicyDocument=trust({"Service": TASKS}))
    iam.attach_role_policy(RoleName="bot", PolicyArn=arn)
    attached = iam.list_attached_role_policies(RoleName="bot")["AttachedPolicies"]
    assert [{"PolicyName": path.rpartition("/")[2], "PolicyArn": arn}] == attached
    policy = iam.get_policy(PolicyArn=arn)["Policy"]
    version = iam.get_policy_version(PolicyArn=arn, VersionId=policy["DefaultVersionId"])
    assert "2012-10-17" == version["PolicyVersion"]["Document"]["Version"]


@pytest.mark.behaviour("iam.managed-policies")
def test_managed_policies_are_listed(account: Account) -> None:
    """All of them, by page; one that does not exist is refused."""
    iam = account.client("iam")
    pages = iam.get_paginator("list_policies").paginate(Scope="AWS")
    arns = [policy["Arn"] for page in pages for policy in page["Policies"]]
    assert {f"arn:aws:iam::aws:policy/{path}" for path in AWS_POLICIES} <= set(arns)
    assert len(arns) == len(set(arns)) > 1000
    unknown = {"PolicyArn": "arn:aws:iam::aws:policy/AWSLambdaBasicExecutionRole"}
    assert "NoSuchEntity" == account.refusal(iam.get_policy, **unknown)[0]


@pytest.mark.behaviour("iam.service-linked-role-taken")
def test_service_linked_role_exists_once(account: Account) -> None:
    """The second is rejected with a message that the tool takes as success."""
    iam = account.client("iam")
    made = iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")["Role"]
    assert made["RoleName"] == "AWSServiceRoleForECS"
    code, status, message = account.refusal(
        iam.create_service_linked_role, AWSServiceName="ecs.amazonaws.com"
    )
    assert (code, status) == ("InvalidInput", 400)
    assert "AWSServiceRoleForECS has been taken in this account" in message


@pytest.mark.behaviour("iam.service-linked-role-protected")
def test_service_linked_role_is_protected(account: Account) -> None:
    """DeleteRole and PutRolePolicy do not change it."""
    iam = account.client("iam")
    iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")
    code, status, message = account.refusal(iam.delete_role, RoleName="AWSServiceRoleForECS")
    assert ("UnmodifiableEntity", 400) == (code, status)
    assert "protected role 'AWSServiceRoleForECS'" in message


@pytest.mark.behaviour("iam.trust-malformed", "iam.trust-needs-principal")
@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("{", "Syntax errors in policy."),
        ('{"Version": "2012-10-17", "Statement": [{"Effect": "Perhaps"}]}', "Syntax errors"),
        (trust({"Service": TASKS}).replace("sts:AssumeRole", "s3:GetObject"), "Trust Policy"),
        (
            trust({"Service": TASKS}).replace('"Action"', '"Resource": "*", "Action"'),
            "prohibited field Resource",
        ),
        (
            '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",'
            ' "Action": "sts:AssumeRole"}]}',
            "Missing required field Principal",
        ),
    ],
)
def test_malformed_trust(account: Account, document: str, words: str) -> None:
    """MalformedPolicyDocument, and no role is created."""
    iam = account.client("iam")
    refused = account.refusal(iam.create_role, RoleName="bot", AssumeRolePolicyDocument=document)
    assert ("MalformedPolicyDocument", 400) == refused[:2]
    assert words in refused[2]


POLICY = {"Effect": "Allow", "Action": "ssm:GetParameters", "Resource": "*"}


def policy(*statements: dict[str, Any]) -> str:
    """Return a policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.mark.behaviour("iam.policy-malformed")
@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("no JSON", "Syntax errors in policy."),
        (policy({**POLICY, "Effect": "Perhaps"}), "Syntax errors in policy."),
        (policy({**POLICY, "Action": "GetParameters"}), "prefaced by a vendor"),
        (policy({**POLICY, "Resource": "parameter/TOKEN"}), "must be in ARN format"),
        (policy({**POLICY, "Condition": {"StringSimilar": {"a": "b"}}}), "Syntax errors"),
        (policy({"Effect": "Allow", "Action": "ssm:*"}), "must contain resources"),
    ],
)
def test_malformed_policy(account: Account, document: str, words: str) -> None:
    """MalformedPolicyDocument, with the reason."""
    role(account)
    put = account.client("iam").put_role_policy
    refused = account.refusal(put, RoleName="bot", PolicyName="p", PolicyDocument=document)
    assert ("MalformedPolicyDocument", 400, True) == (*refused[:2], words in refused[2])


@pytest.mark.behaviour("iam.identity-policy-principal")
def test_policy_names_no_principal(account: Account) -> None:
    """The principal is what the policy is attached to."""
    role(account)
    put = account.client("iam").put_role_policy
    document = policy({**POLICY, "Principal": "*"})
    refused = account.refusal(put, RoleName="bot", PolicyName="p", PolicyDocument=document)
    expected = "Policy document should not specify a principal."
    assert ("MalformedPolicyDocument", 400, expected) == refused


def long_policy(length: int) -> str:
    """Return a policy of about that many characters."""
    arns = [f"arn:aws:ssm:{REGION}:123456789012:parameter/{n:030}" for n in range(length // 93)]
    return policy({**POLICY, "Resource": arns}).replace(" ", "")


@pytest.mark.behaviour("iam.trust-size")
def test_long_trust(account: Account) -> None:
    """2,048 characters."""
    arns = [f"arn:aws:iam::{number:012}:root" for number in range(80)]
    code, status, message = account.refusal(lambda: role(account, principal={"AWS": arns}))
    assert ("LimitExceeded", 409) == (code, status)
    assert "Cannot exceed quota for ACLSizePerRole: 2048" == message
    role(account, principal={"AWS": arns[:50]})


@pytest.mark.behaviour("iam.inline-size")
def test_long_inline_policies(account: Account) -> None:
    """10,240 characters in total; one that replaces another counts once."""
    role(account)
    iam, given = account.client("iam"), {"RoleName": "bot", "PolicyDocument": long_policy(7000)}
    iam.put_role_policy(PolicyName="one", **given)
    iam.put_role_policy(PolicyName="one", **given)
    refused = account.refusal(iam.put_role_policy, PolicyName="two", **given)
    expected = "Maximum policy size of 10240 bytes exceeded for role bot"
    assert ("LimitExceeded", 409, expected) == refused


@pytest.mark.behaviour("iam.constraints")
@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            {"RoleName": "b" * 65},
            f"1 validation error detected: Value '{'b' * 65}' at 'roleName' failed to satisfy "
            "constraint: Member must have length less than or equal to 64",
        ),
        ({"RoleName": "b b"}, "satisfy regular expression pattern: [\\w+=,.@-]+"),
        ({"Path": "bots/"}, "'path' failed to satisfy constraint"),
        ({"MaxSessionDuration": 90000}, "have value less than or equal to 43200"),
        ({"Tags": [{"Key": "k" * 129, "Value": ""}]}, "'tags.1.member.key' failed"),
    ],
)
def test_names_and_sizes(account: Account, given: dict[str, Any], words: str) -> None:
    """ValidationError, and no role is created."""
    given = {"RoleName": "bot", "AssumeRolePolicyDocument": trust({"Service": TASKS})} | given
    refused = account.refusal(account.client("iam").create_role, **given)
    assert ("ValidationError", 400, True) == (*refused[:2], words in refused[2])
    assert [] == account.client("iam").list_roles()["Roles"]


@pytest.mark.behaviour("iam.tags")
def test_too_many_tags(account: Account) -> None:
    """50."""
    tags = [{"Key": str(number), "Value": ""} for number in range(51)]
    create, document = account.client("iam").create_role, trust({"Service": TASKS})
    given = {"RoleName": "bot", "AssumeRolePolicyDocument": document}
    code, status, message = account.refusal(create, **given, Tags=tags)
    assert ("ValidationError", 400) == (code, status)
    assert "'tags' failed to satisfy constraint" in message
    create(**given, Tags=tags[:50])


@pytest.mark.behaviour("iam.role-name-case")
def test_name_is_taken_in_any_case(account: Account) -> None:
    """Bot and bot are the same name."""
    role(account)
    refused = account.refusal(lambda: role(account, "Bot"))
    assert ("EntityAlreadyExists", 409, "Role with name Bot already exists.") == refused


@pytest.mark.behaviour("iam.role-policy-missing")
def test_inline_policy_is_missing(account: Account) -> None:
    """Of an existing role."""
    role(account)
    refused = account.refusal(account.client("iam").get_role_policy, RoleName="bot", PolicyName="p")
    expected = "The role policy with name p cannot be found."
    assert ("NoSuchEntity", 404, expected) == refused


@pytest.mark.behaviour("iam.boundary-missing")
def test_boundary_that_does_not_exist(account: Account) -> None:
    """NoSuchEntity."""
    role(account)
    arn = "arn:aws:iam::123456789012:policy/nothing"
    put = account.client("iam").put_role_permissions_boundary
    refused = account.refusal(put, RoleName="bot", PermissionsBoundary=arn)
    expected = f"Scope ARN: {arn} does not exist or is not attachable."
    assert ("NoSuchEntity", 404, expected) == refused
