"""What every session promises, whichever MQTT it speaks, against a real broker with the shipped configuration."""

import asyncio
import sys
import time

import pytest
import trustme

from hub.documents.secret import Secret
from hub.errors import ConnectionRefused, Disconnected, HubError, PublishRefused, SessionTakenOver, SubscriptionDenied
from hub.ingest.decode import Undecodable, decode_all
from hub.ingest.mqtt.open_session import open_session
from hub.ingest.mqtt.session import BrokerSettings, Will
from hub.limits import PAYLOAD_BYTES
from hub.operate.mosquitto import Mosquitto
from tests.support.brokers import denying, frozen
from tests.support.mqtt import bounded, client, packets
from tests.support.proxy import Proxy
from tests.support.record import Record


@pytest.fixture(params=["5", "3.1.1"])
def protocol(request):
    return request.param


@pytest.fixture
def settings(broker, protocol):
    return broker.settings("hub", protocol=protocol)


def numbered(count, start=0):
    return [(f"site/{n % 7}", str(n)) for n in range(start, start + count)]


def numbers(deliveries):
    return [int(each.payload) for each in deliveries]


async def test_deliveries_come_in_order_and_each_has_the_next_position(start, settings, device):
    subject = await start(settings)
    assert await device.publish_all(numbered(300)) == [0] * 300
    taken = await subject.take(300)
    assert numbers(taken) == list(range(300))
    assert subject.session.handed == 300
    assert {each.topic for each in taken} == {f"site/{n}" for n in range(7)}
    assert all(each.packet_id and each.qos == 1 and not each.duplicate for each in taken)


async def test_qos_0_is_delivered_without_a_packet_id_and_may_be_acknowledged(start, settings, device):
    subject = await start(settings)
    await device.publish("site/a", "1", qos=0)
    await device.publish("site/a", "2", qos=1)
    first, second = await subject.take(2)
    assert (first.packet_id, first.qos == 0, second.qos == 1) == (None, True, True)
    subject.session.acknowledge(2)
    await subject.confirmed(2)


async def test_kill_9_with_200_unacknowledged_loses_none(start, settings, device):
    program = f"""
import asyncio, sys
from hub.ingest.mqtt.open_session import open_session
from hub.ingest.mqtt.session import BrokerSettings
from hub.documents.secret import Secret
settings = BrokerSettings(host={settings.host!r}, port={settings.port}, username="hub", protocol={settings.protocol!r},
    client_id="hub", password=Secret({settings.password.reveal()!r}))
async def main():
    session = open_session(settings, None, lambda notice: print(notice.kind, flush=True))
    running = asyncio.create_task(session.run(["site/#"]))
    while session.handed < 200:
        await session.receive()
    print("holding", flush=True)
    await running
asyncio.run(main())
"""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, cwd=sys.path[0] or "."
    )
    assert b"connected\n" in await bounded(process.stdout.readline()) + await bounded(process.stdout.readline())
    await device.publish_all(numbered(200))
    while await bounded(process.stdout.readline()) != b"holding\n":
        assert process.returncode is None
    process.kill()
    await process.wait()
    await device.publish_all(numbered(100, 200))
    subject = await start(settings)
    taken = await subject.take(300)
    assert numbers(taken) == list(range(300))
    assert [each.duplicate for each in taken] == [True] * 200 + [False] * 100
    assert subject.notices[0].detail == "resumed"


async def test_a_cancelled_wait_loses_none(start, settings, device):
    subject = await start(settings)
    sending = asyncio.create_task(device.publish_all(numbered(500)))
    taken, cancelled = [], 0
    async with asyncio.timeout(20):
        while len(taken) < 500:
            waiting = asyncio.create_task(subject.session.receive())
            for _ in range(cancelled % 4):
                await asyncio.sleep(0)
            waiting.cancel()
            try:
                taken += await waiting
            except asyncio.CancelledError:
                cancelled += 1
    assert numbers(taken) == list(range(500))
    assert cancelled
    await sending


