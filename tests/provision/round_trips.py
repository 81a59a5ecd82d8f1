"""How many round trips long something is: calls that could be under way together are made to be."""

import threading

QUIET = 0.2  # real seconds without another call: whoever can ask has asked


class RoundTrips:
    """Holds every call until nobody else comes; all of these are one round trip."""

    def __init__(self) -> None:
        self._number = 0
        self._joined = 0
        self._changed = threading.Condition()

    def hold(self, operation: str) -> None:
        """One call: returns when its round trip begins."""
        with self._changed:
            mine, self._joined = self._number, self._joined + 1
            while self._number == mine:
                joined = self._joined
                self._changed.wait(QUIET)
                if self._number == mine and self._joined == joined:
                    self._number += 1
                    self._changed.notify_all()

    def taken(self) -> int:
        """How many there were since this was last asked."""
        with self._changed:
            taken, self._number = self._number, 0
        return taken
