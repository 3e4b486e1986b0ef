"""The views of what the hub does, under /api/hub: status, alerts, silences, outbox, receivers, why, history, audit."""

from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from hub.alerts.matchers import match_all
from hub.clock import PEOPLE, rfc3339
from hub.commands.alert_desk import order
from hub.commands.contract import COMMANDS, LISTED, AlertsRequest, Paged
from hub.contracts.json_schema import (
    FLAG,
    NUMBER,
    TEXT,
    TIME,
    WHOLE,
    listed,
    made_of,
    maybe,
    ok,
    one_of,
    said,
    schema_of,
)
from hub.contracts.viewed import AuditBody, ClusterBody, HistoryBody, ReceiverBody
from hub.limits import HISTORY_SHOWN, PAGE_ITEMS
from hub.model import Phase
from hub.operate.api.answers import answer, asked_number
from hub.operate.api.front.actor import ADMIN, OPERATOR, VIEWER, Refused
from hub.operate.api.gathered.standing import Receiving
from hub.operate.api.site import Asked, Endpoint, Handler, Site
from hub.operate.specs.described import Described
from hub.store.reader import Depth, Reader

__all__ = ["ENDPOINTS"]

_NEWEST = 10**18 - 1


async def _status(asked: Asked) -> Response:
    """Say which hub this is, whether it hears its broker, who the client is, and the figures of the last second."""
    site = asked.site
    rules = site.files().rules
    body = {
        "ok": True,
        **site.hub,
        "since": site.since,
        "now": rfc3339(site.clock.now()),
        "tz": PEOPLE.tz,
        "ready": not site.deaf(),
        "session": "connected" if site.standing.connected else "disconnected",
        "trouble": site.deaf(),
        "rules": len(rules.rules),
        "receivers": len(rules.receivers),
        "figures": site.latest,
        "clients": site.feed.clients,
        "feed": site.feed.identity(site.feed.latest),
        "actor": {"name": asked.actor.name, "role": asked.actor.role},
        "login": bool(site.settings.http.tokens),
        **site.peers.status(),
    }
    return answer(body)


def _asked_page(request: Request) -> dict[str, Any]:
    """Read which page of a list the client wants; {} where it wants the whole list."""
    query = request.query_params
    page: dict[str, Any] = {"cursor": query["cursor"]} if "cursor" in query else {}
    return page | ({"limit": asked_number(query, "limit", PAGE_ITEMS, _NEWEST)} if "limit" in query else {})


async def _alerts(asked: Asked) -> Response:
    """List the alerts of one state or all, those that matchers match, or the one with an id.

    A page is the desk's to answer; the whole list is written here in slices, so that events do not wait for it.
    """
    site = asked.site
    query = asked.request.query_params
    wanted, state = query.getlist("filter"), query.get("state", "")
    one = {"id": query["id"]} if "id" in query else {}
    if page := _asked_page(asked.request):
        page |= {"matchers": wanted} if any(wanted) else {}
        return answer(await asked.carry_out("alerts", {**page, **one, "state": state}))
    wish = AlertsRequest({"matchers": wanted, **one})
    matchers, only = wish.matched_by() if any(wanted) else [], wish.id
    if state not in ("", *Phase):
        raise Refused(400, f"no alert has the state {state[:50]!r}; it is one of {', '.join(Phase)}")
    chosen = [
        (fingerprint, alert)
        for fingerprint, alert in site.mirror.alerts.items()
        if alert.state in LISTED and state in ("", alert.state) and only in ("", fingerprint)
    ]
    chosen.sort(key=lambda pair: order(pair[1]))
    bodies = (
        {**alert.body(), "fingerprint": fingerprint}
        for fingerprint, alert in chosen
        if match_all(matchers, alert.labels, alert.unfilled)
    )
    return answer({"ok": True, "alerts": await site.reads.write(bodies)})


