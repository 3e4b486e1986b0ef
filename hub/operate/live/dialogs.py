"""What the live view lays over its tables: a text to read, and the form of a silence."""

from collections.abc import Awaitable, Callable
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

__all__ = ["SilenceForm", "TextPage"]

Sent = Callable[[str, str, str], Awaitable[str]]
"""Takes matchers, how long, a comment; returns what is wrong, or nothing."""


class TextPage(ModalScreen[None]):
    """A text to read; any of the keys that close something closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter,question_mark", "dismiss", "Close"),
        Binding("ctrl+c", "dismiss", "Close", show=False),
    ]

    def __init__(self, title: str, text: str) -> None:
        """Show this text under this title, which is ours: it is read as markup."""
        super().__init__()
        self._title, self._text = title, text

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with VerticalScroll(id="page") as box:
            box.border_title = self._title
            box.border_subtitle = "Esc closes"
            yield Static(Text(self._text), markup=False)


class SilenceForm(ModalScreen[None]):
    """Which alerts, for how long, why. It stays open, and says so, where the hub does not take it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Cancel"),
        Binding("ctrl+c", "dismiss", "Cancel", show=False),
    ]

    def __init__(self, matchers: str, sent: Sent) -> None:
        """Begin with these matchers; `sent` is awaited with what was filled in."""
        super().__init__()
        self._matchers, self._sent = matchers, sent

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Vertical(id="form") as box:
            box.border_title = "Silence: tell nobody"
            box.border_subtitle = "Enter silences, Esc cancels"
            yield Static("which alerts (as in Alertmanager)", markup=False)
            yield Input(self._matchers, id="matchers", compact=True)
            yield Static("for how long", markup=False)
            yield Input("1h", id="lasting", compact=True)
            yield Static("why", markup=False)
            yield Input(id="comment", compact=True)
            yield Static("", id="wrong", markup=False)

    def on_mount(self) -> None:
        """Begin with how long, which is what one changes most."""
        self.query_one("#lasting", Input).focus()

    async def on_input_submitted(self) -> None:
        """Send it."""
        filled = [self.query_one(f"#{name}", Input).value for name in ("matchers", "lasting", "comment")]
        wrong = await self._sent(filled[0], filled[1], filled[2])
        if wrong:
            self.query_one("#wrong", Static).update(Text(wrong))
        else:
            self.dismiss()
