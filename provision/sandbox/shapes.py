"""What botocore's models say of parameters (lengths, ranges, patterns, enumerations), enforced.

botocore itself checks minima only before it sends; AWS checks all of it, and moto nearly nothing.
"""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from provision.sandbox.calls import Call, Refusal
from provision.sandbox.rules import before, behaves

if TYPE_CHECKING:
    from provision.sandbox.cloud import Cloud

# Java's classes of letters, digits and spaces; Python's re has none of them.
_CLASSES = {r"\p{L}": r"\w", r"\p{N}": r"\w", r"\p{Z}": " "}
_DEEPEST = 8  # rule actions nest four deep; some shapes of other operations contain themselves


@dataclass
class Limits:
    """One shape's limits and those of what is in it."""

    name: str
    low: int | None = None
    high: int | None = None
    pattern: str = ""
    enum: tuple[str, ...] = ()
    inside: dict[str, "Limits"] = field(default_factory=dict)
    item: "Limits | None" = None


@dataclass(frozen=True)
class Violation:
    """A value outside its limits; `kind` is low, high, pattern or enum."""

    path: str
    value: Any
    limits: Limits
    kind: str


@before("elbv2", "*")
@before("acm", "*")
@before("route53", "*")
def within_the_model(cloud: "Cloud", call: Call) -> None:
    """API references, constraints of each parameter."""
    limits = _limits(call.service, call.operation, call.model)
    found = list(violations(call.params, limits)) if limits else []
    if found:
        raise (_of_schema if call.service == "route53" else _of_members)(call.service, found)


@functools.cache
def _limits(service: str, operation: str, model: Any) -> Limits | None:
    return _read(model.input_shape, 0) if model.input_shape is not None else None


def _read(shape: Any, depth: int) -> Limits | None:
    """The limits of a shape; None where there are none in it at all."""
    given = shape.metadata
    limits = Limits(
        shape.name,
        given.get("min"),
        given.get("max"),
        given.get("pattern", ""),
        tuple(given.get("enum", ())),
    )
    if depth < _DEEPEST and shape.type_name == "structure":
        read = {name: _read(member, depth + 1) for name, member in shape.members.items()}
        limits.inside = {name: member for name, member in read.items() if member}
    elif depth < _DEEPEST and shape.type_name == "list":
        limits.item = _read(shape.member, depth + 1)
    own = (limits.low, limits.high, limits.pattern, limits.enum, limits.inside, limits.item)
    return limits if any(own) else None


def violations(value: Any, limits: Limits, path: str = "") -> Iterator[Violation]:
    """What is wrong with a value and everything in it."""
    if isinstance(value, dict):
        for name, inner in limits.inside.items():
            if value.get(name) is not None:
                key = name[0].lower() + name[1:]
                yield from violations(value[name], inner, f"{path}.{key}" if path else key)
        return
    size = len(value) if isinstance(value, str | list) else value
    for kind, wrong in (
        ("low", limits.low is not None and size < limits.low),
        ("high", limits.high is not None and size > limits.high),
        ("pattern", bool(limits.pattern) and not _matches(limits.pattern, value)),
        ("enum", bool(limits.enum) and value not in limits.enum),
    ):
        if wrong:
            yield Violation(path, value, limits, kind)
    if isinstance(value, list) and limits.item is not None:
        for place, member in enumerate(value, 1):
            yield from violations(member, limits.item, f"{path}.{place}.member")


def _matches(pattern: str, value: str) -> bool:
    for java, python in _CLASSES.items():
        pattern = pattern.replace(java, python)
    return re.fullmatch(pattern, value) is not None


@behaves(
    "elbv2.parameter-outside-its-limits",
    "numbers outside their range (health check interval 5-300 s, timeout 2-120 s, thresholds 2-10, "
    "priority 1-50000, port 1-65535) are refused",
    "ValidationError 400, '1 validation error detected: ...'",
    "Elastic Load Balancing API Reference, CreateTargetGroup, CreateRule; botocore model, elbv2",
)
@behaves(
    "acm.parameter-outside-its-alphabet",
    "domain names and idempotency tokens of other letters or lengths are refused",
    "ValidationException 400, '1 validation error detected: ...'",
    "ACM API Reference, RequestCertificate; botocore model, acm, DomainNameString",
)
def _of_members(service: str, found: list[Violation]) -> Refusal:
    """All violations in one error, as Coral services word them."""
    told = "; ".join(_sentence(violation) for violation in found)
    errors = "error" if len(found) == 1 else "errors"
    code = "ValidationError" if service == "elbv2" else "ValidationException"
    return Refusal(code, f"{len(found)} validation {errors} detected: {told}", 400)


def _sentence(violation: Violation) -> str:
    limits, value = violation.limits, violation.value
    measure = "length" if isinstance(value, str | list) else "value"
    constraint = {
        "low": f"Member must have {measure} greater than or equal to {limits.low}",
        "high": f"Member must have {measure} less than or equal to {limits.high}",
        "pattern": f"Member must satisfy regular expression pattern: {limits.pattern}",
        "enum": f"Member must satisfy enum value set: [{', '.join(limits.enum)}]",
    }[violation.kind]
    return f"Value '{value}' at '{violation.path}' failed to satisfy constraint: {constraint}"


@behaves(
    "route53.parameter-outside-its-schema",
    "a TTL above 2147483647, a caller reference above 128 letters, a comment above 256 are refused",
    "InvalidInput 400, 'Invalid XML ; cvc-...'",
    "Route 53 API Reference, ResourceRecordSet, CreateHostedZone; botocore model, route53",
)
def _of_schema(service: str, found: list[Violation]) -> Refusal:
    """The first violation, as Route 53's XML schema words it."""
    limits, value, kind = found[0].limits, found[0].value, found[0].kind
    if kind == "enum":
        facet = f"enumeration '[{', '.join(limits.enum)}]'. It must be a value from the enumeration"
        return Refusal(
            "InvalidInput",
            f"Invalid XML ; cvc-enumeration-valid: Value '{value}' is not facet-valid with respect "
            f"to {facet}.",
        )
    bound = limits.low if kind == "low" else limits.high
    sort = "Length" if isinstance(value, str | list) else "Inclusive"
    facet = ("min" if kind == "low" else "max") + sort if kind != "pattern" else "pattern"
    length = f" with length = '{len(value)}'" if isinstance(value, str | list) else ""
    return Refusal(
        "InvalidInput",
        f"Invalid XML ; cvc-{facet}-valid: Value '{value}'{length} is not facet-valid with respect "
        f"to {facet} '{limits.pattern if kind == 'pattern' else bound}' for type '{limits.name}'.",
    )
