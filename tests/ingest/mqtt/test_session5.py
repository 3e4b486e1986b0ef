"""What only MQTT 5 has, and what a broker does that no real one would do on demand."""

import asyncio
import struct

import pytest
import uvloop

from hub.errors import ConnectionRefused, Disconnected, PublishRefused, SessionError, SessionTakenOver
from hub.ingest.mqtt.open_session import open_session
from hub.ingest.mqtt.session import BrokerSettings
from hub.operate.mosquitto import Mosquitto
from tests.support.brokers import scripted
from tests.support.mqtt import bounded, client, packet, utf8
from tests.support.proxy import Proxy

CONNACK = b"\x20\x03\x00\x00\x00"
RESUMED = b"\x20\x03\x01\x00\x00"


def local(port, **changes):
    return BrokerSettings(host="127.0.0.1", port=port, **changes)


def connack(*, code=0, properties=b""):
    return packet(0x20, bytes([0, code, len(properties)]) + properties)


def playing(answer, greeting=CONNACK):
    """Return a script of a broker: it greets, grants subscriptions, answers pings, and leaves the rest to `answer`."""

    async def play(reader, writer):
        writer.write(greeting)
        while True:
            first, length = await reader.readexactly(2)
            if length > 127:
                length = length - 128 + 128 * (await reader.readexactly(1))[0]
            body = await reader.readexactly(length)
            if first == 0x82:
                writer.write(b"\x90\x04" + body[:2] + b"\x00\x01")
            elif first == 0xC0:
                writer.write(b"\xd0\x00")
            if (await answer(first, body, writer)) is False:
                return

    return play


async def quiet(first, body, writer):
    pass


async def test_a_broker_of_mqtt_3_is_told_from_its_answer(start):
    async with scripted(b"\x20\x02\x00\x01") as port:
        subject = await start(local(port), connected=False)
        with pytest.raises(ConnectionRefused, match=r"broker\.protocol to 3\.1\.1"):
            await bounded(subject.running)


async def test_a_refusal_that_may_pass_is_tried_again(start):
    async with scripted(connack(code=0x88), playing(quiet)) as port:
        subject = await start(local(port))
        assert "server unavailable" in subject.notices[0].detail


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the codec panics, and is caught
@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\x00",
        b"\x36\x04\x00\x01a\x00",
        b"\x30\xff\xff\xff\xff\xff",
        b"\x30\x04\x00\x09ab",
        b"\x31\x06\x00\x01\xff\x00aa",
        b"\xf0\x00",
        b"\x10\x00",
        b"\xe0",
    ],
    ids=str,
)
async def test_a_malformed_packet_is_told_and_the_connection_made_anew(start, garbage):
    async def spoil(first, body, writer):
        if first == 0x82:
            writer.write(garbage)
            return len(garbage) > 1
        return None

    async with scripted(playing(spoil), playing(quiet)) as port:
        subject = await start(local(port))
        await subject.notice("connected", 2 if any(n.kind == "connected" for n in subject.notices[:1]) else 1)
        told = await subject.notice("disconnected")
        assert told.detail


async def test_something_else_than_connack_is_told(start):
    async with scripted(b"\xd0\x00", playing(quiet)) as port:
        subject = await start(local(port))
        assert "something else than CONNACK" in subject.notices[0].detail


async def test_a_packet_in_many_pieces_is_put_together(start):
    payload = bytes(range(256)) * 200
    data = packet(0x30, utf8("site/a") + b"\0" + payload) * 3

    async def drip(first, body, writer):
        if first == 0x82:
            for at in range(0, len(data), 5000):
                writer.write(data[at : at + 5000])
                await asyncio.sleep(0.001)

    async with scripted(playing(drip)) as port:
        subject = await start(local(port))
        assert [each.payload for each in await subject.take(3)] == [payload] * 3


async def test_a_takeover_that_the_broker_names_stops_us_at_once(start):
    async def take(first, body, writer):
        if first == 0xC0:
            writer.write(b"\xe0\x01\x8e")

    async with scripted(playing(take)) as port:
        subject = await start(local(port))
        with pytest.raises(SessionTakenOver, match="'hub'"):
            await bounded(subject.running)
    assert [each.kind for each in subject.notices].count("disconnected") == 0


async def test_a_disconnect_with_a_reason_is_told_by_name(start):
    async def shut_down(first, body, writer):
        if first == 0xC0:
            writer.write(packet(0xE0, b"\x8b\x08\x1f" + utf8("night")))

    async with scripted(playing(shut_down), playing(quiet)) as port:
        subject = await start(local(port))
        told = await subject.notice("disconnected")
        assert "server shutting down (night)" in told.detail
        await subject.notice("connected", 2)


async def test_a_broker_that_falls_silent_is_left_after_one_and_a_half_keep_alives(start, broker):
    async with Proxy(broker.port) as proxy:
        subject = await start(broker.settings("hub", port=proxy.port, keep_alive=1))
        await asyncio.sleep(2)
        assert not any(each.kind == "disconnected" for each in subject.notices)
        proxy.hold()
        told = await subject.notice("disconnected")
        assert "nothing heard" in told.detail
        proxy.resume()
        await subject.notice("connected", 2)


