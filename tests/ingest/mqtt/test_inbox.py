"""Inbox, Backoff, Rival: the small parts of a session, without any broker."""

import asyncio
from types import SimpleNamespace

import pytest

from hub.errors import BrokerUnreachable, Disconnected, SessionTakenOver
from hub.ingest.mqtt import inbox as module
from hub.ingest.mqtt.inbox import Inbox
from hub.ingest.transport.backoff import Backoff
from hub.ingest.transport.rival import Hangup, Rival
from hub.limits import RECONNECT_SECONDS


def deliveries(*packet_ids):
    return [SimpleNamespace(packet_id=each) for each in packet_ids]


def ids(batch):
    return [each.packet_id for each in batch]


async def test_beyond_its_room_qos_0_is_dropped_and_counted_and_qos_1_is_kept(monkeypatch):
    monkeypatch.setattr(module, "INBOX_QOS0", 3)
    inbox = Inbox()
    inbox.connected(resumed=False)
    inbox.put(deliveries(None, None, 1))
    inbox.put(deliveries(None, 2, None))
    assert ids(await inbox.take()) == [None, None, 1, 2]
    assert inbox.dropped == 2
    inbox.put(deliveries(None))
    assert ids(await inbox.take()) == [None]


async def test_a_resumed_connection_lets_go_of_what_will_come_again_and_keeps_the_rest():
    inbox = Inbox()
    inbox.connected(resumed=False)
    inbox.put(deliveries(1, None, 2))
    inbox.disconnected()
    inbox.connected(resumed=True)
    inbox.put(deliveries(1, 2))
    assert inbox.received == 3
    assert ids(await inbox.take()) == [None]
    assert ids(await inbox.take()) == [1, 2]
    assert ids(inbox.settle(3)) == [1, 2]


async def test_where_the_session_is_lost_what_waits_is_kept_and_not_acknowledged():
    inbox = Inbox()
    inbox.connected(resumed=False)
    inbox.put(deliveries(1, 2))
    inbox.disconnected()
    inbox.connected(resumed=False)
    inbox.put(deliveries(1))
    assert ids(await inbox.take()) == [1, 2]
    assert ids(await inbox.take()) == [1]
    assert ids(inbox.settle(3)) == [1]
    assert inbox.outstanding == 0


async def test_what_an_older_connection_brought_waits_until_a_resumed_one_brings_it_again():
    inbox = Inbox()
    inbox.connected(resumed=False)
    inbox.put(deliveries(1, None))
    inbox.disconnected()
    inbox.connected(resumed=False)
    inbox.disconnected()
    inbox.connected(resumed=False)
    assert inbox.received == 2
    inbox.disconnected()
    inbox.connected(resumed=True)
    assert ids(await inbox.take()) == [None]
    inbox.put(deliveries(1))
    assert ids(await inbox.take()) == [1]


def test_what_the_broker_has_to_send_again_is_known_until_it_comes_or_its_session_is_lost():
    inbox = Inbox()
    inbox.connected(resumed=False)
    inbox.put(deliveries(1, None, 2))
    inbox.disconnected()
    inbox.connected(resumed=True)
    assert inbox.missing == {1, 2}
    inbox.put(deliveries(2))
    assert inbox.missing == {1}
    inbox.disconnected()
    assert inbox.missing == {1, 2}
    inbox.connected(resumed=False)
    assert inbox.missing == set()


def test_what_the_broker_waits_for_is_counted_by_connection():
    inbox = Inbox()
    inbox.connected(resumed=False)
    inbox.put(deliveries(1, 2))
    inbox.disconnected()
    assert inbox.outstanding == 0
    inbox.put(deliveries(3))  # a packet that the end of the connection overtook
    inbox.connected(resumed=True)
    assert (inbox.outstanding, inbox.peak) == (0, 0)
    inbox.put(deliveries(1))
    assert (inbox.outstanding, inbox.peak) == (1, 1)


