"""Faults on demand, by service and operation."""

import contextlib
import select
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from provision.sandbox.aws.calls import Call
from provision.sandbox.faults.error_responses import internal_error, throttled
from provision.sandbox.faults.fault import Fault, fault_of


class ConnectionDroppedError(ConnectionError):
    """The connection ends without an answer; WSGI servers close the socket when they see it."""


class NoAnswerError(ConnectionDroppedError):
    """The connection stays open without an answer, until the client gives up or `seconds` (real) are over."""

    def __init__(self, words: str, seconds: float) -> None:
        super().__init__(words)
        self.seconds = seconds


class Faults:
    """The faults that are still to happen, oldest first; the first that hits a call happens to it."""

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self.sleep = sleep
        self._changed = threading.Condition()
        self._faults: dict[int, Fault] = {}
        self._count = 0

    def add(self, given: dict[str, Any]) -> Fault:
        """Add the fault of a control request's body; ValueError says what is wrong with it."""
        fault = fault_of(given)
        with self._changed:
            self._count += 1
            fault.number = self._count
            self._faults[fault.number] = fault
        return fault

    def shown(self) -> list[dict[str, Any]]:
        """Return all of them, oldest first."""
        with self._changed:
            return [fault.shown() for fault in self._faults.values()]

    def clear(self, number: int | None = None) -> None:
        """Take back one, or all; a held call is dropped. KeyError: there is no such fault."""
        with self._changed:
            for fault in list(self._faults.values()) if number is None else [self._known(number)]:
                del self._faults[fault.number]
            self._changed.notify_all()

    def due(self, call: Call) -> Fault | None:
        """Return the fault that happens to this call, counted as happened."""
        if not self._faults:
            return None
        with self._changed:
            hitting = [fault for fault in self._faults.values() if fault.hits(call)]
            if not hitting:
                return None
            fault = hitting[0]
            if fault.times is not None:
                fault.times -= 1
                if not fault.times and fault.kind != "hold":
                    del self._faults[fault.number]
            return fault

    def strike(self, fault: Fault, call: Call, moment: str) -> None:
        """Let it happen, "before" or "after" the call is carried out. Raises what becomes of the call."""
        words = f"{call.operation}: {fault.kind} by a fault"
        match fault.kind, moment:
            case "latency", "before":
                self.sleep(fault.seconds)
            case "error", "before":
                raise internal_error(call.service)
            case "throttle", "before":
                raise throttled(call.service)
            case ("reset", "before") | ("lost", "after"):
                raise ConnectionDroppedError(words)
            case "timeout", fault.when:
                raise NoAnswerError(words, fault.seconds)
            case "hold", fault.when:
                if not self._hold(fault, call):
                    raise ConnectionDroppedError(words)

    def _hold(self, fault: Fault, call: Call) -> bool:
        """Return whether the held call may carry on."""
        with self._changed:
            fault.held = {"service": call.service, "operation": call.operation, "time": call.time}
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: fault.released is not None or fault.number not in self._faults,
                fault.seconds,
            )
            self._faults.pop(fault.number, None)
            self._changed.notify_all()
            return fault.released is True

    def reached(self, number: int, seconds: float) -> dict[str, Any] | None:
        """Wait for and return the call that this hold holds; None: not yet, or the fault was removed.

        KeyError: there is no such fault.
        """
        with self._changed:
            fault = self._known(number)
            self._changed.wait_for(lambda: fault.held or number not in self._faults, seconds)
            return fault.held

    def release(self, number: int, carry_on: bool) -> None:
        """Let go of the call that this hold holds.

        KeyError: there is no such fault; ValueError: it holds no call.
        """
        with self._changed:
            fault = self._known(number)
            if fault.held is None:
                raise ValueError(f"fault {number} holds no call")
            fault.released = carry_on
            self._changed.notify_all()

    def _known(self, number: int) -> Fault:
        if number not in self._faults:
            raise KeyError(f"there is no fault {number}")
        return self._faults[number]


def hang_up(connection: socket.socket, dropped: ConnectionDroppedError) -> None:
    """End the connection, which werkzeug would keep open; for NoAnswerError not before the client does."""
    if isinstance(dropped, NoAnswerError):
        select.select([connection], [], [], dropped.seconds)
    with contextlib.suppress(OSError):  # the client was faster
        connection.shutdown(socket.SHUT_RDWR)
