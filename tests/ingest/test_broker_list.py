"""A session with several addresses of its broker: it takes the first that answers, and goes on with the next.

Two Mosquittos stand for two machines that may be off. Two proxies before one Mosquitto stand for two addresses of a
clustered broker, which has one session for both.
"""

import asyncio
from dataclasses import replace

import pytest

from hub.documents.secret import Secret
from hub.errors import BrokerUnreachable, ConnectionRefused
from hub.ingest.mqtt.session import BrokerAddress, BrokerSettings
from hub.operate.client.connect import connected
from hub.operate.mosquitto import Mosquitto, free_port
from tests.support.brokers import frozen, scripted
from tests.support.mqtt import client
from tests.support.proxy import Proxy

BASE = BrokerSettings(host="127.0.0.1")


@pytest.fixture(params=["5", "3.1.1"])
def protocol(request):
    return request.param


class Pair:
    """Two brokers with the same passwords; `settings` names both."""

    def __init__(self, folder):
        self.web = free_port()
        self.first = Mosquitto(folder / "first")
        self.second = Mosquitto(folder / "second", extra=[f"listener {self.web} 127.0.0.1", "protocol websockets"])
        self.second._passwords = self.first._passwords

    def settings(self, **changes):
        others = (BrokerAddress("127.0.0.1", self.second.port),)
        return replace(self.first.settings("hub"), others=others, **changes)


@pytest.fixture
async def pair(tmp_path):
    made = Pair(tmp_path)
    async with made.first, made.second:
        yield made


def told(subject, kind):
    return [each.broker.rpartition(":")[2] for each in subject.notices if each.kind == kind]


async def hears(subject, broker, word):
    """Publish at this broker until the session has heard it."""
    async with client(broker.settings("device"), "sensor") as device:
        await device.publish("site/a", word)
        assert [each.payload for each in await subject.take(1)] == [word.encode()]
        subject.session.acknowledge(subject.session.handed)


async def test_a_first_that_is_down_at_the_start_is_passed_over_at_once(start, pair, protocol):
    await pair.first.stop()
    loop = asyncio.get_running_loop()
    begun = loop.time()
    subject = await start(pair.settings(protocol=protocol))
    assert loop.time() - begun < 2
    assert told(subject, "disconnected") == [str(pair.first.port)]
    assert told(subject, "connected") == [str(pair.second.port)]
    assert subject.session.broker.port == pair.second.port
    assert f"mqtt://127.0.0.1:{pair.first.port} cannot be reached" in subject.notices[0].detail
    await hears(subject, pair.second, "1")


async def test_one_that_is_killed_while_connected_is_followed_by_the_next(start, pair, protocol):
    subject = await start(pair.settings(protocol=protocol))
    await hears(subject, pair.first, "1")
    await pair.first.kill()
    await subject.notice("connected", 2)
    assert told(subject, "connected") == [str(pair.first.port), str(pair.second.port)]
    assert told(subject, "session_lost") == [str(pair.second.port)], "two Mosquittos share no session"
    await hears(subject, pair.second, "2")
    await pair.first.start()
    await pair.second.kill()
    await subject.notice("connected", 3)
    assert told(subject, "connected")[-1] == str(pair.first.port)
    await hears(subject, pair.first, "3")


async def test_both_down_are_told_once_each_and_the_one_that_is_back_is_taken(start, pair, protocol):
    subject = await start(pair.settings(protocol=protocol))
    await pair.second.kill()
    await pair.first.kill()
    await subject.notice("disconnected", 3)
    async with asyncio.timeout(20):
        while subject.session._turns._failed < 7:  # some more attempts, of which nothing is heard
            await asyncio.sleep(0.05)
    await pair.second.start()
    await subject.notice("connected", 2)
    gone = [each.detail for each in subject.notices if each.kind == "disconnected"]
    assert len(gone) == 3, "the loss, then that each cannot be reached; no attempt is told twice"
    assert len(set(gone)) == 3
    assert told(subject, "connected") == [str(pair.first.port), str(pair.second.port)]
    await hears(subject, pair.second, "1")