async def test_what_is_acknowledged_is_gone_and_the_rest_comes_again(start, settings, device):
    subject = await start(settings)
    await subject.notice("drained")
    await device.publish_all(numbered(100))
    await subject.take(100)
    subject.session.acknowledge(40)
    await subject.confirmed(40)
    assert subject.session.confirmed == 40
    await subject.die()
    again = await start(settings)
    taken = await again.take(60)
    assert numbers(taken) == list(range(40, 100))
    assert all(each.duplicate for each in taken)


async def test_a_session_that_may_not_connect_takes_nothing_back_until_it_may(start, settings, broker):
    asked = Record()

    def may_connect():
        asked.add(None)
        return allowed

    allowed = True
    async with Proxy(broker.port) as proxy:
        through = broker.settings("hub", protocol=settings.protocol, port=proxy.port)
        first = await start(through, may_connect=may_connect)
        allowed, at = False, len(asked)
        proxy.cut()
        await first.notice("disconnected")
        second = await start(settings)
        await asked.until(lambda asked: len(asked) > at + 5, 20)
        assert [each.kind for each in second.notices if each.kind == "disconnected"] == []
        await second.close()
        allowed = True
        await first.notice("connected", 2)
        allowed = False
        proxy.cut()
        await first.notice("disconnected", 2)
        await first.close()
        assert first.running.done()


async def test_pubacks_go_out_in_order_of_receipt(start, settings, broker, device):
    async with Proxy(broker.port) as proxy:
        subject = await start(broker.settings("hub", protocol=settings.protocol, port=proxy.port))
        await device.publish_all(numbered(400))
        taken = await subject.take(400)
        for position in (1, 7, 7, 3, 250, 399, 400, 10_000):
            subject.session.acknowledge(position)
        await subject.confirmed(400)
        await subject.close()
        acknowledged = [int.from_bytes(body[:2]) for first, body in packets(proxy.sent[0]) if first == 0x40]
    assert acknowledged == [each.packet_id for each in taken]


async def test_a_delivery_of_an_older_connection_is_not_acknowledged_on_the_new_one(start, settings, broker, device):
    async with Proxy(broker.port) as proxy:
        subject = await start(broker.settings("hub", protocol=settings.protocol, port=proxy.port))
        await device.publish_all(numbered(50))
        await subject.take(20 if subject.session.handed else 50)
        handed = subject.session.handed
        proxy.cut()
        await subject.notice("connected", 2)
        subject.session.acknowledge(handed)
        again = await subject.take(50)
        assert numbers(again) == list(range(50))
        assert subject.session.confirmed == 0
        subject.session.acknowledge(subject.session.handed)
        await subject.confirmed(subject.session.handed)
        await subject.close()
        acknowledged = [first for first, _ in packets(proxy.sent[1]) if first == 0x40]
    assert len(acknowledged) == 50


async def test_what_waits_at_a_reconnect_is_not_delivered_twice(start, settings, broker, device):
    async with Proxy(broker.port) as proxy:
        subject = await start(broker.settings("hub", protocol=settings.protocol, port=proxy.port))
        await device.publish_all(numbered(50))
        await subject.take(50)
        await device.publish_all(numbered(50, 50))
        await asyncio.sleep(0)
        proxy.cut()
        await subject.notice("connected", 2)
        taken = await subject.take(100)
        assert numbers(taken) == list(range(100))


async def test_confirmed_stands_still_until_what_was_in_doubt_is_acknowledged_anew(start, settings, broker, device):
    async with Proxy(broker.port) as proxy:
        subject = await start(broker.settings("hub", protocol=settings.protocol, port=proxy.port))
        await subject.notice("drained")
        await device.publish_all(numbered(10))
        await subject.take(10)
        subject.session.acknowledge(4)
        await subject.confirmed(4)
        proxy.cut()
        await subject.notice("disconnected")
        await subject.notice("connected", 2)
        subject.session.acknowledge(10)
        await subject.take(6)
        subject.session.acknowledge(13)
        await subject.notice("drained", 2)
        assert subject.session.confirmed == 4
        subject.session.acknowledge(16)
        await subject.confirmed(16)


