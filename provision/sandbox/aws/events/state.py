"""EventBridge: when each rule with a schedule is due."""

from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from provision.sandbox.aws.account import Account
from provision.schedules import parse

_UTC = ZoneInfo("UTC")


@dataclass
class Events:
    """When each rule is due next, by its ARN, in epoch seconds."""

    account: Account
    due: dict[str, float | None] = field(default_factory=dict)

    def start(self, rule: Any) -> None:
        """Compute when a new or changed rule is due next; a rate begins now."""
        self.schedule_next(rule, self.account.clock.now())

    def schedule_next(self, rule: Any, after: float) -> None:
        """Compute when the rule is due next after `after`, when it was due or has begun."""
        expression = parse(rule.scheduled_expression)
        self.due[rule.arn] = expression.next(after, _UTC, after)

    def first_due(self, now: float) -> tuple[str, Any, float] | None:
        """Return region, rule and time of the first rule due by `now`, or None."""
        if not self.due:
            return None  # moto's backend is not loaded for nothing
        found = [
            (time, region, rule)
            for region in self.account.regions("events")
            for rule in self.account.backend("events", region).event_buses["default"].rules.values()
            if (time := self.due.get(rule.arn)) is not None and time <= now
        ]
        if not found:
            return None
        time, region, rule = min(found, key=lambda item: item[0])
        return region, rule, time
