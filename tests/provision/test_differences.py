"""Differences are shown in short lines: a policy's statements, and a list's added and removed members."""

from typing import Any

import pytest

from provision.ui.differences import describe

READ = {
    "Sid": "Read",
    "Effect": "Allow",
    "Action": ["s3:GetObject"],
    "Resource": "arn:aws:s3:::a/*",
}
LOG = {"Sid": "Log", "Effect": "Allow", "Action": ["logs:PutLogEvents"], "Resource": "*"}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    """Return a policy."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


@pytest.mark.parametrize(
    ("have", "want", "expected"),
    [
        (policy(READ), policy(READ, LOG), ["Policy + Log: logs:PutLogEvents"]),
        (policy(READ, LOG), policy(READ), ["Policy - Log: logs:PutLogEvents"]),
        (None, policy(READ), ["Policy + Read: s3:GetObject"]),
        (
            policy({**READ, "Action": "*"}, LOG),
            policy(READ, LOG),
            ["Policy ~ Read: Action - *, + s3:GetObject"],
        ),
        (
            policy({**READ, "Condition": {"Bool": {"aws:SecureTransport": "true"}}}),
            policy({**READ, "Resource": ["arn:aws:s3:::a/*", "arn:aws:s3:::b/*"]}),
            [
                "Policy ~ Read: Resource + arn:aws:s3:::b/*; "
                'Condition - {"Bool": {"aws:SecureTransport": "true"}}'
            ],
        ),
        (
            {"Version": "2008-10-17", "Statement": READ},  # IAM takes a single one without brackets
            policy(READ),
            ["Policy.Version: '2008-10-17' -> '2012-10-17'"],
        ),
        (
            policy({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}),
            policy({"Effect": "Allow", "Principal": {"Service": "x"}, "Action": "sts:AssumeRole"}),
            [
                'Policy - Allow {"AWS": "*"}: sts:AssumeRole',
                'Policy + Allow {"Service": "x"}: sts:AssumeRole',
            ],
        ),
        (
            policy(READ, {"Effect": "Allow", "Action": "*"}, {"Effect": "Allow", "Action": "s3:*"}),
            policy(READ),
            ["Policy - Allow: *", "Policy - Allow (3): s3:*"],
        ),
        ({"a": 1, "b": {"c": 2}}, {"a": 1, "b": {"c": 3}}, ["Policy.b.c: 2 -> 3"]),
        (["a", "b"], ["b", "c"], ["Policy: - a, + c"]),
        (["a", "b"], ["b", "a"], ["Policy: ['a', 'b'] -> ['b', 'a']"]),
        (8443, 443, ["Policy: 8443 -> 443"]),
        (None, "on", ["Policy: None -> 'on'"]),
    ],
)
def test_lines(have: Any, want: Any, expected: list[str]) -> None:
    """Nothing that is equal is repeated."""
    assert expected == describe("Policy", have, want)