async def test_everything_that_waited_is_handed_over_before_drained(start, settings, device):
    subject = await start(settings)
    await subject.notice("drained")
    await subject.die()
    await device.publish_all(numbered(1000))
    again = await start(settings)
    taken = []
    while not any(each.kind == "drained" for each in again.notices):
        batch = await bounded(again.session.receive())
        taken += batch
        again.session.acknowledge(again.session.handed)
        if len(taken) == 1000:
            break
    drained = await again.notice("drained")
    assert drained.position == 1000
    assert numbers(taken) == list(range(1000))


async def test_a_lost_session_is_subscribed_anew_and_told(start, settings, broker, device):
    subject = await start(settings)
    await broker.stop()
    (broker.directory / "mosquitto.db").unlink()
    await broker.start()
    await subject.notice("connected", 2)
    kinds = [each.kind for each in subject.notices]
    assert kinds.index("session_lost") < len(kinds) - 1 - kinds[::-1].index("connected")
    async with client(broker.settings("device"), "other") as publisher:
        await publisher.publish("site/a", "1")
    assert numbers(await subject.take(1)) == [1]


async def test_a_resumed_session_is_told_and_what_is_retained_is_not_replayed_where_that_can_be_had(
    start, settings, device
):
    await device.publish("site/kept", "1", retain=True)
    subject = await start(settings)
    assert [each.retain for each in await subject.take(1)] == [True]
    assert [(each.kind, each.detail) for each in subject.notices[:2]] == [("renewed", ""), ("connected", "new")]
    subject.session.acknowledge(1)
    await subject.confirmed(1)
    await subject.close()
    again = await start(settings)
    assert again.notices[0].detail == "resumed"
    await device.publish("site/a", "2")
    if settings.protocol == "3.1.1":  # which replays it with every SUBSCRIBE
        assert numbers(await again.take(2)) == [1, 2]
    else:
        assert numbers(await again.take(1)) == [2]


async def test_an_oversize_message_becomes_a_dead_letter_and_the_next_comes(start, settings, device):
    subject = await start(settings)
    huge = b"x" * (PAYLOAD_BYTES + 1)
    assert await device.publish_all([("site/a", huge), ("site/a", b"2")]) == [0, 0]
    first, second = await subject.take(2)
    (event,), (refused,) = decode_all([first, second], 0.0)
    assert isinstance(refused, Undecodable)
    assert "the limit" in refused.reason
    assert event.value == 2
    subject.session.acknowledge(2)
    await subject.confirmed(2)


async def test_a_takeover_stops_the_loser(start, settings):
    first = await start(settings)
    second = await start(settings)
    done, _ = await asyncio.wait([first.running, second.running], timeout=20, return_when=asyncio.FIRST_COMPLETED)
    assert len(done) == 1
    loser = first if first.running in done else second
    winner = second if loser is first else first
    with pytest.raises(SessionTakenOver, match="client_id"):
        await loser.running
    assert await bounded(loser.session.receive()) == ()
    assert not winner.running.done()


async def test_a_slow_consumer_stays_within_the_receive_window(start, broker, protocol, device):
    window, size = 20, 4096
    subject = await start(broker.settings("hub", protocol=protocol, receive_maximum=window))
    sending = asyncio.create_task(device.publish_all([("site/a", bytes([n % 256]) * size) for n in range(2000)]))
    taken = list(await subject.take(1))
    await sending
    slack = (256 << 10) // size  # a broker that sends too much is held back after one read of the socket
    while len(taken) < 2000:
        assert subject.session._inbox.outstanding <= window + slack
        subject.session.acknowledge(subject.session.handed)
        taken += await bounded(subject.session.receive())
    assert [each.payload[0] for each in taken] == [n % 256 for n in range(2000)]


