"""What has happened, counted, and told in the log about once a minute."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable

log = logging.getLogger(__name__)

EVERY_SECONDS = 60.0


class Counters:
    """Counts by name since the last line in the log. Shared by all threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counted: Counter[str] = Counter()
        self._slowest = 0.0
        self._since = clock()
        self._lock = threading.Lock()

    def count(self, name: str) -> int:
        """One more of these; how many since the last line."""
        with self._lock:
            self._counted[name] += 1
            return self._counted[name]

    def request(self, seconds: float) -> None:
        """A request has been answered, in so many seconds; it may be time for a line."""
        with self._lock:
            self._counted["requests"] += 1
            self._slowest = max(self._slowest, seconds)
            due = self._clock() - self._since >= EVERY_SECONDS
        if due:
            self.tell()

    def tell(self) -> None:
        """A line with what was counted, if anything was; then from zero."""
        with self._lock:
            counted, self._counted = dict(self._counted), Counter()
            slowest, self._slowest = self._slowest, 0.0
            now = self._clock()
            seconds, self._since = now - self._since, now
        if counted:
            counted |= {"seconds": round(seconds), "slowest_ms": round(slowest * 1000)}
            log.info("counters", extra={"counters": counted})
