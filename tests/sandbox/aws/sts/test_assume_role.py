"""STS: who may assume a role."""

from typing import Any

import pytest

from tests.sandbox.aws.permissions.test_enforcement import USER, a_role, a_user, allow, document
from tests.sandbox.conftest import Account

ROLE = "arn:aws:iam::123456789012:role/bot"
ASSUME = {"RoleArn": ROLE, "RoleSessionName": "morning"}


def trusting(account: Account, principal: Any, **more: Any) -> None:
    """Create a role that trusts this principal, propagated."""
    a_role(account)
    statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    account.client("iam").update_assume_role_policy(
        RoleName="bot", PolicyDocument=document(statement | more)
    )
    account.clock.advance(account.cloud.delays.role)


@pytest.mark.behaviour("sts.root-assumes-no-role")
def test_root_assumes_nothing(account: Account) -> None:
    """Even if the trust policy names the account."""
    trusting(account, "123456789012")
    refused = account.refusal(account.client("sts").assume_role, **ASSUME)
    assert ("AccessDenied", 403, "Roles may not be assumed by root accounts.") == refused


@pytest.mark.behaviour("sts.trust")
def test_trust_policy_decides(account: Account) -> None:
    """A user named in it may; through the account only with an own policy; otherwise not."""
    maria, john = a_user(account)("sts"), a_user(account, allow("sts:*"), name="john")("sts")
    trusting(account, USER)
    assert (
        f"{ROLE}/morning".replace("iam", "sts").replace("role", "assumed-role")
        == (maria.assume_role(**ASSUME)["AssumedRoleUser"]["Arn"])
    )
    denied = f"User: {USER} is not authorized to perform: sts:AssumeRole on resource: {ROLE}"
    code, status, message = account.refusal(john.assume_role, **ASSUME)
    assert ("AccessDenied", 403) == (code, status)
    assert denied.replace("maria", "john") == message
    account.client("iam").delete_role(RoleName="bot")
    trusting(account, "123456789012")
    john.assume_role(**ASSUME)
    code, _, message = account.refusal(maria.assume_role, **ASSUME)
    assert ("AccessDenied", True) == (code, message.startswith(denied))


@pytest.mark.behaviour("sts.role-fresh")
def test_fresh_role(account: Account) -> None:
    """It can be assumed some seconds later."""
    maria = a_user(account)("sts")
    trusting(account, USER)
    document_now = account.client("iam").get_role(RoleName="bot")["Role"]
    account.client("iam").create_role(
        RoleName="new",
        AssumeRolePolicyDocument=document(*document_now["AssumeRolePolicyDocument"]["Statement"]),
    )
    given = ASSUME | {"RoleArn": ROLE.replace("bot", "new")}
    assert "AccessDenied" == account.refusal(maria.assume_role, **given)[0]
    account.clock.advance(account.cloud.delays.role)
    maria.assume_role(**given)


@pytest.mark.behaviour("sts.duration")
def test_session_is_not_too_long(account: Account) -> None:
    """The role's maximum, by default an hour; an hour for role chaining."""
    maria = a_user(account)
    trusting(account, [USER, ROLE], Condition={"Bool": {"aws:SecureTransport": "true"}})
    refused = account.refusal(maria("sts").assume_role, **ASSUME, DurationSeconds=7200)
    expected = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    assert ("ValidationError", 400, expected) == refused
    account.client("iam").update_role(RoleName="bot", MaxSessionDuration=7200)
    answer = maria("sts").assume_role(**ASSUME, DurationSeconds=7200)
    chained = account.aws_session.caller(answer["Credentials"])("sts")
    code, _, message = account.refusal(chained.assume_role, **ASSUME, DurationSeconds=7200)
    assert ("ValidationError", True) == (code, "role chaining" in message)


def test_external_id(account: Account) -> None:
    """A condition of the trust policy."""
    maria = a_user(account)("sts")
    trusting(account, USER, Condition={"StringEquals": {"sts:ExternalId": "42"}})
    assert "AccessDenied" == account.refusal(maria.assume_role, **ASSUME)[0]
    maria.assume_role(**ASSUME, ExternalId="42")