@pytest.mark.parametrize("how", ["stop", "kill"])
async def test_after_a_broker_restart_it_is_subscribed_within_2_seconds(start, settings, broker, device, how):
    subject = await start(settings)
    await asyncio.sleep(1.1)  # the broker saves once a second
    await getattr(broker, how)()
    await subject.notice("disconnected")
    await broker.start()
    began = time.monotonic()
    await subject.notice("connected", 2)
    assert time.monotonic() - began < 2
    async with client(broker.settings("device"), "other") as publisher:
        await publisher.publish("site/a", "7")
    assert numbers(await subject.take(1)) == [7]


async def test_a_broker_that_is_stopped_loses_nothing_it_had_accepted(start, settings, broker, device):
    subject = await start(settings)
    await subject.notice("drained")
    await device.publish_all(numbered(300))
    taken = await subject.take(300)
    subject.session.acknowledge(100)
    await subject.confirmed(100)
    await broker.stop()
    await broker.start()
    taken = await subject.take(200)
    assert numbers(taken) == list(range(100, 300))
    assert all(each.duplicate for each in taken)


async def test_an_absent_broker_is_told_once_and_found_when_it_comes(start, settings, broker):
    await broker.stop()
    subject = await start(settings, connected=False)
    told = await subject.notice("disconnected")
    assert "cannot be reached" in told.detail
    await asyncio.sleep(0.5)
    await broker.start()
    await subject.notice("connected")
    assert [each.kind for each in subject.notices].count("disconnected") == 1


async def test_a_wrong_password_ends_it_with_a_named_error(start, broker, protocol):
    subject = await start(broker.settings("hub", protocol=protocol, password=Secret("wrong")), connected=False)
    with pytest.raises(ConnectionRefused, match=r"(?i)not authori|bad user name") as caught:
        await bounded(subject.running)
    assert "wrong" not in str(caught.value)


async def test_a_filter_that_the_broker_denies_ends_it_and_names_the_filter(start, tmp_path, protocol):
    async with denying(tmp_path / "denying", "site/#") as broker:
        subject = await start(broker.settings("hub", protocol=protocol), ["site/#", "shop/#"], connected=False)
        with pytest.raises(SubscriptionDenied, match=r"'hub' read shop/# \(") as caught:
            await bounded(subject.running)
        assert "site/#" not in str(caught.value)


async def test_a_denied_filter_at_a_reload_leaves_the_others_standing(start, tmp_path, protocol):
    async with denying(tmp_path / "denying", "site/#") as broker:
        subject = await start(broker.settings("hub", protocol=protocol), ["site/a"])
        with pytest.raises(SubscriptionDenied, match="shop/#"):
            await subject.session.resubscribe(["site/b", "shop/#"])
        async with client(broker.settings("hub"), "other") as publisher:
            await publisher.publish_all([("site/a", "1"), ("site/b", "2")])
        assert numbers(await subject.take(2)) == [1, 2]
        assert not subject.running.done()


async def test_resubscribing_without_waiting_while_the_broker_is_away_is_left_to_the_next_connection(
    start, broker, settings
):
    subject = await start(settings, ["site/a", "site/b"])
    await broker.stop()
    await subject.notice("disconnected")
    assert await bounded(subject.session.resubscribe(["site/z"], wait=False)) is False
    assert await bounded(subject.session.resubscribe(["site/b", "site/c"], wait=False)) is False
    await broker.start()
    await subject.notice("connected", 2)
    async with client(broker.settings("device"), "publisher") as publisher:
        await publisher.publish_all([("site/a", "1"), ("site/z", "2"), ("site/b", "3"), ("site/c", "4")])
    assert numbers(await subject.take(2)) == [3, 4]
    assert not [each for each in subject.notices if each.kind == "refused"]


