"""Parameter Store and CloudWatch Logs: what they refuse."""

import pytest

from .conftest import Account


def test_parameter_exists(account: Account) -> None:
    """Without Overwrite a second PutParameter is refused; with it the version counts up."""
    ssm = account.client("ssm")
    given = {"Name": "ACCESS_TOKEN", "Value": "v", "Type": "SecureString"}
    assert ssm.put_parameter(**given)["Version"] == 1
    code, status, message = account.refusal(ssm.put_parameter, **given)
    assert (code, status) == ("ParameterAlreadyExists", 400)
    assert message.startswith("The parameter already exists.")
    assert ssm.put_parameter(**given, Overwrite=True)["Version"] == 2


def test_tags_and_overwrite_exclude_each_other(account: Account) -> None:
    """Tags come with the first PutParameter or by AddTagsToResource, never with Overwrite."""
    ssm = account.client("ssm")
    given = {
        "Name": "ACCESS_TOKEN",
        "Value": "v",
        "Type": "SecureString",
        "Tags": [{"Key": "provision:stack", "Value": "news-bot"}],
    }
    code, status, message = account.refusal(ssm.put_parameter, **given, Overwrite=True)
    assert (code, status) == ("ValidationException", 400)
    assert "tags and overwrite can't be used together" in message
    ssm.put_parameter(**given)
    tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId="ACCESS_TOKEN")
    assert given["Tags"] == tags["TagList"]


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
