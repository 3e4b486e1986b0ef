"""What the channel would like to hear and the broker may refuse: then the desk works without it, and says so."""

import asyncio

import orjson

from hub.commands.over_mqtt.desk_channel import DeskChannel
from hub.errors import SubscriptionDenied
from tests.rules.making import Packet

DROPPED = "$SYS/dropped"


class RefusingSession:
    """A session to a broker that refuses what begins with $."""

    def __init__(self):
        self.filters, self.coming, self.closed = None, asyncio.Queue(), asyncio.Event()
        self.acknowledged, self.packet_bytes = 0, None

    async def run(self, filters, _earlier=()):
        self.filters = list(filters)
        await self.closed.wait()

    async def resubscribe(self, filters):
        if any(each.startswith("$") for each in filters):
            raise SubscriptionDenied("the broker does not let user 'hub' read $SYS/dropped")

    async def receive(self):
        return await self.coming.get()

    def acknowledge(self, position):
        self.acknowledged = position

    async def close(self):
        self.closed.set()
        self.coming.put_nowait(())


class Service:
    def __init__(self):
        self.asked = asyncio.Queue()

    async def answer(self, name, request, via):
        self.asked.put_nowait((name, request, via))
        return {"ok": True}


async def test_the_desk_serves_requests_and_what_it_may_hear_goes_where_it_belongs():
    session, service, troubles, heard = RefusingSession(), Service(), [], asyncio.Queue()

    async def hear(payload, kept):
        heard.put_nowait((payload, kept))

    channel = DeskChannel(
        lambda: session, "hub", service, lambda *said: troubles.append(said), {DROPPED: hear}, (DROPPED,)
    )  # fmt: skip
    running = asyncio.create_task(channel.run())
    async with asyncio.timeout(10):
        session.coming.put_nowait([
            Packet("hub/command/alerts", orjson.dumps({"a": 1}), 1, retain=True),  # nobody's wish now
            Packet("hub/command/alerts", orjson.dumps({"a": 2}), 2),
            Packet(DROPPED, b"7", 3, retain=True),
        ])  # fmt: skip
        name, asked, via = await service.asked.get()
        assert (name, asked["a"], via) == ("alerts", 2, "mqtt")
        assert await heard.get() == (b"7", True)
        await channel.close()
        await running
    assert service.asked.empty()
    assert session.acknowledged == 3
    assert session.filters == ["hub/command/+"]
    assert troubles == [
        ("broker", "what it drops is not seen: the broker does not let user 'hub' read $SYS/dropped"),
    ]