async def test_a_filter_left_to_the_next_connection_and_denied_there_leaves_those_from_before_standing(
    start, tmp_path, protocol
):
    async with denying(tmp_path / "denying", "site/#") as broker:
        subject = await start(broker.settings("hub", protocol=protocol), ["site/a"])
        await broker.stop()
        await subject.notice("disconnected")
        await subject.session.resubscribe(["site/b", "shop/#"], wait=False)
        await broker.start()
        await subject.notice("connected", 2)
        assert "read shop/# (" in (await subject.notice("refused")).detail
        async with client(broker.settings("hub"), "other") as publisher:
            await publisher.publish_all([("site/b", "1"), ("site/a", "2")])
        assert numbers(await subject.take(1)) == [2]
        assert not subject.running.done()


async def test_what_the_broker_denies_of_the_filters_from_before_ends_it_at_a_connection_too(start, tmp_path, protocol):
    async with denying(tmp_path / "denying", "site/#") as broker:
        settings = broker.settings("hub", protocol=protocol)
        subject = await start(settings, ["shop/a"], connected=False)
        await subject.session.resubscribe(["shop/#"], wait=False)
        with pytest.raises(SubscriptionDenied, match=r"read shop/a \("):
            await bounded(subject.running)


@pytest.fixture
def certificates(tmp_path):
    """Return BrokerSettings changes for TLS with our certificate, and the broker's configuration lines."""
    authority = trustme.CA()
    files = {name: tmp_path / f"{name}.pem" for name in ("ca", "server", "serverkey", "hub", "hubkey")}
    server, ours = authority.issue_cert("localhost", "127.0.0.1"), authority.issue_cert("hub", common_name="hub")
    authority.cert_pem.write_to_path(files["ca"])
    for name, certificate in (("server", server), ("hub", ours)):
        certificate.private_key_pem.write_to_path(files[f"{name}key"])
        files[name].write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    lines = [f"cafile {files['ca']}", f"certfile {files['server']}", f"keyfile {files['serverkey']}"]
    changes = {"tls": True, "ca": files["ca"], "cert": files["hub"], "key": files["hubkey"]}
    return changes, [*lines, "require_certificate true", "use_identity_as_username true"]


async def test_tls_with_a_client_certificate_instead_of_a_password(start, tmp_path, protocol, certificates):
    changes, lines = certificates
    async with Mosquitto(tmp_path / "broker", extra=lines) as broker:
        subject = await start(broker.settings("hub", protocol=protocol, username=None, password=None, **changes))
        await subject.session.publish("alerts/a", b"x")
        await subject.close()
        without = {**changes, "cert": None, "key": None}
        subject = await start(broker.settings("hub", protocol=protocol, **without), connected=False)
        await subject.notice("disconnected")
        await subject.close()


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # paho leaves its socket to the collector
async def test_a_broker_whose_certificate_is_not_trusted_is_not_spoken_to(start, tmp_path, protocol, certificates):
    changes, lines = certificates
    stranger = tmp_path / "stranger.pem"
    trustme.CA().cert_pem.write_to_path(stranger)
    async with Mosquitto(tmp_path / "broker", extra=lines) as broker:
        settings = broker.settings("hub", protocol=protocol, **changes | {"ca": stranger})
        subject = await start(settings, connected=False)
        assert "certificate verify failed" in (await subject.notice("disconnected")).detail


async def test_tls_files_that_cannot_be_used_are_named_at_once(protocol, tmp_path):
    missing = tmp_path / "missing.pem"
    with pytest.raises(HubError, match=r"missing\.pem"):
        open_session(BrokerSettings(tls=True, ca=missing, protocol=protocol), None, print)


async def test_a_filter_that_is_none_is_refused_before_the_broker_disconnects_for_it(start, settings):
    subject = await start(settings, ["site/#/door"], connected=False)
    with pytest.raises(SubscriptionDenied, match="last level"):
        await bounded(subject.running)


