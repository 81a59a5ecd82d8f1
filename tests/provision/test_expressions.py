"""Schedule expressions: which moments they mean, and which are none."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from provision.expressions import parse

TOKYO, BERLIN = ZoneInfo("Asia/Tokyo"), ZoneInfo("Europe/Berlin")


def moment(text: str, zone: ZoneInfo = TOKYO) -> float:
    """A local time as epoch seconds."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def upcoming(text: str, begin: str, count: int, zone: ZoneInfo = TOKYO) -> list[str]:
    """The next local times of an expression."""
    at, found = moment(begin, zone), []
    for _ in range(count):
        following = parse(text).next(at, zone, moment(begin, zone))
        if following is None:
            break
        at = following
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
        ("cron(0 0 ? * 6#3 *)", ["Fri 2026-01-16 00:00", "Fri 2026-02-20 00:00"]),
        ("cron(0 0 ? * FRIL *)", ["Fri 2026-01-30 00:00"]),
        ("cron(0/30 8-9 ? JAN MON-FRI 2026)", ["Fri 2026-01-02 08:00", "Fri 2026-01-02 08:30"]),
        ("cron(0 0 29 2 ? *)", ["Tue 2028-02-29 00:00"]),
        ("at(2026-05-01T18:00:00)", ["Fri 2026-05-01 18:00"]),
        ("rate(2 days)", ["Sat 2026-01-03 12:00", "Mon 2026-01-05 12:00"]),
    ],
)
def test_moments(text: str, expected: list[str]) -> None:
    """From New Year's Day 2026, a Thursday, noon."""
    assert expected == upcoming(text, "2026-01-01T12:00:00", len(expected))


def test_past_years_are_over() -> None:
    """A cron of past years and a past `at` never fire."""
    assert [] == upcoming("cron(0 8 ? * * 2025)", "2026-01-01T12:00:00", 1)
    assert [] == upcoming("at(2025-05-01T18:00:00)", "2026-01-01T12:00:00", 1)


def test_daylight_saving() -> None:
    """Spring's missing half past two is skipped; autumn's second one does not count."""
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
def test_no_expression(text: str) -> None:
    """Each is refused."""
    with pytest.raises(ValueError):  # noqa: PT011
        parse(text)
