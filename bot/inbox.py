"""At least once in, at most once out.

A request is acknowledged only when each of its events has been answered, or cannot be any more; LINE
delivers the others again (where redelivery is switched on). An event that comes a second time meets
its first one here by its `webhookEventId`, and in another process LINE's reply token, which works
once: so nothing is answered twice, wherever this process is killed.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any, Protocol

from bot.counters import Counters
from bot.events import id_of, kind_of
from bot.line import Outcome

log = logging.getLogger(__name__)

LANES = 8  # events of one request that are answered side by side, beside the first
THREADS = 64  # for all such lanes, and for replies that are late
WAITING = 500  # pieces of work that may wait for one of them
LATE_SECONDS = 10.0  # how much longer a late reply is waited for
REMEMBERED = 20_000  # webhookEventIds, some 4 MB: what LINE sends in twenty minutes at 16 a second


class Work(Protocol):
    """An event's answer on its way: bot.line's Sending."""

    def advance(self, until: float) -> Outcome | None:
        """Go on until the outcome is known, at most until then (monotonic seconds)."""

    def give_up(self) -> None:
        """Nobody will advance it any more."""


# What an event wants: work, or nothing (None). Raises nothing.
Begin = Callable[[Any], Work | None]


class Entry:
    """One event, and whether it is settled: `outcome` None with `done` set: nothing to be said."""

    __slots__ = ("done", "event", "outcome")

    def __init__(self, event: Any) -> None:
        self.event = event
        self.outcome: Outcome | None = None
        self.done = threading.Event()


_SETTLED = Entry(None)
_SETTLED.done.set()


class Inbox:
    """Takes the events of requests. Shared by all threads."""

    def __init__(self, begin: Begin, counters: Counters) -> None:
        self._begin = begin
        self._counters = counters
        self._entries: dict[str, Entry] = {}  # the oldest first
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(THREADS, "inbox")
        self._room = threading.Semaphore(THREADS + WAITING)

    def take(self, events: Sequence[Any], until: float) -> bool:
        """Answer the events; True when by then (monotonic seconds) none is left that could be.

        What is not settled by then goes on, and is told to whoever brings the event again.
        """
        entries: list[Entry] = []
        own: deque[Entry] = deque()
        for event in events:
            entry, new = self._claim(event)
            entries.append(entry)
            if new:
                own.append(entry)
        # A single event, by far the most frequent, is answered on the request's own thread: handing
        # it to another one costs more than all else that is done here.
        lanes = min(LANES, len(own) - 1)
        lanes = sum(self._beside(partial(self._lane, own)) for _ in range(lanes))
        self._lane(own, until)
        while own and not lanes:
            self._settle(own.popleft(), Outcome.FAILED)  # no thread was free for them
        for entry in entries:
            entry.done.wait(max(0.0, until - time.monotonic()))
        return all(entry.done.is_set() and entry.outcome is not Outcome.FAILED for entry in entries)

    def _claim(self, event: Any) -> tuple[Entry, bool]:
        """The event's entry, and whether this request is the one to answer it."""
        key = id_of(event)
        if not key:
            return Entry(event), True
        with self._lock:
            known = self._entries.get(key)
            if known is not None:
                self._counters.count("duplicates")
                return known, False
            if len(self._entries) >= REMEMBERED:
                del self._entries[next(iter(self._entries))]
            entry = self._entries[key] = Entry(event)
        return entry, True

    def _lane(self, entries: deque[Entry], until: float = float("inf")) -> None:
        """Answer one after the other while there are any, and time."""
        while time.monotonic() < until:
            try:
                entry = entries.popleft()
            except IndexError:
                return
            work = self._begin(entry.event)
            if work is None:
                self._settle(entry, None)
                continue
            outcome = self._advance(work, min(until, time.monotonic() + LATE_SECONDS))
            if outcome is None and until != float("inf"):
                self._counters.count("late")
                late = partial(self._late, entry, work)
                outcome = None if self._beside(late) else self._abandoned(work)
            elif outcome is None:
                outcome = self._abandoned(work)
            if outcome is not None:
                self._settle(entry, outcome)

    def _late(self, entry: Entry, work: Work) -> None:
        """The request has been answered with an error; its reply goes on."""
        outcome = self._advance(work, time.monotonic() + LATE_SECONDS)
        self._settle(entry, outcome or self._abandoned(work))

    def _advance(self, work: Work, until: float) -> Outcome | None:
        try:
            return work.advance(until)
        except Exception as error:
            # The error's text may quote the person's message: only its kind goes into the log.
            log.error("an event failed", extra={"error": type(error).__name__})
            return Outcome.FAILED

    def _abandoned(self, work: Work) -> Outcome:
        work.give_up()
        return Outcome.FAILED

    def _settle(self, entry: Entry, outcome: Outcome | None) -> None:
        """From now on known. A failed one is forgotten, so that the next delivery is the first."""
        self._counters.count(outcome.value if outcome else "silent")
        log.info(
            "event",
            extra={
                "event": kind_of(entry.event),
                "replied": outcome is Outcome.TAKEN,
                "outcome": outcome.value if outcome else "silent",
            },
        )
        key = id_of(entry.event)
        with self._lock:
            if key and self._entries.get(key) is entry:
                if outcome is Outcome.FAILED:
                    del self._entries[key]
                else:
                    self._entries[key] = _SETTLED
        entry.outcome, entry.event = outcome, None
        entry.done.set()

    def _beside(self, task: Callable[[], None]) -> bool:
        """Have it done on another thread; False where too much waits for one already."""
        if not self._room.acquire(blocking=False):
            return False
        future = self._pool.submit(copy_context().run, task)
        future.add_done_callback(lambda _done: self._room.release())
        return True

    def close(self) -> None:
        """Wait for what goes on."""
        self._pool.shutdown()