async def test_the_brokers_keep_alive_goes_before_ours(start):
    pinged = asyncio.Event()

    async def listen(first, body, writer):
        if first == 0xC0 and subjects and subjects[0].session.confirmed == 0:
            times.append(asyncio.get_running_loop().time())
            if len(times) > 2:
                pinged.set()

    times, subjects = [], []
    async with scripted(playing(listen, connack(properties=b"\x13\x00\x01"))) as port:
        subjects.append(await start(local(port, keep_alive=3600)))
        await bounded(pinged.wait())


async def test_a_publish_is_refused_with_the_brokers_reason(start, broker):
    subject = await start(broker.settings("hub"))
    with pytest.raises(PublishRefused, match="not authorized"):
        await subject.session.publish("site/a", b"x")


async def test_a_publish_that_the_broker_cannot_take_now_is_no_refusal_for_good(start):
    async def full(first, body, writer):
        if first & 0xF0 == 0x30:
            (size,) = struct.unpack_from(">H", body)
            writer.write(b"\x40\x03" + body[2 + size : 4 + size] + b"\x97")

    async with scripted(playing(full)) as port:
        subject = await start(local(port))
        with pytest.raises(SessionError, match="quota exceeded") as caught:
            await subject.session.publish("alerts/a", b"x")
        assert not isinstance(caught.value, PublishRefused)


@pytest.mark.parametrize(
    ("properties", "message", "why"),
    [
        (b"\x25\x00", {"retain": True}, "retained"),
        (b"\x24\x00", {"qos": 1}, "QoS 0 at most"),
        (b"\x27\x00\x00\x00\x64", {"payload": b"x" * 100}, "100 at most"),
    ],
)
async def test_what_the_broker_said_it_does_not_take_is_not_sent(start, properties, message, why):
    async def no_publish(first, body, writer):
        assert first & 0xF0 != 0x30

    async with scripted(playing(no_publish, connack(properties=properties))) as port:
        subject = await start(local(port))
        for qos in (1,) if message.get("qos") else (0, 1):
            with pytest.raises(PublishRefused, match=why):
                await subject.session.publish(
                    "alerts/a", message.get("payload", b""), qos=qos, retain="retain" in message
                )


async def test_a_publish_for_which_the_broker_ends_the_connection_is_given_up_after_three(start):
    sent = []

    async def choke(first, body, writer):
        if first & 0xF0 == 0x30:
            sent.append(first)
            writer.write(b"\xe0\x01\x82")

    async with scripted(playing(choke), playing(choke, RESUMED)) as port:
        subject = await start(local(port))
        with pytest.raises(Disconnected, match="protocol error"):
            await bounded(subject.session.publish("alerts/a", b"x"))
        await subject.notice("connected", 4)
    assert sent == [0x32, 0x3A, 0x3A]


async def test_more_publishes_than_the_broker_takes_at_once_wait_their_turn(start):
    under_way = most = 0

    async def slow(first, body, writer):
        nonlocal under_way, most
        if first & 0xF0 == 0x30:
            under_way += 1
            most = max(most, under_way)
            (size,) = struct.unpack_from(">H", body)
            answers.append(b"\x40\x02" + body[2 + size : 4 + size])
        if first == 0x30 or under_way == 3 or len(answers) % 100 == 1:
            writer.write(b"".join(answers))
            answers.clear()
            under_way = 0

    answers = []
    async with scripted(playing(slow, connack(properties=b"\x21\x00\x03"))) as port:
        subject = await start(local(port))
        await bounded(asyncio.gather(*[subject.session.publish(f"alerts/{n}", b"x") for n in range(99)]))
    assert most <= 3


def test_it_runs_the_same_on_uvloop(tmp_path):
    async def scenario():
        async with Mosquitto(tmp_path / "broker") as broker, Proxy(broker.port) as proxy:
            notices = asyncio.Queue()
            session = open_session(broker.settings("hub", port=proxy.port), None, notices.put_nowait)
            running = asyncio.create_task(session.run(["site/#"]))
            while (await bounded(notices.get())).kind != "drained":
                pass
            async with client(broker.settings("device")) as device:
                await device.publish_all([("site/a", str(n)) for n in range(20_000)])
                taken = []
                while len(taken) < 20_000:
                    taken += await bounded(session.receive())
                session.acknowledge(5000)
                while session.confirmed < 5000:
                    await asyncio.sleep(0.01)
                proxy.cut()
                while (await bounded(notices.get())).kind != "connected":
                    pass
                await bounded(session.publish("alerts/a", b"x"))
                while session.handed < 35_000:
                    await bounded(session.receive())
                session.acknowledge(35_000)
                while session.confirmed < 35_000:
                    await asyncio.sleep(0.01)
            await session.close()
            await bounded(running)

    uvloop.run(asyncio.wait_for(scenario(), 30))
