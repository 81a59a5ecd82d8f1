"""The stack as the page shows it: by steps, with live states and costs."""

from collections.abc import Mapping
from typing import Any

from provision import status_report
from provision.engine.inspector import Observation
from provision.i18n import _
from provision.pricing import YEN, yen
from provision.resources.base import Milestone
from provision.run import Run
from provision.ui.names import by_step, name_of
from provision.ui.reports import headline

# The states of a resource, and of a step with one such resource: the first that applies.
STATES = ("unknown", "differs", "waiting", "absent", "ready")


def labels() -> dict[str, str]:
    """Return what people read for each state."""
    return {
        "unknown": _("unknown"),
        "differs": _("differs"),
        "waiting": _("not ready"),
        "absent": _("not there"),
        "ready": _("ready"),
    }


def describe(run: Run, observations: Mapping[str, Observation]) -> dict[str, Any]:
    """Return the document for the page."""
    status = status_report.describe(run.stack, run.file, observations)
    resources = {entry["key"]: _resource(run, entry) for entry in status["resources"]}
    month = sum(each["usd"] for each in resources.values())
    zone = run.file.records.get(run.stack.zone.key)
    delegation = observations[run.stack.delegation.key]
    return {
        "name": run.file.settings["name"],
        "region": run.file.settings["region"],
        "domain": run.file.settings["domain"],
        "cluster": run.stack.cluster.name,
        "service": run.stack.service.name,
        "url": status["url"],
        "headline": headline(status),
        "state": _worst([each["state"] for each in resources.values()]),
        "tasks": status["tasks"],
        "next": status["next"],
        "cost": _(
            "About {usd:.2f} USD ({yen} yen) a month; {rate} yen to the dollar.",
            usd=month,
            yen=yen(month),
            rate=YEN,
        ),
        "name_servers": zone.outputs.get("name_servers", []) if zone else [],
        "delegated": None if delegation.unknown else not delegation.waiting,
        "labels": labels(),
        "steps": [
            {
                "name": step,
                "state": _worst([resources[key]["state"] for key in keys]),
                "resources": [resources[key] for key in keys],
            }
            for step, keys in by_step(resources).items()
        ],
    }


def _resource(run: Run, entry: Mapping[str, Any]) -> dict[str, Any]:
    resource = next(each for each in run.stack.resources if each.key == entry["key"])
    paid = entry["state"] in ("creating", "created", "deleting")
    usd = resource.costs(run.prices) if paid else 0.0
    return {
        "key": entry["key"],
        "name": name_of(entry["key"]),
        "kind": entry["kind"],
        "recorded": entry["state"],
        "state": _state(entry),
        "reason": entry["reason"],
        "drift": entry["drift"] or [],
        "usd": 0.0 if isinstance(resource, Milestone) else round(usd, 2),
    }


def _state(entry: Mapping[str, Any]) -> str:
    if None in (entry["live"], entry["ready"], entry["drift"]):
        return "unknown"
    if entry["drift"]:
        return "differs"
    if entry["ready"]:
        return "ready"
    return "waiting" if entry["live"] else "absent"


def _worst(states: list[str]) -> str:
    return next(state for state in STATES if state in states)
