"""EventBridge: rules."""

import pytest

from tests.sandbox.conftest import Account

REFUSED = ("ValidationException", 400, "Parameter ScheduleExpression is not valid.")


@pytest.mark.behaviour("events.schedule-expression")
@pytest.mark.parametrize(
    "text",
    [
        "cron(0 8 * * SAT,SUN *)",
        "cron(0 8 ? * SAT)",
        "at(2030-01-01T00:00:00)",
        "every day",
        "rate(1)",
    ],
)
def test_bad_schedule_expression(account: Account, text: str) -> None:
    """One of the two day fields has to be ?, and a year is required; at() is for Scheduler."""
    put = account.client("events").put_rule
    assert REFUSED == account.refusal(put, Name="start", ScheduleExpression=text)


def test_good_schedule_expression(account: Account) -> None:
    """The article's, and a rate."""
    put = account.client("events").put_rule
    for text in ("cron(0 8 ? * SAT,SUN *)", "rate(5 minutes)"):
        assert put(Name="start", ScheduleExpression=text)["RuleArn"].endswith(":rule/start")
