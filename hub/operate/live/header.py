"""The head of the live view: which hub this is, whether its feed is heard, and its four figures with their history."""

from collections.abc import Sequence
from typing import Any

from rich.text import Text
from textual.widget import Widget

from hub.operate.figures.summary import seconds_shown
from hub.operate.live.live_model import FIGURES, Model
from hub.printable import shown

__all__ = ["Head", "figure_shown", "sparkline"]

_BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float | None], width: int) -> str:
    """Draw the last `width` values as bars, the newest at the right. None is drawn as a space."""
    last = list(values)[-width:] if width > 0 else []
    top = max((each for each in last if each is not None), default=0.0)
    return "".join(map(lambda each: _bar(each, top), last)).rjust(max(width, 0))  # noqa: C417 - reads better than two loops


def _bar(value: float | None, top: float) -> str:
    if value is None:
        return " "
    return _BARS[min(7, int(value / top * 8))] if top > 0 else _BARS[0]


def figure_shown(name: str, value: Any) -> str:
    """Write one figure: `EGR 1,234/s`, or the median and the 99th percentile as in `EPL 2.5/4 ms`."""
    if isinstance(value, dict):
        p50, p99 = value.get("p50"), value.get("p99")
        if p50 is None or p99 is None:
            return f"{name.upper()} -"
        return f"{name.upper()} {_pair(p50, p99)}"
    return f"{name.upper()} {_rate(value)}/s" if isinstance(value, int | float) else f"{name.upper()} -"


def _rate(value: float) -> str:
    return f"{value:,.1f}" if value < 9.95 else f"{value:,.0f}"


def _pair(p50: float, p99: float) -> str:
    """Write two latencies in seconds as `2.5/4 ms`; each has its own unit only where the units differ."""
    first, second = seconds_shown(p50).split(), seconds_shown(p99).split()
    head = first[0] if first[1] == second[1] else " ".join(first)
    return f"{head}/{' '.join(second)}"


class Head(Widget):
    """Three lines: which hub this is and its state, the four figures, and a small chart of each."""

    def __init__(self, model: Model, url: str) -> None:
        """Show what `model` knows of the hub at `url`."""
        super().__init__()
        self._model, self._url = model, url
        self.paused = False

    def render(self) -> Text:
        """Draw all three lines, each as wide as the terminal. Textual calls this."""
        width = self.size.width
        quarter = max(10, width // 4)
        text = self._first(width)
        text.append("\n")
        figures = self._model.figures
        for name in FIGURES:
            text.append(figure_shown(name, figures.get(name))[: quarter - 1].ljust(quarter), "bold")
        text.append("\n")
        for name in FIGURES:
            text.append(sparkline(self._model.history[name], quarter - 2).ljust(quarter), "cyan")
        return text

    def _first(self, width: int) -> Text:
        """Draw the first line: the hub at the left, the counts and the state at the right, whatever the width."""
        status, model = self._model.status, self._model
        state, style = ("PAUSED", "bold yellow") if self.paused else ("live", "green")
        if model.away:  # a lost feed matters more than a pause, which the user knows of
            state, style = "AWAY", "bold red"
        elif status.get("session") in ("disconnected", "session_lost"):
            state, style = "hub without broker", "bold red"
        named = (shown(status.get(key, ""), 40) for key in ("client_id", "version"))
        owner = model.figures.get("owner")
        of_cluster = () if owner is None else (f"owner {shown(owner, 40)}" if owner else "no owner",)
        who = " ".join((*named, *of_cluster, shown(self._url, 80)))
        counts = model.figures.get("alerts") or {}
        waits = model.figures.get("outbox") or {}
        said = f"{counts.get('firing', 0):,} firing, {waits.get('queued', 0):,} queued, {waits.get('dead', 0):,} dead"
        right = f"{said}  ● {state}"
        line = Text(f"{who[: max(0, width - len(right) - 1)]:<{max(0, width - len(right))}}{said}  ", no_wrap=True)
        line.append(f"● {state}", style)
        return line
