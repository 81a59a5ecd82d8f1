"""Draw what terminals show as an SVG picture."""

from collections.abc import Iterator, Sequence
from html import escape
from itertools import groupby
from unicodedata import east_asian_width

from pyte.screens import Char, Screen

FONTS = (
    "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Noto Sans Mono CJK JP', "
    "'Hiragino Kaku Gothic ProN', 'BIZ UDGothic', 'MS Gothic', monospace"
)
WIDTH, HEIGHT, SIZE = 8.4, 19, 14  # pixels of a character, of a line, of the font
MARGIN, TITLE, GAP = 16, 34, 22  # pixels beside the text, of a title, between two terminals
BACK, BAR, TEXT, FAINT = "#0d1117", "#21262d", "#e6edf3", "#9198a1"
COLOURS = {
    "default": TEXT,
    "red": "#ff7b72",
    "green": "#56d364",
    "brown": "#e3b341",  # pyte's name for what terminals show as yellow
    "blue": "#79c0ff",
    "magenta": "#d2a8ff",
    "cyan": "#76e3ea",
}


def svg(title: str, screens: Sequence[tuple[str, Screen]]) -> str:
    """Return a picture of terminals, each with a caption, one under the other."""
    width, y, parts = 2 * MARGIN + WIDTH * screens[0][1].columns, 0, []
    for caption, screen in screens:
        rows = _rows(screen)
        height = TITLE + HEIGHT * len(rows) + MARGIN
        parts += [
            f'<rect y="{y}" width="{width}" height="{height}" rx="8" fill="{BACK}"/>',
            f'<path d="M0 {y + TITLE - 8}v-18a8 8 0 0 1 8-8h{width - 16}a8 8 0 0 1 8 8v18z" '
            f'fill="{BAR}"/>',
            f'<text x="{MARGIN}" y="{y + 18}" fill="{FAINT}" font-family="sans-serif">'
            f"{escape(caption)}</text>",
        ]
        for number, row in enumerate(rows):
            parts += _line(row, y + TITLE + HEIGHT * number + SIZE)
        y += height + GAP
    height = y - GAP
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height}" '
            f'width="{width:g}" height="{height}" font-size="{SIZE}" '
            f'font-family="{FONTS}" role="img">',
            f"<title>{escape(title)}</title>",
            *parts,
            "</svg>\n",
        ]
    )


def _rows(screen: Screen) -> list[list[Char]]:
    """Return the lines down to the last that is not empty."""
    used = [number for number, line in enumerate(screen.display) if line.strip()]
    return [
        [screen.buffer[y][x] for x in range(screen.columns)]
        for y in range(max(used, default=0) + 1)
    ]


def _line(row: list[Char], y: int) -> Iterator[str]:
    """Yield the texts of a line, each of one appearance and of letters of one width."""
    column = 0
    for (colour, weight, _wide), group in groupby(row, _appearance):
        letters = [char.data for char in group]
        text = "".join(letters)  # beside a wide letter stands an empty one
        if text.strip():
            yield (
                f'<text x="{MARGIN + WIDTH * column:g}" y="{y}" '
                f'textLength="{WIDTH * len(letters):g}" lengthAdjust="spacingAndGlyphs" '
                f'fill="{colour}" font-weight="{weight}" '
                f'xml:space="preserve">{escape(text)}</text>'
            )
        column += len(letters)


def _appearance(char: Char) -> tuple[str, str, bool]:
    """Return a letter's colour and weight, and whether it takes two columns."""
    wide = not char.data or east_asian_width(char.data[0]) in "WF"
    return COLOURS.get(char.fg, f"#{char.fg}"), "bold" if char.bold else "normal", wide
