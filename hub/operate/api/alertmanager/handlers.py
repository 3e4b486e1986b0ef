"""The endpoints of /api/v2, Alertmanager's API: an error is a JSON text, and changes are on disk before the answer."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson
from starlette.responses import Response

from hub import __version__
from hub.alerts.matchers import match_all
from hub.alerts.suppression.silences import Silence
from hub.commands.seams import Mirror
from hub.errors import HubError, RequestError
from hub.limits import HTTP_BODY_BYTES, POSTED_BATCH, SHOWN_SLICE
from hub.operate.api.alertmanager import alert_shapes
from hub.operate.api.alertmanager.alert_bodies import (
    ALERTMANAGER,
    NOBODY,
    Shown,
    config_text,
    groups,
    shown,
    silence_body,
    silences,
)
from hub.operate.api.alertmanager.alert_reading import (
    asked_flag,
    asked_matchers,
    asked_pattern,
    read_posting,
    read_silence,
)
from hub.operate.api.answers import answer, refused, retry_after
from hub.operate.api.front.actor import OPERATOR, VIEWER, Refused
from hub.operate.api.site import Asked, Endpoint, Handler, Site
from hub.rules.posted.posting import Posting

__all__ = ["ENDPOINTS"]

_UNKNOWN = (409, 410)
"""Statuses that Alertmanager's OpenAPI document does not have: its clients expect 400."""


def _plainly(handler: Handler) -> Handler:
    """Let a handler report errors as Alertmanager does, so that its clients can read them."""

    async def handle(asked: Asked) -> Response:
        try:
            return await handler(asked)
        except Refused as error:
            no = error
        except HubError as error:
            no = refused(error)
        status = 400 if no.status in _UNKNOWN else no.status
        return answer(no.message, status, retry_after(no))

    return handle


async def _status(asked: Asked) -> Response:
    site = asked.site
    files = site.files().rules
    version = {"version": f"{ALERTMANAGER}+hub.{__version__}", "revision": "", "branch": "hub"}
    return answer(
        {
            "cluster": {"name": site.hub["client_id"], **site.peers.alertmanager()},
            "config": {"original": config_text(files.rules, list(files.receivers), files.defaults.notify)},
            "uptime": site.since,
            "versionInfo": version | {"buildUser": "", "buildDate": "", "goVersion": ""},
        }
    )


async def _receivers(asked: Asked) -> Response:
    matchers = asked_matchers(asked.request.query_params.getlist("receiver_matchers"))
    names = dict.fromkeys((*asked.site.files().rules.receivers, NOBODY))
    labelled = [(name, _labels_of(asked.site, name)) for name in names]
    return answer([{"name": name, "labels": labels} for name, labels in labelled if match_all(matchers, labels)])


def _labels_of(site: Site, receiver: str) -> dict[str, str]:
    """Return the labels of a receiver, by which clients choose: its name and kind (Alertmanager's are configured)."""
    known = site.files().rules.receivers.get(receiver)
    return {"name": receiver} | ({"kind": known.kind} if known else {})


# alerts


async def _alerts(asked: Asked) -> Response:
    alerts = sorted(await _asked_for(asked), key=lambda alert: str(alert.body["fingerprint"]))
    return answer(await asked.site.reads.write(alert.body for alert in alerts))


async def _groups(asked: Asked) -> Response:
    """List the groups. Each alert is written once, though it stands in the group of each of its receivers."""
    alerts = await _asked_for(asked)
    texts = await asked.site.reads.write(alert.body for alert in alerts)
    written = {id(alert.body): text for alert, text in zip(alerts, texts, strict=True)}
    return answer([{**group, "alerts": [written[id(body)] for body in group["alerts"]]} for group in groups(alerts)])


async def _asked_for(asked: Asked) -> list[Shown]:
    """Return the firing alerts that a query asks for. It works in slices, so that events do not wait."""
    site, query = asked.site, asked.request.query_params
    matchers, named = asked_matchers(query.getlist("filter")), asked_pattern(query.get("receiver"))
    told, wanted = asked_matchers(query.getlist("receiver_matchers")), _wanted(query)
    mirror, now, chosen = site.mirror, site.clock.now(), list[Shown]()
    for slice_ in _slices(mirror):
        for fingerprint, alert in slice_:
            if match_all(matchers, alert.labels, alert.unfilled):
                body = shown(mirror, fingerprint, alert, now, site.settings.http.url)
                if wanted(body) and any(named(to) and match_all(told, _labels_of(site, to)) for to in body.receivers):
                    chosen.append(body)
        await asyncio.sleep(0)
    return chosen


def _slices(mirror: Mirror) -> Iterator[list[Any]]:
    firing = mirror.firing()
    for first in range(0, len(firing), SHOWN_SLICE):
        yield firing[first : first + SHOWN_SLICE]


