"""Keep the conversations and the webhooks, with request and response, for the page."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

LENGTH = 2_000  # entries


class Journal:
    """The last LENGTH entries, each with a number from 1 up and a time in epoch seconds. Thread-safe."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._entries: deque[dict[str, Any]] = deque(maxlen=LENGTH)
        self._count = 0
        self._lock = threading.Lock()

    def add(self, **entry: Any) -> None:
        """Add an entry."""
        with self._lock:
            self._count += 1
            self._entries.append({"number": self._count, "time": self._now(), **entry})

    def after(self, number: int, **wanted: Any) -> list[dict[str, Any]]:
        """Return the entries with a higher number that have these values, the oldest first."""
        with self._lock:
            entries = list(self._entries)
        return [
            entry
            for entry in entries
            if entry["number"] > number
            and all(entry.get(name) == value for name, value in wanted.items())
        ]
