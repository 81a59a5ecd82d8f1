"""Print the findings of a tree of checks, for the commands verify and doctor."""

from collections.abc import Mapping, Sequence
from typing import Any

from provision.i18n import _, one_line
from provision.ui.text import columns, echo, listed, printable, width, wrap
from provision.verify.tree import Check, Finding

STATE_WIDTH = 8  # columns in front of a check's title: "  SKIP  "


def document(checks: Sequence[Check[Any]], findings: Mapping[str, Finding]) -> dict[str, Any]:
    """Return the document that --json prints: each check, and how many there are of each state."""
    states = [finding.state for finding in findings.values()]
    return {
        "checks": [
            {
                "key": check.key,
                "group": check.group,
                "title": check.title,
                "state": findings[check.key].state,
                "reason": findings[check.key].reason,
                "next": findings[check.key].then,
                "outside": findings[check.key].outside,
                "needs": list(check.needs),
            }
            for check in checks
        ],
        **{state.lower(): states.count(state) for state in ("OK", "NG", "SKIP")},
        "unknown": states.count(None),
    }


def failed(findings: Mapping[str, Finding]) -> list[Finding]:
    """Return the findings that are not as they should be, or could not be read."""
    return [finding for finding in findings.values() if finding.state in ("NG", None)]


def exit_status(findings: Mapping[str, Finding]) -> int:
    """Return 0 if nothing is wrong; 3 if only a person or another company has to act; otherwise 1."""
    wrong = failed(findings)
    return 0 if not wrong else 3 if all(finding.outside for finding in wrong) else 1


def headline(checks: Sequence[Check[Any]], findings: Mapping[str, Finding]) -> str:
    """Return the sentence that sums the findings up."""
    wrong = [check.title for check in checks if findings[check.key] in failed(findings)]
    if not wrong:
        return _("All is well.")
    return _("{count} to check: {titles}", count=len(wrong), titles=listed(wrong))


def show(
    checks: Sequence[Check[Any]],
    findings: Mapping[str, Finding],
    stream: Any,
    *,
    verbose: bool = True,
) -> None:
    """Print a heading per group, a line per check, and the next step where it is not OK.

    Not verbose: checks that are OK are not listed, nor those skipped without a next step of their own.
    """
    told: set[str] = set()  # next steps of skipped checks
    for group in dict.fromkeys(check.group for check in checks):
        members = [check for check in checks if check.group == group]
        states = {findings[check.key].state for check in members}
        worst = next((state for state in ("NG", None, "OK") if state in states), "SKIP")
        echo(group if verbose else f"{worst or '?':4}  {group}", stream)
        for check in members:
            finding = findings[check.key]
            if not verbose and (finding.state == "OK" or _is_told(finding, told)):
                continue
            reason = f": {finding.reason}" if finding.reason else ""
            _print_wrapped(f"  {finding.state or '?':4}  ", f"{check.title}{reason}", stream)
            if finding.then:
                _print_wrapped(f"{'':{STATE_WIDTH}}-> ", finding.then, stream)


def _is_told(finding: Finding, told: set[str]) -> bool:
    """Return whether a skipped check's next step, if any, is among those told; add it to them."""
    if finding.state != "SKIP":
        return False
    known = finding.then in ("", *told)
    told.add(finding.then)
    return known


def _print_wrapped(start: str, text: str, stream: Any) -> None:
    """Print a text; on a terminal wrapped to its width, with what continues it below its first word."""
    room = width() - columns(start)
    text = printable(one_line(text))
    lines = wrap(text, room) if stream.isatty() else [text]
    for number, line in enumerate(lines):
        echo(f"{'' if number else start:{len(start)}}{line}", stream)
