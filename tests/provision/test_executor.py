"""The executor: order, passes, timeouts, and which steps a failure prevents."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from provision.engine.executor import Outcome, Step, execute
from provision.errors import Pending, ProvisionError
from provision.resources.base import Deletion, Errors, Polling, Resource
from provision.sandbox.clock import ManualClock

Script = dict[str, Callable[[], str]]  # what a step does when it is tried


class FakeResource(Resource):
    """A resource that has only a name."""

    # polled at most every two seconds
    polling = Polling(expected=30, timeout=60)

    def __init__(self, name: str, *needs: "FakeResource") -> None:
        self.logical_id, self.rests = name, needs

    def identity(self) -> str:
        """Return an empty identity."""
        return ""


class SlowlyPolled(FakeResource):
    """A resource that is polled every few minutes."""

    polling = replace(FakeResource.polling, interval=200)


class Execution:
    """One execution on its own clock, and the events it reported."""

    def __init__(
        self, *resources: FakeResource, wait: float | None = None, **script: Callable[[], str]
    ) -> None:
        self.clock = ManualClock(0.0)
        self.clock.step = 1e9
        self.steps: list[tuple[str, float]] = []
        self.events: list[tuple[str, str, str]] = []
        self.resources, self.script, self.wait = resources, script, wait

    def run(self) -> Outcome:
        """Run all steps."""
        steps = [
            Step(resource, [need.key for need in resource.rests]) for resource in self.resources
        ]
        return execute(steps, self._step, self.clock, self._tell, self.wait)

    def _step(self, resource: Resource) -> str:
        self.steps.append((resource.key, self.clock.now()))
        return self.script.get(resource.key, lambda: "done")()

    def _tell(self, event: str, resource: Resource, detail: str) -> None:
        self.events.append((resource.key, event, detail))

    def times(self, key: str) -> list[float]:
        """Return when this step was tried."""
        return [at for name, at in self.steps if name == key]

    def done_order(self) -> list[str]:
        """Return the steps in the order in which they were done."""
        return [key for key, event, _detail in self.events if event == "done"]


def done_after(*reasons: Pending) -> Callable[[], str]:
    """Return a step that raises each reason once, and is then done."""
    remaining: Iterator[Pending] = iter(reasons)

    def step() -> str:
        for reason in remaining:
            raise reason
        return "done"

    return step


def always_pending(reason: Pending) -> Callable[[], str]:
    """Return a step that is never done."""

    def step() -> str:
        raise reason

    return step


def test_steps_run_in_list_order_without_sleeping() -> None:
    """With nothing to wait for there is one pass, in list order, and every completion is reported."""
    a, b = FakeResource("a"), FakeResource("b")
    execution = Execution(a, b, FakeResource("c", a))
    assert Outcome() == execution.run()
    assert [("a", 0.0), ("b", 0.0), ("c", 0.0)] == execution.steps
    assert [("a", "done", ""), ("b", "done", ""), ("c", "done", "")] == execution.events


def test_dependency_later_in_the_list_runs_first() -> None:
    """A dependency comes before list order; the dependent step runs in the next pass, at once."""
    b = FakeResource("b")
    execution = Execution(FakeResource("a", b), b)
    execution.run()
    assert [("b", 0.0), ("a", 0.0)] == execution.steps


def test_dependency_outside_this_execution_is_ignored() -> None:
    """A step does not wait for a dependency that is not executed: a teardown covers only what is recorded."""
    execution = Execution(FakeResource("a", FakeResource("not here")))
    assert Outcome() == execution.run()


def test_pending_step_blocks_only_its_dependents() -> None:
    """`b` and `d` are done while `a` waits; `c` follows `a` at once."""
    a, b = FakeResource("a"), FakeResource("b")
    execution = Execution(
        a, b, FakeResource("c", a), FakeResource("d", b), a=done_after(*[Pending("slow")] * 3)
    )
    execution.run()
    assert ["b", "d", "a", "c"] == execution.done_order()
    assert [0.0] == execution.times("d")
    assert execution.times("a")[-1] == execution.times("c")[0]
    assert ("a", "waiting", "slow") in execution.events


def test_backoff_starts_short_and_is_bounded() -> None:
    """1 s, 1.5 s, then every two seconds (a fifteenth of the expected 30 s, at most ten)."""
    execution = Execution(FakeResource("a"), a=done_after(*[Pending("slow")] * 5))
    execution.run()
    assert [0.0, 1.0, 2.5, 4.5, 6.5, 8.5] == execution.times("a")


def test_timeout_ends_in_an_error() -> None:
    """The error names what was waited for, for how long, and the reason."""
    execution = Execution(FakeResource("a"), a=always_pending(Pending("no capacity")))
    outcome = execution.run()
    (refusal,) = outcome.errors
    assert "a" in refusal.what
    assert "no capacity" in refusal.why
    assert "60" in refusal.why or "61" in refusal.why
    assert 60 < execution.clock.now() < 63
    assert ("a", "failed", refusal.why) == execution.events[-1]


def test_timeout_of_pending_overrides_the_resources() -> None:
    """A Pending may set a shorter or longer timeout than the resource has."""
    execution = Execution(FakeResource("a"), a=always_pending(Pending("slow", timeout=5)))
    assert 1 == len(execution.run().errors)
    assert 5 < execution.clock.now() < 8


@pytest.mark.parametrize(
    ("timeout", "given_up"),
    [
        (1, 6.5),  # not before the fifth try
        (6, 6.5),
        (6.5, 8.5),  # a try exactly at the timeout is still allowed
    ],
)
def test_step_is_tried_at_least_five_times_before_timeout(timeout: Any, given_up: float) -> None:
    """Tries at 0, 1, 2.5, 4.5, 6.5, ...: it fails after the timeout, and not before the fifth try."""
    execution = Execution(FakeResource("a"), a=always_pending(Pending("slow", timeout=timeout)))
    assert 1 == len(execution.run().errors)
    assert given_up == execution.clock.now()


class Rare(FakeResource):
    """A resource that takes hours and is polled every few minutes; its deletion every half hour."""

    polling = Polling(expected=3000, timeout=100_000, interval=200, interval_far=1800)


@pytest.mark.parametrize(
    ("remaining", "pause"),
    [
        (10_000, 1800),  # half of it, but it may fail on the way
        (1000, 500),  # half of it
        (3, 2),  # it may be there any moment
        (0, 2),
        (-60, 10),  # overdue: a sixth of that
        (-6000, 200),
    ],
)
def test_poll_interval_depends_on_expected_time_left(remaining: float, pause: float) -> None:
    """The seconds until the next poll follow from the seconds the resource is expected to need."""
    last = Rare("last")
    a = Rare("a")
    last.rests = (a,)
    execution = Execution(a, last, a=done_after(Pending("slow", remaining=remaining)))
    execution.run()
    assert [0.0, pause] == execution.times("a")


def test_estimate_that_is_longer_than_the_timeout() -> None:
    """However far away the estimated end is, five tries are made before the timeout of 60 s."""
    execution = Execution(FakeResource("a"), a=always_pending(Pending("slow", remaining=1000.0)))
    execution.run()
    assert [0, 12, 24, 36, 48, 60, 72] == execution.times("a")


def test_work_on_another_resource_does_not_count_towards_timeout() -> None:
    """`b` takes ten minutes of this thread; `a`, with a timeout of a minute, does not time out."""
    a, b = FakeResource("a"), FakeResource("b")
    execution = Execution(a, b, a=done_after(*[Pending("slow")] * 6))

    def push() -> str:
        execution.clock.advance(600)
        return "done"

    execution.script["b"] = push
    assert Outcome() == execution.run()
    assert ["b", "a"] == execution.done_order()
    assert 600 < execution.times("a")[-1]


def test_external_wait_does_not_count_towards_timeout() -> None:
    """After twenty hours of waiting for the registrar, a throttled call still has the whole timeout."""
    hours = [Pending("registrar", outside=True)] * 1300
    execution = Execution(SlowlyPolled("a"), a=done_after(*hours, *[Pending("throttled")] * 8))
    assert Outcome() == execution.run()
    assert execution.clock.now() > 72_000


def test_external_step_is_not_waited_for_with_wait_0() -> None:
    """Everything else is done first; what is left is reported, without sleeping for it."""
    a = FakeResource("a")
    execution = Execution(
        *(a, FakeResource("b"), FakeResource("c", a)),
        a=always_pending(Pending("registrar", outside=True)),
        b=done_after(Pending("slow")),
        wait=0,
    )
    outcome = execution.run()
    assert ["registrar"] == [why.reason for why in outcome.outside]
    assert [] == outcome.errors
    assert ["b"] == execution.done_order()
    assert [] == execution.times("c")
    assert execution.clock.now() <= 1.0


def test_external_step_is_waited_for_exactly_as_long_as_wait() -> None:
    """The wait ends exactly on time, although polling is rarer; the step's own timeout does not apply."""
    execution = Execution(
        FakeResource("a"), a=always_pending(Pending("registrar", outside=True)), wait=99.5
    )
    assert ["registrar"] == [why.reason for why in execution.run().outside]
    assert 99.5 == execution.clock.now()


