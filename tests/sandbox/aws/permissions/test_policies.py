"""The policy evaluator, with plain values."""

from typing import Any

import pytest

from provision.sandbox.aws.permissions.conditions import conditions_match
from provision.sandbox.aws.permissions.patterns import matches, matches_arn
from provision.sandbox.aws.permissions.policies import (
    PermissionRequest,
    denial_reason,
    resource_decision,
)

USER = "arn:aws:iam::123456789012:user/maria"
SERVICE = "arn:aws:ecs:ap-northeast-1:123456789012:service/news/bot"


def allow(action: Any = "ecs:*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    """Return a statement."""
    return {"Effect": "Allow", "Action": action, "Resource": resource} | more


def make_request(
    action: str = "ecs:UpdateService", resource: str = SERVICE, **context: Any
) -> PermissionRequest:
    """Return a request by the user Maria; underscores in keys stand for colons."""
    keys = {key.replace("_", ":"): value for key, value in context.items()}
    return PermissionRequest(USER, action, resource, keys)


NOT_ALLOWED = "because no identity-based policy allows the ecs:UpdateService action"
DENIED = "with an explicit deny in an identity-based policy"


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ([], NOT_ALLOWED),
        ([allow()], ""),
        ([allow("ECS:updateservice")], ""),
        ([allow(["ecs:Describe*", "ecs:Update*"], [SERVICE])], ""),
        ([allow(resource=SERVICE.replace("bot", "other"))], NOT_ALLOWED),
        ([allow(resource=SERVICE.replace("news/bot", "*/b?t"))], ""),
        ([allow("ecs:Update?")], NOT_ALLOWED),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], ""),
        ([{"Effect": "Allow", "NotAction": "ecs:Update*", "Resource": "*"}], NOT_ALLOWED),
        ([{"Effect": "Allow", "Action": "*", "NotResource": SERVICE}], NOT_ALLOWED),
        ([{"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::*"}], ""),
        ([allow(), allow(Effect="Deny")], DENIED),
        ([allow(), allow("s3:*", Effect="Deny")], ""),
        ([allow(Condition={"Bool": {"aws:SecureTransport": "true"}})], NOT_ALLOWED),
    ],
)
def test_identity_policies(policy: list[dict[str, Any]], expected: str) -> None:
    """Only what a statement allows is allowed; a deny wins."""
    assert expected == denial_reason(make_request(), policy)


def test_limits_of_identity_policies() -> None:
    """A boundary and a session policy do not allow anything; what they do not allow is denied."""
    everything = [allow("*")]
    reading = [allow("ecs:Describe*")]
    action = "allows the ecs:UpdateService action"
    assert f"because no permissions boundary {action}" == denial_reason(
        make_request(), everything, boundary=reading
    )
    assert f"because no session policy {action}" == denial_reason(
        make_request(), everything, session=reading
    )
    assert NOT_ALLOWED == denial_reason(make_request(), reading, boundary=everything)
    denying = [*everything, allow(Effect="Deny")]
    assert "with an explicit deny in a permissions boundary" == denial_reason(
        make_request(), everything, boundary=denying
    )


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ("*", "Allow"),
        ({"AWS": "*"}, "Allow"),
        ({"AWS": ["arn:aws:iam::210987654321:root", USER]}, "Allow"),
        ({"AWS": "123456789012"}, "Delegate"),
        ({"AWS": "arn:aws:iam::123456789012:root"}, "Delegate"),
        ({"AWS": "arn:aws:iam::210987654321:root"}, ""),
        ({"Service": "ecs-tasks.amazonaws.com"}, ""),
    ],
)
def test_principals_of_resource_policies(principal: Any, expected: str) -> None:
    """Everybody, the caller by name, or the account, which delegates to IAM."""
    statement = allow(Principal=principal)
    assert expected == resource_decision([statement], make_request())
    denied = resource_decision([statement | {"Effect": "Deny"}], make_request())
    assert ("Deny" if expected else "") == denied


def test_resource_policy_allows_within_the_account() -> None:
    """One of the two is enough; a deny in either wins."""
    own = [allow(Principal={"AWS": USER})]
    assert "" == denial_reason(make_request(), [], own)
    assert DENIED == denial_reason(make_request(), [allow(Effect="Deny")], own)
    denied = [own[0] | {"Effect": "Deny"}]
    expected = "with an explicit deny in a resource-based policy"
    assert expected == denial_reason(make_request(), [allow()], denied)
    others = [{"Effect": "Deny", "NotPrincipal": {"AWS": USER}, "Action": "*", "Resource": "*"}]
    assert "" == denial_reason(make_request(), [allow()], others)


def test_trust_of_services() -> None:
    """A service is a principal by its name."""
    trust = [{"Effect": "Allow", "Principal": {"Service": "a.b"}, "Action": "sts:AssumeRole"}]
    request = PermissionRequest("a.b", "sts:AssumeRole", "arn:aws:iam::123456789012:role/r")
    assert "Allow" == resource_decision(trust, request)
    assert "" == resource_decision(trust, PermissionRequest("c.d", "sts:AssumeRole", "r"))


CONTEXT = {
    "aws:username": "maria",
    "aws:securetransport": "true",
    "aws:sourcearn": "arn:aws:ecs:ap-northeast-1:123456789012:task/news/1",
    "aws:sourceip": "203.0.113.7",
    "aws:currenttime": "2026-01-01T12:00:00Z",
    "aws:tagkeys": ["stack", "owner"],
    "s3:max-keys": "10",
    "s3:prefix": "news/",
}
HOLD: list[tuple[str, str, Any, bool]] = [
    ("StringEquals", "aws:username", ["john", "maria"], True),
    ("StringEquals", "aws:username", "mari*", False),
    ("StringEquals", "AWS:UserName", "Maria", False),
    ("StringEqualsIgnoreCase", "aws:username", "Maria", True),
    ("StringNotEquals", "aws:username", ["john", "maria"], False),
    ("StringNotEquals", "aws:other", "john", True),
    ("StringEquals", "aws:other", "john", False),
    ("StringEqualsIfExists", "aws:other", "john", True),
    ("StringLike", "aws:username", "mar?a", True),
    ("StringLike", "s3:prefix", "${aws:username}/*", False),
    ("StringNotLike", "s3:prefix", "old*", True),
    ("ArnLike", "aws:SourceArn", "arn:aws:ecs:*:123456789012:*", True),
    ("ArnEquals", "aws:SourceArn", "arn:aws:ecs:*:task/news/1", False),
    ("ArnNotLike", "aws:SourceArn", "arn:aws:ecs:*:123456789012:service/*", True),
    ("Bool", "aws:SecureTransport", False, False),
    ("Bool", "aws:SecureTransport", "true", True),
    ("Null", "aws:username", "false", True),
    ("Null", "aws:other", "true", True),
    ("Null", "aws:username", True, False),
    ("NumericLessThanEquals", "s3:max-keys", 10, True),
    ("NumericGreaterThan", "s3:max-keys", "10", False),
    ("NumericEquals", "aws:username", "10", False),
    ("DateGreaterThan", "aws:CurrentTime", "2025-12-31T00:00:00Z", True),
    ("DateLessThan", "aws:CurrentTime", "1767268800", False),
    ("IpAddress", "aws:SourceIp", "203.0.113.0/24", True),
    ("NotIpAddress", "aws:SourceIp", ["203.0.113.7", "198.51.100.0/24"], False),
    ("ForAllValues:StringEquals", "aws:TagKeys", ["stack", "owner", "cost"], True),
    ("ForAllValues:StringEquals", "aws:TagKeys", ["stack"], False),
    ("ForAllValues:StringEquals", "aws:other", ["stack"], True),
    ("ForAnyValue:StringLike", "aws:TagKeys", "own*", True),
    ("ForAnyValue:StringEquals", "aws:other", "stack", False),
    ("NoSuchOperator", "aws:username", "maria", False),
]


@pytest.mark.parametrize(("operator", "key", "value", "expected"), HOLD)
def test_condition(operator: str, key: str, value: Any, expected: bool) -> None:
    """Each operator, for existing and missing keys."""
    assert expected == conditions_match({operator: {key: value}}, CONTEXT)


def test_conditions_hold_together() -> None:
    """All operators and keys have to match."""
    both = {"StringEquals": {"aws:username": "maria", "s3:prefix": "news/"}, "Null": {"x": "true"}}
    assert conditions_match(both, CONTEXT)
    assert not conditions_match(both | {"Bool": {"aws:SecureTransport": "false"}}, CONTEXT)


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ("home/${aws:username}/*", "home/maria/a", True),
        ("home/${aws:username}/*", "home/john/a", False),
        ("home/${aws:other}/*", "home/x/a", False),
        ("home/${aws:other, 'common'}/*", "home/common/a", True),
        ("a${*}b", "a*b", True),
        ("a${*}b", "axb", False),
        ("a.b", "axb", False),
        ("a*", "a\nb", True),
    ],
)
def test_variables(pattern: str, value: str, expected: bool) -> None:
    """Policy variables are replaced by the request's values; wildcards in a value are literal."""
    assert expected == matches(pattern, value, CONTEXT)


def test_arns_part_by_part() -> None:
    """A wildcard does not cross a colon."""
    assert not matches_arn("arn:aws:ecs:*", "arn:aws:ecs:r:1:task/x")
    assert matches_arn("arn:aws:iam::1:user/${aws:username}", "arn:aws:iam::1:user/maria", CONTEXT)
