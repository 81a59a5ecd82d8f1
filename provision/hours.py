"""When a schedule starts and stops the bot next, and how many hours a month it leaves it awake. Pure."""

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from provision.expressions import Cron, Rate, parse

MONTH = 730.0  # hours, as AWS's own calculator reckons it
SUNDAY = datetime(2027, 1, 3, tzinfo=UTC).timestamp()
YEAR = timedelta(weeks=52).total_seconds()  # whole weeks, so that a weekly schedule comes out even
COMMON = 2027  # a year of 365 days
MOST = 2000  # starts a year: about one every four hours


@cache
def hours_a_month(start: str, stop: str) -> float | None:
    """The hours between each start and the next stop, in a month of 730 hours; None: cannot tell."""
    starts, stops = _a_year(start), _a_year(stop)
    if not starts or not stops or set(starts) & set(stops):
        return None
    changes = sorted([(at, True) for at in starts] + [(at, False) for at in stops])
    awake = 0.0
    for (at, begins), (following, _stops) in zip(changes, changes[1:] + changes[:1], strict=True):
        if begins:
            awake += (following - at) % YEAR
    return awake / YEAR * MONTH


def _a_year(expression: str) -> list[float]:
    """Every time it fires in a year; [] where that cannot be told, or is more often than anybody means."""
    if not expression or isinstance(parsed := parse(expression), Rate):
        return []
    fires: list[float] = []
    at = parsed.next(SUNDAY - 1, ZoneInfo("UTC"), SUNDAY)
    while at is not None and at < SUNDAY + YEAR:
        fires.append(at)
        if len(fires) > MOST:
            return []
        at = parsed.next(at, ZoneInfo("UTC"), SUNDAY)
    return fires


@cache
def times_a_month(expression: str) -> float:
    """How often it fires in a month of 730 hours, a twelfth of a year; what fires once counts as never."""
    parsed = parse(expression)
    if isinstance(parsed, Rate):
        return MONTH * 3600 / parsed.seconds
    if not isinstance(parsed, Cron):
        return 0.0
    days = sum(len(parsed.days(COMMON, month)) for month in parsed.months)
    return days * len(parsed.hours) * len(parsed.minutes) / 12


def following(expression: str, zone: str, now: datetime) -> datetime | None:
    """The next time it fires after `now` (aware), in its own time zone; None: never, or cannot be told.

    A rate is reckoned from the moment its schedule was made, which nobody keeps.
    """
    if not expression or isinstance(parsed := parse(expression), Rate):
        return None
    at = parsed.next(now.timestamp(), ZoneInfo(zone), now.timestamp())
    return datetime.fromtimestamp(at, ZoneInfo(zone)) if at is not None else None
