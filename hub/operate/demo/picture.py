"""Draws the demo as SVG for README and docs: what a terminal shows, recorded by Rich."""

import io
import re
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme

from hub.errors import HubError
from hub.model import Notification, Outcome, Retry
from hub.operate.figures.summary import Summary
from hub.operate.terminal.console import ConsoleObserver

__all__ = ["Picture"]

_COLUMNS = 110
_EVENT_SECONDS = 5.0  # between events: fewer than on a terminal, as the picture is about alerts
_FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)  # it would fetch a font from another host
_GROUND, _INK = "161b22", "c9d1d9"
_COLOURS = "484f58 ff7b72 3fb950 d29922 58a6ff bc8cff 39c5cf b1bac4"
_BRIGHT = "6e7681 ffa198 56d364 e3b341 79c0ff d2a8ff 56d4dd f0f6fc"


class _Sketch(ConsoleObserver):
    """A console that leaves out what is too much for a page."""

    def delivery(self, notification: Notification, outcome: Outcome, attempt: int, now: float) -> None:
        """Show failed attempts only: the listener's lines show the others."""
        if isinstance(outcome, Retry):
            super().delivery(notification, outcome, attempt, now)

    def decode_error(self, topic: str, head: bytes, reason: str) -> None:
        """Show nothing: the summary counts payloads that cannot be read."""


class Picture:
    """Records what its `observer` shows, and saves it once."""

    def __init__(self) -> None:
        """Begin a recording on a console that has no terminal."""
        self._console = Console(
            file=io.StringIO(),
            record=True,
            width=_COLUMNS,
            force_terminal=True,
            color_system="truecolor",
            highlight=False,
            legacy_windows=False,
        )
        self.observer = _Sketch(self._console, event_seconds=_EVENT_SECONDS, every=False)

    def save(self, path: Path, summary: Summary) -> None:
        """Write the SVG: what was recorded, and the summary below.

        Raises:
            HubError: the file cannot be written.

        """
        self.observer.show(summary.table())
        self.observer.close()
        drawing = _FONT_FACE.sub("", self._console.export_svg(title="hub demo", theme=_theme()))
        try:
            path.write_text(drawing, "utf-8")
        except OSError as error:
            raise HubError(f"{path} cannot be written: {error.strerror}") from error


def _theme() -> TerminalTheme:
    return TerminalTheme(
        _rgb(_GROUND), _rgb(_INK), *([_rgb(each) for each in row.split()] for row in (_COLOURS, _BRIGHT))
    )


def _rgb(code: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(code)
    return red, green, blue