async def test_a_websocket_may_be_the_next(start, pair, protocol):
    others = (BrokerAddress("127.0.0.1", pair.web, "/mqtt"),)
    subject = await start(replace(pair.settings(protocol=protocol), others=others))
    await pair.first.kill()
    found = await subject.notice("connected", 2)
    assert found.broker == f"ws://127.0.0.1:{pair.web}/mqtt"
    await hears(subject, pair.second, "1")


async def test_one_that_takes_connections_and_says_nothing_does_not_hold_up_the_next(start, pair, protocol):
    with frozen(pair.first):
        subject = await start(pair.settings(protocol=protocol))
        assert told(subject, "connected") == [str(pair.second.port)]
        assert told(subject, "disconnected") == [str(pair.first.port)]


async def test_one_that_refuses_for_good_ends_nothing_where_another_takes_us(start, tmp_path, protocol):
    made, another = Pair(tmp_path), Secret("another")
    made.second._passwords = {**made.first._passwords, "hub": another}
    async with made.first, made.second:
        subject = await start(made.settings(protocol=protocol, password=another))
        assert told(subject, "disconnected") == [str(made.first.port)]
        assert told(subject, "connected") == [str(made.second.port)]


async def test_a_refusal_by_all_ends_the_hub_with_the_words_of_one(start, pair, protocol):
    refused = await start(pair.settings(protocol=protocol, password=Secret("wrong")), connected=False)
    with pytest.raises(ConnectionRefused, match=f"^mqtt://127.0.0.1:{pair.second.port}: the broker refused"):
        await refused.running


async def test_a_refusal_ends_the_hub_where_the_other_address_is_not_there(start, pair, protocol):
    await pair.second.stop()
    refused = await start(pair.settings(protocol=protocol, password=Secret("wrong")), connected=False)
    with pytest.raises(ConnectionRefused, match=f"^mqtt://127.0.0.1:{pair.first.port}: the broker refused"):
        await refused.running


async def test_what_was_not_acknowledged_at_one_address_comes_again_at_the_next_and_nothing_else(
    start, broker, protocol
):
    async with Proxy(broker.port) as first, Proxy(broker.port) as second:
        others = (BrokerAddress("127.0.0.1", second.port),)
        subject = await start(broker.settings("hub", protocol=protocol, port=first.port, others=others))
        await subject.notice("drained")
        async with client(broker.settings("device"), "sensor") as device:
            await device.publish_all([("site/a", str(number)) for number in range(100)])
            await subject.take(100)
            subject.session.acknowledge(40)
            await subject.confirmed(40)
            first.cut()
            found = await subject.notice("connected", 2)
            assert (found.detail, found.broker) == ("resumed", f"mqtt://127.0.0.1:{second.port}")
            await device.publish_all([("site/a", str(number)) for number in range(100, 130)])
        again = await subject.take(90)
        assert [int(each.payload) for each in again] == list(range(40, 130))
        assert [each.duplicate for each in again] == [True] * 60 + [False] * 30
        assert not any(each.kind == "session_lost" for each in subject.notices)


async def test_addresses_that_take_us_and_close_at_once_are_not_asked_without_a_pause(start):
    asked = []

    async def slam(_reader, writer):
        asked.append(asyncio.get_running_loop().time())
        writer.write(b"\x20\x03\x00\x00\x00")
        await writer.drain()

    async with scripted(slam) as one, scripted(slam) as two:
        settings = replace(BASE, port=one, others=(BrokerAddress("127.0.0.1", two),))
        subject = await start(settings, connected=False)
        with pytest.raises(Exception, match="another client connects"):
            await asyncio.wait_for(subject.running, 20)
    pauses = [late - early for early, late in zip(asked[1::2], asked[2::2], strict=False)]
    assert pauses
    assert min(pauses) >= 0.04, "after a round of all addresses there is a wait"


async def test_an_errand_takes_the_first_address_that_answers(pair, protocol):
    await pair.first.stop()
    async with connected(pair.settings(protocol=protocol), "errand", []) as session:
        assert session.broker.port == pair.second.port


async def test_an_errand_that_nobody_answers_names_all_addresses(pair, protocol):
    await asyncio.gather(pair.first.stop(), pair.second.stop())
    with pytest.raises(BrokerUnreachable) as raised:
        async with connected(pair.settings(protocol=protocol), "errand", []):
            pass
    for broker in (pair.first, pair.second):
        assert str(raised.value).count(f"mqtt://127.0.0.1:{broker.port}") == 1
