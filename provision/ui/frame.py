"""Fit the lines of a live display to the terminal, and erase them after it was resized."""

from typing import Any


class Frame:
    """The lines that rich's Live shows. console: rich's, on a terminal."""

    def __init__(self, console: Any) -> None:
        self._console = console
        self._size = console.size  # when the lines were last drawn
        self._drawn: list[str] = []
        self._above: list[str] = []  # what a smaller window has moved into its scrollback

    def fit(self, lines: list[Any]) -> Any:
        """Return rich's Texts as one, none wider than the terminal. First erase what a resize has left."""
        from rich.text import Text

        size = self._console.size
        for line in lines:
            line.truncate(size.width, overflow="ellipsis")
        if size != self._size:
            self._erase_wrapped_lines(size)
        self._size, self._drawn = size, [line.plain for line in lines[: size.height]]
        return Text("\n", no_wrap=True).join(lines)

    def _erase_wrapped_lines(self, size: Any) -> None:
        """Move the cursor up by the lines that were added when the terminal wrapped what was drawn.

        Live moves it up by as many lines as it has drawn itself. What is in the scrollback is above the
        others when the window is larger again.
        """
        from rich.cells import chop_cells
        from rich.control import Control
        from rich.segment import ControlType

        wrapped = [chop_cells(line, size.width) or [""] for line in (*self._above, *self._drawn)]
        height = sum(map(len, wrapped))
        up = ((ControlType.ERASE_IN_LINE, 2), (ControlType.CURSOR_UP, 1))
        self._console.control(Control(*up * (height - len(self._drawn))))
        self._above, above = [], height - size.height
        for parts in wrapped:
            if above > 0:
                self._above.append("".join(parts[:above]))
                above -= len(parts)
