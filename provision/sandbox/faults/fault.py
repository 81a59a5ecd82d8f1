"""One fault: what fails, for which calls, how often."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any

from provision.sandbox.aws.calls import Call
from provision.sandbox.aws.responses import is_operation

KINDS = ("throttle", "error", "latency", "reset", "lost", "timeout", "hold")
_LONGEST = 60.0  # seconds (real) that a client is kept waiting; botocore's own read timeout


def _whole(least: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and value >= least


# What a control request may give: what is expected, and whether a value is that.
_GIVEN: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "kind": (f"one of {', '.join(KINDS)}", lambda value: value in KINDS),
    "service": ("a service as botocore names it; * and ? match", lambda v: isinstance(v, str)),
    "operation": ("an operation as botocore names it; * and ? match", lambda v: isinstance(v, str)),
    "region": ("a region; * and ? match", lambda v: isinstance(v, str)),
    "times": ("a whole number from 1 up", _whole(1)),
    "probability": ("above 0, up to 1", lambda v: type(v) in (int, float) and 0 < v <= 1),
    "seed": ("a whole number", _whole(0)),
    "mutating": ("true or false", lambda v: isinstance(v, bool)),
    "after": ("a whole number", _whole(0)),
    "when": ("before or after", lambda v: v in ("before", "after")),
    "seconds": ("a number from 0 up", lambda v: type(v) in (int, float) and v >= 0),
}


@dataclass(eq=False)
class Fault:
    """What goes wrong.

    throttle, error: AWS says so, in the service's words, and nothing is carried out.
    latency: the call is carried out `seconds` later.
    reset: the connection ends and nothing is carried out. lost: it is, and the connection ends.
    timeout: no answer until the client gives up (`seconds` at most); carried out when `when` is "after".
    hold: the call waits, before or after it is carried out, until it is released: so a test knows that
    its client is just there, and may kill it. Seconds are real ones.

    It hits calls whose service, operation and region match ("*", "Create*"), if `mutating` only those that
    change something, letting the first `after` of them pass; then `times` of them, or each with a
    probability.
    """

    kind: str
    service: str = "*"
    operation: str = "*"
    region: str = "*"
    times: int | None = None  # None: once; with a probability: without end
    probability: float = 1.0
    seed: int = 0
    mutating: bool = False
    after: int = 0
    when: str = "before"
    seconds: float = _LONGEST
    number: int = 0
    held: dict[str, Any] | None = None
    released: bool | None = None  # True: let it carry on
    _seen: Counter[str] = field(default_factory=Counter, repr=False)

    def __post_init__(self) -> None:
        if self.times is None and self.probability == 1.0:
            self.times = 1

    def shown(self) -> dict[str, Any]:
        """Return the fault as the control surface shows it."""
        return {f.name: getattr(self, f.name) for f in fields(self) if not f.name.startswith("_")}

    def hits(self, call: Call) -> bool:
        """Return whether it happens to this call; to be asked once a call."""
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
        # By the call, not by the order of calls: threads of a client take turns as they like.
        drawn = random.Random(f"{self.seed} {name} {self._seen[name]}").random()
        return drawn < self.probability


def fault_of(given: dict[str, Any]) -> Fault:
    """Return the fault of a control request's body; ValueError says what is wrong with it."""
    for name, value in given.items():
        if name not in _GIVEN:
            raise ValueError(f"a fault has no {name!r}; it has {', '.join(_GIVEN)}")
        expected, is_so = _GIVEN[name]
        if not is_so(value):
            raise ValueError(f"{name} is {expected}, not {value!r}")
    if "kind" not in given:
        raise ValueError(f"kind is {_GIVEN['kind'][0]}")
    fault = Fault(**given)
    plain = not any(sign in fault.service + fault.operation for sign in "*?[")
    if plain and not is_operation(fault.service, fault.operation):
        raise ValueError(f"{fault.service} has no operation {fault.operation}")
    if fault.kind == "latency" and "seconds" not in given:
        raise ValueError("a latency has seconds")
    if fault.kind == "hold" and fault.times != 1:
        raise ValueError("a hold holds one call")
    return fault
