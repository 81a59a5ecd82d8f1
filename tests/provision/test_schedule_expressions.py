"""Schedule expressions: the times they mean, and invalid ones."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from provision.schedules import parse

TOKYO, BERLIN = ZoneInfo("Asia/Tokyo"), ZoneInfo("Europe/Berlin")


def local_time(text: str, zone: ZoneInfo = TOKYO) -> float:
    """Return a local time as epoch seconds."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def upcoming(text: str, begin: str, count: int, zone: ZoneInfo = TOKYO) -> list[str]:
    """Return the next local times of an expression."""
    at, found = local_time(begin, zone), []
    for _ in range(count):
        next_time = parse(text).next(at, zone, local_time(begin, zone))
        if next_time is None:
            break
        at = next_time
        found.append(datetime.fromtimestamp(at, zone).strftime("%a %Y-%m-%d %H:%M"))
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "cron(0 8 ? * SAT,SUN *)",
            ["Sat 2026-01-03 08:00", "Sun 2026-01-04 08:00", "Sat 2026-01-10 08:00"],
        ),
        ("cron(30 9 1 * ? *)", ["Sun 2026-02-01 09:30", "Sun 2026-03-01 09:30"]),
        ("cron(0 0 L 2 ? *)", ["Sat 2026-02-28 00:00", "Sun 2027-02-28 00:00"]),
        ("cron(0 0 15W * ? *)", ["Thu 2026-01-15 00:00", "Mon 2026-02-16 00:00"]),
        ("cron(0 0 LW 1 ? *)", ["Fri 2026-01-30 00:00"]),
        ("cron(0 0 1W 8 ? *)", ["Mon 2026-08-03 00:00"]),  # the 1st is a Saturday
        ("cron(0 0 31W 5 ? *)", ["Fri 2026-05-29 00:00"]),  # the 31st is a Sunday
        ("cron(0 0 ? * 6#3 *)", ["Fri 2026-01-16 00:00", "Fri 2026-02-20 00:00"]),
        ("cron(0 0 ? * FRIL *)", ["Fri 2026-01-30 00:00"]),
        ("cron(0/30 8-9 ? JAN MON-FRI 2026)", ["Fri 2026-01-02 08:00", "Fri 2026-01-02 08:30"]),
        ("cron(0 0 29 2 ? *)", ["Tue 2028-02-29 00:00"]),
        ("at(2026-05-01T18:00:00)", ["Fri 2026-05-01 18:00"]),
        ("rate(2 days)", ["Sat 2026-01-03 12:00", "Mon 2026-01-05 12:00"]),
    ],
)
def test_next_times(text: str, expected: list[str]) -> None:
    """From New Year's Day 2026, a Thursday, at noon."""
    assert expected == upcoming(text, "2026-01-01T12:00:00", len(expected))


