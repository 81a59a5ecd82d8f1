"""Give botocore's errors about unreadable answers one type."""

from typing import Any

from botocore.parsers import ResponseParserError, create_parser


class ParserFactory:
    """Create botocore's parsers with ResponseParserError as their only error.

    They raise it for an answer that is not JSON or XML, and for one that lacks a member or is nested too
    deeply KeyError, AttributeError, RecursionError and others.
    """

    def create_parser(self, protocol: str) -> "Parser":
        """Return the parser of a protocol. botocore calls this."""
        return Parser(create_parser(protocol))


class Parser:
    """A parser of botocore's."""

    def __init__(self, parser: Any) -> None:
        self._parser = parser

    def parse(self, response: dict[str, Any], shape: Any) -> Any:
        """Return the answer. Raise ResponseParserError."""
        try:
            return self._parser.parse(response, shape)
        except ResponseParserError:
            raise
        except Exception as error:
            raise ResponseParserError(f"{type(error).__name__}: {error}") from error