async def _silences(asked: Asked) -> Response:
    """List the silences that are pending or active; with expired=true all that are kept."""
    site = asked.site
    expired = asked.request.query_params.get("expired") == "true"
    if page := _asked_page(asked.request):
        return answer(await asked.carry_out("silences", {**page, "expired": expired}))
    now = site.clock.now()
    kept = list(site.mirror.silences.values())  # a copy: the book may change between two slices
    bodies = (silence.body(now) for silence in kept if expired or silence.end > now)
    return answer({"ok": True, "silences": await site.reads.write(bodies), "now": rfc3339(now)})


async def _outbox(asked: Asked) -> Response:
    """List the notifications that are queued or dead, of one receiver or all."""
    query = asked.request.query_params
    wanted: dict[str, Any] = {key: query[key] for key in ("receiver", "state") if key in query}
    if "id" in query:
        wanted["ids"] = query.getlist("id")
    return answer(await asked.carry_out("outbox", {**wanted, **_asked_page(asked.request)}))


async def _push(asked: Asked) -> Response:
    """Return the key with which a browser subscribes to push messages; "" where no receiver sends any."""
    return answer(await asked.carry_out("push", {}))


async def _receivers(asked: Asked) -> Response:
    """List the receivers: kind, circuit, what waits, when each last worked, and why it last failed."""
    site = asked.site
    depths = await site.mirror.look(lambda reader: reader.depths())
    return answer({"ok": True, "receivers": [_receiver(site, name, depths) for name in site.files().rules.receivers]})


def _receiver(site: Site, name: str, depths: list[Depth]) -> dict[str, Any]:
    counts = {each.state: each.waiting for each in depths if each.receiver == name}
    state = site.standing.receivers.get(name, Receiving()).body()
    kind = site.files().rules.receivers[name].kind
    return {"name": name, "kind": kind, "queued": counts.get("queued", 0), "dead": counts.get("dead", 0), **state}


def _asking(name: str, of: str) -> Handler:
    async def handle(asked: Asked) -> Response:
        """Answer why or why-not; the parameters beside `of` are values of labels."""
        query = dict(asked.request.query_params)
        if not query.get(of):
            raise Refused(400, f"which {of}? add ?{of}=NAME, and labels as &site=a")
        return answer(await asked.carry_out(name, {of: query.pop(of), "labels": query}))

    return handle


async def _history(asked: Asked) -> Response:
    """List what happened to alerts, the newest first. `before` is the row to go on from while there is `more`."""
    query = asked.request.query_params
    limit = asked_number(query, "limit", 100, HISTORY_SHOWN)
    before = asked_number(query, "before", _NEWEST, _NEWEST)
    rule, alert = query.get("alertname", ""), query.get("fingerprint", "")

    def look(reader: Reader) -> tuple[list[tuple[Any, ...]], float | None]:
        return reader.history(before, rule, alert, limit + 1), reader.kept_since()

    rows, kept = await asked.site.mirror.look(look)
    entries = await asked.site.reads.write(map(_entry, rows[:limit]))
    since = None if kept is None else rfc3339(kept)
    return answer({"ok": True, "entries": entries, "more": len(rows) > limit, "kept_since": since})


def _entry(row: tuple[Any, ...]) -> dict[str, Any]:
    number, at, kind, alert, rule, notification, data = row
    named = {"alertname": rule, "fingerprint": alert, "notification": notification or None}
    return {**orjson.loads(data), "row": number, "time": rfc3339(at), "kind": kind, **named}


async def _audit(asked: Asked) -> Response:
    """List who changed what, the newest change first."""
    limit = asked_number(asked.request.query_params, "limit", 100, HISTORY_SHOWN)
    before = asked_number(asked.request.query_params, "before", _NEWEST, _NEWEST)
    rows = await asked.site.mirror.look(lambda reader: reader.audit(before, limit))
    entries: list[AuditBody] = [
        {"row": row, "time": rfc3339(at), "actor": by, "via": via, "action": action, "detail": orjson.loads(detail)}
        for row, at, by, via, action, detail in rows
    ]
    return answer({"ok": True, "entries": entries})


