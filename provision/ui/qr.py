"""Render QR codes for a terminal, dark on light for any colour scheme. The only user of segno."""

import io

BLACK_ON_WHITE = "\x1b[97;40m"  # white on black, because segno draws the light modules


def render(text: str, *, colours: bool) -> str:
    """Return the QR code in half-block characters."""
    import segno

    lines = io.StringIO()
    segno.make(text, micro=False).terminal(lines, compact=True)
    rows = lines.getvalue().splitlines()
    return "\n".join(f"{BLACK_ON_WHITE}{row}\x1b[0m" if colours else row for row in rows)
