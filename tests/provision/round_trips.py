"""Count round trips: calls that could run at the same time are made to do so."""

import threading

QUIET = 0.2  # real seconds without another call: all concurrent calls have arrived


class RoundTrips:
    """Holds every call until no other arrives; all calls released together are one round trip."""

    def __init__(self) -> None:
        self._number = 0
        self._joined = 0
        self._changed = threading.Condition()

    def hold(self, operation: str) -> None:
        """Block one call until its round trip begins."""
        with self._changed:
            mine, self._joined = self._number, self._joined + 1
            while self._number == mine:
                joined = self._joined
                self._changed.wait(QUIET)
                if self._number == mine and self._joined == joined:
                    self._number += 1
                    self._changed.notify_all()

    def take(self) -> int:
        """Return the number of round trips since the last time this was called."""
        with self._changed:
            take, self._number = self._number, 0
        return take
