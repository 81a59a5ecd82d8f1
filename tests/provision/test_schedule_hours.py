"""How many hours a month the bot is on with a schedule."""

from datetime import datetime

import pytest

from provision.pricing import prices
from provision.schedules import hours_a_month, next_time, times_a_month
from provision.settings import Settings
from provision.stack import Secrets, Stack
from tests.provision.conftest import ANSWERS

WEEK = 7 * 24


@pytest.mark.parametrize(
    ("start", "stop", "hours"),
    [
        ("cron(0 8 ? * SAT,SUN *)", "cron(0 9 ? * SAT,SUN *)", 2),
        ("cron(0 8 ? * 7,1 *)", "cron(30 8 ? * 1,7 *)", 1),
        ("cron(0 22 ? * * *)", "cron(0 6 * * ? *)", 56),
        ("cron(0 9 ? * MON-FRI *)", "cron(0 18 ? * MON-FRI *)", 45),
        ("cron(0 8 ? * SAT *)", "cron(0 9 ? * SUN *)", 25),
        ("cron(0 8 ? * SAT,SUN *)", "cron(0 9 ? * SUN *)", 25),
        ("cron(0 20 ? * FRI *)", "cron(0 8 ? * MON *)", 60),
        ("cron(0/5 8 ? * SAT *)", "cron(0 9 ? * SAT *)", 1),
        ("cron(0 8 ? * SAT#1 *)", "cron(0 9 ? * SAT#1 *)", 12 / 52),
        ("cron(0 8 1 * ? *)", "cron(0 9 1 * ? *)", 12 / 52),
    ],
)
def test_hours(start: str, stop: str, hours: float) -> None:
    """Hours a week, scaled to a month of 730 hours."""
    assert pytest.approx(hours / WEEK * 730) == hours_a_month(start, stop)


@pytest.mark.parametrize(
    ("start", "stop"),
    [
        ("", ""),
        ("rate(1 hour)", "cron(0 9 ? * SAT *)"),
        ("cron(0/5 * * * ? *)", "cron(1 0 ? * SAT *)"),
        ("cron(0 * * * ? *)", "cron(30 0 ? * SAT *)"),
        ("cron(0 8 ? * SAT *)", "cron(0 8 ? * SAT *)"),
        ("cron(0 8 ? * SAT 2020)", "cron(0 9 ? * SAT *)"),
    ],
)
def test_unknown_hours(start: str, stop: str) -> None:
    """No schedule, a rate, too often, at the same time, in the past: the whole month is assumed."""
    assert None is hours_a_month(start, stop)


def test_service_costs_its_hours() -> None:
    """The article's two hours a week cost 2/168 of a service that is always on."""
    listed = prices("ap-northeast-1")
    scheduled = Stack(Settings(ANSWERS), Secrets(), {}).service.costs(listed)
    without = {**ANSWERS, "schedule.start": "", "schedule.stop": ""}
    always = Stack(Settings(without), Secrets(), {}).service.costs(listed)
    assert pytest.approx(always * 2 / WEEK) == scheduled


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-24T12:00:00+09:00", "2026-11-28T08:00:00+09:00"),  # a Tuesday
        ("2026-11-28T07:59:00+09:00", "2026-11-28T08:00:00+09:00"),
        ("2026-11-28T08:00:00+09:00", "2026-11-29T08:00:00+09:00"),
        ("2026-11-29T08:30:00+09:00", "2026-12-05T08:00:00+09:00"),
        ("2026-11-27T22:59:00+00:00", "2026-11-28T08:00:00+09:00"),  # Saturday already in Tokyo
    ],
)
def test_next_start(now: str, expected: str) -> None:
    """The next Saturday or Sunday at 8 in Tokyo, in whichever time zone one asks."""
    at = next_time("cron(0 8 ? * SAT,SUN *)", "Asia/Tokyo", datetime.fromisoformat(now))
    assert expected == (at.isoformat() if at else None)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cron(0/20 9-17 ? * MON-FRI *)", "2026-11-24T12:20:00+00:00"),
        ("cron(0 8 L * ? *)", "2026-11-30T08:00:00+00:00"),
        ("cron(0 8 ? * 6#1 *)", "2026-12-04T08:00:00+00:00"),
        ("at(2027-01-03T08:00:00)", "2027-01-03T08:00:00+00:00"),
        ("at(2026-01-03T08:00:00)", None),
        ("rate(1 day)", None),
        ("", None),
    ],
)
def test_next_start_of_other_expressions(expression: str, expected: str | None) -> None:
    """Whatever Scheduler supports; a rate's times are unknown."""
    at = next_time(expression, "UTC", datetime.fromisoformat("2026-11-24T12:00:00+00:00"))
    assert expected == (at.isoformat() if at else None)


@pytest.mark.parametrize(
    ("expression", "times"),
    [
        ("rate(1 hour)", 730.0),
        ("cron(0 * * * ? *)", 730.0),
        ("cron(0/20 6,18 * * ? *)", 6 * 365 / 12),
        ("cron(0 7 1 * ? *)", 1.0),
        ("cron(0 7 1 1 ? *)", 1 / 12),
        ("cron(0 7 ? * FRI *)", 53 / 12),  # 2027 begins on a Friday
        ("at(2027-01-03T08:00:00)", 0.0),
    ],
)
def test_times_a_month(expression: str, times: float) -> None:
    """In a month of 730 hours; a single run counts as none."""
    assert times == pytest.approx(times_a_month(expression))
