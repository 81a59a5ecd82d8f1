"""iam:SimulatePrincipalPolicy."""

import pytest

from tests.sandbox.aws.permissions.test_enforcement import a_role, allow
from tests.sandbox.conftest import Account

TOKEN = "arn:aws:ssm:ap-northeast-1:123456789012:parameter/TOKEN"


@pytest.mark.behaviour("iam.simulate-principal")
def test_role_is_simulated(account: Account) -> None:
    """Each action on each resource, explicit and implicit denies, conditions by the given keys."""
    deny = {**allow("s3:DeleteObject"), "Effect": "Deny"}
    listing = allow(
        "s3:ListBucket",
        "arn:aws:s3:::news",
        Condition={"StringLike": {"s3:prefix": "news/*"}},
    )
    role = a_role(account, allow("ssm:GetParameters", TOKEN), deny, listing)
    simulate = account.client("iam").simulate_principal_policy
    found = simulate(
        PolicySourceArn=role,
        ActionNames=["ssm:GetParameters", "s3:DeleteObject"],
        ResourceArns=[TOKEN, "arn:aws:s3:::news/a"],
    )["EvaluationResults"]
    assert ["allowed", "implicitDeny", "explicitDeny", "explicitDeny"] == [
        result["EvalDecision"] for result in found
    ]
    prefix = {
        "ContextKeyName": "s3:prefix",
        "ContextKeyType": "string",
        "ContextKeyValues": ["news/1"],
    }
    for entries, decision in (([prefix], "allowed"), ([], "implicitDeny")):
        (result,) = simulate(
            PolicySourceArn=role,
            ActionNames=["s3:ListBucket"],
            ResourceArns=["arn:aws:s3:::news"],
            ContextEntries=entries,
        )["EvaluationResults"]
        assert decision == result["EvalDecision"]


def test_simulation_of_unknown_role(account: Account) -> None:
    """A role that does not exist is an error."""
    iam = account.client("iam")
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.simulate_principal_policy(
            PolicySourceArn="arn:aws:iam::123456789012:role/none", ActionNames=["s3:GetObject"]
        )


def test_simulation_of_unsupported_action(account: Account) -> None:
    """An action that neither moto nor the sandbox has gives an error, not an empty result."""
    iam = account.client("iam")
    with pytest.raises(iam.exceptions.ClientError, match="InvalidAction"):
        iam.get_context_keys_for_custom_policy(PolicyInputList=["{}"])