async def test_an_acknowledgement_between_two_connections_goes_nowhere():
    inbox = Inbox()
    inbox.connected(resumed=False)
    inbox.put(deliveries(1, 2))
    await inbox.take()
    inbox.disconnected()
    assert inbox.settle(1) == []
    inbox.connected(resumed=True)
    assert inbox.settle(2) == []


async def test_what_is_outstanding_is_counted_over_partial_acknowledgements():
    inbox = Inbox()
    inbox.connected(resumed=False)
    inbox.put(deliveries(1, None, 2, 3))
    await inbox.take()
    assert (inbox.outstanding, inbox.peak) == (3, 3)
    assert ids(inbox.settle(2)) == [1]
    assert ids(inbox.settle(99)) == [2, 3]
    assert (inbox.outstanding, inbox.peak, inbox.acknowledged) == (0, 3, 4)


async def test_who_waits_is_woken_by_what_comes():
    inbox = Inbox()
    for packets in ([1], [None, 2]):
        waiting = asyncio.create_task(inbox.take())
        await asyncio.sleep(0)
        inbox.put(deliveries(*packets))
        async with asyncio.timeout(5):
            assert ids(await waiting) == packets


async def test_a_closed_inbox_gives_what_it_has_and_then_nothing():
    inbox = Inbox()
    waiting = asyncio.create_task(inbox.take())
    await asyncio.sleep(0)
    inbox.put(deliveries(1))
    inbox.close()
    assert ids(await waiting) == [1]
    assert await inbox.take() == ()


async def test_who_waits_is_woken_by_the_end():
    inbox = Inbox()
    waiting = asyncio.create_task(inbox.take())
    await asyncio.sleep(0)
    inbox.close()
    async with asyncio.timeout(5):
        assert await waiting == ()


async def test_a_wait_that_was_cancelled_takes_nothing_from_the_next():
    inbox = Inbox()
    first = asyncio.create_task(inbox.take())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait([first])
    inbox.put(deliveries(1))
    assert ids(await inbox.take()) == [1]


def test_the_wait_grows_with_the_outage_and_begins_small_after_a_steady_connection():
    backoff, shortest, longest = Backoff(), *RECONNECT_SECONDS
    assert backoff.wait(100.0) <= shortest
    assert all(backoff.wait(104.0) <= 1.0 for _ in range(100))
    waits = [backoff.wait(10_000.0) for _ in range(500)]
    assert longest / 2 < max(waits) <= longest
    assert min(waits) < longest / 4
    backoff.connected(10_000.0)
    assert backoff.lasted(10_000.5) == 0.5
    assert max(backoff.wait(10_000.5) for _ in range(20)) > shortest
    backoff.connected(10_100.0)
    assert backoff.wait(10_102.0) <= shortest
    assert backoff.lasted(10_103.0) == 0


def test_only_short_connections_that_were_closed_without_a_reason_in_a_row_are_a_rival():
    rival = Rival("hub")
    for _ in range(3):
        assert not any(rival.suspect(Hangup("closed"), 0.5) for _ in range(4))
        assert rival.suspect(Hangup("closed"), 60.0) is None
    for other in (Disconnected("shutting down"), BrokerUnreachable("nobody listens")):
        assert not any(rival.suspect(Hangup("closed"), 0.5) for _ in range(4))
        assert rival.suspect(other, 0.0) is None
    for _ in range(4):
        assert rival.suspect(Hangup("closed"), 0.5) is None
    assert isinstance(rival.suspect(Hangup("closed"), 0.5), SessionTakenOver)


@pytest.mark.parametrize("position", [0, -1])
async def test_acknowledging_nothing_is_nothing(position):
    inbox = Inbox()
    inbox.connected(resumed=False)
    inbox.put(deliveries(1))
    await inbox.take()
    assert inbox.settle(position) == []
    assert inbox.acknowledged == 0
