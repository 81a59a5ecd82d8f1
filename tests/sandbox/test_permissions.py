"""Callers are held to their policies, with AWS's words."""

import json
from typing import Any

from tests.sandbox.conftest import REGION, Account

TASKS = "ecs-tasks.amazonaws.com"


def document(*statements: dict[str, Any]) -> str:
    """A policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    """A statement of an identity-based policy."""
    return {"Effect": "Allow", "Action": action, "Resource": resource} | more


def a_role(account: Account, *statements: dict[str, Any], name: str = "bot") -> str:
    """A role for ECS tasks with an inline policy, known everywhere; its ARN."""
    iam = account.client("iam")
    trust = document(
        {"Effect": "Allow", "Principal": {"Service": TASKS}, "Action": "sts:AssumeRole"}
    )
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document(*statements))
    account.clock.advance(account.cloud.delays.role)
    return str(arn)


def test_role_is_asked_for_what_it_may(account: Account) -> None:
    """Inline and attached policies count; the sentence is AWS's."""
    role = a_role(account, allow("ssm:GetParameters", "arn:aws:ssm:*:*:parameter/TOKEN"))
    permissions, logs = account.cloud.permissions, f"arn:aws:logs:{REGION}:123456789012:*"
    token = f"arn:aws:ssm:{REGION}:123456789012:parameter/TOKEN"
    assert permissions.allows(role, "ssm:GetParameters", token)
    assert not permissions.allows(role, "ssm:GetParameters", token + "2")
    assert (
        f"User: {role} is not authorized to perform: logs:CreateLogStream on resource: {logs} "
        "because no identity-based policy allows the logs:CreateLogStream action"
    ) == permissions.denied(role, "logs:CreateLogStream", logs)
    account.client("iam").attach_role_policy(
        RoleName="bot",
        PolicyArn="arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy",
    )
    assert "" == permissions.denied(role, "logs:CreateLogStream", logs)
    assert not permissions.allows(role + "2", "logs:CreateLogStream", logs)


def test_boundary_limits(account: Account) -> None:
    """What the permissions boundary does not allow is not allowed."""
    iam = account.client("iam")
    role = a_role(account, allow("*"))
    boundary = iam.create_policy(PolicyName="b", PolicyDocument=document(allow("s3:*")))["Policy"]
    iam.put_role_permissions_boundary(RoleName="bot", PermissionsBoundary=boundary["Arn"])
    assert account.cloud.permissions.allows(role, "s3:ListBucket", "arn:aws:s3:::news")
    assert account.cloud.permissions.denied(role, "ssm:GetParameters", "*").endswith(
        "because no permissions boundary allows the ssm:GetParameters action"
    )
