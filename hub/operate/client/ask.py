"""Asks a running hub: over MQTT 5 with a request to `hub/command/NAME` and a response topic, or over HTTP."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

import orjson

from hub.commands.over_mqtt.reply import answers_below
from hub.ingest.mqtt.session import Session
from hub.limits import ANSWER_SECONDS
from hub.operate.client.connect import connected
from hub.operate.client.reach import NoAnswer, Reach, ReachedByBroker
from hub.operate.client.why_silent import why_silent

__all__ = ["ask", "ask_all"]

Answer = Mapping[str, Any]
Put = Callable[[Mapping[str, Any]], Awaitable[Answer]]
"""Puts a request to the hub, and returns its answer."""
_PARAMETERS: Mapping[str, Sequence[tuple[str, str]]] = {
    "alerts": [("id", "id"), ("matchers", "filter"), ("state", "state")],
    "silences": [("expired", "expired")],
    "outbox": [("ids", "id"), ("receiver", "receiver"), ("state", "state")],
    "why": [("alert", "alert")],
    "why-not": [("rule", "rule")],
}
"""For each command that only reads: which field of its request is which parameter of GET."""
_PAGE = [("cursor", "cursor"), ("limit", "limit")]


async def ask(reach: Reach | ReachedByBroker, name: str, request: Mapping[str, Any]) -> Answer:
    """Return the hub's answer; its `ok` tells whether the hub did it. Settings in place of a Reach mean their broker.

    Raises:
        HubError: the broker or the hub cannot be reached or refuses us, or no hub answers.

    """
    async with _asking(reach if isinstance(reach, Reach) else Reach(reach), name) as put:
        return await put(request)


async def ask_all(reach: Reach, name: str, request: Mapping[str, Any]) -> Answer:
    """Return a whole list, asked for page by page; an entry that moved and came on two pages is in it once.

    Raises:
        HubError: as `ask`.

    """
    entries: dict[tuple[str, str], Any] = {}
    cursor: str | None = ""
    async with _asking(reach, name) as put:
        while cursor is not None:
            answer = await put({**request, "cursor": cursor})
            if not answer.get("ok"):
                return answer
            for entry in answer[name]:
                entries[str(entry["id"]), str(entry.get("receiver"))] = entry
            following = answer.get("next")  # an older hub knows no pages: this is all that it answers
            cursor = None if following == cursor else following  # else we would ask for ever
    return {**answer, name: list(entries.values())}


@contextlib.asynccontextmanager
async def _asking(reach: Reach, name: str) -> AsyncIterator[Put]:
    """Open a way to the hub for requests to one command; over MQTT unless the reach has a URL."""
    if not reach.url and reach.settings is not None:
        async with _over_mqtt(reach.settings, name) as put:
            yield put
        return
    from hub.operate.live.feed_link import linked  # noqa: PLC0415 - 0.3 s of aiohttp, which MQTT does not need

    async with linked(reach.url, reach.token) as link:

        async def over_http(request: Mapping[str, Any]) -> Answer:
            if name not in _PARAMETERS:
                return await link.command(name, request)
            return await link.look(name, _query(name, request))

        yield over_http


def _query(name: str, request: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Write a request as parameters of GET; each label is a parameter of its own."""
    parameters: list[tuple[str, str]] = []
    for field, parameter in [*_PARAMETERS[name], *_PAGE]:
        value = request.get(field)
        values = value if isinstance(value, list) else [value]
        parameters += [
            (parameter, "true" if each is True else str(each)) for each in values if each not in (None, "", False)
        ]
    if request.get("cursor") == "":  # an empty cursor asks for the first page; without one there would be no pages
        parameters.append(("cursor", ""))
    return [*parameters, *request.get("labels", {}).items()]


@contextlib.asynccontextmanager
async def _over_mqtt(settings: ReachedByBroker, name: str) -> AsyncIterator[Put]:
    """Open a session that listens on a response topic of its own, so that no other client gets the answers."""
    client_id = f"hub-cli-{secrets.token_hex(8)}"
    answers = f"{answers_below(settings.publish_prefix)}{client_id}/{name}"
    topic = f"{settings.publish_prefix}/command/{name}"
    async with connected(settings.broker, client_id, [answers]) as session:

        async def put(request: Mapping[str, Any]) -> Answer:
            properties = {
                "response_topic": answers,
                "correlation_data": client_id.encode(),
                "message_expiry_interval": int(ANSWER_SECONDS),  # a hub that comes back must not do it later
            }
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    await session.publish(topic, orjson.dumps(request), properties=properties)
                    return await _answer(session)
            except TimeoutError:
                why = await why_silent(settings.path, session, settings.publish_prefix)
                raise NoAnswer(
                    f"no hub answered within {ANSWER_SECONDS:.0f} s on {session.broker}, topic {topic}: {why}"
                ) from None

        yield put


async def _answer(session: Session) -> Answer:
    """Return the answer; if several have come, the newest."""
    deliveries = await session.receive()
    if not deliveries:
        raise NoAnswer("the session was closed before the hub answered")
    session.acknowledge(session.handed)
    answer: Answer = orjson.loads(deliveries[-1].payload)
    return answer
