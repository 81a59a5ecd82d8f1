"""STS GetCallerIdentity."""

import pytest

from tests.sandbox.conftest import Account


@pytest.mark.behaviour("sts.caller-is-root")
def test_root_user(account: Account) -> None:
    """The sandbox's own key is the root user's."""
    found = account.client("sts").get_caller_identity()
    assert ("123456789012", "123456789012", "arn:aws:iam::123456789012:root") == (
        found["UserId"],
        found["Account"],
        found["Arn"],
    )
