"""Execute a list of steps in dependency order; the only code that sleeps while AWS works.

Make passes over the list in one thread: try each step whose dependencies are done and whose next try is due.
A step that is not ready is tried again on a later pass; sleep only if no step can run. Stop when every step
is done or failed, or when the remaining ones have waited for a person longer than allowed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from provision.clients import aws_errors
from provision.clock import Clock
from provision.errors import Pending, ProvisionError, WaitingOnExternal
from provision.i18n import _
from provision.resources.base import Resource

Report = Callable[[str, Resource, str], None]  # arguments: event name, resource, detail
MAX_DELAY_RATIO = 0.08  # of the time waited so far: how late the end of a wait may be noticed
MIN_LONGEST_PAUSE = 2.0  # seconds; lower bound for the longest pause between two tries
MIN_TRIES = 4  # before a timeout counts, because one pass may take long on a slow machine
Action = Callable[[Resource], str]  # executes a step; returns the event name of its result


@dataclass
class Step:
    """The execution of one resource in a run."""

    resource: Resource
    needs: list[str]  # keys
    done: bool = False
    dependents_may_start: bool = False  # although it is not done
    error: ProvisionError | None = None
    waiting: Pending | None = None
    waiting_since: float = 0.0
    next_try: float = 0.0
    tries: int = 0

    def wait(self, why: Pending, now: float) -> None:
        """Store the reason and schedule the next try; set `error` after the timeout."""
        if self.waiting is None or self.waiting.outside != why.outside:
            self.waiting_since, self.tries = now, 0  # waiting for a person has no timeout
        self.waiting, self.tries = why, self.tries + 1
        waited = now - self.waiting_since
        self.next_try = now + self._pause(why, waited)
        if not why.outside and waited > self._timeout(why) and self.tries > MIN_TRIES:
            self.error = ProvisionError(
                _("{key} did not become ready.", key=self.resource.key),
                _("after {seconds} s still: {reason}", seconds=int(waited), reason=why.reason),
                _("Run `provision status` to see more, and the same command to continue."),
            )

    def _pause(self, why: Pending, waited: float) -> float:
        """Return the seconds until the next try, which get shorter as the estimated end comes nearer."""
        polling = self.resource.polling
        longest = min(
            polling.interval,
            max(MIN_LONGEST_PAUSE, polling.expected / 15, waited * MAX_DELAY_RATIO),
        )
        if why.remaining is not None and why.exact:
            return why.remaining
        if why.remaining is None:
            return min(longest, 1.5 ** min(self.tries - 1, 10))
        if why.remaining <= 0:  # overdue: back off in proportion to the delay
            return min(longest, max(polling.interval_near, -why.remaining / 6))
        until_next_check = max(polling.interval_near, why.remaining / polling.checks)
        return min(until_next_check, polling.interval_far, self._timeout(why) / (MIN_TRIES + 1))

    def _timeout(self, why: Pending) -> float:
        """Return the seconds after which waiting fails."""
        return self.resource.polling.timeout if why.timeout is None else why.timeout


@dataclass
class Outcome:
    """The result of a run.

    notes: the errors of optional resources, which do not fail the run. outside: what still waits for a person
    or another company.
    """

    errors: list[ProvisionError] = field(default_factory=list)
    notes: list[ProvisionError] = field(default_factory=list)
    outside: list[Pending] = field(default_factory=list)

    def raise_if_waiting(self) -> None:
        """Raise WaitingOnExternal if anything waits for a person or another company."""
        if self.outside:
            raise WaitingOnExternal(
                _("Everything that can be built by now is built."),
                "; ".join(dict.fromkeys(why.reason for why in self.outside)),
                _("When that is done, run the same command again to continue."),
            )


def execute(
    steps: list[Step],
    action: Action,
    clock: Clock,
    report: Report,
    wait: float | None = None,
) -> Outcome:
    """Make passes over the steps until all are done or none can run.

    wait: seconds to wait once every remaining step waits for a person; None: no limit.
    """
    by_key = {step.resource.key: step for step in steps}
    external_since: float | None = None
    while True:
        if _pass(steps, by_key, action, clock, report):
            external_since = None
            continue
        runnable = [step for step in steps if _can_run(step, by_key)]
        if not runnable:
            return _outcome(steps)
        now = clock.now()
        next_try = min(step.next_try for step in runnable)
        if all(step.waiting and step.waiting.outside for step in runnable):
            external_since = now if external_since is None else external_since
            if wait is not None:
                if now - external_since >= wait:
                    return _outcome(steps)
                next_try = min(next_try, external_since + wait)
        else:
            external_since = None
        if next_try > now:
            clock.sleep(max(0.05, next_try - now))


def _pass(
    steps: list[Step], by_key: dict[str, Step], action: Action, clock: Clock, report: Report
) -> bool:
    """Try each step that can run and is due, in order. Return whether any of them is done now."""
    progress, now = False, clock.now()
    for step in steps:
        if _can_run(step, by_key) and step.next_try <= now:
            progress = _try(step, action, clock, report) or progress
            started, now = now, clock.now()
            for other in steps:  # a long step (an image push) must not use up the others' timeouts
                if other is not step:
                    other.waiting_since += now - started
    return progress


def _can_run(step: Step, by_key: dict[str, Step]) -> bool:
    needs = [by_key[need] for need in step.needs if need in by_key]
    ready = all(
        need.done or (need.dependents_may_start and not step.resource.deletion.after_dependents)
        for need in needs
    )
    return ready and not step.done and not step.error


def _try(step: Step, action: Action, clock: Clock, report: Report) -> bool:
    """Try a step once and report the result. Return whether it is done."""
    resource = step.resource
    try:
        with aws_errors.reading(
            _("Could not read what AWS answered about {key}.", key=resource.key)
        ):
            event = action(resource)
    except Pending as why:
        step.dependents_may_start = why.dependents_may_start
        step.wait(why, clock.now())
        if step.error:
            report("failed", resource, step.error.why)
        else:
            report("waiting", resource, why.reason)
    except ProvisionError as error:
        step.error, step.dependents_may_start = error, error.dependents_may_start
        report("failed", resource, error.why)
    else:
        step.done = True
        report(event, resource, "")
    return step.done


def _outcome(steps: list[Step]) -> Outcome:
    failed = [(step.error, step.resource.errors.fatal) for step in steps if step.error]
    return Outcome(
        errors=[error for error, fatal in failed if fatal],
        notes=[error for error, fatal in failed if not fatal],
        outside=[
            step.waiting
            for step in steps
            if step.waiting and step.waiting.outside and not step.done and not step.error
        ],
    )
