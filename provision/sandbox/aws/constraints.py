"""Lengths, patterns, ranges and value sets of parameters, as each service's own model states them.

boto3 checks few of them before it calls; the services do. Source: botocore's service models (which are
AWS's), and the form of the message from the services' errors. Services are named in their own files.
"""

import functools
import re
from collections.abc import Iterator
from typing import Any

from provision.sandbox.aws.calls import AwsError, Call
from provision.sandbox.aws.cloud import Cloud

# Java's classes of characters as Python's; close enough for names and tags.
_JAVA = {r"\p{L}": r"\w", r"\p{Z}": r"\s", r"\p{N}": r"\d", r"\p{P}": r"!-/:-@\[-`{-~"}


def check(call: Call, code: str) -> None:
    """Raise the error for the parameters that break a constraint; `code` is the service's."""
    shape = call.model.input_shape if call.model else None
    broken = list(_broken(shape, call.params, "")) if shape else []
    if broken:
        count = "1 validation error" if len(broken) == 1 else f"{len(broken)} validation errors"
        raise AwsError(code, f"{count} detected: {'; '.join(broken)}", 400)


def constrains(code: str) -> Any:
    """Return a rule for every operation of a service that refuses with this code."""

    def rule(cloud: Cloud, call: Call) -> None:
        check(call, code)

    return rule


def _broken(shape: Any, value: Any, where: str) -> Iterator[str]:
    if value is None:
        return
    if shape.type_name == "structure" and isinstance(value, dict):
        for name, member in shape.members.items():
            inner = name[0].lower() + name[1:]
            yield from _broken(member, value.get(name), f"{where}.{inner}" if where else inner)
    elif shape.type_name == "list" and isinstance(value, list):
        yield from _unfit(shape, len(value), where, "length", value)
        for number, item in enumerate(value, 1):
            yield from _broken(shape.member, item, f"{where}.{number}.member")
    elif shape.type_name == "string" and isinstance(value, str):
        shown = "***" if shape.metadata.get("sensitive") else value
        yield from _unfit(shape, len(value), where, "length", shown)
        pattern = _pattern(shape.metadata.get("pattern"))
        if pattern is not None and not pattern.fullmatch(value):
            wanted = f"satisfy regular expression pattern: {shape.metadata['pattern']}"
            yield _words(shown, where, wanted)
        if shape.enum and value not in shape.enum:
            yield _words(shown, where, f"satisfy enum value set: [{', '.join(shape.enum)}]")
    elif shape.type_name in ("integer", "long") and isinstance(value, int):
        yield from _unfit(shape, value, where, "value", value)


def _unfit(shape: Any, size: int, where: str, what: str, shown: Any) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if high is not None and size > high:
        yield _words(shown, where, f"have {what} less than or equal to {high}")
    if low is not None and size < low:
        yield _words(shown, where, f"have {what} greater than or equal to {low}")


def _words(value: Any, where: str, constraint: str) -> str:
    return f"Value '{value}' at '{where}' failed to satisfy constraint: Member must {constraint}"


@functools.cache
def _pattern(text: str | None) -> re.Pattern[str] | None:
    for java, python in _JAVA.items():
        text = text.replace(java, python) if text else text
    try:
        return re.compile(text) if text else None
    except re.error:
        return None  # a class that Python has no name for
