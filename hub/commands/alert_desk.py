"""What a request does to the core: acknowledge, silence, list. Pure: (core, request, now) → answer."""

from collections.abc import Generator, Iterable, Mapping
from typing import Any

from hub.alerts.alert import Alert
from hub.alerts.matchers import NARROWER, match_all, why_too_wide
from hub.alerts.suppression.silences import Silence
from hub.clock import PEOPLE, rfc3339
from hub.commands.contract import (
    AckRequest,
    AlertsRequest,
    FiringRequest,
    SilenceRequest,
    SilencesRequest,
    UnsilenceRequest,
)
from hub.commands.labels import unknown_labels
from hub.commands.pages import Wanted, fitting, page, wanted
from hub.commands.request import Request
from hub.commands.seams import Mirror
from hub.contracts.answered import AlertsChanged, SilenceBody, SilenceEnded, SilenceMade
from hub.errors import Code, RequestError
from hub.limits import SILENCE_SECONDS
from hub.model import Phase
from hub.spine.core import Core

__all__ = ["ack", "alerts", "order", "silence", "silences", "unack", "unsilence"]

Answer = dict[str, Any]
Steps = Generator[None, None, Answer]
"""An answer that is made step by step, a slice in each turn of the loop (see Slices)."""


def ack(core: Core, request: Request, now: float) -> AlertsChanged:
    """Acknowledge firing alerts for their present episodes.

    Raises:
        RequestError: none is meant, or the request cannot be read.

    """
    asked = AckRequest(request)
    by, comment, until = asked.name(), asked.comment, asked.end(now, default=None)
    changed = [
        core.book.acknowledge(fingerprint, by, comment, until, now) for fingerprint, _ in asked.chosen(core.book)
    ]
    return {"ok": True, "alerts": [alert.body() for alert in changed if alert is not None]}


def unack(core: Core, request: Request, now: float) -> AlertsChanged:
    """Take acknowledgements back: repeats and escalations go on.

    Raises:
        RequestError: no firing alert is meant, or the request cannot be read.

    """
    asked = FiringRequest(request)
    by = asked.name()
    changed = [core.book.unacknowledge(fingerprint, by, now) for fingerprint, _ in asked.chosen(core.book)]
    return {"ok": True, "alerts": [alert.body() for alert in changed if alert is not None]}


def silence(core: Core, request: Request, now: float) -> SilenceMade:
    """Silence what the matchers match, from `start` (now) to `until`, or for `for`. With `id`, change that silence.

    The answer says in `warnings` what was probably a mistake. MQTT, HTTP and Alertmanager's API all lead here.

    Raises:
        RequestError: the request cannot be read, it would silence everything, or there is no such silence.

    """
    asked = SilenceRequest(request)
    matchers = tuple(asked.matched_by())
    if wide := why_too_wide(matchers):
        raise RequestError(f"{wide}; {NARROWER}")
    identity = asked.id
    start, end = _from_to(core, asked, now)
    by, comment, annotations = asked.name(), asked.comment, asked.annotations
    made: Silence | None
    if identity:
        made = core.book.change_silence(Silence(identity, matchers, start, end, by, comment, now, annotations), now)
    else:
        made = core.book.silence(Silence("", matchers, max(start, now), end, by, comment, now, annotations))
    if made is None:
        raise RequestError(f"no silence {identity!r} is known", Code.MISSING)
    hidden = sum(1 for _, alert in core.book.find(made.matchers) if alert.state is Phase.FIRING)
    warnings = unknown_labels(core, matchers)
    return {"ok": True, "silence": made.body(now), "silenced": hidden, "warnings": warnings, "tz": PEOPLE.tz}


def _from_to(core: Core, asked: SilenceRequest, now: float) -> tuple[float, float]:
    """Return start and end; `for` counts from a start that is named or still to come, else from now."""
    begun, given = core.book.silences.get(asked.id), asked.start
    start = given if given is not None else now if begun is None else begun.start
    since = max(start, now) if given is None else given
    end = asked.end(now, default=SILENCE_SECONDS, start=since) or now
    if end <= start:
        raise RequestError("the silence would end before it starts; 'until' must be later than 'start'")
    return start, end


def unsilence(core: Core, request: Request, now: float) -> SilenceEnded:
    """End a silence by its id.

    Raises:
        RequestError: there is none that is active or pending.

    """
    asked = UnsilenceRequest(request)
    identity = asked.id
    ended = core.book.unsilence(identity, asked.name(), now)
    if ended is None:
        if not identity:
            raise RequestError("which silence? give its 'id'")
        code = Code.CONFLICT if identity in core.book.silences else Code.MISSING
        raise RequestError(f"no silence {identity!r} is active", code)
    return {"ok": True, "silence": ended.body(now)}


def alerts(mirror: Mirror, request: Request) -> Steps:
    """List pending, firing and lately resolved alerts; `state`, `id` and matchers select some of them.

    With `cursor` or `limit` the list comes page by page. Else the answer has as many as there is room for, firing ones
    first, and how many there are.

    Raises:
        RequestError: the matchers or the page cannot be read.

    """
    given = AlertsRequest(request)
    asked, states = wanted(given), given.state
    matchers = given.matched_by() if given.is_of_some else []
    only = given.id

    def show(fingerprint: str) -> Answer | None:
        alert = mirror.alerts.get(fingerprint)
        if alert is None or alert.state not in states or only not in ("", fingerprint):
            return None
        if not match_all(matchers, alert.labels, alert.unfilled):
            return None
        return {**alert.body(), "fingerprint": fingerprint}

    if asked.paged:
        found = yield from page(lambda: mirror.alerts, show, asked)
        return found.body("alerts") | {"tz": PEOPLE.tz}
    every = [each for each in mirror.find(matchers) if each[1].state in states and only in ("", each[0])]
    bodies = (show(fingerprint) or {} for fingerprint, _ in sorted(every, key=lambda each: order(each[1])))
    return (yield from _whole("alerts", bodies, len(every), asked))


def silences(mirror: Mirror, request: Request, now: float) -> Steps:
    """List silences: pending and active ones, with `expired: true` all that are kept. Pages are as in `alerts`.

    Raises:
        RequestError: the page cannot be read.

    """
    given = SilencesRequest(request)
    asked, every, known = wanted(given), given.expired, mirror.silences

    def show(identity: str) -> SilenceBody | None:
        made = known.get(identity)
        return made.body(now) if made is not None and (every or made.end > now) else None

    if asked.paged:
        found = yield from page(lambda: known, show, asked)
        return found.body("silences") | {"now": rfc3339(now), "tz": PEOPLE.tz}
    bodies = [body for each in known if (body := show(each)) is not None]
    return (yield from _whole("silences", bodies, len(bodies), asked)) | {"now": rfc3339(now), "tz": PEOPLE.tz}


def _whole(name: str, bodies: Iterable[Mapping[str, Any]], count: int, asked: Wanted) -> Steps:
    """Answer with as many as there is room for: for requests that do not know pages."""
    items, complete = yield from fitting(bodies, asked.room)
    more = {} if complete else {"truncated": True, "total": count}
    return {"ok": True, name: items, **more}


def order(alert: Alert) -> tuple[int, float]:
    """Return a key for sorting: firing alerts first; among equals the youngest."""
    return (Phase.FIRING, Phase.PENDING, Phase.RESOLVED).index(alert.state), -alert.since
