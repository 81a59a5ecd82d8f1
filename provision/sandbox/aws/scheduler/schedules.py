"""EventBridge Scheduler as it lives: schedules that fire on the sandbox's clock.

moto keeps groups and schedules; when they are due, and what happens then, is kept here. What the API
refuses is in scheduler.py. Scheduler itself fires within the minute (User Guide, "Schedule types");
here it fires on the second, and a call that fails is not repeated.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from provision.sandbox.aws.calls import Call, Refusal
from provision.sandbox.aws.permissions.enforcement import hold
from provision.sandbox.aws.permissions.principals import Principal
from provision.sandbox.aws.rules import Answer, behaves, rules_before
from provision.sandbox.aws.scheduler.targets import call_of
from provision.schedules import At, parse

if TYPE_CHECKING:
    from provision.sandbox.aws.account import Cloud

PRINCIPAL = "scheduler.amazonaws.com"
_TYPES = "EventBridge Scheduler User Guide, Schedule types"


def epoch(moment: Any) -> float | None:
    """StartDate and EndDate, however the wire or moto has them."""
    return moment.timestamp() if isinstance(moment, datetime) else moment and float(moment)


@dataclass
class Scheduler:
    """When each schedule is due next, and which groups are on their way out."""

    cloud: "Cloud"
    due: dict[str, float | None] = field(default_factory=dict)  # by the schedule's ARN
    leaving: dict[str, float] = field(default_factory=dict)  # groups by ARN: when they are gone
    tokens: dict[tuple[str, str, str], tuple[dict[str, Any], Answer]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cloud.on_tick(self.tick)

    def begin(self, schedule: Any) -> None:
        """The schedule is new, or its expression may be: reckon from now on."""
        now = self.cloud.clock.now()
        since = max(now, epoch(schedule.start_date) or 0)
        self.due[schedule.arn] = self._next(schedule, since - 0.001, since)

    @behaves(
        "scheduler.window-of-dates",
        "a schedule fires from its StartDate to its EndDate",
        "the call, or none",
        "EventBridge Scheduler API Reference, CreateSchedule, StartDate and EndDate",
    )
    def _next(self, schedule: Any, after: float, since: float) -> float | None:
        zone = ZoneInfo(schedule.schedule_expression_timezone or "UTC")
        expression = parse(schedule.schedule_expression)
        due = expression.next(after, zone, since)
        end = None if isinstance(expression, At) else epoch(schedule.end_date)
        return None if due is None or (end is not None and due > end) else due

    @behaves(
        "scheduler.fires",
        "schedules fire: rate at once and again, cron and at at their local time",
        "the call, in the log of calls",
        _TYPES,
    )
    @behaves(
        "scheduler.disabled",
        "a schedule that is DISABLED does not fire",
        "no call",
        "EventBridge Scheduler API Reference, CreateSchedule, State",
        moto="moto never fires",
    )
    @behaves(
        "scheduler.deleted-after-completion",
        "a schedule with ActionAfterCompletion DELETE is gone after its last call",
        "ResourceNotFoundException 404",
        "EventBridge Scheduler User Guide, Deleting a schedule: after completion",
    )
    def tick(self) -> None:
        """Everything that is due by now, in order."""
        with self.cloud.lock:
            now = self.cloud.clock.now()
            while firing := self._first(now):
                region, group, schedule, moment = firing
                self.due[schedule.arn] = self._next(schedule, moment, moment)
                if schedule.state != "DISABLED":
                    self._fire(region, group, schedule, moment)
                over = self.due[schedule.arn] is None
                if over and schedule.action_after_completion == "DELETE":
                    group.schedules.pop(schedule.name, None)
            for region in self.cloud.regions("scheduler"):
                groups = self.cloud.backend("scheduler", region).schedule_groups
                for group in list(groups.values()):
                    if self.leaving.get(group.arn, now + 1) <= now:
                        del groups[group.name], self.leaving[group.arn]

    def _first(self, now: float) -> tuple[str, Any, Any, float] | None:
        """Region, group, schedule and moment of the one that is due first."""
        found = [
            (moment, region, group, schedule)
            for region in self.cloud.regions("scheduler")
            for group in self.cloud.backend("scheduler", region).schedule_groups.values()
            if group.arn not in self.leaving
            for schedule in group.schedules.values()
            if (moment := self.due.get(schedule.arn)) is not None and moment <= now
        ]
        if not found:
            return None
        moment, region, group, schedule = min(found, key=lambda item: item[0])
        return region, group, schedule, moment

    def _fire(self, region: str, group: Any, schedule: Any, moment: float) -> None:
        """Calls the target with the schedule's role; how it went stands in the log of calls."""
        call = call_of(schedule.target, region, moment)
        if call is None:
            return
        outcome: int | str = 200
        role = schedule.target["RoleArn"].rpartition("/")[2]
        who = f"arn:aws:sts::{self.cloud.account}:assumed-role/{role}/{schedule.name}"
        try:
            self._carry_out(call, schedule.target["RoleArn"], group.arn, who)
        except Refusal as refusal:
            outcome = f"{refusal.code}: {refusal.message}"
        self.cloud.note(call, who, outcome)

    @behaves(
        "scheduler.role-may",
        "what a schedule calls is held against its role's policies: action, resource, iam:PassRole",
        "AccessDeniedException, in the log of calls",
        "EventBridge Scheduler User Guide, Setting up the execution role",
    )
    @behaves(
        "scheduler.run-task",
        "a schedule runs ECS tasks, by an ECS cluster as target or by aws-sdk:ecs:runTask",
        "RunTask, in the log of calls",
        "EventBridge Scheduler User Guide, Using templated targets: Amazon ECS RunTask",
    )
    def _carry_out(self, call: Call, role_arn: str, group: str, who: str) -> None:
        if not self.cloud.iam.assumable(role_arn, PRINCIPAL, group):
            raise Refusal("AccessDeniedException", f"Scheduler cannot assume {role_arn}")
        hold(self.cloud, call, Principal(who, self.cloud.iam.role(role_arn)))
        for rule in rules_before(call):
            if rule(self.cloud, call) is not None:
                return
        raise Refusal("NotEmulated", f"{call.service}:{call.operation}")