# The examples of AWS's documentation, with what it says of them: Amazon EventBridge User Guide, "Cron
# expressions reference"; EventBridge Scheduler User Guide, "Schedule types".
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cron(0 10 * * ? *)", ["Mon 2026-02-02 10:00", "Tue 2026-02-03 10:00"]),
        ("cron(15 12 * * ? *)", ["Mon 2026-02-02 12:15", "Tue 2026-02-03 12:15"]),
        ("cron(0 18 ? * MON-FRI *)", ["Mon 2026-02-02 18:00", "Tue 2026-02-03 18:00"]),
        ("cron(0 8 1 * ? *)", ["Sun 2026-03-01 08:00", "Wed 2026-04-01 08:00"]),
        ("cron(0/15 * * * ? *)", ["Mon 2026-02-02 00:00", "Mon 2026-02-02 00:15"]),
        ("cron(0/10 * ? * MON-FRI *)", ["Mon 2026-02-02 00:00", "Mon 2026-02-02 00:10"]),
        ("cron(0/5 8-17 ? * MON-FRI *)", ["Mon 2026-02-02 08:00", "Mon 2026-02-02 08:05"]),
        (
            "cron(0/30 20-2 ? * MON-FRI *)",
            [
                "Mon 2026-02-02 00:00",
                "Mon 2026-02-02 00:30",
                "Mon 2026-02-02 01:00",
                "Mon 2026-02-02 01:30",
                "Mon 2026-02-02 02:00",
                "Mon 2026-02-02 02:30",
                "Mon 2026-02-02 20:00",
            ],
        ),
        ("cron(0 0 ? JAN,FEB,MAR MON *)", ["Mon 2026-02-02 00:00", "Mon 2026-02-09 00:00"]),
        ("cron(0 0 1-15 * ? *)", ["Mon 2026-02-02 00:00", "Tue 2026-02-03 00:00"]),
        ("cron(1/10 0 * * ? *)", ["Mon 2026-02-02 00:01", "Mon 2026-02-02 00:11"]),
        ("cron(0 0 7 * ? *)", ["Sat 2026-02-07 00:00"]),
        ("cron(0 0 3W * ? *)", ["Tue 2026-02-03 00:00", "Tue 2026-03-03 00:00"]),
        ("cron(0 0 ? * 3#2 *)", ["Tue 2026-02-10 00:00", "Tue 2026-03-10 00:00"]),
        ("cron(0 0 L * ? *)", ["Sat 2026-02-28 00:00", "Tue 2026-03-31 00:00"]),
        ("rate(5 minutes)", ["Mon 2026-02-02 00:04", "Mon 2026-02-02 00:09"]),
        ("rate(1 hour)", ["Mon 2026-02-02 00:59", "Mon 2026-02-02 01:59"]),
        ("at(2026-11-20T13:00:00)", ["Fri 2026-11-20 13:00"]),
    ],
)
def test_examples_of_awss_documentation(text: str, expected: list[str]) -> None:
    """From a minute before a Monday begins."""
    assert expected == upcoming(text, "2026-02-01T23:59:00", len(expected))


def test_last_friday_of_each_month_of_two_years() -> None:
    """The example of EventBridge Scheduler's guide."""
    fridays = upcoming("cron(15 10 ? * 6L 2022-2023)", "2022-01-01T00:00:00", 25)
    assert ["Fri 2022-01-28 10:15", "Fri 2022-02-25 10:15"] == fridays[:2]
    assert (24, "Fri 2023-12-29 10:15") == (len(fridays), fridays[-1])


def test_past_years_never_fire() -> None:
    """A cron of past years and a past `at`."""
    assert [] == upcoming("cron(0 8 ? * * 2025)", "2026-01-01T12:00:00", 1)
    assert [] == upcoming("at(2025-05-01T18:00:00)", "2026-01-01T12:00:00", 1)


def test_daylight_saving() -> None:
    """The missing half past two in spring is skipped; the second one in autumn does not count."""
    daily = "cron(30 2 * * ? *)"
    spring = ["Sat 2026-03-28 02:30", "Mon 2026-03-30 02:30"]
    assert spring == upcoming(daily, "2026-03-27T12:00:00", 2, BERLIN)
    autumn = ["Sun 2026-10-25 02:30", "Mon 2026-10-26 02:30"]
    assert autumn == upcoming(daily, "2026-10-24T12:00:00", 2, BERLIN)


@pytest.mark.parametrize(
    "text",
    [
        "cron(0 8 * * SAT *)",
        "cron(0 8 ? * ? *)",
        "cron(0 8 ? * SAT)",
        "cron(60 8 ? * SAT *)",
        "cron(0 24 ? * SAT *)",
        "cron(0 8 ? 13 SAT *)",
        "cron(0 8 ? * 8 *)",
        "cron(0 8 ? * SATURDAY *)",
        "cron(0 8 32 * ? *)",
        "cron(0 8 40W * ? *)",
        "cron(0 8 ? * 6#6 *)",
        "cron(9-8 8 ? * SAT *)",
        "cron(0 8 ? * 3#1,6#3 *)",
        "cron(0 8 ? * * 2027-2026)",
        "cron(0/0 8 ? * SAT *)",
        "cron(0 8 ? * SAT 1969)",
        "rate(0 minutes)",
        "rate(5 seconds)",
        "rate(5)",
        "at(2026-02-30T08:00:00)",
        "at(2026-02-03 08:00)",
        "0 8 * * 6",
        "",
    ],
)
def test_invalid_expression(text: str) -> None:
    """Each is rejected."""
    with pytest.raises(ValueError):  # noqa: PT011
        parse(text)
