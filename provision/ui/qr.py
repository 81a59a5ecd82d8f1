"""Show QR codes on a terminal, dark on light for any colour scheme. The only user of segno."""

import io
import os
from typing import Any

from provision.i18n import can_show

BLACK_ON_WHITE = "\x1b[97;40m"  # white on black, because segno draws the light modules


def render(text: str, *, colours: bool) -> str:
    """Return the QR code in half-block characters."""
    import segno

    lines = io.StringIO()
    segno.make(text, micro=False).terminal(lines, compact=True)
    rows = lines.getvalue().splitlines()
    return "\n".join(f"{BLACK_ON_WHITE}{row}\x1b[0m" if colours else row for row in rows)


def show_code(text: str, stream: Any) -> None:
    """Print the QR code of a text where the stream is a terminal that can show it."""
    if stream.isatty():
        code = render(text, colours="NO_COLOR" not in os.environ)
        if can_show(code, stream):
            print(code, file=stream)
