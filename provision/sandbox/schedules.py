"""EventBridge Scheduler as it lives: schedules that fire on the sandbox's clock.

moto keeps groups and schedules; when they are due, and what happens then, is kept here. What the API
refuses is in scheduler.py. Scheduler itself fires within the minute (User Guide, "Schedule types");
here it fires on the second, and a call that fails is not repeated.
"""

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from provision.expressions import parse
from provision.sandbox.calls import Call, Refusal
from provision.sandbox.rules import rules_before

if TYPE_CHECKING:
    from provision.sandbox.cloud import Cloud

PRINCIPAL = "scheduler.amazonaws.com"
UNIVERSAL = re.compile(r"arn:aws:scheduler:::aws-sdk:([a-z0-9]+):([A-Za-z0-9]+)")


@dataclass
class Scheduler:
    """When each schedule is due next, and which groups are on their way out."""

    cloud: "Cloud"
    due: dict[str, float | None] = field(default_factory=dict)  # by the schedule's ARN
    leaving: dict[str, float] = field(default_factory=dict)  # groups by ARN: when they are gone

    def __post_init__(self) -> None:
        self.cloud.on_tick(self.tick)

    def begin(self, schedule: Any) -> None:
        """The schedule is new, or its expression may be: reckon from now on."""
        now = self.cloud.clock.now()
        self.due[schedule.arn] = self._next(schedule, now - 0.001, now)

    def _next(self, schedule: Any, after: float, since: float) -> float | None:
        zone = ZoneInfo(schedule.schedule_expression_timezone or "UTC")
        return parse(schedule.schedule_expression).next(after, zone, since)

    def tick(self) -> None:
        """Everything that is due by now, in order."""
        with self.cloud.lock:
            now = self.cloud.clock.now()
            while firing := self._first(now):
                region, schedule, moment = firing
                self.due[schedule.arn] = self._next(schedule, moment, moment)
                if schedule.state != "DISABLED":
                    self._fire(region, schedule, moment)
            for region in self.cloud.regions("scheduler"):
                groups = self.cloud.backend("scheduler", region).schedule_groups
                for group in list(groups.values()):
                    if self.leaving.get(group.arn, now + 1) <= now:
                        del groups[group.name], self.leaving[group.arn]

    def _first(self, now: float) -> tuple[str, Any, float] | None:
        """Region, schedule and moment of the one that is due first."""
        found = [
            (moment, region, schedule)
            for region in self.cloud.regions("scheduler")
            for group in self.cloud.backend("scheduler", region).schedule_groups.values()
            if group.arn not in self.leaving
            for schedule in group.schedules.values()
            if (moment := self.due.get(schedule.arn)) is not None and moment <= now
        ]
        if not found:
            return None
        moment, region, schedule = min(found, key=lambda item: item[0])
        return region, schedule, moment

    def _fire(self, region: str, schedule: Any, moment: float) -> None:
        """Calls the target with the schedule's role; how it went stands in the log of calls."""
        match = UNIVERSAL.fullmatch(schedule.target["Arn"])
        if match is None:
            return
        service, action = match[1], match[2][0].upper() + match[2][1:]
        given = json.loads(schedule.target.get("Input") or "{}")
        params = {name[0].lower() + name[1:]: value for name, value in given.items()}
        call = Call(service, action, region, params, True, moment, "scheduler", None, "json")
        outcome: int | str = 200
        try:
            self._carry_out(call, schedule.target["RoleArn"])
        except Refusal as refusal:
            outcome = f"{refusal.code}: {refusal.message}"
        self.cloud.note(call, outcome)

    def _carry_out(self, call: Call, role: str) -> None:
        if (call.service, call.operation) != ("ecs", "UpdateService"):
            raise Refusal("NotEmulated", f"{call.service}:{call.operation}")
        service = service_arn(self.cloud, call)
        if not self.cloud.iam.assumable(role, PRINCIPAL):
            raise Refusal("AccessDeniedException", f"Scheduler cannot assume {role}")
        if not self.cloud.permissions.allows(role, "ecs:UpdateService", service):
            raise Refusal(
                "AccessDeniedException",
                f"User: {role} is not authorized to perform: ecs:UpdateService on resource: "
                f"{service} because no identity-based policy allows the ecs:UpdateService action",
            )
        for rule in rules_before(call):
            rule(self.cloud, call)


def service_arn(cloud: "Cloud", call: Call) -> str:
    """The service that an ECS call names, by name or by ARN."""
    service = str(call.params.get("service", ""))
    if service.startswith("arn:"):
        return service
    cluster = str(call.params.get("cluster") or "default").rpartition("/")[2]
    return f"arn:aws:ecs:{call.region}:{cloud.account}:service/{cluster}/{service}"
