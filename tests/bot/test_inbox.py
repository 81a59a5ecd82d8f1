"""At least once in, at most once out."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bot import inbox as inbox_module
from bot.counters import Counters
from bot.inbox import Inbox
from bot.line import Outcome


class Reply:
    """A reply that `gate` holds back; counts how often it was begun and how many run at once."""

    def __init__(self, outcome: Outcome | None = Outcome.TAKEN) -> None:
        self.outcome = outcome
        self.gate = threading.Event()
        self.begun: list[Any] = []
        self.running = self.most = 0
        self.given_up = 0
        self._lock = threading.Lock()

    def begin(self, event: Any) -> "Reply":
        self.begun.append(event)
        return self

    def advance(self, until: float) -> Outcome | None:
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
        try:
            in_time = self.gate.wait(max(0.0, min(until - time.monotonic(), 5)))
            return self.outcome if in_time else None
        finally:
            with self._lock:
                self.running -= 1

    def give_up(self) -> None:
        self.given_up += 1


@contextmanager
def inbox_of(reply: Reply) -> Iterator[Inbox]:
    """An inbox for such replies; in the end the gate is open."""
    inbox = Inbox(reply.begin, Counters())
    try:
        yield inbox
    finally:
        reply.gate.set()
        inbox.close()


def event(number: int = 0) -> dict[str, Any]:
    """An event with an id of its own."""
    return {"type": "message", "webhookEventId": f"id-{number}"}


def soon(seconds: float = 0.05) -> float:
    """A moment from now."""
    return time.monotonic() + seconds


def until(holds: Callable[[], bool]) -> None:
    """Wait until it holds, five seconds at most."""
    end = soon(5)
    while not holds():
        assert time.monotonic() < end
        threading.Event().wait(0.001)


def test_late_is_not_acknowledged_and_goes_on() -> None:
    """The second delivery waits for the first one's outcome and does not begin anew."""
    reply = Reply()
    with inbox_of(reply) as inbox:
        assert not inbox.take([event()], soon())
        assert not inbox.take([event()], soon())
        reply.gate.set()
        assert inbox.take([event()], soon(5))
        assert inbox.take([event()], soon())
    assert 1 == len(reply.begun)


def test_a_late_failure_is_begun_anew() -> None:
    """Once it is known; before that the second delivery waits."""
    reply = Reply(Outcome.FAILED)
    with inbox_of(reply) as inbox:
        assert not inbox.take([event()], soon())
        reply.gate.set()
        until(lambda: not inbox.take([event()], soon()) and len(reply.begun) > 1)


def test_events_of_one_request_side_by_side_and_bounded() -> None:
    """The first on the request's thread, a few beside it; all of them go on after the time is up."""
    reply = Reply()
    with inbox_of(reply) as inbox:
        assert not inbox.take([event(number) for number in range(100)], soon(0.2))
        assert 1 + inbox_module.LANES == reply.most
        reply.gate.set()
        assert inbox.take([event(number) for number in range(100)], soon(5))
    assert 100 == len(reply.begun)


def test_one_request_with_the_same_event_twice() -> None:
    """Answered once."""
    reply = Reply()
    reply.gate.set()
    with inbox_of(reply) as inbox:
        assert inbox.take([event(), event()], soon(5))
    assert 1 == len(reply.begun)


@pytest.mark.parametrize("key", [None, 7, "", "x" * 65, ["a"]])
def test_without_an_id_every_delivery_is_a_first_one(key: object) -> None:
    """Whatever is in its place; LINE's token is what stops the second."""
    reply = Reply()
    reply.gate.set()
    with inbox_of(reply) as inbox:
        for _ in range(2):
            assert inbox.take([{"webhookEventId": key}], soon(5))
    assert 2 == len(reply.begun)


def test_memory_is_bounded() -> None:
    """The oldest ids are forgotten."""
    reply = Reply()
    reply.gate.set()
    with inbox_of(reply) as inbox:
        for start in range(0, inbox_module.REMEMBERED + 1000, 1000):
            assert inbox.take([event(start + number) for number in range(1000)], soon(5))
        assert inbox.take([event(5000)], soon(5))
        assert inbox_module.REMEMBERED + 1000 == len(reply.begun)
        assert inbox.take([event(0)], soon(5))
        assert inbox_module.REMEMBERED + 1001 == len(reply.begun)


def test_too_much_that_is_late_is_left_to_redelivery() -> None:
    """It neither waits without end nor takes memory without end."""
    reply = Reply()
    with inbox_of(reply) as inbox:
        room = inbox_module.THREADS + inbox_module.WAITING
        number = 0
        while len(reply.begun) < room + 10:  # on a busy machine the time may be up before it begins
            assert not inbox.take([event(number)], time.monotonic() + 0.0005)
            number += 1
        assert 10 == reply.given_up
        assert not inbox.take([event(10**6), event(10**6 + 1)], soon())
        reply.gate.set()
        assert inbox.take([event(0)], soon(5))


def test_counters_tell_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """What was counted since the last line, and nothing where nothing was."""
    now = [0.0]
    counters = Counters(lambda: now[0])
    with caplog.at_level("INFO", "bot"):
        assert [1, 2] == [counters.count("taken") for _ in range(2)]
        counters.request(0.25)
        assert [] == caplog.records
        now[0] = 61.0
        counters.request(0.05)
        counters.tell()
    (record,) = caplog.records
    expected = {"taken": 2, "requests": 2, "seconds": 61, "slowest_ms": 250}
    assert expected == record.__dict__["counters"]
