"""The dialogs that the live view lays over its tables: a text to read, and a form that makes a silence."""

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
"""Sends matchers, a duration and a comment to the hub; returns what is wrong, or "" where the hub has taken them."""


class TextPage(ModalScreen[None]):
    """A text to read. Escape, q, Enter and ? close it, so that nobody has to look for the right key."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter,question_mark", "dismiss", "Close"),
        Binding("ctrl+c", "dismiss", "Close", show=False),
    ]

    def __init__(self, title: str, text: str) -> None:
        """Show `text`, in which markup means nothing. `title` is read as markup: it must be the hub's own words."""
        super().__init__()
        self._title, self._text = title, text

    def compose(self) -> ComposeResult:
        """Lay out the text in a frame that scrolls. Textual calls this."""
        with VerticalScroll(id="page") as box:
            box.border_title = self._title
            box.border_subtitle = "Esc closes"
            yield Static(Text(self._text), markup=False)


class SilenceForm(ModalScreen[None]):
    """Asks which alerts are to be silenced, for how long, and why. It stays open and says why if the hub refuses."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Cancel"),
        Binding("ctrl+c", "dismiss", "Cancel", show=False),
    ]

    def __init__(self, matchers: str, sent: Sent) -> None:
        """Begin with these matchers. `sent` is awaited with what the user has filled in."""
        super().__init__()
        self._matchers, self._sent = matchers, sent

    def compose(self) -> ComposeResult:
        """Lay out three fields and a line for what is wrong. Textual calls this."""
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
        """Put the cursor into the duration: it is the field that people change most."""
        self.query_one("#lasting", Input).focus()

    async def on_input_submitted(self) -> None:
        """Send the form. The dialog closes only when the hub has taken it, so that nothing has to be typed again."""
        filled = [self.query_one(f"#{name}", Input).value for name in ("matchers", "lasting", "comment")]
        wrong = await self._sent(filled[0], filled[1], filled[2])
        if wrong:
            self.query_one("#wrong", Static).update(Text(wrong))
        else:
            self.dismiss()
