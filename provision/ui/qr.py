"""The only door to segno: a QR code for a terminal, dark on light whatever the terminal's colours are."""

import io

BLACK_ON_WHITE = "\x1b[97;40m"  # segno draws the light parts with blocks: bright white on black


def drawn(text: str, *, colours: bool) -> str:
    """Return the code in half blocks, two modules high each."""
    import segno

    lines = io.StringIO()
    segno.make(text, micro=False).terminal(lines, compact=True)
    rows = lines.getvalue().splitlines()
    return "\n".join(f"{BLACK_ON_WHITE}{row}\x1b[0m" if colours else row for row in rows)