async def test_the_will_is_published_when_it_dies_and_not_when_it_closes(start, settings, broker):
    will = Will("hub/status", b"offline")
    async with client(broker.settings("viewer")) as watcher:
        await watcher.subscribe("hub/status")
        closing = await start(settings, will=will)
        await closing.close()
        dying = await start(settings, will=will)
        await dying.session.publish("hub/status", b"online", retain=True)
        assert (await watcher.message()).payload == b"online"
        await dying.die()
        assert (await watcher.message()).payload == b"offline"


async def test_a_publish_returns_when_the_broker_has_it(start, settings, broker):
    subject = await start(settings)
    async with client(broker.settings("viewer")) as watcher:
        await watcher.subscribe("alerts/#")
        await asyncio.gather(*[subject.session.publish(f"alerts/{n}", b"x") for n in range(300)])
        await subject.session.publish("alerts/last", b"y", qos=0, retain=True)
        heard = [await watcher.message() for _ in range(301)]
    assert [each.topic for each in heard] == [f"alerts/{n}" for n in range(300)] + ["alerts/last"]


@pytest.mark.parametrize("topic", ["alerts/+", "alerts/#", "", "alerts/\0", "alerts/\x01", "$SYS/x", "a" * 65_536])
async def test_a_topic_that_would_disconnect_us_is_refused_before_it_is_sent(start, settings, topic):
    subject = await start(settings)
    with pytest.raises(PublishRefused):
        await subject.session.publish(topic, b"x")
    await subject.session.publish("alerts/a", b"x")
    assert [each.kind for each in subject.notices].count("disconnected") == 0


async def test_a_publish_during_an_outage_arrives_after_it(start, settings, broker):
    subject = await start(settings)
    await broker.stop()
    await subject.notice("disconnected")
    sending = [asyncio.create_task(subject.session.publish(f"alerts/{n}", b"x", qos=n % 2)) for n in range(4)]
    await asyncio.sleep(0.1)
    assert not any(each.done() for each in sending)
    await broker.start()
    await bounded(asyncio.gather(*sending))


async def test_a_publish_whose_connection_breaks_is_sent_again(start, settings, broker):
    async with Proxy(broker.port) as proxy, client(broker.settings("viewer")) as watcher:
        await watcher.subscribe("alerts/#")
        subject = await start(broker.settings("hub", protocol=settings.protocol, port=proxy.port))
        proxy.hold()
        sending = [asyncio.create_task(subject.session.publish(f"alerts/{n}", b"x")) for n in range(10)]
        await asyncio.sleep(0.1)
        proxy.cut()
        await subject.notice("disconnected")
        proxy.resume()
        await bounded(asyncio.gather(*sending))
        heard = {(await watcher.message()).topic for _ in range(10)}
    assert heard == {f"alerts/{n}" for n in range(10)}


@pytest.mark.parametrize("traffic", ["nothing", "QoS 0", "QoS 1"])
async def test_a_broker_that_hangs_is_noticed_after_one_and_a_half_keep_alives_whatever_goes_out(
    start, broker, protocol, traffic
):
    subject = await start(broker.settings("hub", protocol=protocol, keep_alive=2))
    await subject.notice("drained")
    talking = []

    async def talk(qos):
        while True:
            await subject.session.publish("alerts/a", b"x" * 5000, qos=qos)
            await asyncio.sleep(0.001)

    if traffic != "nothing":
        talking = [asyncio.create_task(talk(int(traffic[-1]))) for _ in range(3)]
        await asyncio.sleep(0.3)
    with frozen(broker):
        begun = time.monotonic()
        told = await subject.notice("disconnected")
        assert time.monotonic() - begun < 3.0 + 0.6
        assert "nothing heard from the broker for 3 s" in told.detail
    await subject.notice("connected", 2)
    for each in talking:
        each.cancel()
    assert all(
        isinstance(each, asyncio.CancelledError) for each in await asyncio.gather(*talking, return_exceptions=True)
    )


