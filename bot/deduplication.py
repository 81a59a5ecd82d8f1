"""Answer each event once, however often LINE delivers it.

A webhook is acknowledged only when each of its events is settled: answered, or beyond help. LINE delivers
it again otherwise (if redelivery is switched on). A second delivery meets the first one here by its
`webhookEventId`; in another task LINE's reply token, which works once, stops the second answer.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from bot.logs import place, reason

log = logging.getLogger(__name__)

REMEMBERED = 20_000  # events, some 4 MB: what LINE sends in twenty minutes at 16 a second
WAITING = 500  # events that may wait for a thread
ID_LENGTH = 64  # a ULID has 26 characters


def event_id(event: Any) -> str:
    """Return the `webhookEventId`, which is the same at every delivery; empty if there is none."""
    value = event.get("webhookEventId") if isinstance(event, dict) else None
    return value if isinstance(value, str) and len(value) <= ID_LENGTH else ""


def _done(settled: bool) -> Future[bool]:
    future: Future[bool] = Future()
    future.set_result(settled)
    return future


_SETTLED, _NOT_SETTLED = _done(True), _done(False)


class Deduplication:
    """Answers events on threads of its own, so that a slow answer outlives its request.

    `answer` returns whether the event is settled; False: another delivery may succeed.
    """

    def __init__(self, answer: Callable[[Any], bool], threads: int = 64) -> None:
        self._answer = answer
        self._threads = ThreadPoolExecutor(threads, "answer")
        self._room = threading.Semaphore(threads + WAITING)
        self._events: dict[str, Future[bool]] = {}  # by webhookEventId, the oldest first
        self._lock = threading.Lock()

    def settle(self, events: Sequence[Any], seconds: float) -> bool:
        """Answer the events; return whether all are settled within so many seconds.

        Those that are not go on, and the next delivery finds out what became of them.
        """
        end = time.monotonic() + seconds
        futures = [self._future(event) for event in events]
        settled = True
        for future in futures:
            try:
                settled &= future.result(max(0.0, end - time.monotonic()))
            except TimeoutError:
                settled = False
        return settled

    def _future(self, event: Any) -> Future[bool]:
        key = event_id(event)
        if not key:
            return self._submit(event)
        with self._lock:
            known = self._events.get(key)
            if known is not None:
                return known
            future = self._submit(event)
            if future is not _NOT_SETTLED:
                if len(self._events) >= REMEMBERED:
                    del self._events[next(iter(self._events))]
                self._events[key] = future
        if future is not _NOT_SETTLED:
            future.add_done_callback(lambda done: self._remember(key, done))
        return future

    def _remember(self, key: str, future: Future[bool]) -> None:
        """Keep the id of a settled event; forget one that is not, for its next delivery."""
        with self._lock:
            if self._events.get(key) is future:
                if future.result():
                    self._events[key] = _SETTLED
                else:
                    del self._events[key]

    def _submit(self, event: Any) -> Future[bool]:
        if not self._room.acquire(blocking=False):
            return _NOT_SETTLED
        future = self._threads.submit(copy_context().run, self._run, event)
        future.add_done_callback(lambda _done: self._room.release())
        return future

    def _run(self, event: Any) -> bool:
        try:
            return self._answer(event)
        except Exception as error:
            # Delivered again it would fail again, and all events of its request with it.
            log.error("an event failed", extra={"error": reason(error), "where": place(error)})
            return True

    def close(self) -> None:
        """Wait for the answers that are on their way."""
        self._threads.shutdown()
