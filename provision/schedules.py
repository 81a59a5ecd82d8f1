"""Evaluate EventBridge Scheduler's expressions (cron, rate, at).

Source: EventBridge Scheduler User Guide, "Schedule types". Times are epoch seconds; cron and at expressions
use the local time of their zone. A local time skipped by daylight saving is skipped; a repeated one counts
once.
"""

import calendar
import re
from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"), 1
    )
}
_WEEKDAYS = {"SUN": 1, "MON": 2, "TUE": 3, "WED": 4, "THU": 5, "FRI": 6, "SAT": 7}
_UNITS = {"minute": 60, "hour": 3600, "day": 86400}
_LAST_YEAR = 2199


@dataclass(frozen=True)
class Rate:
    """rate(5 minutes): at once, then at that interval."""

    seconds: int

    def next(self, after: float, zone: ZoneInfo, since: float) -> float | None:
        """Return the first due time later than `after`, of a schedule created at `since`."""
        return since + self.seconds * (max(-1, (after - since) // self.seconds) + 1)


@dataclass(frozen=True)
class At:
    """at(2026-01-03T08:00:00): once."""

    local: datetime

    def moment(self, zone: ZoneInfo) -> float:
        """Return its time in epoch seconds."""
        return self.local.replace(tzinfo=zone).timestamp()

    def next(self, after: float, zone: ZoneInfo, since: float) -> float | None:
        """Return its time if it is later than `after`, else None."""
        moment = self.moment(zone)
        return moment if moment > after else None


@dataclass(frozen=True)
class Cron:
    """cron(minutes hours day-of-month month day-of-week year)."""

    minutes: list[int]
    hours: list[int]
    day_of_month: str
    months: list[int]
    day_of_week: str
    years: list[int]

    def next(self, after: float, zone: ZoneInfo, since: float) -> float | None:
        """Return the first due time later than `after`."""
        today = datetime.fromtimestamp(after, zone).replace(hour=0, minute=0, second=0, tzinfo=None)
        for year in self.years[bisect_left(self.years, today.year) :]:
            for month in self.months:
                if (year, month) < (today.year, today.month):
                    continue
                for day in self.days(year, month):
                    if datetime(year, month, day) >= today - timedelta(days=1):
                        due = self._on(datetime(year, month, day), after, zone)
                        if due is not None:
                            return due
        return None

    def _on(self, day: datetime, after: float, zone: ZoneInfo) -> float | None:
        for hour in self.hours:
            for minute in self.minutes:
                local = day.replace(hour=hour, minute=minute)
                moment = local.replace(tzinfo=zone).timestamp()
                exists = datetime.fromtimestamp(moment, zone).replace(tzinfo=None) == local
                if exists and moment > after:
                    return moment
        return None

    def days(self, year: int, month: int) -> list[int]:
        """Return the matching days of a month."""
        last = calendar.monthrange(year, month)[1]
        if self.day_of_week == "?":
            return _days_of_month(self.day_of_month, year, month, last)
        return _days_of_week(self.day_of_week, year, month, last)


Expression = Rate | At | Cron


def parse(text: str) -> Expression:
    """Return the parsed expression. Raise ValueError."""
    if match := re.fullmatch(r"rate\(([1-9][0-9]{0,8}) (minute|hour|day)s?\)", text):
        return Rate(int(match[1]) * _UNITS[match[2]])
    if match := re.fullmatch(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)", text):
        return At(datetime.fromisoformat(match[1]))
    match = re.fullmatch(r"cron\((.*)\)", text)
    fields = match[1].split() if match else []
    if len(fields) != 6:
        raise ValueError(text)
    minutes, hours, month_days, months, week_days, years = fields
    if (month_days == "?") == (week_days == "?"):
        raise ValueError(text)  # exactly one of the two must be ?
    cron = Cron(
        _parse_field(minutes, 0, 59),
        _parse_field(hours, 0, 23, wraps=True),
        month_days,
        _parse_field(months, 1, 12, _MONTHS),
        week_days,
        _parse_field(years, 1970, _LAST_YEAR),
    )
    cron.days(2024, 2)  # raises ValueError for an invalid day
    return cron


def _parse_field(
    text: str, low: int, high: int, names: dict[str, int] | None = None, *, wraps: bool = False
) -> list[int]:
    """Return every value of a field, in order: *, 5, 5-9, MON-FRI, 0/15, and lists of them.

    wraps: a range may exceed the maximum, as in AWS's example of 20-2 for hours.
    """
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        begin = low if first == "*" else _value(first, names)
        end = _value(last, names) if dash else high if first == "*" or slash else begin
        every = _value(step) if slash else 1
        valid = low <= begin <= high and low <= end <= high and every >= 1
        if not valid or (first == "*" and dash) or (end < begin and not wraps):
            raise ValueError(text)
        size = high + 1 - low
        offsets = range(0, (end - begin) % size + 1, every)
        found.update(low + (begin - low + offset) % size for offset in offsets)
    return sorted(found)


def _value(text: str, names: dict[str, int] | None = None) -> int:
    if names and text.upper() in names:
        return names[text.upper()]
    if not re.fullmatch(r"[0-9]{1,4}", text):
        raise ValueError(text)
    return int(text)


def _days_of_month(text: str, year: int, month: int, last: int) -> list[int]:
    """Return the days for L (the last day), 15W (the weekday nearest the 15th) and LW (the last weekday)."""
    if text == "L":
        return [last]
    if match := re.fullmatch(r"([0-9]{1,2}|L)W", text):
        day = last if match[1] == "L" else int(match[1])
        if not 1 <= day <= 31:
            raise ValueError(text)
        return [_nearest_weekday(year, month, day, last)] if day <= last else []
    return [day for day in _parse_field(text, 1, 31) if day <= last]


def _nearest_weekday(year: int, month: int, day: int, last: int) -> int:
    weekday = calendar.weekday(year, month, day)
    if weekday == calendar.SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == calendar.SUNDAY:
        return day + 1 if day < last else day - 2
    return day


def _days_of_week(text: str, year: int, month: int, last: int) -> list[int]:
    """Return the days for 1 (Sunday) to 7, 6L (the last Friday), 6#3 (the third Friday), L (Saturday)."""
    numbered = {day: (calendar.weekday(year, month, day) + 1) % 7 + 1 for day in range(1, last + 1)}
    if match := re.fullmatch(r"([1-7]|[A-Za-z]{3})(L|#([1-5]))", text):
        days = [day for day in numbered if numbered[day] == _value(match[1], _WEEKDAYS)]
        if match[2] == "L":
            return days[-1:]
        place = int(match[3])
        return days[place - 1 : place]
    weekdays = [7] if text == "L" else _parse_field(text, 1, 7, _WEEKDAYS)
    return [day for day in numbered if numbered[day] in weekdays]


MONTH = 730.0  # hours, as in AWS's pricing calculator
SUNDAY = datetime(2027, 1, 3, tzinfo=UTC).timestamp()
YEAR = timedelta(weeks=52).total_seconds()  # whole weeks, for exact results of weekly schedules
COMMON_YEAR = 2027  # of 365 days
MAX_TIMES = 2000  # a year: about one every four hours


@cache
def hours_a_month(start: str, stop: str) -> float | None:
    """Return the hours between each start and the next stop, in a month of 730 hours; None: unknown."""
    starts, stops = _times_in_year(start), _times_in_year(stop)
    if not starts or not stops or set(starts) & set(stops):
        return None
    changes = sorted([(at, True) for at in starts] + [(at, False) for at in stops])
    seconds = 0.0
    for (at, starts_bot), (until, _starts) in zip(changes, changes[1:] + changes[:1], strict=True):
        if starts_bot:
            seconds += (until - at) % YEAR
    return seconds / YEAR * MONTH


def coincide(start: str, stop: str) -> bool:
    """Return whether both are due at the same time at least once a year, as far as their times are known."""
    return bool(set(_times_in_year(start)) & set(_times_in_year(stop)))


@cache
def _times_in_year(expression: str) -> list[float]:
    """Return every time at which it is due in a year; [] for a rate, and for more than MAX_TIMES."""
    if not expression or isinstance(parsed := parse(expression), Rate):
        return []
    if times_a_month(expression) * 12 > MAX_TIMES:
        return []
    times: list[float] = []
    at = parsed.next(SUNDAY - 1, ZoneInfo("UTC"), SUNDAY)
    while at is not None and at < SUNDAY + YEAR:
        times.append(at)
        at = parsed.next(at, ZoneInfo("UTC"), SUNDAY)
    return times


@cache
def times_a_month(expression: str) -> float:
    """Return how often it is due in a month, a twelfth of a year; 0 for `at`."""
    parsed = parse(expression)
    if isinstance(parsed, Rate):
        return MONTH * 3600 / parsed.seconds
    if not isinstance(parsed, Cron):
        return 0.0
    days = sum(len(parsed.days(COMMON_YEAR, month)) for month in parsed.months)
    return days * len(parsed.hours) * len(parsed.minutes) / 12


def next_time(expression: str, zone: str, now: datetime) -> datetime | None:
    """Return the next due time after `now` (aware) in the expression's zone; None: never, or unknown.

    A rate counts from the creation of its schedule, which is not recorded.
    """
    if not expression or isinstance(parsed := parse(expression), Rate):
        return None
    at = parsed.next(now.timestamp(), ZoneInfo(zone), now.timestamp())
    return datetime.fromtimestamp(at, ZoneInfo(zone)) if at is not None else None
