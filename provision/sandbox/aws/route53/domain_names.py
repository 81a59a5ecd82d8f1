"""Route 53: checks of domain names, and the words for their errors."""

import re

# Developer Guide, DNS domain name format: printable ASCII; anything else as \NNN (octal).
_LABEL = re.compile(r"(?:[!-\[\]-~]|\\[0-3][0-7][0-7])*")
_LONGEST_LABEL, _LONGEST_NAME = 63, 255


def problem_of(name: str) -> str:
    """Return what is wrong with a domain name, in Route 53's words; "" when nothing is."""
    name = name.removesuffix(".")
    labels = name.split(".")
    for kind, words, found in (
        ("DomainNameEmpty", "Domain name is empty", [name] if not name else []),
        ("DomainLabelEmpty", "Domain label is empty", [name] if "" in labels else []),
        (
            "DomainLabelTooLong",
            "Domain label is too long",
            [label for label in labels if len(label) > _LONGEST_LABEL],
        ),
        ("DomainNameTooLong", "Domain name is too long", [name] * (len(name) > _LONGEST_NAME)),
        (
            "UnsupportedCharacter",
            "Value contains unsupported characters",
            [_odd(label) for label in labels if not _LABEL.fullmatch(label)],
        ),
    ):
        if found:
            return f"FATAL problem: {kind} ({words}) encountered with '{found[0]}'"
    return ""


def _odd(label: str) -> str:
    """Return the first character of a label that is not allowed there."""
    return next((letter for letter in label if not "!" <= letter <= "~"), "\\")