async def test_what_is_published_to_a_broker_that_hangs_arrives_when_it_goes_on_or_is_there_again(
    start, broker, protocol
):
    async with client(broker.settings("viewer")) as watcher:
        await watcher.subscribe("alerts/#")
        subject = await start(broker.settings("hub", protocol=protocol, keep_alive=1))
        with frozen(broker):
            sending = [asyncio.create_task(subject.session.publish(f"alerts/{n}", b"x")) for n in range(100)]
            await subject.notice("disconnected")
            assert not any(each.done() for each in sending)
        await bounded(asyncio.gather(*sending))
        async with asyncio.timeout(20):
            heard = set()
            while len(heard) < 100:
                heard.add((await watcher.message()).topic)


async def test_a_session_to_a_broker_that_hangs_closes_all_the_same(start, broker, protocol):
    subject = await start(broker.settings("hub", protocol=protocol))
    with frozen(broker):
        sending = [asyncio.create_task(subject.session.publish("alerts/a", b"x" * 500_000)) for _ in range(40)]
        await asyncio.sleep(0.2)
        begun = time.monotonic()
        await subject.close()
        assert time.monotonic() - begun < 3.0
        done = await bounded(asyncio.gather(*sending, return_exceptions=True))
    assert {type(each) for each in done} == {Disconnected}


async def test_a_publish_that_nobody_waits_for_any_more_frees_its_place(start, settings, broker):
    subject = await start(settings)
    await broker.stop()
    await subject.notice("disconnected")
    sending = [asyncio.create_task(subject.session.publish("alerts/x", b"x")) for n in range(200)]
    await asyncio.sleep(0.05)
    for each in sending:
        each.cancel()
    await asyncio.gather(*sending, return_exceptions=True)
    await broker.start()
    await bounded(asyncio.gather(*[subject.session.publish("alerts/y", b"x") for n in range(200)]))


async def test_a_session_that_waits_for_the_broker_to_take_it_closes_at_once(start, broker, protocol):
    async with Proxy(broker.port) as proxy:
        proxy.hold()
        subject = await start(broker.settings("hub", protocol=protocol, port=proxy.port), connected=False)
        async with asyncio.timeout(20):
            while not proxy.sent:  # it is connected; its CONNECT goes nowhere, and gets no answer
                await asyncio.sleep(0.01)
        begun = time.monotonic()
        await bounded(subject.session.close())
        await bounded(subject.running)
        assert time.monotonic() - begun < 5  # it would wait ten seconds for the answer


async def test_after_close_nothing_waits_for_ever(start, settings, broker):
    await broker.stop()
    subject = await start(settings, connected=False)
    publishing = [asyncio.create_task(subject.session.publish("alerts/x", b"", qos=qos)) for qos in (0, 1)]
    receiving = asyncio.create_task(subject.session.receive())
    await subject.notice("disconnected")
    await subject.close()
    assert await bounded(receiving) == ()
    for each in publishing:
        with pytest.raises(Disconnected):
            await bounded(each)
    with pytest.raises(Disconnected):
        await subject.session.publish("alerts/x", b"")
    assert subject.running.done()


async def test_resubscribing_adds_what_is_new_and_removes_what_is_gone(start, settings, device):
    subject = await start(settings, ["site/a", "site/b"])
    await subject.session.resubscribe(["site/b", "site/c"])
    await device.publish_all([("site/a", "1"), ("site/b", "2"), ("site/c", "3")])
    assert numbers(await subject.take(2)) == [2, 3]


async def test_filters_of_an_earlier_process_are_unsubscribed(start, settings, device):
    subject = await start(settings, ["site/a", "site/b"])
    await subject.die()
    again = await start(settings, ["site/b"], earlier=["site/a", "site/b"])
    await device.publish_all([("site/a", "1"), ("site/b", "2")])
    assert numbers(await again.take(1)) == [2]


async def test_closing_keeps_the_brokers_queue(start, settings, device):
    subject = await start(settings)
    await subject.close()
    await device.publish_all(numbered(50))
    again = await start(settings)
    assert numbers(await again.take(50)) == list(range(50))
