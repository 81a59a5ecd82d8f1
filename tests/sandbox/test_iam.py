"""IAM: fresh roles, trust, deletion, service-linked roles."""

import json
from typing import Any

import pytest

from .conftest import Account

EXECUTION = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
TASKS = "ecs-tasks.amazonaws.com"


def trust(principal: Any) -> str:
    """A trust policy for one principal."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def role(account: Account, name: str = "bot", principal: Any = None) -> str:
    """A new role; its ARN."""
    answer = account.client("iam").create_role(
        RoleName=name, AssumeRolePolicyDocument=trust(principal or {"Service": TASKS})
    )
    return str(answer["Role"]["Arn"])


def test_role_is_not_assumable_at_once(account: Account) -> None:
    """A new role can be assumed `delays.role` after its creation, by whom it trusts."""
    arn = role(account)
    assert not account.cloud.iam.assumable(arn, TASKS)
    account.clock.advance(account.cloud.delays.role)
    assert account.cloud.iam.assumable(arn, TASKS)
    assert not account.cloud.iam.assumable(arn, "scheduler.amazonaws.com")
    assert not account.cloud.iam.assumable(arn.replace("role/bot", "role/nobody"), TASKS)


def test_new_trust_takes_time_too(account: Account) -> None:
    """After UpdateAssumeRolePolicy the role is fresh again."""
    arn = role(account)
    account.clock.advance(account.cloud.delays.role)
    document = trust({"Service": [TASKS, "scheduler.amazonaws.com"]})
    account.client("iam").update_assume_role_policy(RoleName="bot", PolicyDocument=document)
    assert not account.cloud.iam.assumable(arn, "scheduler.amazonaws.com")
    account.clock.advance(account.cloud.delays.role)
    assert account.cloud.iam.assumable(arn, "scheduler.amazonaws.com")


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
    """A trust policy that names a service or role that does not exist is refused."""
    refused = account.refusal(lambda: role(account, principal=principal))
    assert ("MalformedPolicyDocument", 400, f"Invalid principal in policy: {said}") == refused


def test_known_principals(account: Account) -> None:
    """The account, another account and an existing role may be trusted."""
    first = role(account, "first")
    role(account, "second", {"AWS": [first, "123456789012", "arn:aws:iam::210987654321:root"]})


def test_role_with_policies_stays(account: Account) -> None:
    """Attached and inline policies go first, in AWS's words."""
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
    assert account.refusal(iam.get_role, RoleName="bot")[:2] == ("NoSuchEntity", 404)


def test_managed_policy_of_task_execution(account: Account) -> None:
    """The one AWS policy that the stack attaches is there, as AWS's."""
    policy = account.client("iam").get_policy(PolicyArn=EXECUTION)["Policy"]
    assert policy["PolicyName"] == "AmazonECSTaskExecutionRolePolicy"


def test_service_linked_role_exists_once(account: Account) -> None:
    """The second one is refused with words that the tool takes for done."""
    iam = account.client("iam")
    made = iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")["Role"]
    assert made["RoleName"] == "AWSServiceRoleForECS"
    code, status, message = account.refusal(
        iam.create_service_linked_role, AWSServiceName="ecs.amazonaws.com"
    )
    assert (code, status) == ("InvalidInput", 400)
    assert "AWSServiceRoleForECS has been taken in this account" in message
