"""How many hours a month the bot is awake between its start and its stop. Pure.

Only the plain kind of cron is understood: one minute, one hour, days of the week, in every month and year.
For anything else the answer is None, and the whole month is reckoned.
"""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

WEEK = 7 * 24 * 60  # minutes
MONTH = 730.0  # hours, as AWS's own calculator reckons it
DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")  # 1 is Sunday: Scheduler User Guide, cron


def hours_a_month(start: str, stop: str) -> float | None:
    """The hours between each start and the next stop, in a month of 730 hours; None: cannot tell."""
    starts, stops = minutes_of_week(start), minutes_of_week(stop)
    if not starts or not stops or set(starts) & set(stops):
        return None
    changes = sorted([(minute, True) for minute in starts] + [(minute, False) for minute in stops])
    awake = 0
    for (minute, begins), (following, _stops) in zip(
        changes, changes[1:] + changes[:1], strict=True
    ):
        if begins:
            awake += (following - minute) % WEEK
    return awake / WEEK * MONTH


def following(expression: str, zone: str, now: datetime) -> datetime | None:
    """The next time it fires after `now` (aware), in its own time zone; None: cannot tell."""
    local = now.astimezone(ZoneInfo(zone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    sunday = midnight - timedelta(days=(local.weekday() + 1) % 7)
    fires = [
        (sunday + timedelta(days=minute // (24 * 60) + week)).replace(
            hour=minute // 60 % 24, minute=minute % 60
        )
        for week in (0, 7)
        for minute in minutes_of_week(expression) or []
    ]
    return next((at for at in fires if at > local), None)


def minutes_of_week(expression: str) -> list[int] | None:
    """The minutes since Sunday 00:00 at which it fires; None where it is of another kind."""
    match = re.fullmatch(r"cron\((\d{1,2}) (\d{1,2}) (?:\? \* (\S+)|\* \* (\?)) \*\)", expression)
    if not match:
        return None
    minute, hour = int(match[1]), int(match[2])
    days = days_of_week(match[3] or "*")
    if minute > 59 or hour > 23 or days is None:
        return None
    return [(day * 24 + hour) * 60 + minute for day in days]


def days_of_week(text: str) -> list[int] | None:
    """*, SAT,SUN, MON-FRI, 1,7 as numbers from 0 (Sunday); None where it is something else."""
    if text == "*":
        return list(range(7))
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.partition("-")
        begin, end = _day(first), _day(last if dash else first)
        if begin is None or end is None or begin > end:
            return None
        found.update(range(begin, end + 1))
    return sorted(found)


def _day(text: str) -> int | None:
    if text.upper() in DAYS:
        return DAYS.index(text.upper())
    return int(text) - 1 if re.fullmatch(r"[1-7]", text) else None
