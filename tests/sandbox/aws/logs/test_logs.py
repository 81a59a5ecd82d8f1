"""CloudWatch Logs: log groups and the events in them."""

from datetime import datetime
from typing import Any

import pytest

from tests.sandbox.conftest import Account

INVALID = ("InvalidParameterException", 400)
NOW = int(datetime.now().timestamp() * 1000)  # moto holds new events against the real time


@pytest.fixture
def logs(account: Account) -> Any:
    """Return a client, with a log group /bot and the streams bot/1, bot/2 and other."""
    client = account.client("logs")
    client.create_log_group(logGroupName="/bot")
    for stream in ("bot/1", "bot/2", "other"):
        client.create_log_stream(logGroupName="/bot", logStreamName=stream)
    return client


def write(logs: Any, stream: str, *messages: str, since: int = NOW) -> None:
    """Write messages a second apart."""
    events = [{"timestamp": since + n * 1000, "message": text} for n, text in enumerate(messages)]
    logs.put_log_events(logGroupName="/bot", logStreamName=stream, logEvents=events)


def found(logs: Any, **by: Any) -> list[str]:
    """Return the messages that FilterLogEvents finds."""
    events = logs.filter_log_events(logGroupName="/bot", **by)["events"]
    return [event["message"] for event in events]


@pytest.mark.behaviour("logs.group-name")
def test_group_name(account: Account, logs: Any) -> None:
    """No spaces, and letters A to Z only."""
    for name in ("news bot", "/ボット", "a:b"):
        code, status, message = account.refusal(logs.create_log_group, logGroupName=name)
        assert INVALID == (code, status)
        assert f"Value '{name}' at 'logGroupName'" in message


@pytest.mark.behaviour("logs.group-exists")
def test_group_twice(account: Account, logs: Any) -> None:
    """Names are unique."""
    refused = account.refusal(logs.create_log_group, logGroupName="/bot")
    assert (
        "ResourceAlreadyExistsException",
        400,
        "The specified log group already exists",
    ) == refused


@pytest.mark.behaviour("logs.group-unknown")
def test_group_that_is_not_there(account: Account, logs: Any) -> None:
    """FilterLogEvents fails."""
    refused = account.refusal(logs.filter_log_events, logGroupName="/other")
    assert (
        "ResourceNotFoundException",
        400,
        "The specified log group does not exist.",
    ) == refused


@pytest.mark.behaviour("logs.too-many-tags")
def test_fifty_one_tags(account: Account, logs: Any) -> None:
    """Fifty at most."""
    tags = {f"key{number}": "" for number in range(51)}
    refused = account.refusal(logs.create_log_group, logGroupName="/new", tags=tags)
    assert INVALID == refused[:2]


@pytest.mark.behaviour("logs.stream-name")
def test_stream_name(account: Account, logs: Any) -> None:
    """No colon or asterisk."""
    for name in ("a:b", "*"):
        given = {"logGroupName": "/bot", "logStreamName": name}
        assert INVALID == account.refusal(logs.create_log_stream, **given)[:2]


@pytest.mark.behaviour("logs.filter-by-stream-prefix")
def test_streams_by_prefix(logs: Any) -> None:
    """The streams of one container."""
    write(logs, "bot/1", "one")
    write(logs, "other", "two")
    assert ["one"] == found(logs, logStreamNamePrefix="bot/")
    assert [] == found(logs, logStreamNamePrefix="none/")


@pytest.mark.behaviour("logs.filter-prefix-and-names")
def test_prefix_beside_names(account: Account, logs: Any) -> None:
    """Only one of them is allowed."""
    by = {"logStreamNamePrefix": "bot/", "logStreamNames": ["other"]}
    assert INVALID == account.refusal(logs.filter_log_events, logGroupName="/bot", **by)[:2]


