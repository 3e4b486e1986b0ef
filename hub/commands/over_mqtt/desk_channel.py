"""Requests over MQTT: `hub/command/NAME` in, the answer to the response topic out (MQTT 5, 4.10; see reply).

It has a session of its own beside the pipeline's: an operator's word must not wait behind a backlog of events. The
guarantee is the same: a request is acknowledged to the broker after what it changed is on disk.
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

_NAME_CHARS = 80  # of a command that is shown
Heard = Callable[[bytes, bool], Awaitable[None]]
"""Takes a payload, and whether the broker had kept it."""


def desk_settings(settings: BrokerSettings) -> BrokerSettings:
    """Return how the channel's session reaches the broker: as the hub does, under a client id of its own."""
    return replace(settings, client_id=f"{settings.client_id}-desk", receive_maximum=100)


class DeskChannel:
    """The session that requests come by."""

    def __init__(
        self,
        connect: Callable[[], Session],
        prefix: str,
        service: Service,
        trouble: Callable[[str, str], None],
        others: Mapping[str, Heard],
        optional: Collection[str] = (),
    ) -> None:
        """Serve requests below `prefix` by a session of `connect`; `trouble` hears of those that could not be answered.

        `others` hear the payloads of topics elsewhere, which are no requests; the broker may refuse `optional` ones.
        """
        self._connect, self._service, self._trouble = connect, service, trouble
        self._session = connect()
        self._closed = asyncio.Event()
        self._prefix, self._commands = prefix, f"{prefix}/command/"
        self._complaints = Complaints(lambda message: trouble("command", message), time.monotonic)
        self._others, self._optional = others, optional
        self._taken = 0

    async def run(self) -> None:
        """Connect and answer, until `close`. Of two hubs with one client id the sessions for events decide which ends.

        Raises:
            SessionError: as the session does, but for SessionTakenOver.

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
            # two that take one session from each other for ever serve nobody: ever rarer, and no harm to the other
            wait = min(2 * wait, longest)
            self._session, self._taken = self._connect(), 0

    async def _stand(self, wanted: Sequence[str]) -> SessionTakenOver | None:
        """Be connected until `close`, or until another takes the session: then return that.

        It is no error of a task: a TaskGroup in which one fails in the very moment in which the group is cancelled
        swallows the cancellation, and a hub whose two sessions were both taken over would go on with this one.
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
        """Subscribe to what the broker may refuse, once it has taken the rest."""
        try:
            await self._session.resubscribe(filters)
        except SubscriptionDenied as error:
            self._trouble("broker", f"what it drops is not seen: {error}")

    async def close(self) -> None:
        """Answer nobody any more."""
        self._closed.set()
        await self._session.close()

    async def _serve_all(self) -> None:
        while deliveries := await self._session.receive():
            for delivery in deliveries:
                await self._serve(delivery)
                self._taken += 1
                self._session.acknowledge(self._taken)

    async def _serve(self, delivery: Packet) -> None:
        if not delivery.topic.startswith(self._commands):  # a subscription from before may still be there
            if delivery.topic in self._others:
                await self._others[delivery.topic](delivery.payload, delivery.retain)
            return
        if delivery.retain:
            return  # one that the broker kept is nobody's wish now
        name, topic = delivery.topic.removeprefix(self._commands), response_topic(delivery)
        if topic and (why := why_no_reply(topic, self._prefix)):
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
        """Return for how many bytes of an answer there is room in a packet that this broker lets through."""
        mark = getattr(delivery, "correlation_data", None) or b""
        beside = ANSWER_FRAME_BYTES + len(topic.encode("utf-8", "replace")) + len(mark)
        return max(ANSWER_LEAST_BYTES, min(ANSWER_BYTES, (self._session.packet_bytes or ANSWER_BYTES) - beside))

    async def _answer(self, name: str, payload: bytes, room: int) -> tuple[Answer, int]:
        """Return the answer, and how long it may be; of the most that the asker takes, `bytes`, no broker tells."""
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
        """Publish the answer where the request wants it; one for which there is no room is cut, and says so."""
        mark: Any = getattr(delivery, "correlation_data", None)
        data = orjson.dumps(answer)
        if len(data) > room:
            total = max((len(each) for each in answer.values() if isinstance(each, list)), default=0)
            data = orjson.dumps(cut({"total": total, **answer}, room))
        try:
            await self._session.publish(topic, data, properties={"correlation_data": mark})
        except HubError as error:
            self._complaints.add(f"the answer to {topic!r} was not published: {error}")
