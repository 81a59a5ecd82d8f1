"""EventBridge Scheduler: what it refuses, and that schedules fire on the clock."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.conftest import Account
from tests.sandbox.newsbot import TRUST, Bot

TARGET = "arn:aws:scheduler:::aws-sdk:ecs:updateService"


def a_role(account: Account, name: str = "scheduler", resource: str = "*") -> str:
    """A role that Scheduler may assume and that may update ECS services; its ARN."""
    iam = account.client("iam")
    trust = TRUST.replace("ecs-tasks", "scheduler")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    allow = {"Effect": "Allow", "Action": "ecs:Update*", "Resource": resource}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document)
    return str(arn)


def a_schedule(
    role: str, expression: str = "cron(0 8 ? * SAT,SUN *)", **more: Any
) -> dict[str, Any]:
    """The parameters of a schedule that sets a service to 3 tasks."""
    given = {"Cluster": "news", "Service": "bot", "DesiredCount": 3}
    return {
        "Name": "start",
        "ScheduleExpression": expression,
        "ScheduleExpressionTimezone": "Asia/Tokyo",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": TARGET, "RoleArn": role, "Input": json.dumps(given)},
    } | more


def into(target: dict[str, Any]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Changes the target."""
    return lambda given: {"Target": given["Target"] | target}


REFUSED: list[tuple[str, Any, str]] = [
    ("cron", {"ScheduleExpression": "cron(0 8 * * SAT *)"}, "Invalid Schedule Expression cron"),
    ("rate", {"ScheduleExpression": "rate(5 seconds)"}, "Invalid Schedule Expression rate"),
    ("past", {"ScheduleExpression": "at(2026-01-01T00:00:00)"}, "in the past"),
    ("zone", {"ScheduleExpressionTimezone": "Asia/Edo"}, "Asia/Edo"),
    ("window", {"FlexibleTimeWindow": {"Mode": "FLEXIBLE"}}, "MaximumWindowInMinutes"),
    ("reading", into({"Arn": "arn:aws:scheduler:::aws-sdk:ecs:describeServices"}), "supported"),
    ("no action", into({"Arn": "arn:aws:scheduler:::aws-sdk:ecs:startService"}), "supported"),
    ("no input", into({"Input": "no JSON"}), "Invalid RequestJson"),
    ("camel case", into({"Input": '{"desiredCount": 1}'}), "desiredCount"),
    ("no role", into({"RoleArn": "arn:aws:iam::123456789012:role/nobody"}), "to assume the role"),
]


@pytest.mark.parametrize(
    ("change", "part"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_schedule_is_refused(account: Account, change: Any, part: str) -> None:
    """ValidationException, and nothing is made."""
    role = a_role(account)
    account.clock.advance(account.cloud.delays.role)
    scheduler = account.client("scheduler")
    given = a_schedule(role)
    given |= change(given) if callable(change) else change
    code, status, message = account.refusal(scheduler.create_schedule, **given)
    assert ("ValidationException", 400) == (code, status)
    assert part in message
    assert [] == scheduler.list_schedules()["Schedules"]


def test_fresh_role(account: Account) -> None:
    """A role of this second cannot be assumed yet; one of another service never."""
    role = a_role(account)
    scheduler = account.client("scheduler")
    code, _, message = account.refusal(scheduler.create_schedule, **a_schedule(role))
    assert ("ValidationException", True) == (code, "to assume the role" in message)
    account.clock.advance(account.cloud.delays.role)
    scheduler.create_schedule(**a_schedule(role))
    other = account.client("iam").create_role(RoleName="t", AssumeRolePolicyDocument=TRUST)["Role"]
    account.clock.advance(account.cloud.delays.role)
    given = a_schedule(other["Arn"], Name="other")
    assert "ValidationException" == account.refusal(scheduler.create_schedule, **given)[0]


def test_groups(account: Account) -> None:
    """One of a name; unknown ones are not found; a deleted one shows DELETING, then it is gone."""
    scheduler = account.client("scheduler")
    role = a_role(account)
    account.clock.advance(account.cloud.delays.role)
    given = a_schedule(role, GroupName="bot")
    assert "ResourceNotFoundException" == account.refusal(scheduler.create_schedule, **given)[0]
    scheduler.create_schedule_group(Name="bot")
    refused = account.refusal(scheduler.create_schedule_group, Name="bot")
    assert ("ConflictException", 409) == refused[:2]
    scheduler.create_schedule(**given)
    assert "ConflictException" == account.refusal(scheduler.create_schedule, **given)[0]
    scheduler.delete_schedule_group(Name="bot")
    assert "DELETING" == scheduler.get_schedule_group(Name="bot")["State"]
    account.clock.advance(account.cloud.delays.schedule_group)
    refused = account.refusal(scheduler.get_schedule_group, Name="bot")
    assert ("ResourceNotFoundException", 404) == refused[:2]
    assert [] == scheduler.list_schedules()["Schedules"]
    assert (
        "ValidationException" == account.refusal(scheduler.delete_schedule_group, Name="default")[0]
    )


@pytest.fixture
def bot(account: Account) -> Bot:
    """A service that wants one task."""
    made = Bot(account)
    account.clock.step = 200.0
    made.settle()
    made.create()
    return made


def fired(account: Account) -> list[Any]:
    """How the scheduler's calls went."""
    return [call["outcome"] for call in account.cloud.log if call["caller"] == "scheduler"]


@pytest.mark.parametrize(
    ("expression", "seconds", "expected"),
    [("rate(10 minutes)", 1250, 3), ("cron(0/10 * * * ? *)", 1200, 2)],
)
def test_schedule_fires(
    account: Account, bot: Bot, expression: str, seconds: int, expected: int
) -> None:
    """Again and again (rate: at once), with the wanted count; disabled it does not."""
    scheduler = account.client("scheduler")
    role = a_role(account)
    account.clock.advance(account.cloud.delays.role)
    given = a_schedule(role, expression)
    scheduler.create_schedule(**given)
    account.clock.advance(seconds)
    assert [200] * expected == fired(account)
    assert 3 == bot.service()["desiredCount"]
    scheduler.update_schedule(**given, State="DISABLED")
    account.cloud.log.clear()
    account.clock.advance(seconds)
    assert [] == fired(account)
    scheduler.update_schedule(**given)
    assert "ENABLED" == scheduler.get_schedule(Name="start")["State"]


def test_role_may_not(account: Account, bot: Bot) -> None:
    """The role's policy names another service: the call is denied, and the log says so."""
    role = a_role(account, resource="arn:aws:ecs:ap-northeast-1:123456789012:service/news/other")
    account.clock.advance(account.cloud.delays.role)
    account.client("scheduler").create_schedule(**a_schedule(role, "rate(1 hour)"))
    account.clock.advance(60)
    (outcome,) = fired(account)
    assert outcome.startswith("AccessDeniedException: User:")
    assert 1 == bot.service()["desiredCount"]
