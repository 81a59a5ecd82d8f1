"""Describe a running deployment: tasks by state, targets, ECS's events, and whether it can still succeed.

Pure: made from what SteadyService read.
"""

import re
from collections import Counter
from datetime import timedelta
from itertools import takewhile

from provision import crash_log
from provision.i18n import _
from provision.resources.base import Live

# Reasons after which a new task may succeed; all others are caused by the image or the settings.
TRANSIENT = re.compile(
    "timeout|timed out|toomanyrequests|rate exceeded|throttl|connection reset|capacity|"
    "network interface|internal error|unable to assume",
    re.IGNORECASE,
)
NO_CAPACITY = "capacity is unavailable"  # ECS Developer Guide, "Service event messages"
SHORTAGE = timedelta(seconds=90)  # of events without capacity, after which on-demand is suggested
SPOT = "SpotInterruption"  # API Task, stopCode
FAILED = ("TaskFailedToStart", "EssentialContainerExited")
HEALTH = "health check"
EVENTS = 3  # of ECS's newest ones, shown


class EcsDeployment:
    """The service's newest deployment, and those that it replaces."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.deployments = live.get("deployments") or [{}]
        self.primary: Live = self.deployments[0]
        tasks = live.get("Tasks", [])
        self.new = [task for task in tasks if task.get("startedBy") == self.primary.get("id")]
        self.old = [task for task in tasks if task.get("startedBy") != self.primary.get("id")]

    def settled(self) -> str:
        """Return the task definition of the newest completed deployment; "" without one."""
        done = [d for d in self.deployments if d.get("rolloutState", "COMPLETED") == "COMPLETED"]
        return str(done[0].get("taskDefinition", "")) if done else ""

    def failures(self) -> Counter[str]:
        """Count why its tasks failed, except those that AWS interrupted or ECS scaled down."""
        return Counter(self.why(task) for task in self.new if _failed(task))

    def failed_task(self) -> str:
        """Return the id of the newest task that failed; "" for none."""
        failed = [task for task in self.new if _failed(task)]
        return failed[0]["taskArn"].rpartition("/")[2] if failed else ""

    def last_words(self) -> list[str]:
        """Return why the newest failed task ended, from its log; [] without a log."""
        return crash_log.words(self.live.get("Log", []))

    def hopeless(self) -> str:
        """Return why it will not succeed; "" while it may.

        ECS waits for three failed tasks at least. Here one is enough if it is not transient, else two.
        """
        failures = self.failures()
        for reason, times in failures.items():
            if times > 1 or not TRANSIENT.search(reason):
                return reason
        if not any(d.get("rolloutState") == "FAILED" for d in self.deployments):
            return ""
        return (
            next(iter(failures), "") or self.latest_event() or _("ECS says the deployment failed")
        )

    def short_of_capacity(self) -> str:
        """Return ECS's message where its events since SHORTAGE are about missing capacity only; else ""."""
        events = self.live.get("events") or []
        latest = list(takewhile(lambda e: NO_CAPACITY in e["message"].lower(), events))
        duration = latest[0]["createdAt"] - latest[-1]["createdAt"] if latest else timedelta()
        return str(latest[0]["message"]) if duration >= SHORTAGE else ""

    def why(self, task: Live) -> str:
        """Return why a task stopped: the container's reason, ECS's, and the exit code."""
        containers = task.get("containers", [])
        own = next(filter(None, (c.get("reason", "") for c in containers)), "")
        stopped = str(task.get("stoppedReason", ""))
        reason = own if stopped in own else stopped if own in stopped else f"{own}; {stopped}"
        codes = [c["exitCode"] for c in containers if c.get("exitCode") is not None]
        if HEALTH in reason:
            return self._unhealthy(task) or reason
        return _("{reason} (exit code {code})", reason=reason, code=codes[0]) if codes else reason

    def _unhealthy(self, task: Live) -> str:
        """Return the load balancer's reason from the service events; the task itself does not have it."""
        name = task["taskArn"].rpartition("/")[2]
        for event in self.live.get("events") or []:
            match = re.search(r"is unhealthy in .*due to \(reason (.*?)\)\.?$", event["message"])
            if match and name in event["message"]:
                return _("health check: {reason}", reason=match[1])
        return ""

    def _events(self) -> list[Live]:
        """Return the events since the deployment began, newest first."""
        since = self.primary.get("createdAt")
        events = self.live.get("events") or []
        return [e for e in events if since is None or e.get("createdAt", since) >= since]

    def latest_event(self) -> str:
        """Return ECS's latest message about it."""
        return str(next((event["message"] for event in self._events()), ""))

    def lines(self) -> list[str]:
        """Return the deployment's state in a few lines for a screen."""
        lines = [_("new: {tasks}", tasks=_states(self.new))]
        if self.old:
            lines.append(_("old: {tasks}", tasks=_states(self.old)))
        targets = Counter(_health(target) for target in self.live.get("Targets", []))
        if targets:
            lines.append(_("targets: {targets}", targets=_format_counts(targets)))
        if count := sum(task.get("stopCode") == SPOT for task in self.new + self.old):
            lines.append(_("{count} interrupted by Spot; ECS starts replacements", count=count))
        if failures := self.failures():
            lines.append(_("stopped: {reasons}", reasons=_format_counts(failures)))
        return lines + [f"ECS: {event['message']}" for event in self._events()[:EVENTS][::-1]]


def _failed(task: Live) -> bool:
    code = task.get("stopCode", "")
    return code in FAILED or HEALTH in str(task.get("stoppedReason", ""))


def _states(tasks: list[Live]) -> str:
    states = Counter(task["lastStatus"] for task in tasks if task["lastStatus"] != "STOPPED")
    return _format_counts(states) or _("no tasks")


def _health(target: Live) -> str:
    health = target["TargetHealth"]
    why = health.get("Description") or health.get("Reason")
    return f"{health['State']} ({why})" if why else str(health["State"])


def _format_counts(counts: Counter[str]) -> str:
    return ", ".join(f"{times} {name}" for name, times in counts.items())
