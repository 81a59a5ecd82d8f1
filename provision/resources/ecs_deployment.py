"""Describe an ECS deployment: tasks by state, targets, ECS's events, and whether it can still succeed.

No I/O; SteadyService reads the data.
"""

import re
from collections import Counter
from datetime import timedelta
from itertools import takewhile

from provision import crash_log
from provision.i18n import _
from provision.resources.base import Live

# Stop reasons after which a new task may succeed; all others are caused by the image or the settings.
TRANSIENT = re.compile(
    "timeout|timed out|toomanyrequests|rate exceeded|throttl|connection reset|capacity|"
    "network interface|internal error|unable to assume",
    re.IGNORECASE,
)
# Events that do not pass by themselves soon. ECS Developer Guide, "Service event messages".
NO_CAPACITY = re.compile(
    "capacity is unavailable|limit on the number of vCPUs|currently blocked", re.IGNORECASE
)
SHORTAGE = timedelta(seconds=90)  # without capacity, after which on-demand is suggested
SPOT = "SpotInterruption"  # API Task, stopCode
FAILED = ("TaskFailedToStart", "EssentialContainerExited")
HEALTH = "health check"
EVENTS = 3  # number of ECS events shown


class EcsDeployment:
    """A service's newest deployment, and the ones that it replaces."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.deployments = live.get("deployments") or [{}]
        self.primary: Live = self.deployments[0]
        tasks = live.get("Tasks", [])
        self.new = [task for task in tasks if task.get("startedBy") == self.primary.get("id")]
        self.old = [task for task in tasks if task.get("startedBy") != self.primary.get("id")]

    def last_completed(self) -> str:
        """Return the task definition of the newest completed deployment; "" without one."""
        done = [d for d in self.deployments if d.get("rolloutState", "COMPLETED") == "COMPLETED"]
        return str(done[0].get("taskDefinition", "")) if done else ""

    def failures(self) -> Counter[str]:
        """Count its failed tasks by reason, without those that were interrupted or scaled down."""
        return Counter(self.stop_reason(task) for task in self.new if _failed(task))

    def failed_task(self) -> str:
        """Return the id of the newest task that failed; "" for none."""
        failed = [task for task in self.new if _failed(task)]
        return failed[0]["taskArn"].rpartition("/")[2] if failed else ""

    def log_excerpt(self) -> list[str]:
        """Return the lines of the newest failed task's log that show why it ended; [] without a log."""
        return crash_log.excerpt(self.live.get("Log", []))

    def permanent_failure(self) -> str:
        """Return why the deployment will not succeed; "" if it may.

        ECS waits for at least three failed tasks. Here one failure that is not transient is enough, or two.
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

    def capacity_shortage(self) -> str:
        """Return ECS's message if all events of the last SHORTAGE are about missing capacity; else ""."""
        events = self.live.get("events") or []
        latest = list(takewhile(lambda e: NO_CAPACITY.search(e["message"]), events))
        duration = latest[0]["createdAt"] - latest[-1]["createdAt"] if latest else timedelta()
        return _text(latest[0]) if duration >= SHORTAGE else ""

    def stop_reason(self, task: Live) -> str:
        """Return why a task stopped: the container's and ECS's reason, and the exit code."""
        containers = task.get("containers", [])
        own = next(filter(None, (c.get("reason", "") for c in containers)), "")
        stopped = str(task.get("stoppedReason", ""))
        reason = own if stopped in own else stopped if own in stopped else f"{own}; {stopped}"
        codes = [c["exitCode"] for c in containers if c.get("exitCode") is not None]
        if HEALTH in reason:
            return self._unhealthy(task) or reason
        return _("{reason} (exit code {code})", reason=reason, code=codes[0]) if codes else reason

    def _unhealthy(self, task: Live) -> str:
        """Return the load balancer's reason from the service events, because the task does not have it."""
        name = task["taskArn"].rpartition("/")[2]
        for event in self.live.get("events") or []:
            match = re.search(r"is unhealthy in .*due to \(reason (.*?)\)\.?$", event["message"])
            if match and name in event["message"]:
                return _("health check: {reason}", reason=match[1])
        return ""

    def _events(self) -> list[Live]:
        """Return the events since the deployment started, newest first."""
        since = self.primary.get("createdAt")
        events = self.live.get("events") or []
        return [e for e in events if since is None or e.get("createdAt", since) >= since]

    def latest_event(self) -> str:
        """Return ECS's latest message about the deployment; "" without one."""
        return next(map(_text, self._events()), "")

    def lines(self) -> list[str]:
        """Return the deployment's state in a few lines of text."""
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
        return lines + [f"ECS: {_text(event)}" for event in self._events()[:EVENTS][::-1]]


def _text(event: Live) -> str:
    """Return a service event's message with ARNs cut to their ends."""
    return re.sub(r"\barn:[^ )]*:", "", str(event["message"]))


def _failed(task: Live) -> bool:
    code = task.get("stopCode", "")
    return code in FAILED or HEALTH in str(task.get("stoppedReason", ""))


def _states(tasks: list[Live]) -> str:
    """Count tasks by what a person has to know of their state (ECS Developer Guide, "Task lifecycle")."""
    stopping = dict.fromkeys(("DEACTIVATING", "STOPPING", "DEPROVISIONING"), _("stopping"))
    words = {"RUNNING": _("running"), **stopping}
    states = (task["lastStatus"] for task in tasks if task["lastStatus"] != "STOPPED")
    return _format_counts(Counter(words.get(state, _("starting")) for state in states)) or _(
        "no tasks"
    )


def _health(target: Live) -> str:
    """Return a target's state, in the words of AWS's console, and why it is not healthy."""
    words = {
        "initial": _("initial"),
        "healthy": _("healthy"),
        "unhealthy": _("unhealthy"),
        "draining": _("draining"),
        "unused": _("unused"),
        "unavailable": _("unavailable"),
    }
    health = target["TargetHealth"]
    state = words.get(health["State"], str(health["State"]))
    stop_reason = health.get("Description") or health.get("Reason")
    return f"{state} ({stop_reason})" if stop_reason else state


def _format_counts(counts: Counter[str]) -> str:
    return ", ".join(_("{count} {name}", count=count, name=name) for name, count in counts.items())
