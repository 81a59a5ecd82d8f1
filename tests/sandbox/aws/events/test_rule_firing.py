"""EventBridge: rules with a schedule that invoke a Lambda function, on the sandbox's clock."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.sandbox.aws.awslambda.functions import Functions

SOURCE = """
import json

def lambda_handler(event, context):
    print(json.dumps(event))
"""
EVERY_FIVE_MINUTES = "rate(5 minutes)"
RULE = "arn:aws:events:ap-northeast-1:123456789012:rule/start"


def a_rule(functions: Functions, expression: str = EVERY_FIVE_MINUTES, **target: Any) -> None:
    """Create a rule whose target is the function."""
    arn = functions.create(SOURCE)
    events = functions.account.client("events")
    events.put_rule(Name="start", ScheduleExpression=expression)
    events.put_targets(Rule="start", Targets=[{"Id": "1", "Arn": arn, **target}])


def allow(functions: Functions, source: str = RULE) -> None:
    """Let EventBridge invoke the function for a rule."""
    functions.client.add_permission(
        FunctionName="toggle",
        StatementId="start",
        Action="lambda:InvokeFunction",
        Principal="events.amazonaws.com",
        SourceArn=source,
    )


def passed(functions: Functions, seconds: float) -> list[Any]:
    """Let the time pass; return the events that the function has printed since the beginning."""
    functions.account.clock.advance(seconds)
    functions.end()
    groups = functions.account.client("logs").describe_log_groups()["logGroups"]
    return [json.loads(line) for line in functions.log() if line[0] in "{["] if groups else []


@pytest.mark.behaviour("events.fires", "events.scheduled-event")
def test_rule_invokes_a_function_when_it_is_due(functions: Functions) -> None:
    """At the expression's time in UTC; the event has that time."""
    a_rule(functions, "cron(0 23 ? * FRI *)")
    allow(functions)
    functions.account.clock.step = 3600.0
    friday = datetime(2026, 5, 29, 23, tzinfo=UTC).timestamp()  # the clock begins on Thursday
    assert [] == passed(functions, friday - functions.account.clock.now() - 60)
    found = passed(functions, 60)
    assert [36] == [len(event.pop("id")) for event in found]
    assert {
        "version": "0",
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": "123456789012",
        "time": "2026-05-29T23:00:00Z",
        "region": "ap-northeast-1",
        "resources": [RULE],
        "detail": {},
    } == found[0]
    assert 2 == len(passed(functions, 7 * 24 * 3600))


@pytest.mark.behaviour("events.fires")
def test_rate(functions: Functions) -> None:
    """At each interval after the rule's creation."""
    a_rule(functions)
    allow(functions)
    counts = [len(passed(functions, seconds)) for seconds in (290, 10, 290, 10)]
    assert [0, 1, 1, 2] == counts


@pytest.mark.behaviour("events.fires")
def test_constant_input(functions: Functions) -> None:
    """It replaces the event."""
    a_rule(functions, Input='{"number": 1}')
    allow(functions)
    assert [{"number": 1}] == passed(functions, 301)


@pytest.mark.behaviour("events.disabled")
def test_disabled_rule(functions: Functions) -> None:
    """It fires again once it is enabled."""
    a_rule(functions)
    allow(functions)
    events = functions.account.client("events")
    events.disable_rule(Name="start")
    assert [] == passed(functions, 700)
    events.enable_rule(Name="start")
    assert 1 == len(passed(functions, 301))


@pytest.mark.behaviour("events.function-policy")
@pytest.mark.parametrize("source", [None, RULE.replace("start", "other")])
def test_function_policy(functions: Functions, source: str | None) -> None:
    """Without a statement for this rule, nothing runs."""
    a_rule(functions)
    if source:
        allow(functions, source)
    assert [] == passed(functions, 301)
    calls = [call for call in functions.account.cloud.log if call["operation"] == "Invoke"]
    assert [("events.amazonaws.com", "AccessDeniedException")] == [
        (call["caller"], str(call["outcome"]).partition(":")[0]) for call in calls
    ]


def test_parts_of_the_event_are_refused(functions: Functions) -> None:
    """The sandbox does not carry them out."""
    arn = functions.create()
    events = functions.account.client("events")
    events.put_rule(Name="start", ScheduleExpression=EVERY_FIVE_MINUTES)
    target = {"Id": "1", "Arn": arn, "InputPath": "$.time"}
    code, status, message = functions.account.refusal(
        events.put_targets, Rule="start", Targets=[target]
    )
    assert ("ValidationException", 400, True) == (code, status, "no InputPath" in message)
