"""EventBridge Scheduler: when each schedule is due, and which groups are being deleted."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from provision.sandbox.aws.account import Account
from provision.sandbox.aws.behaviours import behaves
from provision.schedules import At, parse

PRINCIPAL = "scheduler.amazonaws.com"


def epoch(time: Any) -> float | None:
    """Return a StartDate or EndDate, parsed or as moto stores it, in epoch seconds."""
    return time.timestamp() if isinstance(time, datetime) else time and float(time)


@dataclass
class Scheduler:
    """When each schedule is due next, which groups are being deleted, and client tokens."""

    account: Account
    due: dict[str, float | None] = field(default_factory=dict)  # by the schedule's ARN
    deleting: dict[str, float] = field(default_factory=dict)  # by the group's ARN: when it is gone
    tokens: dict[tuple[str, str, str], tuple[dict[str, Any], dict[str, Any]]] = field(
        default_factory=dict
    )

    def start(self, schedule: Any) -> None:
        """Compute when a new or changed schedule is due next."""
        now = self.account.clock.now()
        since = max(now, epoch(schedule.start_date) or 0)
        self.due[schedule.arn] = self.next_time(schedule, since - 0.001, since)

    @behaves("scheduler.window-of-dates")
    def next_time(self, schedule: Any, after: float, since: float) -> float | None:
        """Return when the schedule fires next after `after`, in epoch seconds, or None.

        `since` is when a rate begins.
        """
        zone = ZoneInfo(schedule.schedule_expression_timezone or "UTC")
        expression = parse(schedule.schedule_expression)
        due = expression.next(after, zone, since)
        end = None if isinstance(expression, At) else epoch(schedule.end_date)
        return None if due is None or (end is not None and due > end) else due

    def first_due(self, now: float) -> tuple[str, Any, Any, float] | None:
        """Return region, group, schedule and time of the first schedule due by `now`, or None."""
        found = [
            (time, region, group, schedule)
            for region in self.account.regions("scheduler")
            for group in self.account.backend("scheduler", region).schedule_groups.values()
            if group.arn not in self.deleting
            for schedule in group.schedules.values()
            if (time := self.due.get(schedule.arn)) is not None and time <= now
        ]
        if not found:
            return None
        time, region, group, schedule = min(found, key=lambda item: item[0])
        return region, group, schedule, time
