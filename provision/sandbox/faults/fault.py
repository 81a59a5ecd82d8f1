"""One fault: what fails, for which calls, how often."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from math import inf
from typing import Any

from provision.sandbox.aws.calls import Call
from provision.sandbox.aws.responses import is_operation

KINDS = ("throttle", "error", "latency", "reset", "lost", "timeout", "hold")
_MAX_SECONDS = 60.0  # real seconds: botocore's default read timeout


def _integer_from(minimum: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and value >= minimum


# The fields of a control request: a description of the valid values, and a check.
_FIELDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "kind": (f"one of {', '.join(KINDS)}", lambda value: value in KINDS),
    "service": ("a service as botocore names it; * and ? match", lambda v: isinstance(v, str)),
    "operation": ("an operation as botocore names it; * and ? match", lambda v: isinstance(v, str)),
    "region": ("a region; * and ? match", lambda v: isinstance(v, str)),
    "times": ("a whole number from 1 up", _integer_from(1)),
    "probability": ("above 0, up to 1", lambda v: type(v) in (int, float) and 0 < v <= 1),
    "seed": ("a whole number", _integer_from(0)),
    "mutating": ("true or false", lambda v: isinstance(v, bool)),
    "after": ("a whole number", _integer_from(0)),
    "when": ("before or after", lambda v: v in ("before", "after")),
    "seconds": ("a number from 0 up", lambda v: type(v) in (int, float) and 0 <= v < inf),
}


@dataclass(eq=False)
class Fault:
    """A fault to inject.

    throttle, error: the service's error; the call is not executed.
    latency: the call is executed `seconds` later.
    reset: the connection is closed without executing the call. lost: it is closed after executing the call.
    timeout: no response until the client gives up (`seconds` at most); executed if `when` is "after".
    hold: the call waits, before or after it is executed, until it is released, so that a test can stop its
    client at this point. Seconds are real time.

    It applies to calls whose service, operation and region match ("*", "Create*"), with `mutating` only to
    mutating ones, after the first `after` of them; then to `times` of them, or to each with a probability.
    """

    kind: str
    service: str = "*"
    operation: str = "*"
    region: str = "*"
    times: int | None = None  # None: once, or with a probability without limit
    probability: float = 1.0
    seed: int = 0
    mutating: bool = False
    after: int = 0
    when: str = "before"
    seconds: float = _MAX_SECONDS
    number: int = 0
    held: dict[str, Any] | None = None
    released: bool | None = None  # True: the call continues, False: it is dropped
    _seen: Counter[str] = field(default_factory=Counter, repr=False)

    def __post_init__(self) -> None:
        if self.times is None and self.probability == 1.0:
            self.times = 1

    def describe(self) -> dict[str, Any]:
        """Return the fault as JSON."""
        return {f.name: getattr(self, f.name) for f in fields(self) if not f.name.startswith("_")}

    def matches(self, call: Call) -> bool:
        """Return whether the fault applies to this call, and count it. Call it once per call."""
        if not (
            fnmatchcase(call.service, self.service)
            and fnmatchcase(call.operation, self.operation)
            and fnmatchcase(call.region, self.region)
            and (call.mutating or not self.mutating)
        ):
            return False
        name = f"{call.service}.{call.operation}"
        self._seen[name] += 1
        if self._seen.total() <= self.after or self.held or self.released is not None:
            return False
        # Seeded by the call, not by the order of calls, which varies with a client's threads.
        random_value = random.Random(f"{self.seed} {name} {self._seen[name]}").random()
        return random_value < self.probability


def parse_fault(params: dict[str, Any]) -> Fault:
    """Return the fault described by a control request's body. Raises ValueError."""
    for name, value in params.items():
        if name not in _FIELDS:
            raise ValueError(f"a fault has no {name!r}; it has {', '.join(_FIELDS)}")
        expected, is_valid = _FIELDS[name]
        if not is_valid(value):
            raise ValueError(f"{name} is {expected}, not {value!r}")
    if "kind" not in params:
        raise ValueError(f"kind is {_FIELDS['kind'][0]}")
    fault = Fault(**params)
    is_exact = not any(sign in fault.service + fault.operation for sign in "*?[")
    if is_exact and not is_operation(fault.service, fault.operation):
        raise ValueError(f"{fault.service} has no operation {fault.operation}")
    if fault.kind == "latency" and "seconds" not in params:
        raise ValueError("a latency has seconds")
    if fault.kind == "hold" and fault.times != 1:
        raise ValueError("a hold holds one call")
    return fault
