"""The status of a stack, as `status --json` prints it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from provision.clients import aws_errors
from provision.engine.inspector import Observation
from provision.errors import NotChecked, UnknownState
from provision.i18n import _
from provision.resources.base import Milestone
from provision.resources.ecs_deployment import EcsDeployment
from provision.schedules import next_time
from provision.stack import Stack
from provision.state.stack_file import StackFile


def describe(
    stack: Stack, file: StackFile, observations: Mapping[str, Observation]
) -> dict[str, Any]:
    """Return the status document: resources, tasks, and the next scheduled start and stop."""
    service, steady = observations[stack.service.key], observations[stack.steady_service.key]
    return {
        "url": stack.url,
        "tasks": tasks(service, steady),
        "paused": file.paused,
        "built": is_built(stack, file),
        "next": next_hours(file),
        "resources": [entry(observation) for observation in observations.values()],
    }


def is_built(stack: Stack, file: StackFile) -> bool:
    """Return whether more is recorded than what was there before and what teardown keeps."""
    ours = [r for r in stack.resources if r.key in file.records]
    return any(
        file.records[r.key].state != "adopted" and not r.retention_reason(everything=False)
        for r in ours
    )


def is_known(document: Mapping[str, Any]) -> bool:
    """Return whether everything was read, except what your permissions to LINE's secrets leave unchecked."""
    entries = (entry for entry in document["resources"] if entry["checked"])
    values = ((e["live"], e["ready"], e["drift"]) for e in entries)
    return document["tasks"]["running"] is not None and not any(None in each for each in values)


def next_hours(file: StackFile, now: datetime | None = None) -> dict[str, str | None]:
    """Return the next scheduled start and stop (ISO 8601); None if there is none or it is unknown.

    Both are None in a pause, which deletes the schedules. now: this computer's time, if not given.
    """
    if file.paused:
        return {"start": None, "stop": None}
    settings, now = file.settings, now or datetime.now(UTC)
    found = {
        name: next_time(settings[f"schedule.{name}"], settings["schedule.timezone"], now)
        for name in ("start", "stop")
    }
    return {name: at.isoformat(timespec="minutes") if at else None for name, at in found.items()}


def tasks(service: Observation, steady: Observation) -> dict[str, Any]:
    """Return the running and wanted number of tasks, and the state of a running deployment.

    The numbers are None, with the reason, if they could not be read.
    """
    observed = service if steady.live is None else steady
    live = observed.live
    if live is None:
        return (
            _unknown(observed.unknown)
            if observed.unknown
            else {"running": 0, "wanted": 0, "rollout": []}
        )
    try:
        with aws_errors.reading(
            _("Could not look up {key}.", key=observed.resource.key), observed.answered
        ):
            counts = {"running": live["runningCount"], "wanted": live["desiredCount"]}
            return {**counts, "rollout": EcsDeployment(live).lines() if "Tasks" in live else []}
    except UnknownState as error:
        return _unknown(error.why)


def _unknown(reason: str) -> dict[str, Any]:
    return {"running": None, "wanted": None, "rollout": [], "reason": reason}


def entry(observation: Observation) -> dict[str, Any]:
    """Return the entry of one resource. A value of None could not be read.

    checked: False if that is for want of the permission to read one of LINE's secrets.
    """
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
        "checked": not isinstance(observation.error, NotChecked),
        "live": None if observation.unknown else observation.live is not None,
        "ready": None if unknown else not reason,
        "reason": reason,
        "drift": None
        if unknown
        else [d.to_dict() for d in observation.drift]
        if observation.record
        else [],
    }
