"""Lengths, patterns, ranges and value sets of parameters, as each service's own model states them.

boto3 checks few of them before a call. Source: botocore's service models (which are AWS's); the form of the
message is from the services' errors. Each service registers the rule in its own files.
"""

import functools
import re
from collections.abc import Iterator
from typing import Any

from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud

# Java's character classes -> approximations in Python.
_JAVA = {r"\p{L}": r"\w", r"\p{Z}": r"\s", r"\p{N}": r"\d", r"\p{P}": r"!-/:-@\[-`{-~"}


def check(call: Call, code: str) -> None:
    """Raise an error with this code if parameters violate constraints."""
    shape = call.model.input_shape if call.model else None
    violations = list(_violations(shape, call.params, "")) if shape else []
    if violations:
        count = (
            "1 validation error" if len(violations) == 1 else f"{len(violations)} validation errors"
        )
        raise AwsError(code, f"{count} detected: {'; '.join(violations)}", 400)


def constraint_rule(code: str) -> Any:
    """Return a rule that checks the constraints of every operation, with the service's error code."""

    def rule(cloud: Cloud, call: Call) -> None:
        check(call, code)

    return rule


def _violations(shape: Any, value: Any, path: str) -> Iterator[str]:
    if value is None:
        return
    if shape.type_name == "structure" and isinstance(value, dict):
        for name, member in shape.members.items():
            member_path = name[0].lower() + name[1:]
            yield from _violations(
                member, value.get(name), f"{path}.{member_path}" if path else member_path
            )
    elif shape.type_name == "list" and isinstance(value, list):
        yield from _size_violations(shape, len(value), path, "length", value)
        for number, item in enumerate(value, 1):
            yield from _violations(shape.member, item, f"{path}.{number}.member")
    elif shape.type_name == "string" and isinstance(value, str):
        shown = "***" if shape.metadata.get("sensitive") else value
        yield from _size_violations(shape, len(value), path, "length", shown)
        pattern = _pattern(shape.metadata.get("pattern"))
        if pattern is not None and not pattern.fullmatch(value):
            wanted = f"satisfy regular expression pattern: {shape.metadata['pattern']}"
            yield _violation(shown, path, wanted)
        if shape.enum and value not in shape.enum:
            yield _violation(shown, path, f"satisfy enum value set: [{', '.join(shape.enum)}]")
    elif shape.type_name in ("integer", "long") and isinstance(value, int):
        yield from _size_violations(shape, value, path, "value", value)


def _size_violations(shape: Any, size: int, path: str, kind: str, shown: Any) -> Iterator[str]:
    minimum, maximum = shape.metadata.get("min"), shape.metadata.get("max")
    if maximum is not None and size > maximum:
        yield _violation(shown, path, f"have {kind} less than or equal to {maximum}")
    if minimum is not None and size < minimum:
        yield _violation(shown, path, f"have {kind} greater than or equal to {minimum}")


def _violation(value: Any, path: str, constraint: str) -> str:
    return f"Value '{value}' at '{path}' failed to satisfy constraint: Member must {constraint}"


@functools.cache
def _pattern(text: str | None) -> re.Pattern[str] | None:
    for java, python in _JAVA.items():
        text = text.replace(java, python) if text else text
    try:
        return re.compile(text) if text else None
    except re.error:
        return None  # a character class that Python does not have
