"""Requests for births: each node once in a while, and never more than so many."""

import asyncio

import pytest

from hub.clock import ManualClock
from hub.errors import SessionError
from hub.limits import REBIRTH_SECONDS
from hub.node import rebirth
from hub.node.rebirth import Rebirths


class Rig:
    def __init__(self, error=None):
        self.clock, self.sent, self.error = ManualClock(1000.0), [], error
        self.rebirths = Rebirths(self, self.clock)

    async def publish(self, topic, payload, qos, retain):
        assert (bool(payload), qos, retain) == (True, 0, False)
        self.sent.append(topic)
        if self.error is not None:
            raise self.error

    async def ask(self, *nodes):
        for each in nodes:
            self.rebirths.ask(each)
        await asyncio.gather(*self.rebirths._tasks)
        sent, self.sent = self.sent, []
        return sent


async def test_a_node_is_asked_once_until_its_time_is_over():
    rig = Rig()
    assert await rig.ask("spBv1.0/g/n", "spBv1.0/g/n", "spBv1.0/g/m") == ["spBv1.0/g/NCMD/n", "spBv1.0/g/NCMD/m"]
    rig.clock.advance(REBIRTH_SECONDS - 1)
    assert await rig.ask("spBv1.0/g/n") == []
    rig.clock.advance(1)
    assert await rig.ask("spBv1.0/g/n") == ["spBv1.0/g/NCMD/n"]


async def test_nodes_without_number_are_not_all_asked(monkeypatch):
    monkeypatch.setattr(rebirth, "REBIRTH_NODES", 3)
    rig = Rig()
    assert len(await rig.ask(*[f"spBv1.0/g/n{number}" for number in range(9)])) == 3
    rig.clock.advance(REBIRTH_SECONDS)
    assert len(await rig.ask("spBv1.0/g/n8")) == 1


@pytest.mark.parametrize("error", [SessionError("gone"), TimeoutError()])
async def test_a_request_that_cannot_be_sent_is_none(error):
    assert await Rig(error).ask("spBv1.0/g/n") == ["spBv1.0/g/NCMD/n"]
