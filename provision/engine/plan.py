"""What setup would do, what it costs a month and how long it takes. Pure: made from what was seen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from provision.engine.engine import vanished
from provision.engine.inspector import Sight
from provision.errors import Refusal
from provision.pricing import Prices
from provision.resources.base import Difference, Milestone, Resource


@dataclass(frozen=True)
class Step:
    """One resource of a plan."""

    key: str
    kind: str
    action: str | None  # create, adopt, keep, update, replace, delete; None: unknown
    differences: list[Difference] = field(default_factory=list)
    monthly_usd: float = 0.0
    reason: str = ""  # why it is unknown
    notes: list[str] = field(default_factory=list)  # what the person should see before it is done

    def shown(self) -> dict[str, Any]:
        """As `plan --json` prints it."""
        return {
            "key": self.key,
            "kind": self.kind,
            "action": self.action,
            "differences": [difference.shown() for difference in self.differences],
            "monthly_usd": round(self.monthly_usd, 2),
            **({} if self.action else {"reason": self.reason}),
            **({"notes": self.notes} if self.notes else {}),
        }


@dataclass(frozen=True)
class Plan:
    """Every step, what stands in the way, and the seconds it takes (AWS's own time, the longest chain)."""

    steps: list[Step]
    refusals: list[Refusal]
    seconds: int

    @property
    def monthly_usd(self) -> float:
        """What the stack costs a month once it stands; what was adopted costs nothing more than before."""
        return sum(step.monthly_usd for step in self.steps)

    @property
    def changes(self) -> list[Step]:
        """What would not stay as it is, as far as that is known."""
        return [step for step in self.steps if step.action not in ("keep", None)]

    def shown(self) -> dict[str, Any]:
        """As `plan --json` prints it."""
        return {
            "resources": [step.shown() for step in self.steps],
            "monthly_usd": round(self.monthly_usd, 2),
            "seconds": self.seconds,
        }


def plan(
    sights: dict[str, Sight],
    orphans: list[Resource],
    prices: Prices,
    unchecked: Mapping[str, str] | None = None,
) -> Plan:
    """The plan that follows from what was seen. unchecked: orphans that could not be looked at, and why."""
    gone = {orphan.line for orphan in orphans}
    steps, refusals = [], []
    finish: dict[str, int] = {}
    for key, sight in sights.items():
        step = _step(sight, gone, prices)
        busy = bool(sight.waiting) if step is None else step.action in ("create", "replace")
        begin = max((finish.get(need.key, 0) for need in sight.resource.needs()), default=0)
        finish[key] = begin + (sight.resource.typical if busy else 0)
        if step is not None:
            steps.append(step)
        if refusal := sight.refusal or _stands_in_the_way(sight):
            refusals.append(refusal)
    for orphan in orphans:
        reason = (unchecked or {}).get(orphan.key, "")
        action = None if reason else "delete"
        steps.append(Step(orphan.key, orphan.kind, action, reason=reason))
    return Plan(steps, refusals, max(finish.values(), default=0))


def _step(sight: Sight, gone: set[str], prices: Prices) -> Step | None:
    resource = sight.resource
    if isinstance(resource, Milestone):
        return None
    differences: list[Difference] = []
    if sight.unknown or (sight.refusal and sight.live is not None):
        cost = resource.costs(prices)
        return Step(resource.key, resource.kind, None, monthly_usd=cost, reason=sight.waiting)
    match sight.verdict:
        case "create" | "finish":
            action = "replace" if resource.line in gone else "create"
        case "adopt" | "stranger":
            action = "adopt"
        case "vanished":
            action = "create"
        case _:
            action, differences = "keep", sight.drift
            adopted = sight.record is not None and sight.record.state == "adopted"
            theirs = adopted and not resource.consented
            if differences and not theirs:
                action = "update"
            if theirs:
                return Step(resource.key, resource.kind, action, differences)
    cost = 0.0 if action == "adopt" else resource.costs(prices)
    changed = action in ("create", "update", "replace") and not sight.refusal
    notes = resource.shown_in_plan() if changed else []
    return Step(resource.key, resource.kind, action, differences, cost, notes=notes)


def _stands_in_the_way(sight: Sight) -> Refusal | None:
    if isinstance(sight.resource, Milestone):
        return None
    match sight.verdict:
        case "stranger":
            return sight.resource.in_the_way(sight.resource.shown(sight.live or {}))
        case "vanished":
            return vanished(sight.resource)
    return None
