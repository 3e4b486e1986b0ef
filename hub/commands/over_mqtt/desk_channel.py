"""Requests over MQTT: `hub/command/NAME` comes in, the answer goes to the response topic (MQTT 5, 4.10; see reply.py).

The channel has a session of its own beside the pipeline's: an operator's request must not wait behind a backlog of
events. The guarantee is the same: a request is acknowledged to the broker after what it changed is on disk.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson

from hub.commands.contract import Paged
from hub.commands.over_mqtt.complaints import Complaints
from hub.commands.over_mqtt.reply import response_topic, why_no_reply
from hub.commands.pages import LISTS, cut, room_of
from hub.commands.request import read_request
from hub.commands.service import Answer, Service, refused
from hub.errors import Code, HubError, RequestError, SessionTakenOver, SubscriptionDenied
from hub.ingest.mqtt.packet import Packet
from hub.ingest.mqtt.session import BrokerSettings, Session
from hub.limits import ANSWER_BYTES, ANSWER_FRAME_BYTES, ANSWER_LEAST_BYTES, DESK_RETRY_SECONDS, REQUEST_BYTES

__all__ = ["DeskChannel", "desk_settings"]

_NAME_CHARS = 80  # of a command's name in the log
Heard = Callable[[bytes, bool], Awaitable[None]]
"""Takes a payload, and whether it was a retained one."""


def desk_settings(settings: BrokerSettings) -> BrokerSettings:
    """Return the settings of the channel's session: those of the hub, with a client id of its own."""
    return replace(settings, client_id=f"{settings.client_id}-desk", receive_maximum=100)


class DeskChannel:
    """Answers the requests that come by one MQTT session."""

    def __init__(
        self,
        connect: Callable[[], Session],
        prefix: str,
        service: Service,
        trouble: Callable[[str, str], None],
        others: Mapping[str, Heard],
        optional: Collection[str] = (),
    ) -> None:
        """Serve requests below `prefix`; `connect` makes a session; `trouble` hears of requests that were not answered.

        `others` hear the payloads of further topics, which are no requests; the broker may refuse the `optional` ones.
        """
        self._connect, self._service, self._trouble = connect, service, trouble
        self._session = connect()
        self._closed = asyncio.Event()
        self._prefix, self._commands = prefix, f"{prefix}/command/"
        self._complaints = Complaints(lambda message: trouble("command", message), time.monotonic)
        self._others, self._optional = others, optional
        self._taken = 0

    async def run(self) -> None:
        """Connect and answer until `close`.

        Where another hub takes this session, it waits and takes it back: of two hubs with one client id, the sessions
        for events decide which one ends.

        Raises:
            SessionError: as the session does, except SessionTakenOver.

        """
        loop, (shortest, longest) = asyncio.get_running_loop(), DESK_RETRY_SECONDS
        wait = shortest
        wanted = [f"{self._commands}+", *(name for name in self._others if name not in self._optional)]
        while not self._closed.is_set():
            begun = loop.time()
            async with asyncio.TaskGroup() as group:
                standing = group.create_task(self._stand(wanted), name="desk session")
                group.create_task(self._serve_all(), name="desk requests")
                if self._optional:
                    group.create_task(self._ask([*wanted, *self._optional]), name="desk subscriptions")
            rival = standing.result()
            if rival is None:
                return
            if loop.time() - begun >= longest:
                wait = shortest
            self._trouble("command", f"requests wait {wait:.0f} s: {rival}")
            await self._pause(wait)
            # two hubs that take one session from each other all the time serve nobody: try less and less often
            wait = min(2 * wait, longest)
            self._session, self._taken = self._connect(), 0

    async def _stand(self, wanted: Sequence[str]) -> SessionTakenOver | None:
        """Stay connected until `close`, or until another client takes the session: then return that error.

        It is returned and not raised, because a TaskGroup swallows its own cancellation where a task fails in the same
        moment: a hub whose two sessions were both taken over would go on with this one.
        """
        try:
            await self._session.run(wanted)
        except SessionTakenOver as error:
            await self._session.close()
            return error
        return None

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._closed.wait()

    async def _ask(self, filters: Sequence[str]) -> None:
        """Subscribe to the optional topics, once the broker has granted the others."""
        try:
            await self._session.resubscribe(filters)
        except SubscriptionDenied as error:
            self._trouble("broker", f"what it drops is not seen: {error}")

    async def close(self) -> None:
        """Disconnect, and answer no more requests."""
        self._closed.set()
        await self._session.close()

    async def _serve_all(self) -> None:
        while deliveries := await self._session.receive():
            for delivery in deliveries:
                await self._serve(delivery)
                self._taken += 1
                self._session.acknowledge(self._taken)

    async def _serve(self, delivery: Packet) -> None:
        if not delivery.topic.startswith(self._commands):  # one of `others`, or of an older subscription
            if delivery.topic in self._others:
                await self._others[delivery.topic](delivery.payload, delivery.retain)
            return
        if delivery.retain:
            return  # a retained request was sent at some earlier time: to carry it out at each start would be wrong
        name, topic = delivery.topic.removeprefix(self._commands), response_topic(delivery)
        if topic and (why := why_no_reply(topic, self._prefix)):  # who asks so expects an answer: do nothing without
            self._complaints.add(f"{name[:_NAME_CHARS]!r} is not done: {why}")
            return
        room = self._room(delivery, topic)
        try:
            answer, room = await self._answer(name, delivery.payload, room)
        except Exception as error:  # noqa: BLE001 - a bug of ours must not come again with every reconnect
            why = f"this is a bug in the hub, please report it: {error!r}"
            answer = refused(RequestError(why, Code.INTERNAL))
        if not answer["ok"]:
            self._complaints.add(f"{name[:_NAME_CHARS]}: {answer['error']}")
        if topic:
            await self._reply(topic, delivery, answer, room)

    def _room(self, delivery: Packet, topic: str) -> int:
        """Return how many bytes an answer may have, so that its packet is no longer than this broker takes."""
        mark = getattr(delivery, "correlation_data", None) or b""
        beside = ANSWER_FRAME_BYTES + len(topic.encode("utf-8", "replace")) + len(mark)
        return max(ANSWER_LEAST_BYTES, min(ANSWER_BYTES, (self._session.packet_bytes or ANSWER_BYTES) - beside))

    async def _answer(self, name: str, payload: bytes, room: int) -> tuple[Answer, int]:
        """Return the answer, and how long it may be: the asker may take less than the broker, and says so (`bytes`)."""
        if len(payload) > REQUEST_BYTES:
            return refused(RequestError(f"a request of {len(payload)} bytes; the limit is {REQUEST_BYTES}")), room
        try:
            request = read_request(payload)
            room = min(room, room_of(Paged(request)))
        except RequestError as error:
            return refused(error), room
        request.pop("bytes", None)
        if name in LISTS:
            request["bytes"] = room
        return await self._service.answer(name, request, "mqtt"), room

    async def _reply(self, topic: str, delivery: Packet, answer: Answer, room: int) -> None:
        """Publish the answer where the request wants it; one that is too long is cut, and says so."""
        mark: Any = getattr(delivery, "correlation_data", None)
        data = orjson.dumps(answer)
        if len(data) > room:
            total = max((len(each) for each in answer.values() if isinstance(each, list)), default=0)
            data = orjson.dumps(cut({"total": total, **answer}, room))
        try:
            await self._session.publish(topic, data, properties={"correlation_data": mark})
        except HubError as error:
            self._complaints.add(f"the answer to {topic!r} was not published: {error}")
