"""Elastic Load Balancing: a target and its health."""

import re
from dataclasses import dataclass
from typing import Any

from provision.sandbox.aws.behaviours import behaves


@dataclass
class Target:
    """One registered ip:port; state, reason and description as in API TargetHealth."""

    id: str
    port: int
    state: str = "initial"
    reason: str = "Elb.InitialHealthChecking"
    description: str = "Initial health checks in progress"
    next_check: float = 0.0
    passed: int = 0  # consecutive checks
    failed: int = 0
    drained_at: float | None = None  # when draining ends


@behaves("elbv2.first-check-suffices", "elbv2.target-unhealthy")
def record_result(group: Any, target: Target, answer: int | str | None) -> None:
    """Set the target's state after a health check: an HTTP status, None for a timeout, or an error.

    One passed check suffices for a new target; after that the thresholds of `group` (moto's) count.
    """
    if target.state == "draining":
        return
    if isinstance(answer, int) and _matches(group.matcher, answer):
        target.passed, target.failed = target.passed + 1, 0
        needed = 1 if target.state == "initial" else int(group.healthy_threshold_count)
        if target.passed >= needed:
            target.state, target.reason, target.description = "healthy", "", ""
        return
    target.passed, target.failed = 0, target.failed + 1
    if target.failed < int(group.unhealthy_threshold_count):
        return
    target.state = "unhealthy"
    if isinstance(answer, int):
        target.reason = "Target.ResponseCodeMismatch"
        target.description = f"Health checks failed with these codes: [{answer}]"
    elif answer is None:
        target.reason, target.description = "Target.Timeout", "Request timed out"
    else:
        target.reason, target.description = "Target.FailedHealthChecks", "Health checks failed"


@behaves("elbv2.matcher")
def _matches(matcher: dict[str, Any], status: int) -> bool:
    """Return whether a status is among `200,202` or `200-299` (API Matcher)."""
    for part in (matcher or {}).get("HttpCode", "200").split(","):
        low, _, high = re.sub(r"\s", "", part).partition("-")
        if int(low) <= status <= int(high or low):
            return True
    return False
