"""The one loop that waits: order, passes, patience, and what a failure takes with it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from provision.engine.executor import Outcome, Step, execute
from provision.errors import Pending, ProvisionError
from provision.resources.base import Deletion, Errors, Polling, Resource
from provision.sandbox.clock import ManualClock

Script = dict[str, Callable[[], str]]  # what a line does when its turn comes


class Room(Resource):
    """A resource that only has a name."""

    # asked again at most every two seconds
    polling = Polling(expected=30, timeout=60)

    def __init__(self, name: str, *needs: "Room") -> None:
        self.logical_id, self.rests = name, needs

    def identity(self) -> str:
        """Nothing."""
        return ""


class Seldom(Room):
    """Asked about every few minutes."""

    polling = replace(Room.polling, interval=200)


class Walk:
    """One walk on a clock of its own, and what was told."""

    def __init__(
        self, *rooms: Room, wait: float | None = None, **script: Callable[[], str]
    ) -> None:
        self.clock = ManualClock(0.0)
        self.clock.step = 1e9
        self.steps: list[tuple[str, float]] = []
        self.told: list[tuple[str, str, str]] = []
        self.rooms, self.script, self.wait = rooms, script, wait

    def run(self) -> Outcome:
        """From the first step to the last."""
        lines = [Step(room, [need.key for need in room.rests]) for room in self.rooms]
        return execute(lines, self._step, self.clock, self._tell, self.wait)

    def _step(self, resource: Resource) -> str:
        self.steps.append((resource.key, self.clock.now()))
        return self.script.get(resource.key, lambda: "done")()

    def _tell(self, event: str, resource: Resource, detail: str) -> None:
        self.told.append((resource.key, event, detail))

    def times(self, key: str) -> list[float]:
        """When its turn came."""
        return [at for name, at in self.steps if name == key]

    def ended(self) -> list[str]:
        """Lines in the order in which they were done."""
        return [key for key, event, _detail in self.told if event == "done"]


def later(*reasons: Pending) -> Callable[[], str]:
    """Not yet, once for each reason; then done."""
    left: Iterator[Pending] = iter(reasons)

    def step() -> str:
        for reason in left:
            raise reason
        return "done"

    return step


def never(reason: Pending) -> Callable[[], str]:
    """Not yet, for ever."""

    def step() -> str:
        raise reason

    return step


def test_in_order_without_sleeping() -> None:
    """Nothing to wait for: one pass, in the list's order, and every end is told."""
    a, b = Room("a"), Room("b")
    happened = Walk(a, b, Room("c", a))
    assert Outcome() == happened.run()
    assert [("a", 0.0), ("b", 0.0), ("c", 0.0)] == happened.steps
    assert [("a", "done", ""), ("b", "done", ""), ("c", "done", "")] == happened.told


def test_needs_that_stand_later_in_the_list() -> None:
    """Order is a wish, needs are a must: the next pass takes it at once."""
    b = Room("b")
    happened = Walk(Room("a", b), b)
    happened.run()
    assert [("b", 0.0), ("a", 0.0)] == happened.steps


def test_need_that_is_not_in_this_walk_holds_nobody_up() -> None:
    """A teardown walks over what is recorded only."""
    happened = Walk(Room("a", Room("not here")))
    assert Outcome() == happened.run()


def test_a_wait_blocks_only_what_depends_on_it() -> None:
    """`b` and `d` are done while `a` waits; `c` follows `a` at once."""
    a, b = Room("a"), Room("b")
    happened = Walk(a, b, Room("c", a), Room("d", b), a=later(*[Pending("slow")] * 3))
    happened.run()
    assert ["b", "d", "a", "c"] == happened.ended()
    assert [0.0] == happened.times("d")
    assert happened.times("a")[-1] == happened.times("c")[0]
    assert ("a", "waiting", "slow") in happened.told


def test_backoff_is_soon_at_first_and_bounded() -> None:
    """1 s, 1.5 s, then every two seconds (a fifteenth of the typical 30 s, at most ten)."""
    happened = Walk(Room("a"), a=later(*[Pending("slow")] * 5))
    happened.run()
    assert [0.0, 1.0, 2.5, 4.5, 6.5, 8.5] == happened.times("a")


def test_bound_ends_in_a_refusal() -> None:
    """It names what was waited for, for how long, and the reason; and no line was asked for ever."""
    happened = Walk(Room("a"), a=never(Pending("no capacity")))
    outcome = happened.run()
    (refusal,) = outcome.errors
    assert "a" in refusal.what
    assert "no capacity" in refusal.why
    assert "60" in refusal.why or "61" in refusal.why
    assert 60 < happened.clock.now() < 63
    assert ("a", "failed", refusal.why) == happened.told[-1]


def test_bound_of_the_wait_itself_goes_first() -> None:
    """What is seen may ask for more or less patience than the resource has."""
    happened = Walk(Room("a"), a=never(Pending("slow", timeout=5)))
    assert 1 == len(happened.run().errors)
    assert 5 < happened.clock.now() < 8


@pytest.mark.parametrize(
    ("bound", "given_up"),
    [
        (1, 6.5),  # not before the fifth try
        (6, 6.5),
        (6.5, 8.5),  # the bound itself is still within it
    ],
)
def test_given_up_at(bound: Any, given_up: float) -> None:
    """Tried at 0, 1, 2.5, 4.5, 6.5, ...: later than the bound, and more than four times."""
    happened = Walk(Room("a"), a=never(Pending("slow", timeout=bound)))
    assert 1 == len(happened.run().errors)
    assert given_up == happened.clock.now()


class Rare(Room):
    """Takes hours, and is asked about every few minutes; its deletion is watched each half hour."""

    polling = Polling(expected=3000, timeout=100_000, interval=200, interval_far=1800)


