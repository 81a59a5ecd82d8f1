"""Faults on demand: what a caller of AWS must survive, by service and operation."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from provision.sandbox.calls import Call, Refusal

KINDS = ("throttle", "error", "reset", "lost", "latency")

# How each service says "slow down" (each API reference, common errors); the rest say ThrottlingException.
_THROTTLED = {
    "ec2": ("RequestLimitExceeded", 503),
    "elbv2": ("Throttling", 400),
    "iam": ("Throttling", 400),
    "route53": ("Throttling", 400),
    "s3": ("SlowDown", 503),
}


class ConnectionDropped(ConnectionError):
    """The connection ends without an answer; WSGI servers close the socket when they see it."""


@dataclass
class Fault:
    """What goes wrong; "*" for every service or operation, `times` calls long.

    `lost`: the call is carried out and the connection ends instead of the answer.
    `latency`: the answer comes `seconds` (real time) later.
    """

    kind: str
    service: str = "*"
    operation: str = "*"
    times: int = 1
    seconds: float = 0.0

    def hits(self, call: Call) -> bool:
        return self.service in ("*", call.service) and self.operation in ("*", call.operation)


class Faults:
    """The faults that are still to happen, oldest first; several of them may hit one call."""

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self._sleep = sleep
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, given: dict[str, Any]) -> Fault:
        """The fault of a control request's body; ValueError or TypeError says what is wrong."""
        fault = Fault(**given)
        if fault.kind not in KINDS:
            raise ValueError(f"kind is one of {', '.join(KINDS)}")
        fault.times, fault.seconds = int(fault.times), float(fault.seconds)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def strike(self, call: Call) -> bool:
        """Let the first matching fault happen to this call; True: its answer is to be lost."""
        with self._lock:
            fault = next((fault for fault in self._faults if fault.hits(call)), None)
            if fault is None:
                return False
            fault.times -= 1
            if fault.times <= 0:
                self._faults.remove(fault)
        if fault.kind == "latency":
            self._sleep(fault.seconds)
        if fault.kind == "reset":
            raise ConnectionDropped(f"{call.operation}: connection reset by a fault")
        if fault.kind == "error":
            raise Refusal("InternalFailure", "An internal error has occurred.", 500)
        if fault.kind == "throttle":
            code, status = _THROTTLED.get(call.service, ("ThrottlingException", 400))
            raise Refusal(code, "Rate exceeded", status)
        return fault.kind == "lost"
