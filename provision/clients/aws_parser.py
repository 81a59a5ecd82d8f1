"""Check AWS's answers: botocore's parsers return some members with whatever type they have."""

from datetime import datetime
from typing import Any

from botocore.parsers import ResponseParserError, create_parser

# Python's types of botocore's; a "blob" is bytes or a stream.
TYPES: dict[str, type | tuple[type, ...]] = {
    "structure": dict,
    "map": dict,
    "list": list,
    "string": str,
    "character": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "timestamp": datetime,
}


class CheckedParsers:
    """Make parsers that raise ResponseParserError for every answer that is not as the service describes it.

    botocore's own raise it for an answer that is no JSON or XML, and errors of all kinds for others.
    """

    def create_parser(self, protocol: str) -> "CheckedParser":
        """Return the parser of a protocol, as botocore calls for it."""
        return CheckedParser(create_parser(protocol))


class CheckedParser:
    """A parser of botocore's, and a check of the types in what it returns."""

    def __init__(self, parser: Any) -> None:
        self._parser = parser

    def parse(self, response: dict[str, Any], shape: Any) -> dict[str, Any]:
        """Return the answer. Raise ResponseParserError."""
        try:
            parsed: dict[str, Any] = self._parser.parse(response, shape)
            if shape is not None:
                _check(parsed, shape)
        except ResponseParserError:
            raise
        except Exception as error:
            raise ResponseParserError(f"{type(error).__name__}: {error}") from error
        return parsed


def _check(value: Any, shape: Any) -> None:
    """Raise TypeError if a value has not its shape's type. Members may be missing."""
    if getattr(shape, "is_document_type", False) or shape.serialization.get("jsonvalue"):
        return
    expected: Any = TYPES.get(shape.type_name, object)
    is_flag = isinstance(value, bool)  # which Python counts among the integers
    if not isinstance(value, expected) or (is_flag and expected not in (bool, object)):
        raise TypeError(f"{shape.name} is {type(value).__name__}")
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            if name in value:
                _check(value[name], member)
    elif shape.type_name == "list":
        for item in value:
            _check(item, shape.member)
    elif shape.type_name == "map":
        for item in value.values():
            _check(item, shape.value)
