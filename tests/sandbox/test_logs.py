"""CloudWatch Logs: what it refuses."""

import pytest

from .conftest import Account


@pytest.mark.parametrize(("days", "accepted"), [(30, True), (3653, True), (15, False), (0, False)])
def test_retention_is_one_of_the_list(account: Account, days: int, accepted: bool) -> None:
    """Only the days that CloudWatch Logs offers are taken."""
    logs = account.client("logs")
    logs.create_log_group(logGroupName="/bot")
    given = {"logGroupName": "/bot", "retentionInDays": days}
    if accepted:
        logs.put_retention_policy(**given)
        assert days == logs.describe_log_groups()["logGroups"][0]["retentionInDays"]
    else:
        code, status, message = account.refusal(logs.put_retention_policy, **given)
        assert (code, status) == ("InvalidParameterException", 400)
        assert f"Value '{days}' at 'retentionInDays'" in message
        assert "retentionInDays" not in logs.describe_log_groups()["logGroups"][0]
