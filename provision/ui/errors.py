"""Show an error so that it is recognised as one: the word Error, in red, and one next step."""

import os
import sys

from provision.errors import Cancelled, ProvisionError, WaitingOnExternal
from provision.i18n import _
from provision.ui.text import columns, printable, width, wrap

RED, RESET = "\x1b[1;31m", "\x1b[0m"
shown_errors: list[dict[str, str]] = []  # the errors of this command, as --json shows them


def show_error(error: ProvisionError) -> None:
    """Print an error on stderr; on a terminal wrapped to its width. A cancellation is no error."""
    shown_errors.append({"what": error.what, "why": error.why, "next": error.then})
    head = "" if isinstance(error, Cancelled | WaitingOnExternal) else _("Error:")
    text = printable(f"{head} {error}".lstrip())
    if sys.stderr.isatty():
        text = _wrapped(text)
        if head and "NO_COLOR" not in os.environ:
            text = text.replace(head, f"{RED}{head}{RESET}", 1)
    print(text, file=sys.stderr)


def _wrapped(text: str) -> str:
    """Return the text with each line wrapped, what continues a line below its first word."""
    lines = []
    for line in text.splitlines():
        rest = line.partition(": ")[2].lstrip() if line.startswith("  ") else line
        label = line.removesuffix(rest)
        first, *more = wrap(rest, width() - columns(label)) or [""]
        lines += [f"{label}{first}", *(f"{'':{columns(label)}}{part}" for part in more)]
    return "\n".join(lines)
