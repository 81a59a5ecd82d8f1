"""Injection of faults, by service and operation."""

import contextlib
import select
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

from provision.sandbox.aws.calls import Call
from provision.sandbox.faults.error_responses import internal_error, throttled
from provision.sandbox.faults.fault import Fault, parse_fault


class ConnectionDroppedError(ConnectionError):
    """The connection is closed without a response, by the WSGI server that catches this."""


class NoAnswerError(ConnectionDroppedError):
    """The connection stays open without a response until the client gives up, `seconds` (real) at most."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class Faults:
    """The faults to inject, oldest first; the first that matches a call is used."""

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self.sleep = sleep
        self._changed = threading.Condition()
        self._faults: dict[int, Fault] = {}
        self._count = 0

    def add(self, params: dict[str, Any]) -> Fault:
        """Add the fault described by a control request's body. Raises ValueError."""
        fault = parse_fault(params)
        with self._changed:
            self._count += 1
            fault.number = self._count
            self._faults[fault.number] = fault
        return fault

    def describe(self) -> list[dict[str, Any]]:
        """Return all faults as JSON, oldest first."""
        with self._changed:
            return [fault.describe() for fault in self._faults.values()]

    def clear(self, number: int | None = None) -> None:
        """Remove one fault, or all; a held call is dropped. Raises KeyError if there is no such fault."""
        with self._changed:
            for fault in list(self._faults.values()) if number is None else [self._find(number)]:
                del self._faults[fault.number]
            self._changed.notify_all()

    def next_for(self, call: Call) -> Fault | None:
        """Return the fault to inject into this call, and count it."""
        if not self._faults:
            return None
        with self._changed:
            matching = [fault for fault in self._faults.values() if fault.matches(call)]
            if not matching:
                return None
            fault = matching[0]
            if fault.times is not None:
                fault.times -= 1
                if not fault.times and fault.kind != "hold":
                    del self._faults[fault.number]
            return fault

    def inject(self, fault: Fault, call: Call, moment: str) -> None:
        """Inject the fault "before" or "after" the call is executed.

        Raises AwsError or ConnectionDroppedError.
        """
        message = f"{call.operation}: {fault.kind} by a fault"
        match fault.kind, moment:
            case "latency", "before":
                self.sleep(fault.seconds)
            case "error", "before":
                raise internal_error(call.service)
            case "throttle", "before":
                raise throttled(call.service)
            case ("reset", "before") | ("lost", "after"):
                raise ConnectionDroppedError(message)
            case "timeout", fault.when:
                raise NoAnswerError(message, fault.seconds)
            case "hold", fault.when:
                if not self._hold(fault, call):
                    raise ConnectionDroppedError(message)

    def _hold(self, fault: Fault, call: Call) -> bool:
        """Hold the call; return whether it may continue."""
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
        """Wait until this fault holds a call and return it; None after `seconds` or if the fault is removed.

        Raises KeyError if there is no such fault.
        """
        with self._changed:
            fault = self._find(number)
            self._changed.wait_for(lambda: fault.held or number not in self._faults, seconds)
            return fault.held

    def release(self, number: int, carry_on: bool) -> None:
        """Let the held call continue, or drop it.

        Raises KeyError if there is no such fault, ValueError if it holds no call.
        """
        with self._changed:
            fault = self._find(number)
            if fault.held is None:
                raise ValueError(f"fault {number} holds no call")
            fault.released = carry_on
            self._changed.notify_all()

    def _find(self, number: int) -> Fault:
        if number not in self._faults:
            raise KeyError(f"there is no fault {number}")
        return self._faults[number]


def close_connection(connection: socket.socket, dropped: ConnectionDroppedError) -> None:
    """Close the connection, which werkzeug would keep open; for NoAnswerError wait for the client first."""
    if isinstance(dropped, NoAnswerError):
        select.select([connection], [], [], dropped.seconds)
    with contextlib.suppress(OSError):  # the client closed it first
        connection.shutdown(socket.SHUT_RDWR)
