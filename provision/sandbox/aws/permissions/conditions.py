"""Evaluation of the Condition element of a policy statement.

Sources: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Multivalued context
keys".
"""

import ipaddress
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from provision.sandbox.aws.permissions.patterns import (
    Context,
    as_list,
    as_text,
    matches,
    matches_arn,
)

Test = Callable[[str, str, Context], bool]  # (policy's value, request's value, context)


def _number(test: Callable[[float, float], bool]) -> Test:
    return lambda expected, actual, _: test(float(actual), float(expected))


def _date(test: Callable[[float, float], bool]) -> Test:
    return lambda expected, actual, _: test(_epoch(actual), _epoch(expected))


def _epoch(moment: str) -> float:
    try:
        return float(moment)
    except ValueError:
        parsed = datetime.fromisoformat(moment)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


def _address(expected: str, actual: str, _: Context) -> bool:
    return ipaddress.ip_address(actual) in ipaddress.ip_network(expected, strict=False)


def _string_equals(fold: bool) -> Test:
    """Return the test of StringEquals, which has variables but no wildcards."""

    def test(expected: str, actual: str, context: Context) -> bool:
        plain = expected.replace("${*}", "*").replace("${?}", "?")
        quoted = plain.replace("*", "${*}").replace("?", "${?}")
        return matches(quoted, actual, context, fold)

    return test


_ORDER: dict[str, Callable[[float, float], bool]] = {
    "Equals": lambda actual, expected: actual == expected,
    "LessThan": lambda actual, expected: actual < expected,
    "LessThanEquals": lambda actual, expected: actual <= expected,
    "GreaterThan": lambda actual, expected: actual > expected,
    "GreaterThanEquals": lambda actual, expected: actual >= expected,
}
_TESTS: dict[str, Test] = {
    "StringEquals": _string_equals(fold=False),
    "StringEqualsIgnoreCase": _string_equals(fold=True),
    "StringLike": matches,
    "ArnEquals": matches_arn,
    "ArnLike": matches_arn,
    "Bool": lambda expected, actual, _: expected.lower() == actual.lower(),
    "BinaryEquals": lambda expected, actual, _: expected == actual,
    "IpAddress": _address,
    **{f"Numeric{name}": _number(test) for name, test in _ORDER.items()},
    **{f"Date{name}": _date(test) for name, test in _ORDER.items()},
}
# Negated operators: true if no value matches, or the key is missing.
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
}


def conditions_match(conditions: dict[str, dict[str, Any]], context: Context) -> bool:
    """Return whether all operators match for all of their keys."""
    return all(
        _operator_matches(
            operator, key.lower(), [as_text(value) for value in as_list(expected)], context
        )
        for operator, keys in conditions.items()
        for key, expected in keys.items()
    )


def _operator_matches(operator: str, key: str, expected: list[str], context: Context) -> bool:
    quantifier, _, name = operator.rpartition(":")
    values = [as_text(value) for value in as_list(context[key])] if key in context else []
    if name == "Null":
        return any((value.lower() == "true") == (not values) for value in expected)
    if name.endswith("IfExists"):
        if not values:
            return True
        name = name.removesuffix("IfExists")
    negated = name in _NEGATED
    test = _TESTS.get(_NEGATED.get(name, name))
    if test is None:
        return False
    results = [
        any(_run_test(test, want, actual, context) for want in expected) for actual in values
    ]
    if quantifier == "ForAllValues":
        return all(result != negated for result in results)
    if quantifier == "ForAnyValue":
        return any(result != negated for result in results)
    return not any(results) if negated else any(results)


def _run_test(test: Test, expected: str, actual: str, context: Context) -> bool:
    """Return the test's result, False for a value that is no number, date or address."""
    try:
        return test(expected, actual, context)
    except ValueError:
        return False
