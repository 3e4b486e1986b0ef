"""A table that draws only the lines in sight, so that ten thousand rows cost as little as ten. Texts are never markup.

The cursor stays on its item when rows move: a user who presses a key means the row that they see.
"""

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from hub.operate.live.panes import Column, Item, PaneKind

__all__ = ["Rows", "widths"]

_GAP = 1


def widths(columns: Sequence[Column], total: int) -> list[int]:
    """Return the width of each column in a table of `total` characters; 0 for a column that has no room.

    The columns with a share divide what is left over; where there is too little, they give up what is missing.
    """
    drawn = [column if total >= column.least else None for column in columns]
    room = total - sum(column.width + _GAP for column in drawn if column) + _GAP
    shares = sum(column.share for column in drawn if column) or 1
    sizes = []
    for column in drawn:
        more = room * column.share // shares if column else 0
        sizes.append(max(3, column.width + more) if column else 0)
    return sizes


class Rows(ScrollView, can_focus=True):
    """The rows of one PaneKind, with a cursor."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"rows--head", "rows--cursor"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "move(-1000000)", "First", show=False),
        Binding("end", "move(1000000)", "Last", show=False),
        Binding("enter", "open", "Details", show=False),
    ]

    class Moved(Message):
        """The cursor is on another row, or the row has changed."""

    class Opened(Message):
        """The user wants to see all of the row under the cursor."""

    def __init__(self, kind: PaneKind, identity: str) -> None:
        """Begin with no rows; `identity` is the widget's id for Textual."""
        super().__init__(id=identity)
        self.kind = kind
        self.items: list[Item] = []
        self.cursor = 0
        self._key = ""
        self._now = 0.0
        self._held = False  # whether the user has chosen a row, which the cursor then follows

    @property
    def chosen(self) -> Item | None:
        """The item under the cursor."""
        return self.items[self.cursor] if self.items else None

    def put(self, items: list[Item], now: float) -> None:
        """Show these items; `now` is a time of the hub's clock, by which ages are written."""
        self.items, self._now = items, now
        if self._held:  # follow the chosen item; where it is gone, the cursor stays at its place
            self.cursor = next((n for n, each in enumerate(items) if self.kind.key(each) == self._key), self.cursor)
        self.cursor = max(0, min(self.cursor, len(items) - 1))
        self._key = self.kind.key(items[self.cursor]) if items else ""
        self.virtual_size = Size(self.size.width, len(items) + 1)
        self.refresh()
        self.post_message(self.Moved())

    def select(self, row: int) -> None:
        """Put the cursor on a row. On the first row of a stream it follows no item, but stays at the top."""
        if not self.items:
            return
        self.cursor = max(0, min(row, len(self.items) - 1))
        self._key, self._held = self.kind.key(self.items[self.cursor]), self.cursor > 0 or self.kind.keep
        self.scroll_to_region(Region(0, self.cursor, 1, 2), animate=False, force=True)
        self.refresh()
        self.post_message(self.Moved())

    def action_move(self, by: int) -> None:
        """Move the cursor by `by` rows, upward where it is negative."""
        self.select(self.cursor + by)

    def action_page(self, by: int) -> None:
        """Move the cursor by `by` screens, upward where it is negative."""
        self.select(self.cursor + by * max(1, self.size.height - 2))

    def action_open(self) -> None:
        """Ask the view to show all of the row under the cursor."""
        if self.items:
            self.post_message(self.Opened())

    def on_click(self, event: events.Click) -> None:
        """Select a row; a second click opens it."""
        row = event.y - 1 + round(self.scroll_y)
        if event.y > 0 and row < len(self.items):
            self.select(row)
            if event.chain == 2:
                self.action_open()

    def render_line(self, y: int) -> Strip:
        """Draw line `y` of the screen: the titles at the top, then the rows in sight. Textual calls this."""
        width = self.scrollable_content_region.width
        sizes = widths(self.kind.columns, width)
        base = self.rich_style
        if y == 0:
            titles = [column.title for column in self.kind.columns]
            return _line(titles, sizes, base + self.get_component_rich_style("rows--head"), width)
        row = y - 1 + round(self.scroll_y)
        if row < len(self.items):
            return self._row(row, sizes, base, width)
        text = f" {self.kind.nothing}" if not self.items and y == 2 else ""
        return _line([text], [width], base + Style(dim=True) if text else base, width)

    def _row(self, row: int, sizes: list[int], base: Style, width: int) -> Strip:
        item = self.items[row]
        style = base + Style.parse(self.kind.style(item) or "none")
        if row == self.cursor:
            style += self.get_component_rich_style("rows--cursor", partial=True)
        return _line(self.kind.cells(item, self._now), sizes, style, width)


def _line(cells: Sequence[str], sizes: Sequence[int], style: Style, width: int) -> Strip:
    parts = [set_cell_size(cell, size) for cell, size in zip(cells, sizes, strict=True) if size]
    return Strip([Segment(set_cell_size((" " * _GAP).join(parts), width), style)], width)
