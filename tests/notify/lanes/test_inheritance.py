"""inheritance: what waits for a receiver that is gone is told to its heirs, through the dispatcher."""

import asyncio
from dataclasses import replace

import pytest

from hub.clock import ManualClock
from hub.model import Rejected, Retry
from hub.notify.fallback import Fallback
from hub.notify.lanes.inheritance import inherited
from tests.notify.fakes import Scripted, settings
from tests.notify.test_delivery import START, said, settle, stand
from tests.notify.test_dispatcher import Stand


def test_an_heir_gets_the_same_id_order_and_age_but_not_the_word_that_it_is_the_first():
    made = said("firing", receiver="chat", created=5.0)
    (entered,) = inherited(replace(made, body=made.body | {"first": True}), ["slack"])
    assert entered.notification == replace(made, receiver="slack")
    assert not entered.handed


# through the dispatcher


def pair(name, receiver, **rest):
    return {name: (settings(name, **rest), receiver)}


async def test_what_waits_for_a_receiver_that_was_renamed_is_told_by_its_new_name():
    slack = Scripted()
    rig = stand(chat=({}, [Retry("refused", perhaps=False)] * 9))
    async with rig.running():
        rig.offer(said("firing"), said("firing", order="b"))
        await settle()
        rig.dispatcher.reload(pair("slack", slack), lambda _: ["gone, too", "slack", "slack"])
        rig.offer(said("repeat-1", order="b"))
        await rig.idle()
    assert sorted(slack.sent) == ["a-1-firing", "b-1-firing", "b-1-repeat-1"]
    assert slack.sent.index("b-1-firing") < slack.sent.index("b-1-repeat-1")
    assert rig.outbox.states().count("superseded") == 3
    assert rig.outbox.last(1).reason == "its receiver is gone; told to 'slack'"
    assert rig.observer.dead_letters == []


async def test_what_is_under_way_when_its_receiver_goes_is_told_to_the_heir_if_it_fails_and_not_if_it_does_not():
    for outcome, expected in ((Retry("refused"), ["a-1-firing"]), (None, [])):
        gate, slack = asyncio.Event(), Scripted()

        class Late(Scripted):
            async def send(self, sent, gate=gate, outcome=outcome):
                await gate.wait()
                return outcome or await super().send(sent)

        rig = Stand(ManualClock(START), chat=Late())
        async with rig.running():
            rig.offer(said("firing"))
            await settle()
            rig.dispatcher.reload(pair("slack", slack), lambda _: ["slack"])
            gate.set()
            await rig.idle()
        assert slack.sent == expected


@pytest.mark.parametrize(("heirs", "state"), [((), "dead"), (("gone",), "dead"), (None, "superseded")])
async def test_it_is_a_dead_letter_only_where_nobody_is_left_to_tell(heirs, state):
    rig = stand(chat=({}, [Retry("refused")] * 9))
    async with rig.running():
        rig.offer(said("firing"))
        await settle()
        rig.dispatcher.reload(pair("mail", Scripted()), lambda _: heirs)
        await rig.idle()
    assert rig.outbox.states() == [state]
    assert len(rig.observer.dead_letters) == (state == "dead")


async def test_what_the_outbox_holds_at_the_start_for_a_receiver_that_is_gone_goes_to_its_heirs():
    rig = stand(slack=({}, ()))
    rig.dispatcher._heirs = lambda _: ["slack"]
    rig.outbox.put(*(said("firing", order=f"n{n}") for n in range(1200)))
    async with rig.running():
        await rig.idle()
    assert len(rig.sent["slack"]) == 1200
    assert rig.observer.dead_letters == []


async def test_what_is_passed_on_is_passed_on_once_also_where_the_store_takes_its_time_to_note_it(monkeypatch):
    rig, noted = stand(slack=({}, ())), []
    rig.dispatcher._heirs = lambda _: ["slack"]
    rig.outbox.put(said("firing"), said("firing", order="b"))
    monkeypatch.setattr(rig.outbox, "settle", noted.extend)
    async with rig.running():
        await settle()
        assert [each.row for each in noted] == [1, 2]


async def test_what_is_being_read_for_the_heirs_of_a_receiver_that_comes_back_is_left_to_it(monkeypatch):
    chat, slack = Scripted(), Scripted()
    rig = Stand(ManualClock(START), slack=slack)
    rig.dispatcher._heirs = lambda _: ["slack"]
    rig.outbox.put(said("firing"))
    read = rig.outbox.queued

    async def reading(name, cursor, limit):
        rows = await read(name, cursor, limit)
        if name == "chat" and not chat.sent:
            monkeypatch.setattr(rig.outbox, "queued", read)
            rig.dispatcher.reload(pair("slack", slack) | pair("chat", chat), lambda _: ["slack"])
        return rows

    monkeypatch.setattr(rig.outbox, "queued", reading)
    async with rig.running():
        await rig.idle()
    assert (chat.sent, slack.sent) == (["a-1-firing"], [])


async def test_the_end_for_a_fallback_that_was_told_in_its_place_is_not_lost_with_the_receiver():
    sms, slack = Scripted(), Scripted()
    rig = stand(chat=({"fallback": Fallback("sms"), "concurrency": 1}, [Rejected("no"), *[Retry("x")] * 9]))
    rig.dispatcher.reload(
        pair("chat", rig.dispatcher._channels["chat"].receiver, fallback=Fallback("sms")) | pair("sms", sms)
    )
    async with rig.running():
        rig.offer(said("firing"))
        await settle()
        assert sms.sent == ["a-1-firing"]
        rig.offer(said("resolved"))
        await settle()
        rig.dispatcher.reload(pair("sms", sms) | pair("slack", slack), lambda _: ["slack", "sms"])
        await rig.idle()
    assert sms.sent == ["a-1-firing", "a-1-resolved"]
    assert slack.sent == ["a-1-resolved"]
    assert rig.outbox.closed == ["chat"]
