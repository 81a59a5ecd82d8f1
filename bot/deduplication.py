"""Answer each event once, however often LINE delivers it.

A webhook is acknowledged only when each of its events is settled: answered, or beyond help. Otherwise LINE
delivers it again (if redelivery is switched on), and that meets the first delivery here by its
`webhookEventId`; in another task LINE's reply token, which works once, stops the second answer.
"""

import logging
import threading
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import Any

from bot.logs import place, reason

log = logging.getLogger(__name__)

REMEMBERED = 20_000  # events, some 4 MB: those of twenty minutes at 16 a second
WAITING = 500  # events that may wait for a thread
ID_LENGTH = 64  # a ULID has 26 characters


def event_id(event: Any) -> str:
    """Return the `webhookEventId`, which is the same at every delivery; empty if there is none."""
    value = event.get("webhookEventId") if isinstance(event, dict) else None
    return value if isinstance(value, str) and len(value) <= ID_LENGTH else ""


class Deduplication:
    """Answers events on threads of its own; `answer` returns whether the event is settled."""

    def __init__(self, answer: Callable[[Any], bool], threads: int = 64) -> None:
        self._answer = answer
        self._pool = ThreadPoolExecutor(threads, "answer")
        self._most = threads + WAITING
        self._running: dict[Hashable, Future[bool]] = {}
        self._settled: dict[Hashable, None] = {}  # the oldest first
        self._lock = threading.Lock()

    def settle(self, events: Sequence[Any], seconds: float) -> bool:
        """Answer the events; return whether all are settled in time. Those that are not go on."""
        started = [self._start(event) for event in events]
        futures = [future for future in started if isinstance(future, Future)]
        done = wait(futures, max(0.0, seconds)).done
        return all(started) and all(future in done and future.result() for future in futures)

    def _start(self, event: Any) -> Future[bool] | bool:
        """Return the answer to come; True if the event is settled; False if there is no room for it."""
        key = event_id(event) or object()
        with self._lock:
            if key in self._settled:
                return True
            if key not in self._running:
                if len(self._running) >= self._most:
                    return False
                run = copy_context().run  # so that the log has the request's id
                self._running[key] = self._pool.submit(run, self._run, key, event)
            return self._running[key]

    def _run(self, key: Hashable, event: Any) -> bool:
        try:
            settled = self._answer(event)
        except Exception as error:
            # Delivered again it would fail again, and all events of its request with it.
            log.error("an event failed", extra={"error": reason(error), "where": place(error)})
            settled = True
        with self._lock:
            del self._running[key]
            if settled and isinstance(key, str):
                self._settled[key] = None
                if len(self._settled) > REMEMBERED:
                    del self._settled[next(iter(self._settled))]
        return settled

    def close(self) -> None:
        """Wait for the answers that are on their way."""
        self._pool.shutdown()
