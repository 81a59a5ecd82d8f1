"""Compute what setup would do, its monthly cost and its duration. No I/O in `plan`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from provision.engine.builder import vanished
from provision.engine.engine import Engine
from provision.engine.inspector import Observation
from provision.errors import ProvisionError
from provision.pricing import Prices
from provision.resources.base import Difference, Milestone, Resource, name_conflict


@dataclass(frozen=True)
class Change:
    """One resource of a plan."""

    key: str
    kind: str
    action: str | None  # create, adopt, keep, update, replace, delete; None: unknown
    differences: list[Difference] = field(default_factory=list)
    monthly_usd: float = 0.0
    reason: str = ""  # why it is unknown
    notes: list[str] = field(default_factory=list)  # shown before the person confirms

    def to_dict(self) -> dict[str, Any]:
        """Return it as `plan --json` prints it."""
        return {
            "key": self.key,
            "kind": self.kind,
            "action": self.action,
            "differences": [difference.to_dict() for difference in self.differences],
            "monthly_usd": round(self.monthly_usd, 2),
            **({} if self.action else {"reason": self.reason}),
            **({"notes": self.notes} if self.notes else {}),
        }


@dataclass(frozen=True)
class Plan:
    """The result of planning.

    errors: what prevents setup. seconds: expected time on AWS's side, along the longest chain of
    dependencies. kept: replaced resources that will not be deleted, with the reason.
    """

    steps: list[Change]
    errors: list[ProvisionError]
    seconds: int
    kept: Mapping[str, str] = field(default_factory=dict)

    @property
    def monthly_usd(self) -> float:
        """Return the monthly cost of the finished stack, without adopted resources."""
        return sum(step.monthly_usd for step in self.steps)

    @property
    def changes(self) -> list[Change]:
        """Return the steps that change something; those with an unknown action are left out."""
        return [step for step in self.steps if step.action not in ("keep", None)]

    def to_dict(self) -> dict[str, Any]:
        """Return it as `plan --json` prints it."""
        return {
            "resources": [step.to_dict() for step in self.steps],
            "monthly_usd": round(self.monthly_usd, 2),
            "seconds": self.seconds,
        }


def plan(
    observations: dict[str, Observation],
    orphans: list[Resource],
    prices: Prices,
    unchecked: Mapping[str, str] | None = None,
) -> Plan:
    """Return the plan for these observations. unchecked: orphans that could not be read, with the reason."""
    replaced = {orphan.logical_id for orphan in orphans}
    steps: list[Change] = []
    errors: dict[str, ProvisionError] = {}  # by text: that of a need may be its dependents' too
    finish: dict[str, int] = {}
    for key, observation in observations.items():
        step = _step(observation, replaced, prices)
        takes_time = (
            bool(observation.waiting) if step is None else step.action in ("create", "replace")
        )
        start = max((finish.get(need.key, 0) for need in observation.resource.needs()), default=0)
        finish[key] = start + (observation.resource.polling.expected if takes_time else 0)
        if step is not None:
            steps.append(step)
        error = observation.error or _blocking_error(observation)
        if error:
            errors.setdefault(str(error), error)
    for orphan in orphans:
        reason = (unchecked or {}).get(orphan.key, "")
        action = None if reason else "delete"
        steps.append(Change(orphan.key, orphan.kind, action, reason=reason))
    return Plan(steps, list(errors.values()), max(finish.values(), default=0))


def make_plan(engine: Engine, observations: dict[str, Observation], prices: Prices) -> Plan:
    """Return the plan for these observations, after checking the external uses of replaced resources."""
    kept = engine.retained_orphans()
    orphans = [orphan for orphan in engine.orphans() if orphan.key not in kept]
    orphans += [orphan for orphan in engine.orphans() if orphan.key in engine.unchecked]
    found = plan(observations, orphans, prices, engine.unchecked)
    updated = {change.key for change in found.steps if change.action == "update"}
    found.errors.extend(
        engine.ownership_errors([*(r for r in engine.resources if r.key in updated), *orphans])
    )
    return replace(found, kept=kept)


def _step(observation: Observation, replaced: set[str], prices: Prices) -> Change | None:
    resource = observation.resource
    if isinstance(resource, Milestone):
        return None
    differences: list[Difference] = []
    if observation.unknown or (observation.error and observation.live is not None):
        cost = resource.costs(prices)
        return Change(
            resource.key, resource.kind, None, monthly_usd=cost, reason=observation.waiting
        )
    match observation.verdict:
        case "create" | "finish":
            action = "replace" if resource.logical_id in replaced else "create"
        case "adopt" | "stranger":
            action = "adopt"
        case "vanished":
            action = "create"
        case _:
            action, differences = "keep", observation.drift
            adopted = observation.record is not None and observation.record.state == "adopted"
            unchanged = adopted and not resource.consented
            if differences and not unchanged:
                action = "update"
            if unchanged:
                return Change(resource.key, resource.kind, action, differences)
    cost = 0.0 if action == "adopt" else resource.costs(prices)
    changed = action in ("create", "adopt", "update", "replace") and not observation.error
    notes = resource.plan_notes() if changed else []
    return Change(resource.key, resource.kind, action, differences, cost, notes=notes)


def _blocking_error(observation: Observation) -> ProvisionError | None:
    if isinstance(observation.resource, Milestone):
        return None
    match observation.verdict:
        case "stranger":
            resource = observation.resource
            return name_conflict(resource, resource.label(observation.live or {}))
        case "vanished":
            return vanished(observation.resource)
    return None
