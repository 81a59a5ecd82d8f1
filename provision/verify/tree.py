"""Run checks in parallel as far as their dependencies allow, and collect their findings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, Literal, Protocol, TypeVar

from provision import retries
from provision.clients import aws_errors
from provision.clients.line import LineError
from provision.clients.tls import Tls
from provision.clock import Clock
from provision.engine.inspector import Observation
from provision.errors import NotChecked, ProvisionError, UnknownState
from provision.i18n import _
from provision.resources.base import Resource
from provision.run import Run


@dataclass(frozen=True)
class Finding:
    """The result of a check.

    state: None if the check failed to read something. then: the next step. outside: a person or another
    company has to act (exit status 3).
    """

    state: Literal["OK", "NG", "SKIP"] | None
    reason: str = ""
    then: str = ""
    outside: bool = False


def ok(reason: str = "") -> Finding:
    """Return a finding of state OK."""
    return Finding("OK", reason)


def ng(reason: str, then: str, *, outside: bool = False) -> Finding:
    """Return a finding of state NG. then: the next step."""
    return Finding("NG", reason, then, outside)


def skip(reason: str, then: str = "") -> Finding:
    """Return a finding of state SKIP."""
    return Finding("SKIP", reason, then)


def unknown(reason: str, then: str = "") -> Finding:
    """Return the finding of a check that could not read something."""
    return Finding(None, reason, then or _("Run the same command again in a moment."))


@dataclass
class CheckContext:
    """The data that the checks share: the run, its observations, and the results of earlier checks."""

    run: Run
    observations: dict[str, Observation]
    tls: Tls
    bot: dict[str, str] = field(default_factory=dict)  # LINE's bot/info, after the check `token`

    @property
    def clock(self) -> Clock:
        """Return the run's clock."""
        return self.run.clock

    def live(self, resource: Resource) -> dict[str, Any]:
        """Return the live resource; {} if it was not found."""
        return self.observations[resource.key].live or {}


CheckFunction = Callable[[CheckContext], Finding]


class HasClock(Protocol):
    """The context of checks: the clock on which they are repeated."""

    @property
    def clock(self) -> Clock:
        """Return the clock."""


Context = TypeVar("Context", bound=HasClock)


@dataclass(frozen=True)
class Check(Generic[Context]):
    """A check. needs: keys of earlier checks that must be OK; otherwise it is skipped."""

    group: str
    key: str
    title: str
    function: Callable[[Context], Finding]
    needs: tuple[str, ...] = ()


def run_checks(checks: list[Check[Context]], context: Context) -> dict[str, Finding]:
    """Run the checks and return their findings by key. Skip a check if one that it needs fails."""
    titles = {check.key: check.title for check in checks}
    findings: dict[str, Finding] = {}
    remaining = checks
    while remaining:
        batch = [check for check in remaining if all(need in findings for need in check.needs)]
        remaining = [check for check in remaining if check not in batch]
        functions = {
            check.key: partial(_run_check, check, context, titles, findings) for check in batch
        }
        found, unanswered = retries.call_all(functions, context.clock)
        findings |= found
        findings |= {key: unknown(why.reason) for key, why in unanswered.items()}
    return {check.key: findings[check.key] for check in checks}


def _run_check(
    check: Check[Context],
    context: Context,
    titles: Mapping[str, str],
    findings: Mapping[str, Finding],
) -> Finding:
    for need in check.needs:
        finding = findings[need]
        if finding.state == "NG":
            return skip(_("needs: {title}", title=titles[need]))
        if finding.state != "OK":
            return skip(finding.reason)
    try:
        with aws_errors.reading(check.title):
            return check.function(context)
    except LineError as error:  # an UnknownState, but here the response is the result
        return ng(error.why, error.then)
    except NotChecked as error:
        return skip(error.why, error.then)
    except UnknownState as error:
        return unknown(error.why, error.then)
    except ProvisionError as error:
        return ng(error.why, error.then)


def is_ready(*resources: Resource | None) -> CheckFunction:
    """Return a check that these resources exist, are as desired and ready, from their observations.

    None: a resource that the settings do not include.
    """

    def check(context: CheckContext) -> Finding:
        for resource in resources:
            finding = _check_resource(context, resource)
            if finding.state != "OK":
                return finding
        return ok()

    return check


def _check_resource(context: CheckContext, resource: Resource | None) -> Finding:
    if resource is None:
        return skip(_("not set in stack.yaml"))
    observation = context.observations[resource.key]
    outside = bool(getattr(resource, "outside", False))
    if isinstance(observation.error, NotChecked):
        return skip(observation.error.why, observation.error.then)
    if observation.error:
        make_finding = unknown if isinstance(observation.error, UnknownState) else ng
        return make_finding(observation.error.why, observation.error.then)
    if observation.unknown:
        return unknown(observation.unknown)
    if observation.live is None and context.run.file.paused:
        return skip(_("the stack is paused"), _("Run `provision resume`."))
    if observation.live is None and not (outside and observation.inspected):
        return ng(observation.waiting, _("Run `provision setup`."))
    if observation.drift:
        paths = ", ".join(difference.path for difference in observation.drift)
        reason = _("differs from the settings: {paths}", paths=paths)
        return ng(
            reason, _("`provision plan` shows the difference, `provision setup` corrects it.")
        )
    if reason := observation.waiting:
        then = _("When that is done, run `provision setup` to continue.")
        return ng(reason, then, outside=outside)
    return ok()
