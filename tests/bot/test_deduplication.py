"""Each event is answered once, however often LINE delivers it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bot import deduplication
from bot.deduplication import Deduplication


class Answers:
    """Answers that `gate` holds back; notes the events and how many are answered at once."""

    def __init__(self, settled: bool = True) -> None:
        self.settled = settled
        self.gate = threading.Event()
        self.events: list[Any] = []

    def __call__(self, event: Any) -> bool:
        self.events.append(event)
        assert self.gate.wait(20)
        return self.settled


@contextmanager
def running(answer: Callable[[Any], bool], threads: int = 64) -> Iterator[Deduplication]:
    """A deduplication, whose answers are let go in the end."""
    events = Deduplication(answer, threads)
    try:
        yield events
    finally:
        if isinstance(answer, Answers):
            answer.gate.set()
        events.close()


def event(number: int = 0) -> dict[str, Any]:
    """An event with an id of its own."""
    return {"type": "message", "webhookEventId": f"id-{number}"}


def test_a_late_answer_is_not_acknowledged_and_goes_on() -> None:
    """The second delivery waits for the first one and does not start another."""
    answers = Answers()
    with running(answers) as events:
        assert not events.settle([event()], 0.0)
        assert not events.settle([event()], 0.0)
        answers.gate.set()
        assert events.settle([event()], 20)
        assert events.settle([event()], 0.0)
    assert 1 == len(answers.events)


def test_what_failed_is_answered_at_the_next_delivery() -> None:
    """A failed event is forgotten."""
    answers = Answers(settled=False)
    answers.gate.set()
    with running(answers) as events:
        assert not events.settle([event()], 20)
        answers.settled = True
        while not events.settle([event()], 20):  # until the first is forgotten
            pass
    assert 2 == len(answers.events)


def test_the_events_of_a_request_are_answered_in_parallel() -> None:
    """As many at a time as there are threads."""
    together = threading.Barrier(9)

    def answer(_event: Any) -> bool:
        together.wait(20)
        return True

    with running(answer, 9) as events:
        assert events.settle([event(number) for number in range(9)], 20)


def test_one_request_with_the_same_event_twice() -> None:
    """Answered once."""
    answers = Answers()
    answers.gate.set()
    with running(answers) as events:
        assert events.settle([event(), event()], 20)
    assert 1 == len(answers.events)


@pytest.mark.parametrize("key", [None, 7, "", "x" * 65, ["a"]])
def test_without_an_id_every_delivery_is_a_first_one(key: object) -> None:
    """LINE's reply token stops the second answer."""
    answers = Answers()
    answers.gate.set()
    with running(answers) as events:
        for _ in range(2):
            assert events.settle([{"webhookEventId": key}], 20)
    assert 2 == len(answers.events)


def test_memory_is_bounded() -> None:
    """The oldest ids are forgotten."""
    answers = Answers()
    answers.gate.set()
    kept = deduplication.REMEMBERED
    with running(answers) as events:
        for start in range(0, kept + 100, 100):
            assert events.settle([event(start + number) for number in range(100)], 20)
        assert events.settle([event(5000)], 20)
        assert kept + 100 == len(answers.events)
        assert events.settle([event(0)], 20)
        assert kept + 101 == len(answers.events)


def test_too_many_slow_answers_are_left_to_redelivery() -> None:
    """They take neither memory nor threads without end, and are answered later."""
    answers = Answers()
    with running(answers, 2) as events:
        room = 2 + deduplication.WAITING
        assert not events.settle([event(number) for number in range(room + 10)], 0.0)
        answers.gate.set()
        assert events.settle([event(number) for number in range(room)], 20)
        assert room == len(answers.events)
        assert events.settle([event(room)], 20)


def test_an_unexpected_error_settles_the_event(caplog: pytest.LogCaptureFixture) -> None:
    """Delivered again it would fail again, with all events beside it; the log says where it was."""

    def answer(event: Any) -> bool:
        if event["webhookEventId"] == "id-1":
            raise RuntimeError("what a person wrote")
        return True

    with running(answer) as events:
        assert events.settle([event(0), event(1)], 20)
    (record,) = caplog.records
    assert "RuntimeError" == record.__dict__["error"]
    assert "deduplication.py:" == record.__dict__["where"][:17]
    assert "wrote" not in caplog.text
