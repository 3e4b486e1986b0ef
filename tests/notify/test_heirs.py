"""Who takes over what waits for a receiver that is gone: its fallbacks, else whom its rule tells now."""

import asyncio
from dataclasses import replace

import pytest

from hub.clock import ManualClock
from hub.model import Rejected, Retry
from hub.notify.fallback import Fallback
from hub.notify.heirs import Heirs, Told, inherited
from tests.notify.fakes import Scripted, settings
from tests.notify.test_delivery import START, said, settle, stand
from tests.notify.test_dispatcher import Stand


def told(rules=None, posted=(), **fallbacks):
    """Files: receivers by name with their fallbacks, rules with whom they tell."""
    made = {name: settings(name, fallback=Fallback(to) if to else None) for name, to in fallbacks.items()}
    return Told(made, {"FreezerTooWarm": [("chat",)]} if rules is None else rules, posted)


def of(heirs, receiver="chat", alertname="FreezerTooWarm"):
    made = said("firing", receiver=receiver)
    return heirs.of(replace(made, body=made.body | {"alertname": alertname}))


def after(*files):
    first, *others = files
    heirs = Heirs(first)
    for each in others:
        heirs.follow(each)
    return heirs


def rule(*lists):
    return {"FreezerTooWarm": lists}


def test_the_first_of_its_fallbacks_that_is_still_there_takes_over():
    assert of(after(told(chat="sms", sms="mail", mail=""), told(mail=""))) == ("mail",)


def test_else_whom_the_rule_tells_now_and_did_not_tell_before():
    before = told(rule(("chat", "mail")), chat="", mail="")
    assert of(after(before, told(rule(("slack", "mail")), slack="", mail=""))) == ["slack"]


def test_where_the_others_have_it_nobody_has_to_hear_it_again():
    before = told(rule(("chat", "mail")), chat="", mail="")
    assert of(after(before, told(rule(("mail",)), mail=""))) is None


def test_of_a_step_those_who_are_told_in_that_step_now():
    before = told(rule(("chat",), ("boss",)), chat="", boss="")
    heirs = after(before, told(rule(("chat",), ("chief",)), chat="", chief=""))
    assert of(heirs, "boss") == ["chief"]
    heirs = after(before, told(rule(("chat", "duty")), chat="", duty=""))
    assert of(heirs, "boss") == ["chat", "duty"], "the step is gone"


def test_a_rule_that_is_gone_or_tells_nobody_has_no_heirs():
    assert of(after(told(chat=""), told({}, chat2=""))) == ()
    assert of(after(told(chat=""), told(rule(()), chat2=""))) == []


def test_of_alerts_that_others_post_whom_those_are_told_to_now():
    before, now = told(posted=("chat",), chat=""), told(posted=("slack",), slack="")
    assert of(after(before, now), alertname="Posted") == ["slack"]


def test_what_is_not_known_from_before_goes_to_whom_the_rule_tells():
    assert of(Heirs(told(rule(("slack", "mail"), ("boss",)), slack="", mail="")), "chat") == ("slack", "mail")
    assert of(Heirs(told(slack="")), "chat", "Other") == ()


def test_a_second_reload_does_not_change_what_is_known_of_a_receiver_that_went_with_the_first():
    now = told(rule(("slack",)), slack="")
    assert of(after(told(chat=""), now, now)) == ["slack"]
    assert of(after(told(chat=""), now, told(rule(("mail",)), mail=""))) == ["mail"]


def test_a_receiver_that_came_back_and_goes_again_is_known_as_it_was_the_second_time():
    back = told(rule(("chat", "slack")), chat="", slack="")
    assert of(after(told(chat=""), told(rule(("slack",)), slack=""), back, told(rule(("slack",)), slack=""))) is None


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
