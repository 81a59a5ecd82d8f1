"""The Condition element of a policy's statement.

Sources: IAM User Guide, "IAM JSON policy elements: Condition operators" and "Multivalued context
keys".
"""

import ipaddress
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from provision.sandbox.aws.permissions.patterns import Context, fits, fits_arn, listed, text

Test = Callable[[str, str, Context], bool]  # the policy's value, the request's, the context


def _number(test: Callable[[float, float], bool]) -> Test:
    return lambda wanted, given, _: test(float(given), float(wanted))


def _date(test: Callable[[float, float], bool]) -> Test:
    return lambda wanted, given, _: test(_epoch(given), _epoch(wanted))


def _epoch(moment: str) -> float:
    try:
        return float(moment)
    except ValueError:
        there = datetime.fromisoformat(moment)
        return (there if there.tzinfo else there.replace(tzinfo=UTC)).timestamp()


def _address(wanted: str, given: str, _: Context) -> bool:
    return ipaddress.ip_address(given) in ipaddress.ip_network(wanted, strict=False)


def _exactly(fold: bool) -> Test:
    """Compare as StringEquals, which has variables but no wildcards."""

    def test(wanted: str, given: str, context: Context) -> bool:
        plain = wanted.replace("${*}", "*").replace("${?}", "?")
        quoted = plain.replace("*", "${*}").replace("?", "${?}")
        return fits(quoted, given, context, fold)

    return test


_ORDER: dict[str, Callable[[float, float], bool]] = {
    "Equals": lambda given, wanted: given == wanted,
    "LessThan": lambda given, wanted: given < wanted,
    "LessThanEquals": lambda given, wanted: given <= wanted,
    "GreaterThan": lambda given, wanted: given > wanted,
    "GreaterThanEquals": lambda given, wanted: given >= wanted,
}
_TESTS: dict[str, Test] = {
    "StringEquals": _exactly(fold=False),
    "StringEqualsIgnoreCase": _exactly(fold=True),
    "StringLike": fits,
    "ArnEquals": fits_arn,
    "ArnLike": fits_arn,
    "Bool": lambda wanted, given, _: wanted.lower() == given.lower(),
    "BinaryEquals": lambda wanted, given, _: wanted == given,
    "IpAddress": _address,
    **{f"Numeric{name}": _number(test) for name, test in _ORDER.items()},
    **{f"Date{name}": _date(test) for name, test in _ORDER.items()},
}
# The negated form of an operator: none of the values fits, and a key that is missing does not either.
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


def hold(conditions: dict[str, dict[str, Any]], context: Context) -> bool:
    """Return whether every operator holds for every one of its keys."""
    return all(
        _holds(operator, key.lower(), [text(value) for value in listed(wanted)], context)
        for operator, keys in conditions.items()
        for key, wanted in keys.items()
    )


def _holds(operator: str, key: str, wanted: list[str], context: Context) -> bool:
    quantifier, _, name = operator.rpartition(":")
    known = [text(value) for value in listed(context[key])] if key in context else []
    if name == "Null":
        return any((value.lower() == "true") == (not known) for value in wanted)
    if name.endswith("IfExists"):
        if not known:
            return True
        name = name.removesuffix("IfExists")
    negated = name in _NEGATED
    test = _TESTS.get(_NEGATED.get(name, name))
    if test is None:
        return False
    found = [any(_safely(test, want, given, context) for want in wanted) for given in known]
    if quantifier == "ForAllValues":
        return all(fit != negated for fit in found)
    if quantifier == "ForAnyValue":
        return any(fit != negated for fit in found)
    return not any(found) if negated else any(found)


def _safely(test: Test, wanted: str, given: str, context: Context) -> bool:
    """Return False for a value that is no number, date or address."""
    try:
        return test(wanted, given, context)
    except ValueError:
        return False
