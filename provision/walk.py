"""A list of lines and the one loop that waits for them.

In order, take every line whose needs are done and begin its step, some side by side; wait until one of them
ends or one that was asked too soon is due again; stop when all are done, or when what is left waits on
somebody outside longer than we may.
"""

import math
import threading
from collections.abc import Callable
from concurrent import futures
from concurrent.futures import Future
from dataclasses import dataclass, field

from provision import aws
from provision.clock import Clock
from provision.errors import NotYet, Refusal
from provision.resource import Resource
from provision.words import _

Tell = Callable[[str, Resource, str], None]  # what happened (a word), to which resource, in detail
LATE = 0.08  # of the time that a thing has taken: by so much it may be noticed late
SOON = 2.0  # seconds between two looks at what takes nobody knows how long
ASKED = 4  # times: nothing is given up before, for one pass may take long on a slow line or machine
SIDE_BY_SIDE = 8  # steps under way at once; botocore's pool per client holds 16 connections
LONGEST = 60.0  # seconds of waiting for a step after which the others are looked at again
LAST_ANSWERS = 5.0  # real seconds for which an interrupted run still waits for what it has asked
Step = Callable[[Resource], str]  # what a line does when its turn comes; the word for how it ended


@dataclass
class Line:
    """One resource's place in a walk."""

    resource: Resource
    needs: list[str]
    done: bool = False
    needed: bool = True  # by another line: a moment lost here is lost there too
    passable: bool = False  # not done, but what waits for it may begin
    refusal: Refusal | None = None
    waiting: NotYet | None = None
    since: float = 0.0
    due: float = 0.0
    tries: int = 0

    def wait(self, why: NotYet, now: float) -> None:
        """Asks again later: soon at first, then at a pace that suits what it waits for."""
        if self.waiting is None or self.waiting.outside != why.outside:
            self.since, self.tries = now, 0  # the hours at a registrar are not held against AWS
        self.waiting, self.tries = why, self.tries + 1
        self.due = now + self._pause(why, now - self.since)
        bound = self._bound(why)
        if not why.outside and now - self.since > bound and self.tries > ASKED:
            self.refusal = Refusal(
                _("Waiting for {key}.", key=self.resource.key),
                _(
                    "after {seconds} s still: {reason}",
                    seconds=int(now - self.since),
                    reason=why.reason,
                ),
                _("Run `provision status` to see more, and the same command to go on."),
            )

    def _pause(self, why: NotYet, waited: float) -> float:
        """Rare while the end is far, frequent when it is near: nothing takes half of its usual time."""
        slowest = min(self.resource.pace, max(SOON, self.resource.typical / 15, waited * LATE))
        if why.left is not None and why.sure:
            return why.left
        if why.left is None:
            return min(slowest, 1.5 ** min(self.tries - 1, 10))
        near = self.resource.near if self.needed else self.resource.pace
        if why.left <= 0:  # it takes longer than usual: the longer, the less a few seconds matter
            return min(slowest, max(near, -why.left / 6))
        far = max(near, why.left / self.resource.looks)
        return min(far, self.resource.watched, self._bound(why) / (ASKED + 1))

    def _bound(self, why: NotYet) -> float:
        """Seconds after which it is given up: time enough to have asked more than ASKED times."""
        return self.resource.bound if why.bound is None else why.bound


@dataclass
class Outcome:
    """How a walk ended."""

    refusals: list[Refusal] = field(default_factory=list)
    notes: list[Refusal] = field(default_factory=list)  # of what is optional
    outside: list[NotYet] = field(default_factory=list)


def walk(
    lines: list[Line],
    step: Step,
    clock: Clock,
    tell: Tell,
    wait: float | None = None,
) -> Outcome:
    """Walks until all is done or nothing may move. wait: seconds for what is outside; None: no bound.

    step is called in threads, at most SIDE_BY_SIDE at a time; how a line ended is told from this one.
    """
    by_key = {line.resource.key: line for line in lines}
    needs = {need for line in lines for need in line.needs}
    for line in lines:
        line.needed = line.resource.key in needs
    under_way: dict[str, Future[str]] = {}
    quiet_since: float | None = None
    try:
        while movable := [line for line in lines if _may_begin(line, by_key)]:
            now = clock.now()
            due = _begin(movable, under_way, step, now)
            if under_way:
                clock.wait(under_way.values(), min(max(0.05, due - now), LONGEST))
                if _settle(under_way, by_key, clock, tell):
                    quiet_since = None
                continue
            if all(line.waiting and line.waiting.outside for line in movable):
                quiet_since = now if quiet_since is None else quiet_since
                if wait is not None:
                    if now - quiet_since >= wait:
                        break
                    due = min(due, quiet_since + wait)
            else:
                quiet_since = None
            clock.sleep(max(0.05, due - now))
    finally:
        futures.wait(under_way.values(), LAST_ANSWERS)
    return _outcome(lines)


def _may_begin(line: Line, by_key: dict[str, Line]) -> bool:
    needs = [by_key[need] for need in line.needs if need in by_key]
    ready = all(need.done or (need.passable and not line.resource.last) for need in needs)
    return ready and not line.done and not line.refusal


def _begin(movable: list[Line], under_way: dict[str, Future[str]], step: Step, now: float) -> float:
    """Begins what is due. When more will be; never, where something has to end first."""
    for line in movable:
        key = line.resource.key
        if len(under_way) == SIDE_BY_SIDE:
            return math.inf
        if line.due <= now and key not in under_way:
            under_way[key] = _begun(step, line.resource)
    idle = [line for line in movable if line.resource.key not in under_way]
    return min((line.due for line in idle), default=math.inf)


def _begun(step: Step, resource: Resource) -> Future[str]:
    """The step, in a thread that does not keep an interrupted run from ending."""
    ended: Future[str] = Future()

    def run() -> None:
        try:
            with aws.reading(_("Reading what AWS answered about {key}.", key=resource.key)):
                ended.set_result(step(resource))
        except BaseException as error:
            ended.set_exception(error)

    threading.Thread(target=run, name=resource.key, daemon=True).start()
    return ended


def _settle(
    under_way: dict[str, Future[str]], by_key: dict[str, Line], clock: Clock, tell: Tell
) -> bool:
    """Takes in what has ended. Whether any line was done."""
    moved = False
    for key in [key for key, ended in under_way.items() if ended.done()]:
        line = by_key[key]
        try:
            word = under_way.pop(key).result()
        except NotYet as why:
            line.passable = why.passable
            line.wait(why, clock.now())
            if line.refusal:
                tell("failed", line.resource, line.refusal.why)
            else:
                tell("waiting", line.resource, why.reason)
        except Refusal as refusal:
            line.refusal = refusal
            tell("failed", line.resource, refusal.why)
        else:
            line.done, moved = True, True
            tell(word, line.resource, "")
    return moved


def _outcome(lines: list[Line]) -> Outcome:
    failed = [(line.refusal, line.resource.optional) for line in lines if line.refusal]
    return Outcome(
        refusals=[refusal for refusal, optional in failed if not optional],
        notes=[refusal for refusal, optional in failed if optional],
        outside=[
            line.waiting
            for line in lines
            if line.waiting and line.waiting.outside and not line.done and not line.refusal
        ],
    )
