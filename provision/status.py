"""The verb status: each resource as recorded and as it is, the tasks, the next hours."""

import sys
from datetime import UTC, datetime
from typing import Any

from provision.console import Progress, show_json, show_status
from provision.hours import following
from provision.look import Sight
from provision.resource import Milestone
from provision.resources.rollout import Rollout
from provision.run import Options, Run, prepared


def status(options: Options, as_json: bool) -> int:
    """Looks, and changes nothing. Returns the exit status."""
    run = prepared(options, save=False, looks=True)
    engine = run.engine(Progress(run.stack.resources, run.clock))
    engine.begin()
    sights = engine.look()
    document = {
        "url": run.stack.url,
        "tasks": tasks(sights[run.stack.steady_service.key]),
        "next": next_hours(run),
        "resources": [entry(sight) for sight in sights.values()],
    }
    if as_json:
        show_json(document)
    else:
        show_status(document, sys.stdout)
    return 0


def tasks(steady: Sight) -> dict[str, Any]:
    """How many tasks run and how many are wanted; where those differ, what goes on with each."""
    live = steady.live or {}
    counts = {"running": live.get("runningCount", 0), "wanted": live.get("desiredCount", 0)}
    return {**counts, "rollout": Rollout(live).lines() if "Tasks" in live else []}


def next_hours(run: Run) -> dict[str, str | None]:
    """The next scheduled start and stop, ISO 8601; None without a schedule, or where it cannot be told."""
    settings, now = run.file.settings, datetime.now(UTC)
    found = {
        which: following(settings[f"schedule.{which}"], settings["schedule.timezone"], now)
        for which in ("start", "stop")
    }
    return {which: at.isoformat(timespec="minutes") if at else None for which, at in found.items()}


def entry(sight: Sight) -> dict[str, Any]:
    """One resource as `status --json` prints it."""
    resource, reason = sight.resource, sight.waiting
    milestone = isinstance(resource, Milestone)
    return {
        "key": resource.key,
        "kind": resource.kind,
        "state": sight.record.state if sight.record else "milestone" if milestone else "none",
        "live": sight.live is not None,
        "ready": not reason,
        "reason": reason,
        "drift": [difference.shown() for difference in sight.drift] if sight.record else [],
    }