def test_external_step_is_waited_for_without_limit() -> None:
    """With `wait=None` the execution goes on until the step is done."""
    execution = Execution(
        FakeResource("a"), a=done_after(*[Pending("registrar", outside=True)] * 500)
    )
    assert Outcome() == execution.run()
    assert execution.clock.now() > 900


def test_progress_elsewhere_restarts_the_external_wait() -> None:
    """While AWS is at work, waiting for the registrar costs nothing, so it is not counted."""
    execution = Execution(
        *(FakeResource("a"), FakeResource("b")),
        a=always_pending(Pending("registrar", outside=True)),
        b=done_after(*[Pending("slow")] * 10),
        wait=5,
    )
    execution.run()
    assert execution.times("b")[-1] + 5 == pytest.approx(execution.clock.now(), abs=2)


def test_failure_prevents_only_its_dependents() -> None:
    """`b` and `c` depend on the failed step and are never tried; `d` waits and is done."""

    def fail() -> str:
        raise ProvisionError("what", "because", "then")

    a = FakeResource("a")
    b = FakeResource("b", a)
    execution = Execution(
        a, b, FakeResource("c", b), FakeResource("d"), a=fail, d=done_after(Pending("slow"))
    )
    outcome = execution.run()
    assert ["because"] == [refusal.why for refusal in outcome.errors]
    assert ["d"] == execution.done_order()
    assert {"a", "d"} == {key for key, _at in execution.steps}
    assert ("a", "failed", "because") in execution.events


