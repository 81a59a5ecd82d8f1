"""Route 53: checks of a record set's values by type."""

import ipaddress
import re
from typing import Any

from provision.sandbox.aws.behaviours import behaves
from provision.sandbox.aws.calls import AwsError
from provision.sandbox.aws.route53.domain_names import domain_name_problem

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_CAA = re.compile(r'(\d{1,3}) ([a-zA-Z0-9]+) "([^"]*)"')
_MX = re.compile(r"(\d{1,5}) (\S+)")
_CHOICE = "[AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId]"


@behaves("route53.alias-or-values")
def check_kind(action: str, params: dict[str, Any]) -> None:
    """Refuse a record set that has neither an alias target nor values, or both."""
    alias = "AliasTarget" in params
    plain = bool(params.get("ResourceRecords")) and params.get("TTL") is not None
    partly = bool(params.get("ResourceRecords")) or params.get("TTL") is not None
    if alias == plain or (alias and partly):
        found = "more than one" if alias else "none"
        raise AwsError(
            "InvalidInput",
            f"Invalid request: Expected exactly one of {_CHOICE}, but found {found} in Change with "
            f"[Action={action}, Name={params['Name']}, Type={params['Type']}, "
            f"SetIdentifier={params.get('SetIdentifier', 'null')}]",
        )


@behaves("route53.record-name", "route53.duplicate-value")
def record_set_problems(params: dict[str, Any]) -> list[str]:
    """Return the problems of a record set's name and values."""
    problems = [domain_name_problem(params["Name"])]
    values = [record["Value"] for record in params.get("ResourceRecords", [])]
    for value in values:
        problem = _value_problem(params["Type"], value)
        if problem:
            problems.append(
                f"Invalid Resource Record: 'FATAL problem: {problem} encountered with '{value}''"
            )
    duplicates = [value for index, value in enumerate(values) if value in values[:index]]
    problems += [f"Duplicate Resource Record: '{value}'" for value in duplicates]
    return [problem for problem in problems if problem]


@behaves("route53.address", "route53.mail-exchanger", "route53.caa-value")
def _value_problem(kind: str, value: str) -> str:
    match kind:
        case "A" if not _is_address(value, 4):
            return "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)"
        case "AAAA" if not _is_address(value, 6):
            return "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)"
        case "MX" if not _MX.fullmatch(value):
            return "MXRRDATANotTwoFields (Value should contain a priority and a domain name)"
        case "CAA" if not _CAA.fullmatch(value):
            return "CAARRDATANotThreeFields (Value should contain flags, a tag and a quoted value)"
        case "TXT" | "SPF":
            return _text_problem(value)
    return ""


@behaves("route53.text-in-quotation-marks", "route53.text-length")
def _text_problem(value: str) -> str:
    strings = _QUOTED.findall(value)
    if not strings or _QUOTED.sub("", value).strip():
        return "InvalidCharacterString (Value should be enclosed in quotation marks)"
    if any(len(string) > 255 for string in strings):
        return "CharacterStringTooLong (Value is too long)"
    return ""


def _is_address(value: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(value).version == version
    except ValueError:
        return False