def _wanted(query: Mapping[str, str]) -> Callable[[Shown], bool]:
    """Read the flags of a query, and return what tells whether an alert passes them; each is true where absent."""
    active, muted = asked_flag(query, "active"), asked_flag(query, "muted")
    silenced, inhibited = asked_flag(query, "silenced"), asked_flag(query, "inhibited")
    asked_flag(query, "unprocessed")  # it is only checked: the hub processes each alert at once

    def wanted(each: Shown) -> bool:
        status = each.body["status"]
        return (
            (active or each.state != "active")
            and (silenced or not status["silencedBy"])
            and (inhibited or not status["inhibitedBy"])
            and (muted or not status["mutedBy"])
        )

    return wanted


async def _post_alerts(asked: Asked) -> Response:
    """Take the alerts that can be taken, and say why the others cannot. As Alertmanager, it then answers 400."""
    site = asked.site
    items = await _json(asked)
    if not isinstance(items, list):
        raise RequestError("alerts are a JSON list")
    if len(items) > POSTED_BATCH:
        raise RequestError(f"{len(items)} alerts at once; the most are {POSTED_BATCH}")
    postings, wrong = list[Posting](), list[str]()
    for item in items:
        try:
            postings.append(read_posting(item))
        except RequestError as error:
            wrong.append(str(error))
    wrong += await site.desk.take_postings(postings)
    if wrong:
        raise RequestError("; ".join(dict.fromkeys(wrong)))
    return Response()


# silences


async def _silences(asked: Asked) -> Response:
    wanted = asked_matchers(asked.request.query_params.getlist("filter"))
    creators = asked.request.query_params.getlist("creator")
    chosen = [
        silence
        for silence in asked.site.mirror.silences.values()
        if all(matcher in silence.matchers for matcher in wanted) and (not creators or silence.by in creators)
    ]
    return answer(silences(chosen, asked.site.clock.now()))


async def _silence(asked: Asked) -> Response:
    return answer(silence_body(_known(asked.site, asked.request.path_params["id"]), asked.site.clock.now()))


def _known(site: Site, identity: str) -> Silence:
    silence = site.mirror.silences.get(identity)
    if silence is None:
        raise Refused(404, f"no silence {identity!r} is known")
    return silence


async def _post_silence(asked: Asked) -> Response:
    """Make a silence, or change the one whose id the request has."""
    site = asked.site
    request = {"by": asked.actor.name} | read_silence(await _json(asked))
    if "id" in request:
        _known(site, request["id"])
    done = await asked.carry_out("silence", request)
    return answer({"silenceID": done["silence"]["id"]})


async def _delete_silence(asked: Asked) -> Response:
    """End a silence. It stays for a while as an expired one, as in Alertmanager."""
    request = {"id": _known(asked.site, asked.request.path_params["id"]).id, "by": asked.actor.name}
    await asked.carry_out("unsilence", request)
    return Response()


async def _json(asked: Asked) -> Any:
    try:
        return orjson.loads(await asked.site.bodies.read(asked.request, HTTP_BODY_BYTES))
    except orjson.JSONDecodeError as error:
        raise RequestError(f"not JSON: {error}") from None


_TABLE = (
    (
        "GET",
        "/status",
        VIEWER,
        _status,
        "Which hub this is, and a configuration",
        alert_shapes.STATUS,
    ),
    ("GET", "/receivers", VIEWER, _receivers, "The names of all receivers", alert_shapes.RECEIVERS),
    ("GET", "/alerts", VIEWER, _alerts, "The alerts that fire", alert_shapes.ALERTS),
    (
        "POST",
        "/alerts",
        OPERATOR,
        _post_alerts,
        "Take alerts that another program evaluates",
        alert_shapes.POSTED_ALERTS,
    ),
    ("GET", "/alerts/groups", VIEWER, _groups, "The alerts that fire, by receiver and labels", alert_shapes.GROUPS),
    ("GET", "/silences", VIEWER, _silences, "Silences, also those that ended lately", alert_shapes.SILENCES),
    (
        "POST",
        "/silences",
        OPERATOR,
        _post_silence,
        "Make a silence, or with its id change one",
        alert_shapes.POSTED_SILENCE,
    ),
    ("GET", "/silence/{id}", VIEWER, _silence, "One silence", alert_shapes.ONE_SILENCE),
    ("DELETE", "/silence/{id}", OPERATOR, _delete_silence, "End a silence now", alert_shapes.DELETED),
)
_LONG = ("/alerts", "/alerts/groups")
ENDPOINTS = tuple(
    Endpoint(method, f"/api/v2{path}", role, _plainly(handler), summary, described, long=path in _LONG)
    for method, path, role, handler, summary, described in _TABLE
)
