"""What a request does to the core: acknowledge, silence, list. Pure: (core, request, now) → answer."""

from typing import Any

from hub.alerts.alert import Alert
from hub.alerts.matchers import NARROWER, why_too_wide
from hub.alerts.silences import Silence
from hub.clock import rfc3339
from hub.commands.labels import unknown_labels
from hub.commands.request import Request, chosen, instant, matchers_of, span, words
from hub.core import Core
from hub.errors import RequestError
from hub.limits import SILENCE_SECONDS
from hub.model import Phase

__all__ = ["ANONYMOUS", "LISTED", "ack", "alerts", "order", "silence", "silences", "unack", "unsilence"]

Answer = dict[str, Any]
ANONYMOUS = "somebody"
LISTED = (Phase.PENDING, Phase.FIRING, Phase.RESOLVED)


def ack(core: Core, request: Request, now: float) -> Answer:
    """Acknowledge firing alerts for their present episodes.

    Raises:
        RequestError: none is meant, or the request cannot be read.

    """
    by, comment = words(request, "by", ANONYMOUS), words(request, "comment")
    until = span(request, now, default=None)
    changed = [core.book.acknowledge(mark, by, comment, until, now) for mark, _ in chosen(request, core.book)]
    return {"ok": True, "alerts": [alert.body() for alert in changed if alert is not None]}


def unack(core: Core, request: Request, now: float) -> Answer:
    """Take acknowledgements back.

    Raises:
        RequestError: as above.

    """
    by = words(request, "by", ANONYMOUS)
    changed = [core.book.unacknowledge(mark, by, now) for mark, _ in chosen(request, core.book)]
    return {"ok": True, "alerts": [alert.body() for alert in changed if alert is not None]}


def silence(core: Core, request: Request, now: float) -> Answer:
    """Silence what the matchers match; from `start` (now) to `until`, or for `for`. With `id`, change that silence.

    The answer tells in `warnings` what was probably not meant. Every way by which a silence is asked for leads here.

    Raises:
        RequestError: the request cannot be read, it would silence everything, or there is no such silence.

    """
    matchers = tuple(matchers_of(request))
    if wide := why_too_wide(matchers):
        raise RequestError(f"{wide}; {NARROWER}")
    identity = words(request, "id")
    start, end = _from_to(core, request, identity, now)
    by, comment = words(request, "by", ANONYMOUS), words(request, "comment")
    made: Silence | None
    if identity:
        made = core.book.change_silence(Silence(identity, matchers, start, end, by, comment, now), now)
    else:
        made = core.book.silence(matchers, max(start, now), end, by, comment, now)
    if made is None:
        raise RequestError(f"no silence {identity!r} is known")
    hidden = sum(1 for _, alert in core.book.find(made.matchers) if alert.state is Phase.FIRING)
    return {"ok": True, "silence": made.body(now), "silenced": hidden, "warnings": unknown_labels(core, matchers)}


def _from_to(core: Core, request: Request, identity: str, now: float) -> tuple[float, float]:
    """Read from when to when; `for` counts from a start that is named, or is still to come, else from now."""
    begun = core.book.silences.get(identity)
    start = now if begun is None else begun.start
    if "start" in request:
        start = instant(request["start"], "start")
    since = start if "start" in request else max(start, now)
    end = span(request, now, default=SILENCE_SECONDS, start=since) or now
    if end <= start:
        raise RequestError("the silence would end before it starts; 'until' must be later than 'start'")
    return start, end


def unsilence(core: Core, request: Request, now: float) -> Answer:
    """End a silence by its id.

    Raises:
        RequestError: there is none that is active or pending.

    """
    identity = words(request, "id")
    ended = core.book.unsilence(identity, words(request, "by", ANONYMOUS), now)
    if ended is None:
        raise RequestError(f"no silence {identity!r} is active" if identity else "which silence? give its 'id'")
    return {"ok": True, "silence": ended.body(now)}


def alerts(core: Core, request: Request, now: float) -> Answer:
    """List pending, firing and lately resolved alerts, those that matchers match where there are any.

    Raises:
        RequestError: the matchers cannot be read.

    """
    del now
    wanted = matchers_of(request) if {"matchers", "alertname", "labels"} & set(request) else []
    found = [alert for _, alert in core.book.find(wanted) if alert.state in LISTED]
    return {"ok": True, "alerts": [alert.body() for alert in sorted(found, key=order)]}


def silences(core: Core, request: Request, now: float) -> Answer:
    """List silences: pending and active ones, with `expired: true` all that are kept."""
    every = bool(request.get("expired"))
    found = [made.body(now) for made in core.book.silences.values() if every or made.end > now]
    return {"ok": True, "silences": found, "now": rfc3339(now)}


def order(alert: Alert) -> tuple[int, float]:
    """Firing first, then the youngest."""
    return (Phase.FIRING, Phase.PENDING, Phase.RESOLVED).index(alert.state), -alert.since