def test_failure_and_external_wait_are_both_reported() -> None:
    """A failed execution still reports what is waiting outside."""

    def fail() -> str:
        raise ProvisionError("what", "because", "then")

    execution = Execution(
        FakeResource("a"),
        FakeResource("b"),
        a=fail,
        b=always_pending(Pending("registrar", outside=True)),
        wait=0,
    )
    outcome = execution.run()
    assert (1, 1) == (len(outcome.errors), len(outcome.outside))


def test_passable_pending_lets_dependents_begin() -> None:
    """While a deletion is still in progress, what the resource depended on may already be deleted."""
    a = FakeResource("a")
    draining = [Pending("draining"), *[Pending("going", dependents_may_start=True)] * 5]
    execution = Execution(a, FakeResource("b", a), a=done_after(*draining))
    assert Outcome() == execution.run()
    assert ["b", "a"] == execution.done_order()
    assert execution.times("a")[1] == execution.times("b")[0]


class Last(FakeResource):
    """A resource that is deleted only when its dependents are completely gone."""

    deletion = Deletion(after_dependents=True)


def test_deletion_after_dependents_waits_until_they_are_done() -> None:
    """A passable Pending is not enough with `after_dependents`."""
    a = FakeResource("a")
    execution = Execution(
        a, Last("b", a), a=done_after(*[Pending("going", dependents_may_start=True)] * 3)
    )
    execution.run()
    assert ["a", "b"] == execution.done_order()


class Optional(FakeResource):
    """A resource without which the rest still works."""

    errors = Errors(fatal=False)


def test_failure_of_optional_resource_is_a_note() -> None:
    """The failure is reported as a note, and the execution has not failed."""

    def fail() -> str:
        raise ProvisionError("what", "because", "then")

    outcome = Execution(Optional("a"), FakeResource("b"), a=fail).run()
    assert ([], ["because"]) == (outcome.errors, [note.why for note in outcome.notes])


def test_keyboard_interrupt_is_not_caught() -> None:
    """Ctrl-C during a step propagates."""

    def interrupt() -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Execution(FakeResource("a"), a=interrupt).run()


def test_service_that_says_when_to_come_back() -> None:
    """The next try comes exactly then; one that always says so fails after the timeout and five tries."""
    soon = Pending("busy", remaining=7.5, exact=True)
    execution = Execution(FakeResource("a"), a=done_after(soon, soon))
    assert Outcome() == execution.run()
    assert [0.0, 7.5, 15.0] == execution.times("a")
    later = Pending("busy", remaining=60.0, exact=True)
    execution = Execution(FakeResource("a"), a=always_pending(later))
    (error,) = execution.run().errors
    assert "after 240 s still: busy" == error.why
    assert [0.0, 60.0, 120.0, 180.0, 240.0] == execution.times("a")
