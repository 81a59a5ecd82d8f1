"""Accounts with rules: a permissions boundary for every role, and tags on everything (aws.*)."""

import json
from typing import Any

import pytest

from provision.settings import BY_KEY
from tests.provision.conftest import WHOLE, Env

BOUNDARY = "arn:aws:iam::123456789012:policy/Boundary"


def create_boundary(env: Env) -> None:
    """Create the policy that the account requires as a boundary."""
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    answer = env.aws_session.client("iam").create_policy(
        PolicyName="Boundary", PolicyDocument=document
    )
    assert BOUNDARY == answer["Policy"]["Arn"]


def sent_tags(params: dict[str, Any]) -> dict[str, str]:
    """Return the tags of a create call, in whichever form its service takes them."""
    tags = params.get("Tags") or params.get("tags") or []
    for specification in params.get("TagSpecifications", []):
        tags = specification["Tags"]
    if "AddTags" in params:
        tags = params["AddTags"]
    if "Tagging" in params:
        tags = params["Tagging"]["TagSet"]
    if isinstance(tags, dict):
        return tags
    return {tag.get("Key", tag.get("key")): tag.get("Value", tag.get("value")) for tag in tags}


@pytest.mark.parametrize("vpc", ["default", "new"])
def test_boundary_and_tags_are_sent(env: Env, vpc: str) -> None:
    """Every role is created with the boundary, and every create call that takes tags has them."""
    create_boundary(env)
    env.set(
        network__vpc=vpc,
        aws__permissions_boundary=BOUNDARY,
        aws__tags=["CostCenter=12", "Team=a b"],
    )
    roles: list[Any] = []
    untagged: list[str] = []

    def request(operation: str, params: dict[str, Any]) -> None:
        if operation == "CreateRole":
            roles.append(params.get("PermissionsBoundary"))
        tags = sent_tags(params)
        if (
            tags
            and "provision:stack" in tags
            and not {"CostCenter": "12", "Team": "a b"}.items() <= tags.items()
        ):
            untagged.append(operation)

    env.aws_session.request = request
    outcome = env.setup()
    assert ([], []) == (outcome.errors, outcome.outside)
    assert ([BOUNDARY] * 5, []) == (roles, untagged)
    env.changes()
    again = env.setup()
    assert ([], []) == (again.errors, env.changes())
    assert [] == env.teardown().left
    assert {} == {key: n for key, n in env.inventory().items() if key in WHOLE}


def test_boundary_is_added_to_existing_roles(env: Env) -> None:
    """A boundary that is set later is put on the roles that exist."""
    create_boundary(env)
    env.setup()
    env.changes()
    env.set(aws__permissions_boundary=BOUNDARY)
    assert [] == env.setup().errors
    assert ["PutRolePermissionsBoundary"] * 5 == env.changes()


@pytest.mark.parametrize(
    ("key", "raw"),
    [
        ("aws.tags", "aws:team=a"),
        ("aws.tags", "provision:stack=a"),
        ("aws.tags", "Provision:Stack=a"),
        ("aws.tags", "CostCenter="),
        ("aws.tags", "CostCenter"),
        ("aws.tags", "=a"),
        ("aws.permissions_boundary", "MyBoundary"),
        ("aws.permissions_boundary", "arn:aws:iam::123456789012:role/r"),
    ],
)
def test_rejected(key: str, raw: str) -> None:
    """Reserved or incomplete tags, and what is no policy's ARN."""
    with pytest.raises(ValueError, match=r"KEY=VALUE|ARN"):
        BY_KEY[key].parse(raw)
