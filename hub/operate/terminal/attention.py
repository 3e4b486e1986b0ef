"""Finds in the successive states of firing alerts which was acknowledged, held back, or released; the log says so."""

from collections.abc import Iterator, Mapping
from typing import Any

from hub.ids import fingerprint_in
from hub.model import Phase
from hub.operate.terminal.phrases import alert_phrase
from hub.printable import shown

__all__ = ["Attention"]

_Known = tuple[str | None, tuple[str, str] | None]
"""When it was acknowledged (RFC 3339), and the stage and detail of what holds it back."""
_NOTHING: _Known = (None, None)


class Attention:
    """Remembers for each firing alert when it was acknowledged and what holds it back."""

    def __init__(self, since: str) -> None:
        """Leave out acknowledgements older than `since` (RFC 3339): the log before a restart has them."""
        self._since = since
        self._known: dict[str, _Known] = {}

    def changes(self, body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Yield kind and text of each change that this state brings; `body` is as on the alert's retained topic."""
        fingerprint = fingerprint_in(str(body.get("id", "")))
        before = self._known.pop(fingerprint, _NOTHING)
        if body.get("state") != Phase.FIRING:
            return  # it is over: its end is told, and a new episode begins without an acknowledgement
        ack, held = body.get("acknowledged"), body.get("held")
        now = (str(ack.get("at")) if ack else None, (str(held["stage"]), str(held["detail"])) if held else None)
        if now != _NOTHING:
            self._known[fingerprint] = now
        yield from self._acknowledged(body, before[0], now[0])
        yield from _held(body, before[1], now[1])

    def _acknowledged(self, body: Mapping[str, Any], before: str | None, at: str | None) -> Iterator[tuple[str, str]]:
        if at is not None and at != before and at >= self._since:
            ack = body["acknowledged"]
            comment = f" ({shown(ack['comment'])})" if ack.get("comment") else ""
            yield "acknowledged", f"by {shown(ack.get('by'))}{comment}: {alert_phrase(body)}"
        elif at is None and before is not None:
            yield "unacknowledged", alert_phrase(body)


def _held(
    body: Mapping[str, Any], before: tuple[str, str] | None, held: tuple[str, str] | None
) -> Iterator[tuple[str, str]]:
    if held is not None and held != before:
        by = " ".join(shown(each) for each in held if each)
        yield "held", f"by {by}: {alert_phrase(body)}"
    elif held is None and before is not None:
        yield "released", f"held back no more by {shown(before[0])}: {alert_phrase(body)}"
