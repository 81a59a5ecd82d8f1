"""Patterns in policies: wildcards, policy variables, and single values or lists.

Source: IAM User Guide, "IAM JSON policy elements: Action", "Resource" and "Variables and tags".
"""

import re
from collections.abc import Mapping
from typing import Any

_PART = re.compile(r"\$\{(?P<name>[^},]+)(?:,\s*'(?P<default>[^']*)')?\}|(?P<wild>[*?])")
_COLON = re.compile(r":(?![^{]*\})")  # not those inside ${aws:username}
_LITERAL = {"*", "?", "$"}  # ${*} stands for an asterisk
Context = Mapping[str, Any]  # condition keys in lower case -> one value or a list


def as_list(value: Any) -> list[Any]:
    """Return the value as a list; in policies a single value needs none."""
    return value if isinstance(value, list) else [value]


def as_text(value: Any) -> str:
    """Return a condition's value as text: "true", "5", or itself."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def matches(pattern: str, value: str, context: Context | None = None, fold: bool = False) -> bool:
    """Return whether the value matches the pattern; with a context, variables are replaced by its values.

    A variable with no value, or with several, matches nothing.
    """
    if pattern == "*":
        return True
    expression, end = "", 0
    for part in _PART.finditer(pattern):
        expression += re.escape(pattern[end : part.start()])
        end = part.end()
        if part["wild"]:
            expression += ".*" if part["wild"] == "*" else "."
            continue
        known = _variable(part, context)
        if known is None:
            return False
        expression += re.escape(known)
    expression += re.escape(pattern[end:])
    flags = re.DOTALL | (re.IGNORECASE if fold else 0)
    return re.fullmatch(expression, value, flags) is not None


def _variable(part: re.Match[str], context: Context | None) -> str | None:
    name = part["name"]
    if context is None:
        return part[0]
    if name in _LITERAL:
        return name
    value = context.get(name.lower(), part["default"])
    return value if isinstance(value, str) else None


def matches_arn(pattern: str, value: str, context: Context | None = None) -> bool:
    """Match as ArnLike, each of an ARN's six parts by itself; a wildcard crosses no colon but the last's."""
    patterns, values = _COLON.split(pattern, maxsplit=5), value.split(":", 5)
    if pattern == "*":
        return True
    return len(patterns) == len(values) and all(
        matches(part, given, context) for part, given in zip(patterns, values, strict=True)
    )
