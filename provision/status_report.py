"""What a stack is like now, as `status --json` prints it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from provision.clients import aws
from provision.engine.inspector import Observation
from provision.errors import UnknownState
from provision.i18n import _
from provision.resources.base import Milestone
from provision.resources.ecs_deployment import EcsDeployment
from provision.schedules import following
from provision.stack import Stack
from provision.state.stack_file import StackFile


def describe(
    stack: Stack, file: StackFile, observations: Mapping[str, Observation]
) -> dict[str, Any]:
    """Return each resource as recorded and as it is, the tasks, and the next hours."""
    service, steady = observations[stack.service.key], observations[stack.steady_service.key]
    return {
        "url": stack.url,
        "tasks": tasks(service, steady),
        "paused": file.paused,
        "next": next_hours(file),
        "resources": [entry(observation) for observation in observations.values()],
    }


def is_known(document: Mapping[str, Any]) -> bool:
    """Return whether everything could be looked at."""
    values = ((e["live"], e["ready"], e["drift"]) for e in document["resources"])
    return document["tasks"]["running"] is not None and not any(None in each for each in values)


def next_hours(file: StackFile) -> dict[str, str | None]:
    """Return the next scheduled start and stop (ISO 8601); None where there is none or nobody can tell.

    None in a pause, too: it takes the schedules with the service.
    """
    if file.paused:
        return {"start": None, "stop": None}
    settings, now = file.settings, datetime.now(UTC)
    found = {
        which: following(settings[f"schedule.{which}"], settings["schedule.timezone"], now)
        for which in ("start", "stop")
    }
    return {which: at.isoformat(timespec="minutes") if at else None for which, at in found.items()}


def tasks(service: Observation, steady: Observation) -> dict[str, Any]:
    """How many tasks run and how many are wanted; where those differ, what goes on with each.

    None where that is not known, with the reason.
    """
    seen = service if steady.live is None else steady
    live = seen.live
    if live is None:
        return (
            _unknown(seen.unknown) if seen.unknown else {"running": 0, "wanted": 0, "rollout": []}
        )
    try:
        with aws.reading(_("Looking for {key}.", key=seen.resource.key), seen.answered):
            counts = {"running": live["runningCount"], "wanted": live["desiredCount"]}
            return {**counts, "rollout": EcsDeployment(live).lines() if "Tasks" in live else []}
    except UnknownState as refusal:
        return _unknown(refusal.why)


def _unknown(reason: str) -> dict[str, Any]:
    return {"running": None, "wanted": None, "rollout": [], "reason": reason}


def entry(observation: Observation) -> dict[str, Any]:
    """One resource as `status --json` prints it. None: that could not be looked at."""
    resource, reason = observation.resource, observation.waiting
    unknown = bool(observation.unknown or (observation.error and observation.live is not None))
    milestone = isinstance(resource, Milestone)
    return {
        "key": resource.key,
        "kind": resource.kind,
        "state": observation.record.state
        if observation.record
        else "milestone"
        if milestone
        else "none",
        "live": None if observation.unknown else observation.live is not None,
        "ready": None if unknown else not reason,
        "reason": reason,
        "drift": None
        if unknown
        else [d.to_dict() for d in observation.drift]
        if observation.record
        else [],
    }
