"""EventBridge Scheduler: when each schedule is due, and which groups are being deleted."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from provision.sandbox.aws.account import Account
from provision.sandbox.aws.behaviours import behaves
from provision.schedules import At, parse

PRINCIPAL = "scheduler.amazonaws.com"


def epoch(moment: Any) -> float | None:
    """Return StartDate or EndDate, as parsed or as moto has it, in epoch seconds."""
    return moment.timestamp() if isinstance(moment, datetime) else moment and float(moment)


@dataclass
class Scheduler:
    """When each schedule is due next, and which groups are on their way out."""

    account: Account
    due: dict[str, float | None] = field(default_factory=dict)  # by the schedule's ARN
    leaving: dict[str, float] = field(default_factory=dict)  # groups by ARN: when they are gone
    tokens: dict[tuple[str, str, str], tuple[dict[str, Any], dict[str, Any]]] = field(
        default_factory=dict
    )

    def begin(self, schedule: Any) -> None:
        """Reckon a new or changed schedule's next time from now on."""
        now = self.account.clock.now()
        since = max(now, epoch(schedule.start_date) or 0)
        self.due[schedule.arn] = self.next_time(schedule, since - 0.001, since)

    @behaves(
        "scheduler.window-of-dates",
        "a schedule fires from its StartDate to its EndDate",
        "the call, or none",
        "EventBridge Scheduler API Reference, CreateSchedule, StartDate and EndDate",
    )
    def next_time(self, schedule: Any, after: float, since: float) -> float | None:
        """Return when the schedule fires next; None: never."""
        zone = ZoneInfo(schedule.schedule_expression_timezone or "UTC")
        expression = parse(schedule.schedule_expression)
        due = expression.next(after, zone, since)
        end = None if isinstance(expression, At) else epoch(schedule.end_date)
        return None if due is None or (end is not None and due > end) else due

    def first_due(self, now: float) -> tuple[str, Any, Any, float] | None:
        """Return region, group, schedule and time of the one that is due first."""
        found = [
            (moment, region, group, schedule)
            for region in self.account.regions("scheduler")
            for group in self.account.backend("scheduler", region).schedule_groups.values()
            if group.arn not in self.leaving
            for schedule in group.schedules.values()
            if (moment := self.due.get(schedule.arn)) is not None and moment <= now
        ]
        if not found:
            return None
        moment, region, group, schedule = min(found, key=lambda item: item[0])
        return region, group, schedule, moment
