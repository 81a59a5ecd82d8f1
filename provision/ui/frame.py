"""Fit the lines of a live display to the terminal, and erase them after it was resized."""

from typing import Any


class Frame:
    """The lines that rich's Live shows. console: rich's, on a terminal."""

    def __init__(self, console: Any) -> None:
        self._console = console
        self._size = console.size  # when the lines were last drawn
        self._widths: list[int] = []  # columns of the lines that were drawn
        self._above = 0  # lines that are in the scrollback since the window became smaller

    def fit(self, lines: list[Any]) -> Any:
        """Return rich's Texts as one, none wider than the terminal. First erase what a resize has left."""
        from rich.text import Text

        size = self._console.size
        for line in lines:
            line.truncate(size.width, overflow="ellipsis")
        if size != self._size:
            self._erase_wrapped_lines(size)
        self._size, self._widths = size, [line.cell_len for line in lines[: size.height]]
        return Text("\n", no_wrap=True).join(lines)

    def _erase_wrapped_lines(self, size: Any) -> None:
        """Move the cursor up by the lines that were added when the terminal wrapped what was drawn.

        Live moves it up by as many lines as it has drawn itself. Lines that a smaller window has moved into
        its scrollback are above the others when it is larger again.
        """
        from rich.control import Control
        from rich.segment import ControlType

        height = sum(max(1, -(-width // size.width)) for width in self._widths) + self._above
        up = ((ControlType.ERASE_IN_LINE, 2), (ControlType.CURSOR_UP, 1))
        self._console.control(Control(*up * max(0, height - len(self._widths))))
        self._above = max(0, height - size.height)