@pytest.mark.parametrize(
    ("left", "pause"),
    [
        (10_000, 1800),  # half of it, but it may fail on the way
        (1000, 500),  # half of it
        (3, 2),  # it may be there any moment
        (0, 2),
        (-60, 10),  # overdue: a sixth of that
        (-6000, 200),
    ],
)
def test_pause_by_what_is_left(left: float, pause: float) -> None:
    """Seconds until it is asked about again."""
    last = Rare("last")
    a = Rare("a")
    last.rests = (a,)
    happened = Walk(a, last, a=later(Pending("slow", left=left)))
    happened.run()
    assert [0.0, pause] == happened.times("a")


def test_work_on_another_resource_is_not_held_against_aws() -> None:
    """`b` takes ten minutes of this thread; `a`, of which a minute is the timeout, is not given up."""
    a, b = Room("a"), Room("b")
    happened = Walk(a, b, a=later(*[Pending("slow")] * 6))

    def push() -> str:
        happened.clock.advance(600)
        return "done"

    happened.script["b"] = push
    assert Outcome() == happened.run()
    assert ["b", "a"] == happened.ended()
    assert 600 < happened.times("a")[-1]


def test_hours_at_a_registrar_are_not_held_against_aws() -> None:
    """After twenty hours of waiting outside, a throttle has the whole bound before it."""
    hours = [Pending("registrar", outside=True)] * 1300
    happened = Walk(Seldom("a"), a=later(*hours, *[Pending("throttled")] * 8))
    assert Outcome() == happened.run()
    assert happened.clock.now() > 72_000


def test_outside_is_not_waited_for_with_wait_0() -> None:
    """Everything else is built first; what is left is told, and nobody slept for it."""
    a = Room("a")
    happened = Walk(
        *(a, Room("b"), Room("c", a)),
        a=never(Pending("registrar", outside=True)),
        b=later(Pending("slow")),
        wait=0,
    )
    outcome = happened.run()
    assert ["registrar"] == [why.reason for why in outcome.outside]
    assert [] == outcome.errors
    assert ["b"] == happened.ended()
    assert [] == happened.times("c")
    assert happened.clock.now() <= 1.0


def test_outside_is_waited_for_as_long_as_was_said() -> None:
    """To the second, though the line would be asked less often; and the bound of lines does not count."""
    happened = Walk(Room("a"), a=never(Pending("registrar", outside=True)), wait=99.5)
    assert ["registrar"] == [why.reason for why in happened.run().outside]
    assert 99.5 == happened.clock.now()


def test_outside_without_bound() -> None:
    """`wait=None`: it goes on until it is done."""
    happened = Walk(Room("a"), a=later(*[Pending("registrar", outside=True)] * 500))
    assert Outcome() == happened.run()
    assert happened.clock.now() > 900


def test_progress_elsewhere_begins_the_outside_wait_anew() -> None:
    """While AWS is at work the wait for the registrar costs nothing, so it is not counted."""
    happened = Walk(
        *(Room("a"), Room("b")),
        a=never(Pending("registrar", outside=True)),
        b=later(*[Pending("slow")] * 10),
        wait=5,
    )
    happened.run()
    assert happened.times("b")[-1] + 5 == pytest.approx(happened.clock.now(), abs=2)


def test_failure_takes_its_dependents_and_nobody_else() -> None:
    """`b` and `c` rest on what failed and are never begun; `d` waits and is done."""

    def fail() -> str:
        raise ProvisionError("what", "because", "then")

    a = Room("a")
    b = Room("b", a)
    happened = Walk(a, b, Room("c", b), Room("d"), a=fail, d=later(Pending("slow")))
    outcome = happened.run()
    assert ["because"] == [refusal.why for refusal in outcome.errors]
    assert ["d"] == happened.ended()
    assert {"a", "d"} == {key for key, _at in happened.steps}
    assert ("a", "failed", "because") in happened.told


def test_failure_beside_an_outside_wait_tells_both() -> None:
    """The run failed; what waits outside is still named."""

    def fail() -> str:
        raise ProvisionError("what", "because", "then")

    happened = Walk(
        Room("a"), Room("b"), a=fail, b=never(Pending("registrar", outside=True)), wait=0
    )
    outcome = happened.run()
    assert (1, 1) == (len(outcome.errors), len(outcome.outside))


def test_passable_lets_others_begin_before_it_is_done() -> None:
    """Its deletion goes on, but what it was built on may go already."""
    a = Room("a")
    draining = [Pending("draining"), *[Pending("going", passable=True)] * 5]
    happened = Walk(a, Room("b", a), a=later(*draining))
    assert Outcome() == happened.run()
    assert ["b", "a"] == happened.ended()
    assert happened.times("a")[1] == happened.times("b")[0]


class Last(Room):
    """Goes when what rests on it has gone for good."""

    deletion = Deletion(after_dependents=True)


def test_last_waits_for_the_end() -> None:
    """What is passable is not enough for it."""
    a = Room("a")
    happened = Walk(a, Last("b", a), a=later(*[Pending("going", passable=True)] * 3))
    happened.run()
    assert ["a", "b"] == happened.ended()


class Optional(Room):
    """The rest stands without it, too."""

    errors = Errors(fatal=False)


def test_optional_failure_is_a_note() -> None:
    """It is told, and the run has not failed."""

    def fail() -> str:
        raise ProvisionError("what", "because", "then")

    outcome = Walk(Optional("a"), Room("b"), a=fail).run()
    assert ([], ["because"]) == (outcome.errors, [note.why for note in outcome.notes])


def test_interrupt_arrives() -> None:
    """Ctrl-C in a step is nobody's to catch."""

    def interrupt() -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Walk(Room("a"), a=interrupt).run()
