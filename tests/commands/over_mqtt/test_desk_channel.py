"""The session for requests: taken over by another, cancelled, asked to answer where it must not."""

import asyncio

import orjson
import pytest

from hub.commands.over_mqtt import desk_channel as module
from hub.commands.over_mqtt.desk_channel import DeskChannel
from hub.errors import SessionTakenOver
from hub.limits import ANSWER_BYTES, COMPLAINTS, DESK_RETRY_SECONDS
from tests.rules.making import Packet


class Session:
    """Runs until it is closed or taken over."""

    def __init__(self, made):
        made.append(self)
        self.coming, self.over, self.began = asyncio.Queue(), asyncio.Event(), asyncio.Event()
        self.published, self.acknowledged, self.closed = [], 0, False
        self.packet_bytes = None

    async def run(self, _filters, _earlier=()):
        self.began.set()
        await self.over.wait()
        if not self.closed:
            raise SessionTakenOver("another client connects as 'hub-desk'")

    async def receive(self):
        return await self.coming.get()

    def acknowledge(self, position):
        self.acknowledged = position

    async def publish(self, topic, payload, *, properties):
        self.published.append((topic, orjson.loads(payload), properties["correlation_data"]))

    async def close(self):
        self.closed = True
        self.over.set()
        self.coming.put_nowait(())


class Service:
    def __init__(self):
        self.asked = []

    async def answer(self, name, request, via):
        self.asked.append((name, request, via))
        return {"ok": name != "fails"} | ({"error": "no"} if name == "fails" else {})


@pytest.fixture
def desk():
    """Return a channel, its sessions, its service, and its troubles."""
    made, service, troubles = [], Service(), []
    channel = DeskChannel(lambda: Session(made), "hub", service, lambda *said: troubles.append(said), {})
    return channel, made, service, troubles


async def wait_for(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0)


async def test_a_hub_that_ends_while_its_desk_is_taken_over_takes_nothing_back(desk):
    channel, made, _, _ = desk
    running = asyncio.create_task(channel.run())
    await made[0].began.wait()
    made[0].over.set()  # as Mosquitto 2.0.21 does: both sessions of a hub in the same moment
    await asyncio.sleep(0)
    running.cancel()
    done, _ = await asyncio.wait([running], timeout=2)
    assert done
    assert running.cancelled()
    assert len(made) == 1


async def test_a_desk_that_is_taken_over_again_and_again_comes_back_ever_more_seldom(desk, monkeypatch):
    channel, made, _, troubles = desk
    waits = []

    async def pause(seconds):
        waits.append(seconds)

    monkeypatch.setattr(channel, "_pause", pause)
    running = asyncio.create_task(channel.run())
    for number in range(14):
        await wait_for(lambda wanted=number: len(made) > wanted)
        await made[number].began.wait()
        made[number].over.set()
    await wait_for(lambda: len(waits) == 14)
    shortest, longest = DESK_RETRY_SECONDS
    assert waits == [min(shortest * 2**times, longest) for times in range(14)]
    assert waits[-1] == longest
    assert troubles[0] == ("command", "requests wait 5 s: another client connects as 'hub-desk'")
    await channel.close()
    await running


async def test_a_desk_that_stood_for_long_is_soon_back(desk, monkeypatch):
    channel, made, _, _ = desk
    waits = []

    async def pause(seconds):
        waits.append(seconds)

    monkeypatch.setattr(channel, "_pause", pause)
    monkeypatch.setattr(module, "DESK_RETRY_SECONDS", (1.0, 0.0))  # whatever it stood was long
    running = asyncio.create_task(channel.run())
    for number in range(3):
        await wait_for(lambda wanted=number: len(made) > wanted)
        await made[number].began.wait()
        made[number].over.set()
    await wait_for(lambda: len(waits) == 3)
    assert waits == [1.0] * 3
    await channel.close()
    await running


async def test_a_request_is_answered_below_answers_with_its_correlation_data(desk):
    channel, made, service, troubles = desk
    running = asyncio.create_task(channel.run())
    made[0].coming.put_nowait([asking("alerts", {"a": 1}, "hub/answers/me"), asking("ack", {}, None)])
    await wait_for(lambda: made[0].acknowledged == 2)
    room = service.asked[0][1].pop("bytes")
    assert 0 < room <= ANSWER_BYTES
    assert service.asked == [("alerts", {"a": 1}, "mqtt"), ("ack", {}, "mqtt")]
    assert made[0].published == [("hub/answers/me", {"ok": True}, b"42")]
    assert not troubles
    await channel.close()
    await running


async def test_a_request_that_wants_its_answer_elsewhere_is_not_done_and_told_in_few_lines(desk):
    channel, made, service, troubles = desk
    running = asyncio.create_task(channel.run())
    topics = ["hub/alerts/Hot/1", "site/a", "hub/answers/#", "$SYS/x", "hub/answers/a\0"] * 100
    made[0].coming.put_nowait([asking("ack", {"alertname": "Hot"}, topic) for topic in topics])
    made[0].coming.put_nowait([asking("fails" * 1000, {}, topic) for topic in topics])
    await wait_for(lambda: made[0].acknowledged == 1000)
    assert not service.asked
    assert not made[0].published
    assert len(troubles) == COMPLAINTS
    assert troubles[0][0] == "command"
    assert "'ack' is not done: its response topic 'hub/alerts/Hot/1' is not below hub/answers/" in troubles[0][1]
    await channel.close()
    await running


def asking(name, request, response):
    packet = Packet(f"hub/command/{name}", orjson.dumps(request), 1)
    packet.response_topic, packet.correlation_data = response, b"42"
    return packet
