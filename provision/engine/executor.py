"""Run a list of steps: the one loop that waits.

Make passes over the list in its order, in this thread: try each step whose dependencies are done and which is
due. What is not ready yet is tried again on a later pass; sleep only when nothing can move. Stop when all are
done, or when what is left waits for somebody outside longer than allowed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from provision.clients import aws
from provision.clock import Clock
from provision.errors import Pending, ProvisionError, WaitingOnExternal
from provision.i18n import _
from provision.resources.base import Resource

Report = Callable[
    [str, Resource, str], None
]  # what happened (a word), to which resource, in detail
LATE = 0.08  # the part of a resource's duration by which its end may be noticed late
SOON = 2.0  # seconds between two polls where the duration is not known
ASKED = 4  # polls before anything is given up: one pass may take long on a slow machine
Action = Callable[[Resource], str]  # what a step does; returns the word for how it ended


@dataclass
class Step:
    """One resource in a run."""

    resource: Resource
    needs: list[str]
    done: bool = False
    needed: bool = True  # by another line: a moment lost here is lost there too
    passable: bool = False  # not done, but what waits for it may begin
    refusal: ProvisionError | None = None
    waiting: Pending | None = None
    since: float = 0.0
    due: float = 0.0
    tries: int = 0

    def wait(self, why: Pending, now: float) -> None:
        """Note why it waits and when it is due again: soon at first, later less often."""
        if self.waiting is None or self.waiting.outside != why.outside:
            self.since, self.tries = now, 0  # the hours at a registrar are not held against AWS
        self.waiting, self.tries = why, self.tries + 1
        self.due = now + self._pause(why, now - self.since)
        timeout = self._timeout(why)
        if not why.outside and now - self.since > timeout and self.tries > ASKED:
            self.refusal = ProvisionError(
                _("{key} did not become ready.", key=self.resource.key),
                _(
                    "after {seconds} s still: {reason}",
                    seconds=int(now - self.since),
                    reason=why.reason,
                ),
                _("Run `provision status` to see more, and the same command to go on."),
            )

    def _pause(self, why: Pending, waited: float) -> float:
        """Return the seconds until the next try: long while the end is far, short when it is near."""
        polling = self.resource.polling
        slowest = min(polling.interval, max(SOON, polling.expected / 15, waited * LATE))
        if why.left is not None and why.sure:
            return why.left
        if why.left is None:
            return min(slowest, 1.5 ** min(self.tries - 1, 10))
        near = polling.interval_near if self.needed else polling.interval
        if why.left <= 0:  # it takes longer than usual: the longer, the less a few seconds matter
            return min(slowest, max(near, -why.left / 6))
        far = max(near, why.left / polling.checks)
        return min(far, polling.interval_far, self._timeout(why) / (ASKED + 1))

    def _timeout(self, why: Pending) -> float:
        """Return the seconds after which it is given up."""
        return self.resource.polling.timeout if why.timeout is None else why.timeout


@dataclass
class Outcome:
    """How a run ended."""

    errors: list[ProvisionError] = field(default_factory=list)
    notes: list[ProvisionError] = field(default_factory=list)  # of what is optional
    outside: list[Pending] = field(default_factory=list)

    def raise_if_waiting(self) -> None:
        """Raise WaitingOnExternal where something outside is not done yet."""
        if self.outside:
            raise WaitingOnExternal(
                _("Everything that can be built by now is built."),
                "; ".join(dict.fromkeys(why.reason for why in self.outside)),
                _("When that is done, run the same command again to continue."),
            )


def execute(
    lines: list[Step],
    step: Action,
    clock: Clock,
    tell: Report,
    wait: float | None = None,
) -> Outcome:
    """Make passes until all is done or nothing may move.

    wait: seconds to wait for what is outside; None: without bound.
    """
    by_key = {line.resource.key: line for line in lines}
    needs = {need for line in lines for need in line.needs}
    for line in lines:
        line.needed = line.resource.key in needs
    quiet_since: float | None = None
    while True:
        if _pass(lines, by_key, step, clock, tell):
            quiet_since = None
            continue
        movable = [line for line in lines if _may_begin(line, by_key)]
        if not movable:
            return _outcome(lines)
        now = clock.now()
        due = min(line.due for line in movable)
        if all(line.waiting and line.waiting.outside for line in movable):
            quiet_since = now if quiet_since is None else quiet_since
            if wait is not None:
                if now - quiet_since >= wait:
                    return _outcome(lines)
                due = min(due, quiet_since + wait)
        else:
            quiet_since = None
        if due > now:
            clock.sleep(max(0.05, due - now))


def _pass(
    lines: list[Step], by_key: dict[str, Step], step: Action, clock: Clock, tell: Report
) -> bool:
    """Try each line that may begin and is due, in order. Return whether any line was done."""
    moved, now = False, clock.now()
    for line in lines:
        if _may_begin(line, by_key) and line.due <= now:
            moved = _try(line, step, clock, tell) or moved
            began, now = now, clock.now()
            for other in lines:  # an image's push is not held against what waits meanwhile
                if other is not line:
                    other.since += now - began
    return moved


def _may_begin(line: Step, by_key: dict[str, Step]) -> bool:
    needs = [by_key[need] for need in line.needs if need in by_key]
    ready = all(
        need.done or (need.passable and not line.resource.deletion.after_dependents)
        for need in needs
    )
    return ready and not line.done and not line.refusal


def _try(line: Step, step: Action, clock: Clock, tell: Report) -> bool:
    """Take one step of a line, and tell how it ended. Return whether the line is done."""
    resource = line.resource
    try:
        with aws.reading(_("Could not read what AWS answered about {key}.", key=resource.key)):
            word = step(resource)
    except Pending as why:
        line.passable = why.passable
        line.wait(why, clock.now())
        if line.refusal:
            tell("failed", resource, line.refusal.why)
        else:
            tell("waiting", resource, why.reason)
    except ProvisionError as refusal:
        line.refusal, line.passable = refusal, refusal.passable
        tell("failed", resource, refusal.why)
    else:
        line.done = True
        tell(word, resource, "")
    return line.done


def _outcome(lines: list[Step]) -> Outcome:
    failed = [(line.refusal, line.resource.errors.fatal) for line in lines if line.refusal]
    return Outcome(
        errors=[refusal for refusal, fatal in failed if fatal],
        notes=[refusal for refusal, fatal in failed if not fatal],
        outside=[
            line.waiting
            for line in lines
            if line.waiting and line.waiting.outside and not line.done and not line.refusal
        ],
    )
