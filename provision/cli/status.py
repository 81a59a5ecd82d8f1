"""The verb status: each resource as recorded and as it is, the tasks, the next hours."""

import sys
from typing import Any

import click

from provision.cli import options
from provision.cli.outcome import tell_pause
from provision.cli.prepare import prepared
from provision.clients import aws
from provision.engine.inspector import Observation
from provision.errors import UnknownState
from provision.i18n import _
from provision.resources.base import Milestone
from provision.resources.ecs_deployment import EcsDeployment
from provision.run import Options
from provision.ui.progress import Progress, show_json, show_status


def command() -> click.Command:
    """Return the command line's `status`."""
    return options.verb(
        status,
        "status",
        _("Each resource: recorded, there, ready or why not."),
        "provision status --json",
        options.as_json(),
    )


def status(given: Options, as_json: bool) -> int:
    """Looks, and changes nothing. Returns the exit status."""
    run = prepared(given, save=False, looks=True)
    engine = run.engine(Progress(run.stack.resources, run.clock))
    engine.begin()
    observations = engine.inspect()
    document: dict[str, Any] = {
        "url": run.stack.url,
        "tasks": tasks(
            observations[run.stack.service.key], observations[run.stack.steady_service.key]
        ),
        "paused": run.file.paused,
        "next": run.next_hours(),
        "resources": [entry(observation) for observation in observations.values()],
    }
    tell_pause(run)
    if as_json:
        show_json(document)
    else:
        show_status(document, sys.stdout)
    known = all(None not in (e["live"], e["ready"], e["drift"]) for e in document["resources"])
    return 0 if known and document["tasks"]["running"] is not None else 1


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
    unknown = bool(observation.unknown or (observation.refusal and observation.live is not None))
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
        else [d.shown() for d in observation.drift]
        if observation.record
        else [],
    }
