"""Checks that need one another: what each found, and why; side by side where they do not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from provision.clients import aws
from provision.clients.line import LineError
from provision.clients.tls import Tls
from provision.engine.inspector import Observation, call_all_with_retries
from provision.errors import ProvisionError, UnknownState
from provision.i18n import _
from provision.resources.base import Resource
from provision.run import Run


@dataclass(frozen=True)
class Finding:
    """What one check found. outside: a person or another company has to act (exit status 3).

    state None: it could not be looked at.
    """

    state: Literal["OK", "NG", "SKIP"] | None
    reason: str = ""
    then: str = ""
    outside: bool = False


def ok(reason: str = "") -> Finding:
    """Return a finding: as it should be."""
    return Finding("OK", reason)


def ng(reason: str, then: str, *, outside: bool = False) -> Finding:
    """Return a finding: not as it should be. then: the next step."""
    return Finding("NG", reason, then, outside)


def skip(reason: str, then: str = "") -> Finding:
    """Return a finding: nothing wrong is known, and nothing can be said."""
    return Finding("SKIP", reason, then)


def unknown(reason: str, then: str = "") -> Finding:
    """Return the finding that it could not be looked at."""
    return Finding(None, reason, then or _("Run the same command again in a moment."))


@dataclass
class Scene:
    """What the checks look at: the run, everything seen in its one look, and what they tell one another."""

    run: Run
    observations: dict[str, Observation]
    tls: Tls
    bot: dict[str, str] = field(default_factory=dict)  # LINE's bot/info, once it was asked

    def live(self, resource: Resource) -> dict[str, Any]:
        """Return what was seen of a resource; {} for nothing."""
        return self.observations[resource.key].live or {}


Look = Callable[[Scene], Finding]


@dataclass(frozen=True)
class Check:
    """One line of the tree. needs: keys of checks above it without whose OK it cannot be answered."""

    group: str
    key: str
    title: str
    look: Look
    needs: tuple[str, ...] = ()


def examine(checks: list[Check], scene: Scene) -> dict[str, Finding]:
    """Run the checks in order and return their findings. A check is skipped where one that it needs fails."""
    titles = {check.key: check.title for check in checks}
    findings: dict[str, Finding] = {}
    left = checks
    while left:
        wave = [check for check in left if all(need in findings for need in check.needs)]
        left = [check for check in left if check not in wave]
        looks = {check.key: partial(_found, check, scene, titles, findings) for check in wave}
        found, unanswered = call_all_with_retries(looks, scene.run.clock)
        findings |= found
        findings |= {key: unknown(why.reason) for key, why in unanswered.items()}
    return {check.key: findings[check.key] for check in checks}


def _found(
    check: Check, scene: Scene, titles: Mapping[str, str], findings: Mapping[str, Finding]
) -> Finding:
    for need in check.needs:
        finding = findings[need]
        if finding.state == "NG":
            return skip(_("needs: {title}", title=titles[need]))
        if finding.state != "OK":
            return skip(finding.reason)
    try:
        with aws.reading(check.title):
            return check.look(scene)
    except LineError as refusal:  # LINE's own no is what was asked for
        return ng(refusal.why, refusal.then)
    except UnknownState as refusal:
        return unknown(refusal.why, refusal.then)
    except ProvisionError as refusal:
        return ng(refusal.why, refusal.then)


def is_ready(*resources: Resource | None) -> Look:
    """Return the check that these resources exist, are as desired, and are ready, as `status` sees them.

    None stands for a resource that the settings do not ask for.
    """

    def look(scene: Scene) -> Finding:
        for resource in resources:
            finding = _state(scene, resource)
            if finding.state != "OK":
                return finding
        return ok()

    return look


def _state(scene: Scene, resource: Resource | None) -> Finding:
    if resource is None:
        return skip(_("not set in stack.yaml"))
    observation = scene.observations[resource.key]
    outside = bool(getattr(resource, "outside", False))
    if observation.error:
        told = unknown if isinstance(observation.error, UnknownState) else ng
        return told(observation.error.why, observation.error.then)
    if observation.unknown:
        return unknown(observation.unknown)
    if observation.live is None and scene.run.file.paused:
        return skip(_("the stack is paused"), _("Run `provision resume`."))
    if observation.live is None and not (outside and observation.seen):
        return ng(observation.waiting, _("Run `provision setup`."))
    if observation.drift:
        paths = ", ".join(difference.path for difference in observation.drift)
        reason = _("differs from what is wanted: {paths}", paths=paths)
        return ng(
            reason, _("`provision plan` shows the difference, `provision setup` corrects it.")
        )
    if reason := observation.waiting:
        then = _("When that is done, run `provision setup` to continue.")
        return ng(reason, then, outside=outside)
    return ok()
