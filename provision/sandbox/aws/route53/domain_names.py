"""Route 53: checks of domain names."""

import re

# Developer Guide, DNS domain name format: printable ASCII; anything else as \NNN (octal).
_LABEL = re.compile(r"(?:[!-\[\]-~]|\\[0-3][0-7][0-7])*")
_MAX_LABEL, _MAX_NAME = 63, 255


def domain_name_problem(name: str) -> str:
    """Return Route 53's message about an invalid domain name; "" if it is valid."""
    name = name.removesuffix(".")
    labels = name.split(".")
    for kind, message, found in (
        ("DomainNameEmpty", "Domain name is empty", [name] if not name else []),
        ("DomainLabelEmpty", "Domain label is empty", [name] if "" in labels else []),
        (
            "DomainLabelTooLong",
            "Domain label is too long",
            [label for label in labels if len(label) > _MAX_LABEL],
        ),
        ("DomainNameTooLong", "Domain name is too long", [name] * (len(name) > _MAX_NAME)),
        (
            "UnsupportedCharacter",
            "Value contains unsupported characters",
            [_invalid_character(label) for label in labels if not _LABEL.fullmatch(label)],
        ),
    ):
        if found:
            return f"FATAL problem: {kind} ({message}) encountered with '{found[0]}'"
    return ""


def _invalid_character(label: str) -> str:
    """Return the first character of a label that is not allowed there."""
    return next((letter for letter in label if not "!" <= letter <= "~"), "\\")