@pytest.mark.behaviour("logs.filter-interleaves")
def test_events_of_several_streams(logs: Any) -> None:
    """In order of time, page by page."""
    write(logs, "bot/1", "first", "third", since=NOW)
    write(logs, "bot/2", "second", since=NOW + 500)
    assert ["first", "second", "third"] == found(logs)
    page = logs.filter_log_events(logGroupName="/bot", limit=2)
    assert ["third"] == found(logs, limit=2, nextToken=page["nextToken"])


@pytest.mark.behaviour("logs.page-too-long")
def test_page_that_is_too_long(account: Account, logs: Any) -> None:
    """Ten thousand at most."""
    refused = account.refusal(logs.filter_log_events, logGroupName="/bot", limit=10_001)
    assert INVALID == refused[:2]


@pytest.mark.behaviour("logs.get-ends-with-its-own-token")
def test_last_page_of_a_stream(logs: Any) -> None:
    """A reader stops when the token is the one it sent."""
    write(logs, "bot/1", "one", "two")
    given = {"logGroupName": "/bot", "logStreamName": "bot/1", "startFromHead": True}
    page = logs.get_log_events(**given)
    assert ["one", "two"] == [event["message"] for event in page["events"]]
    last = logs.get_log_events(**given, nextToken=page["nextForwardToken"])
    assert ([], page["nextForwardToken"]) == (last["events"], last["nextForwardToken"])


@pytest.mark.behaviour("logs.retention-forgets")
def test_old_events_are_forgotten(account: Account, logs: Any) -> None:
    """Events older than the retention are gone, on the sandbox's clock."""
    write(logs, "bot/1", "old")
    logs.put_retention_policy(logGroupName="/bot", retentionInDays=1)
    account.clock.step = 10 * 24 * 3600.0
    account.clock.advance(max(0.0, NOW / 1000 - account.clock.now()) + 25 * 3600)
    assert [] == found(logs)
    given = {"logGroupName": "/bot", "logStreamName": "bot/1"}
    assert [] == logs.get_log_events(**given)["events"]
    logs.delete_retention_policy(logGroupName="/bot")
    assert ["old"] == found(logs), "the sandbox only hides them"


@pytest.mark.behaviour("logs.batch-over-a-day")
def test_batch_of_two_days(account: Account, logs: Any) -> None:
    """24 hours at most."""
    events = [{"timestamp": NOW - n * 25 * 3600 * 1000, "message": "m"} for n in (1, 0)]
    given = {"logGroupName": "/bot", "logStreamName": "bot/1", "logEvents": events}
    code, status, message = account.refusal(logs.put_log_events, **given)
    assert INVALID == (code, status)
    assert "cannot span more than 24 hours" in message


@pytest.mark.behaviour("logs.batch-too-large")
def test_batch_of_a_megabyte(account: Account, logs: Any) -> None:
    """26 bytes are added for each event."""
    events = [{"timestamp": NOW, "message": "x" * (1_048_576 - 25)}]
    given = {"logGroupName": "/bot", "logStreamName": "bot/1", "logEvents": events}
    assert INVALID == account.refusal(logs.put_log_events, **given)[:2]


@pytest.mark.behaviour("logs.retention-not-in-list")
@pytest.mark.parametrize("days", [15, 0])
def test_retention_is_one_of_the_list(account: Account, logs: Any, days: int) -> None:
    """Only the values that CloudWatch Logs offers are accepted."""
    given = {"logGroupName": "/bot", "retentionInDays": days}
    code, status, message = account.refusal(logs.put_retention_policy, **given)
    assert INVALID == (code, status)
    assert f"Value '{days}' at 'retentionInDays'" in message
    assert "retentionInDays" not in logs.describe_log_groups()["logGroups"][0]


@pytest.mark.parametrize("days", [30, 3653])
def test_retention_of_the_list_is_kept(logs: Any, days: int) -> None:
    """It is shown too."""
    logs.put_retention_policy(logGroupName="/bot", retentionInDays=days)
    assert days == logs.describe_log_groups()["logGroups"][0]["retentionInDays"]
