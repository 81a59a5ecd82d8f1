"""SVG pictures of a terminal's screens."""

from xml.etree import ElementTree

import pyte

from tests.browser.terminal_picture import svg

FIRST_TERMINAL = [
    # x, y, length, colour, weight, text
    ("16", "18", None, "#9198a1", None, "A & B"),
    ("16", "48", "25.2", "#56d364", "normal", "✓  "),
    ("41.2", "48", "50.4", "#56d364", "normal", "証明書"),
    ("91.6", "48", "25.2", "#e6edf3", "normal", " 1 "),
    ("16", "67", "25.2", "#e6edf3", "bold", "a<b"),
]


def test_letters_stand_in_their_columns() -> None:
    """Japanese ones take two; each piece of text has the length of its columns."""
    screen = pyte.Screen(12, 5)
    pyte.Stream(screen).feed("\x1b[32m✓  証明書\x1b[0m 1\r\n\x1b[1ma<b\x1b[0m")
    picture = ElementTree.fromstring(svg("title", [("A & B", screen), ("two", screen)]))
    texts = [
        (*map(each.get, ("x", "y", "textLength", "fill", "font-weight")), each.text)
        for each in picture.iter("{http://www.w3.org/2000/svg}text")
    ]
    assert FIRST_TERMINAL == texts[:5]
    assert "two" == texts[5][-1]
    assert "0 0 132.8 198" == picture.get("viewBox")
