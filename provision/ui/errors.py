"""Show an error so that it is recognised as one: the word Error, in red, and one next step."""

import os
import sys

from provision.errors import Cancelled, ProvisionError, WaitingOnExternal
from provision.i18n import _
from provision.ui.text import columns, width, wrap

RED, RESET = "\x1b[1;31m", "\x1b[0m"


def show_error(error: ProvisionError) -> None:
    """Print an error on stderr, wrapped to the terminal's width where stderr is one."""
    terminal = sys.stderr.isatty()
    if isinstance(error, Cancelled):
        print(error.what, file=sys.stderr)
        return
    text = str(error)
    if not isinstance(error, WaitingOnExternal):
        head = _("Error:")
        colours = terminal and "NO_COLOR" not in os.environ
        head = f"{RED}{head}{RESET}" if colours else head
        text = f"{head} {text}"
    print(_wrapped(text) if terminal else text, file=sys.stderr)


def _wrapped(text: str) -> str:
    """Return the text with each line wrapped, what continues a line below its first word."""
    lines = []
    for line in text.splitlines():
        label, colon, rest = line.partition(": ") if line.startswith("  ") else ("", "", line)
        margin = columns(label) + len(colon)
        first, *more = wrap(rest.strip(), width() - margin) or [""]
        lines += [f"{label}{colon}{first}", *(f"{'':{margin}}{part}" for part in more)]
    return "\n".join(lines)
