"""A deployment while it goes on: tasks by state, targets, ECS's own words, and whether it can still succeed.

Pure: made from what SteadyService saw.
"""

import re
from collections import Counter
from datetime import timedelta
from itertools import takewhile

from provision import crash_log
from provision.i18n import _
from provision.resources.base import Live

# What may be better the next time; anything else that ends a task is in its image or its settings.
PASSING = re.compile(
    "timeout|timed out|toomanyrequests|rate exceeded|throttl|connection reset|capacity|"
    "network interface|internal error|unable to assume",
    re.IGNORECASE,
)
NO_CAPACITY = "capacity is unavailable"  # ECS Developer Guide, "Service event messages"
SHORTAGE = timedelta(seconds=90)  # of saying that there is no capacity, until other ways are told
SPOT = "SpotInterruption"  # API Task, stopCode
FAILED = ("TaskFailedToStart", "EssentialContainerExited")
HEALTH = "health check"
EVENTS = 3  # of ECS's newest ones, shown


class EcsDeployment:
    """The service's newest deployment, beside those that it replaces."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.deployments = live.get("deployments") or [{}]
        self.primary: Live = self.deployments[0]
        tasks = live.get("Tasks", [])
        self.new = [task for task in tasks if task.get("startedBy") == self.primary.get("id")]
        self.old = [task for task in tasks if task.get("startedBy") != self.primary.get("id")]

    def settled(self) -> str:
        """The task definition of the newest deployment that has come to be; "" where none has."""
        done = [d for d in self.deployments if d.get("rolloutState", "COMPLETED") == "COMPLETED"]
        return str(done[0].get("taskDefinition", "")) if done else ""

    def failures(self) -> Counter[str]:
        """Why its tasks ended, and how often; those that AWS took back or ECS scaled down did not fail."""
        return Counter(self.why(task) for task in self.new if _failed(task))

    def failed_task(self) -> str:
        """The id of the newest task that failed; "" for none."""
        failed = [task for task in self.new if _failed(task)]
        return failed[0]["taskArn"].rpartition("/")[2] if failed else ""

    def last_words(self) -> list[str]:
        """Return why the newest task that failed ended, by its own log; [] where it wrote none."""
        return crash_log.words(self.live.get("Log", []))

    def hopeless(self) -> str:
        """Why it will not succeed; "" while it may.

        ECS counts three failed tasks at least. What does not pass by itself is believed the first time,
        anything else the second.
        """
        failures = self.failures()
        for reason, times in failures.items():
            if times > 1 or not PASSING.search(reason):
                return reason
        given_up = [d for d in self.deployments if d.get("rolloutState") == "FAILED"]
        if not given_up:
            return ""
        return next(iter(failures), "") or self.said() or _("ECS says the deployment failed")

    def short_of_capacity(self) -> str:
        """ECS's words, where for SHORTAGE it has only said that there is no capacity; else ""."""
        said = takewhile(
            lambda e: NO_CAPACITY in e["message"].lower(), self.live.get("events") or []
        )
        events = list(said)
        lasted = events[0]["createdAt"] - events[-1]["createdAt"] if events else timedelta()
        return str(events[0]["message"]) if lasted >= SHORTAGE else ""

    def why(self, task: Live) -> str:
        """Why a task stopped: a container's own reason, ECS's, and with what the container ended."""
        containers = task.get("containers", [])
        own = next(filter(None, (c.get("reason", "") for c in containers)), "")
        stopped = str(task.get("stoppedReason", ""))
        reason = own if stopped in own else stopped if own in stopped else f"{own}; {stopped}"
        codes = [c["exitCode"] for c in containers if c.get("exitCode") is not None]
        if HEALTH in reason:
            return self._unhealthy(task) or reason
        return _("{reason} (exit code {code})", reason=reason, code=codes[0]) if codes else reason

    def _unhealthy(self, task: Live) -> str:
        """What the load balancer found, from the service event: the task itself does not say."""
        name = task["taskArn"].rpartition("/")[2]
        for event in self.live.get("events") or []:
            match = re.search(r"is unhealthy in .*due to \(reason (.*?)\)\.?$", event["message"])
            if match and name in event["message"]:
                return _("health check: {reason}", reason=match[1])
        return ""

    def _events(self) -> list[Live]:
        """Since it began, newest first."""
        since = self.primary.get("createdAt")
        events = self.live.get("events") or []
        return [e for e in events if since is None or e.get("createdAt", since) >= since]

    def said(self) -> str:
        """ECS's newest words about it."""
        return str(next((event["message"] for event in self._events()), ""))

    def lines(self) -> list[str]:
        """All of it, in a few lines for a screen."""
        lines = [_("new: {tasks}", tasks=_states(self.new))]
        if self.old:
            lines.append(_("old: {tasks}", tasks=_states(self.old)))
        targets = Counter(_health(target) for target in self.live.get("Targets", []))
        if targets:
            lines.append(_("targets: {targets}", targets=_counted(targets)))
        if exists := sum(task.get("stopCode") == SPOT for task in self.new + self.old):
            lines.append(_("Spot took {count} back; ECS starts others instead", count=exists))
        if failures := self.failures():
            lines.append(_("stopped: {reasons}", reasons=_counted(failures)))
        return lines + [f"ECS: {event['message']}" for event in self._events()[:EVENTS][::-1]]


def _failed(task: Live) -> bool:
    code = task.get("stopCode", "")
    return code in FAILED or HEALTH in str(task.get("stoppedReason", ""))


def _states(tasks: list[Live]) -> str:
    there = Counter(task["lastStatus"] for task in tasks if task["lastStatus"] != "STOPPED")
    return _counted(there) or _("no task")


def _health(target: Live) -> str:
    health = target["TargetHealth"]
    why = health.get("Description") or health.get("Reason")
    return f"{health['State']} ({why})" if why else str(health["State"])


def _counted(what: Counter[str]) -> str:
    return ", ".join(f"{times} {name}" for name, times in what.items())
