"""Reads are retried: how often, and with which pauses."""

import pytest

from provision import retries
from provision.errors import Pending, ProvisionError
from provision.sandbox.clock import ManualClock


class Question:
    """A function that raises Pending so many times before it answers, and notes when it was called."""

    def __init__(self, clock: ManualClock, not_yet: int) -> None:
        self.clock, self.left, self.times = clock, not_yet, list[float]()

    def __call__(self) -> str:
        self.times.append(self.clock.now())
        self.left -= 1
        if self.left >= 0:
            raise Pending(f"{self.left} more")
        return "answer"


def test_ten_tries_with_growing_pauses() -> None:
    """The answer to the tenth try counts; after that the last Pending is returned."""
    clock = ManualClock(0.0)
    clock.step = 1e9
    at_once, in_time, too_late = (Question(clock, not_yet) for not_yet in (0, 9, 10))
    found, unanswered = retries.call_all({"a": at_once, "b": in_time, "c": too_late}, clock)
    assert {"a": "answer", "b": "answer"} == found
    assert {"c": "0 more"} == {key: why.reason for key, why in unanswered.items()}
    pauses = [
        0.75,
        1.125,
        1.6875,
        2.53125,
        3.796875,
        5.6953125,
        8.54296875,
        12.814453125,
        19.2216796875,
    ]
    assert [sum(pauses[:count]) for count in range(10)] == in_time.times == too_late.times
    assert [0.0] == at_once.times


def test_error_is_not_retried() -> None:
    """An error ends the retries."""

    def refused() -> str:
        raise ProvisionError("what", "why", "then")

    clock = ManualClock(0.0)
    with pytest.raises(ProvisionError):
        retries.call_all({"a": refused}, clock)
    assert 0.0 == clock.now()


def test_service_asks_to_wait_longer() -> None:
    """The pause is at least the one asked for; a shorter one does not shorten the backoff."""
    clock = ManualClock(0.0)
    clock.step = 1e9
    times: list[float] = []

    def busy() -> str:
        times.append(clock.now())
        if len(times) == 4:
            return "answer"
        raise Pending("busy", remaining=(30.0, 0.1, None)[len(times) - 1], exact=True)

    assert {"a": "answer"} == retries.call_all({"a": busy}, clock)[0]
    assert [0.0, 30.0, 31.125, 32.8125] == times