_LATENCY = made_of(p50=maybe(NUMBER), p99=maybe(NUMBER))
_STATUS = Described(
    ok(
        {"node": said(TEXT, "In a cluster: this node."), "cluster": schema_of(ClusterBody)},
        client_id=TEXT,
        version=TEXT,
        since=TIME,
        now=TIME,
        tz=TEXT,
        ready=FLAG,
        session=one_of("connected", "disconnected"),
        trouble=TEXT,
        rules=WHOLE,
        receivers=WHOLE,
        figures=made_of({"egr": NUMBER, "nsr": NUMBER, "epl": _LATENCY, "npl": _LATENCY}),
        feed=TEXT,
        actor=made_of(name=TEXT, role=one_of(VIEWER, OPERATOR, ADMIN)),
        login=FLAG,
    )
)
_FILTER = said(listed(TEXT), "Matchers as in Alertmanager, which must all match.")
_PAGE_ASKED = {"cursor": Paged.cursor.schema, "limit": Paged.limit.schema}
_ALERTS = Described(
    COMMANDS["alerts"].answer,
    {
        "filter": _FILTER,
        "state": said(TEXT, "firing, pending or resolved."),
        "id": said(TEXT, "Only this one: its fingerprint, or the id of one of its notifications."),
        **_PAGE_ASKED,
    },
)
_SILENCES = Described(
    COMMANDS["silences"].answer,
    {"expired": said(TEXT, "true: also those that ended lately."), **_PAGE_ASKED},
)
_WHICH = {
    "id": said(listed(TEXT), "Only these."),
    "receiver": said(TEXT, "Only of this one."),
    "state": said(TEXT, "queued or dead."),
}
_OUTBOX = Described(COMMANDS["outbox"].answer, {**_WHICH, **_PAGE_ASKED}, refusals=(404,))
_PUSH = Described(COMMANDS["push"].answer)
_RECEIVERS = Described(ok(receivers=schema_of(list[ReceiverBody])))
_OF = "{} Each further parameter is the value of a label."
_OF_ALERT = said({**TEXT, "minLength": 1}, _OF.format("Its name or id."), required=True)
_WHY = Described(COMMANDS["why"].answer, {"alert": _OF_ALERT}, refusals=(404,))
_OF_RULE = said({**TEXT, "minLength": 1}, _OF.format("Its name."), required=True)
_WHY_NOT = Described(COMMANDS["why-not"].answer, {"rule": _OF_RULE}, refusals=(404,))
_ROWS = {
    "limit": said({**WHOLE, "maximum": HISTORY_SHOWN}, "How many at most."),
    "before": said({**WHOLE, "maximum": _NEWEST}, "Only those before this row."),
}
_HISTORY = Described(
    ok(
        entries=schema_of(list[HistoryBody]),
        more=said(FLAG, "Whether there are older ones: go on with `before`."),
        kept_since=said(maybe(TIME), "Entries from before this time were deleted; null where none was."),
    ),
    {"alertname": TEXT, "fingerprint": TEXT, **_ROWS},
)
_AUDIT = Described(ok(entries=schema_of(list[AuditBody])), _ROWS)


def _read(name: str, handler: Handler, described: Described, *, long: bool = False) -> Endpoint:
    """Return the endpoint of a command that changes nothing."""
    return Endpoint("GET", f"/api/hub/{name}", VIEWER, handler, COMMANDS[name].summary, described, long=long)


ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/hub/status",
        VIEWER,
        _status,
        "Which hub this is, whether it hears its broker, its figures",
        _STATUS,
    ),
    _read("alerts", _alerts, _ALERTS, long=True),
    _read("silences", _silences, _SILENCES),
    _read("outbox", _outbox, _OUTBOX, long=True),
    _read("push", _push, _PUSH),
    Endpoint("GET", "/api/hub/receivers", VIEWER, _receivers, "The receivers and how they stand", _RECEIVERS),
    _read("why", _asking("why", "alert"), _WHY, long=True),
    _read("why-not", _asking("why-not", "rule"), _WHY_NOT, long=True),
    Endpoint("GET", "/api/hub/history", VIEWER, _history, "What happened to alerts", _HISTORY, long=True),
    Endpoint("GET", "/api/hub/audit", ADMIN, _audit, "Who changed what", _AUDIT),
)
