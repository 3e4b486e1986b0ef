"""Fence: when the broker has no more for us, and how long what it owes us is waited for, without any broker."""

import asyncio
from types import SimpleNamespace

import pytest

from hub.ingest.mqtt import fence as module
from hub.ingest.mqtt.fence import Fence
from hub.ingest.mqtt.inbox import Inbox


class Rig:
    """A fence; a question is answered where the test says so, in order."""

    def __init__(self):
        self.inbox, self.said, self.asked = Inbox(), [], 0
        self.fence = Fence(self.inbox, 100, self.said.append)

    def connected(self):
        self.inbox.connected(resumed=True)
        self.fence.connected(self.ask)

    def ask(self):
        self.asked += 1

    def disconnected(self):
        self.fence.disconnected()
        self.inbox.disconnected()

    def put(self, *packets):
        self.inbox.put([SimpleNamespace(packet_id=each) for each in packets])


@pytest.fixture
def rig(monkeypatch):
    monkeypatch.setattr(module, "CONFIRM_SECONDS", 0.0)
    monkeypatch.setattr(module, "REDELIVERY_LOOK_SECONDS", 0.01)
    return Rig()


async def test_what_a_question_of_before_a_stall_is_answered_is_not_that_all_is_here(rig):
    rig.connected()
    rig.fence.catch_up()  # the answer is in our socket already, and more behind it
    rig.fence.answered()
    assert rig.said == []
    assert rig.asked == 2
    rig.fence.answered()
    assert rig.said == [""]
    rig.fence.catch_up()
    rig.fence.answered()
    assert rig.said == ["", "again"]
    rig.disconnected()


async def test_what_does_not_come_again_is_waited_for_once_though_the_connection_breaks_off_again_and_again(
    rig, monkeypatch
):
    monkeypatch.setattr(module, "REDELIVERY_SECONDS", 0.3)
    rig.connected()
    rig.put(1)  # it expires with the broker
    rig.disconnected()
    async with asyncio.timeout(5):
        for other in range(2, 100):
            rig.connected()
            rig.fence.answered()
            if other == 2:
                assert rig.said == []
            await asyncio.sleep(0.05)
            rig.fence.answered()
            rig.put(other)  # and something new is under way each time, and comes again
            rig.disconnected()
            rig.connected()
            rig.put(other)
            await rig.inbox.take()
            rig.inbox.settle(rig.inbox.handed)
            rig.fence.answered()
            rig.disconnected()
            if rig.said:
                break
    assert rig.said[0] == "1 messages that were not acknowledged did not come again within 0 s"


async def test_after_a_broker_was_away_for_long_what_it_owes_is_waited_for_all_the_same(rig, monkeypatch):
    monkeypatch.setattr(module, "REDELIVERY_SECONDS", 0.1)
    rig.connected()
    rig.put(1)
    rig.disconnected()
    rig.disconnected()  # an attempt that failed
    await asyncio.sleep(0.15)
    rig.connected()
    rig.fence.answered()
    assert rig.said == []
    rig.disconnected()
