"""rate, retry, fallback, breaker and superseding, through the dispatcher under a clock that the test moves."""

import asyncio
from dataclasses import replace

from hub.clock import ManualClock
from hub.limits import BREAKER_FAILURES, BREAKER_SECONDS
from hub.model import Delivered, Rejected, Retry
from hub.notify.fallback import Fallback
from hub.notify.lanes import lines
from hub.notify.lanes.pace import Rate
from hub.notify.lanes.retry import RetryPolicy
from tests.notify.fakes import MemoryOutbox, Scripted, notification, settings
from tests.notify.lanes.test_lane import spoken
from tests.notify.test_dispatcher import Stand

START = 1_000_000.0


def said(step, episode=1, order="a", receiver="chat", state=None, created=START):
    identity = f"{order}-{episode}-{step}"
    made = notification(receiver=receiver, order=order, created=created, id=identity, episode=episode)
    state = state or ("resolved" if step == "resolved" else "firing")
    return replace(made, id=identity, body=made.body | {"state": state})


def stand(**receivers):
    """Make a dispatcher; each receiver is (settings, what it answers)."""
    made = {name: (settings(name, **keys), Scripted(*answers)) for name, (keys, answers) in receivers.items()}
    rig = Stand(ManualClock(START), **made)
    rig.sent = {name: each.sent for name, (_, each) in made.items()}
    return rig


async def settle():
    for _ in range(20):
        await asyncio.sleep(0)


async def later(rig, seconds, times=1):
    for _ in range(times):
        rig.clock.advance(seconds)
        rig.dispatcher.look()
        await settle()


# rate


async def test_a_thousand_messages_wait_for_their_rate_and_none_is_lost():
    rig = stand(chat=({"rate": Rate(10, 60.0)}, ()))
    async with rig.running():
        rig.offer(*(said("firing", order=f"n{n}") for n in range(1000)))
        await settle()
        for minute in range(1, 100):
            assert len(rig.sent["chat"]) == 10 * minute
            await later(rig, 59.9)
            assert len(rig.sent["chat"]) == 10 * minute
            await later(rig, 0.2)
        await rig.idle()
    assert rig.outbox.states() == ["delivered"] * 1000


async def test_a_rate_counts_attempts_and_opens_by_its_timer():
    rig = Stand(chat=(settings(rate=Rate(2, 0.05), retry=RetryPolicy(first=0.001)), Scripted(Retry("x"))))
    async with rig.running():
        begun = asyncio.get_running_loop().time()
        rig.offer(*(notification(n, order=str(n)) for n in range(5)))
        await rig.idle()
        assert asyncio.get_running_loop().time() - begun >= 0.1, "six attempts"
    assert rig.outbox.states() == ["delivered"] * 5


async def test_a_rate_changed_on_reload_counts_what_went_out_before():
    rig = stand(chat=({"rate": Rate(2, 60.0)}, ()))
    async with rig.running():
        rig.offer(*(said("firing", order=f"n{n}") for n in range(5)))
        await settle()
        assert len(rig.sent["chat"]) == 2
        receiver = rig.dispatcher._channels["chat"].receiver
        rig.dispatcher.reload({"chat": (settings("chat", rate=Rate(3, 60.0)), receiver)})
        await settle()
        assert len(rig.sent["chat"]) == 3
        rig.dispatcher.reload({"chat": (settings("chat"), receiver)})
        await rig.idle()
    assert len(rig.sent["chat"]) == 5


# retry


async def test_after_as_many_attempts_as_its_settings_allow_it_is_a_dead_letter():
    rig = stand(chat=({"retry": RetryPolicy(attempts=2)}, [Retry("503")] * 3))
    async with rig.running():
        rig.offer(said("firing"))
        await settle()
        await later(rig, 400.0)
        await rig.idle()
    assert rig.sent["chat"] == ["a-1-firing"] * 2
    assert rig.observer.dead_letters == [("a-1-firing", "given up after 2 attempts; last: 503")]


# the breaker


async def test_a_receiver_down_for_six_hours_is_probed_and_nothing_else_is_spent_on_it():
    down = [Retry("refused")] * 100_000
    rig = stand(chat=({}, down))
    async with rig.running():
        rig.offer(*(said("firing", order=f"n{n}") for n in range(1000)))
        await settle()
        for _ in range(360):
            await later(rig, 60.0)
        probes = len(rig.sent["chat"])
        assert probes <= 8 + 6 * 3600 / BREAKER_SECONDS[1] + 20, "its concurrency, then one a pause"
        assert rig.outbox.states() == ["queued"] * 1000
        rig.dispatcher._channels["chat"].receiver.outcomes.clear()
        await later(rig, 300.0, 4)
        await rig.idle()
    assert len(rig.sent["chat"]) == probes + 1000
    assert rig.outbox.states() == ["delivered"] * 1000
    assert rig.observer.circuits[0] == ("chat", "open")
    assert rig.observer.circuits[-2:] == [("chat", "half-open"), ("chat", "closed")]


async def test_while_the_probe_hangs_nobody_else_is_sent_and_after_it_works_all_are():
    gate = asyncio.Event()
    rig = stand(chat=({"concurrency": 1}, [*[Retry("no")] * BREAKER_FAILURES, gate]))
    async with rig.running():
        rig.offer(*(said("firing", order=f"n{n}") for n in range(20)))
        await settle()
        assert len(rig.sent["chat"]) == BREAKER_FAILURES
        rig.dispatcher._channels["chat"].lane.concurrency = 8
        await later(rig, 400.0)
        assert len(rig.sent["chat"]) == BREAKER_FAILURES + 1
        await later(rig, 400.0, 3)
        assert len(rig.sent["chat"]) == BREAKER_FAILURES + 1
        gate.set()
        await settle()
        await later(rig, 1.0)
        await rig.idle()
    assert rig.outbox.states() == ["delivered"] * 20
    assert all(log[-1].attempts <= 2 for log in rig.outbox.log.values())


async def test_a_receiver_that_refuses_messages_is_there_and_opens_no_breaker():
    rig = stand(chat=({}, [Retry("x"), Rejected("400")] * 50))
    async with rig.running():
        rig.offer(*(said("firing", order=f"n{n}") for n in range(50)))
        await settle()
    assert rig.observer.circuits == []


async def test_one_message_that_always_fails_holds_back_nobody_else():
    rig = stand(chat=({}, [Retry("poison")] * (2 * BREAKER_FAILURES)))
    async with rig.running():
        rig.offer(said("firing", order="bad"))
        await settle()
        await later(rig, 400.0, 2 * BREAKER_FAILURES - 1)
        rig.offer(said("firing", order="good"))
        await settle()
        assert rig.sent["chat"][-1] == "good-1-firing"


# superseding


async def test_what_resolved_while_the_receiver_was_down_is_neither_told_firing_nor_resolved():
    rig = stand(chat=({}, [Retry("refused", perhaps=False)] * 4))
    async with rig.running():
        rig.offer(said("firing"))
        await settle()
        await later(rig, 400.0)
        rig.offer(said("repeat-1"), said("resolved"))
        await rig.idle()
    assert rig.outbox.states() == ["superseded"] * 3
    assert [reason for _, reason in rig.observer.superseded_ones] == [
        "a newer message of its episode is sent in its place",
        "its alert resolved before it was sent",
        "its firing message was not sent, either",
    ]
    assert rig.sent["chat"] == ["a-1-firing"] * 2


async def test_after_an_outage_each_alert_brings_one_message_with_its_next_state_behind_it():
    rig = stand(chat=({"breaker": 0}, [Retry("503", perhaps=False)] * 99))
    async with rig.running():
        for step in ("firing", *(f"repeat-{n}" for n in range(1, 8))):
            rig.offer(*(said(step, order=order, created=rig.clock.now()) for order in "ab"))
            await later(rig, 10.0)
        rig.sent["chat"].clear()
        rig.dispatcher._channels["chat"].receiver.outcomes.clear()
        await later(rig, 400.0, 2)
        await rig.idle()
        assert sorted(rig.sent["chat"]) == ["a-1-repeat-7", "b-1-repeat-7"]
        rig.offer(said("resolved"), said("repeat-8", order="b"))
        await rig.idle()
    assert rig.sent["chat"][2:] == ["a-1-resolved", "b-1-repeat-8"]
    reasons = {reason for _, reason in rig.observer.superseded_ones}
    assert reasons == {"a newer message of its episode is sent in its place"}
    assert rig.observer.dead_letters == []


async def test_a_repetition_that_certainly_reached_nobody_leaves_no_end_behind_though_it_stood_for_the_first():
    rig = stand(chat=({}, [Retry("503", perhaps=False)] * 6))
    async with rig.running():
        for step in ("firing", "repeat-1", "repeat-2"):
            rig.offer(said(step, created=rig.clock.now()))
            await later(rig, 400.0)
        tries = len(rig.sent["chat"])
        rig.offer(said("resolved"))
        await rig.idle()
    assert len(rig.sent["chat"]) == tries
    assert rig.outbox.states() == ["superseded"] * 4


async def test_a_newer_message_has_its_own_attempts_before_it_is_given_up_and_backs_off_as_the_older_one_did():
    rig = stand(chat=({"retry": RetryPolicy(first=1.0, attempts=3)}, [Retry("503")] * 5))
    async with rig.running():
        rig.offer(said("firing"))
        await settle()
        await later(rig, 1.0)
        rig.offer(said("repeat-1", created=rig.clock.now()))
        await later(rig, 400.0)
        settled = rig.outbox.last(2)
        assert (settled.state, settled.attempts) == ("retry", 1)
        assert settled.next_at == rig.clock.now() + 2.0, "half of 4 s, as after a third attempt"
        await later(rig, 400.0, 2)
        await rig.idle()
    assert rig.outbox.last(2).reason == "given up after 3 attempts; last: 503"
    assert rig.outbox.states() == ["superseded", "dead"]


async def test_what_goes_to_the_fallback_after_a_time_is_the_newest_and_the_time_counts_from_the_first():
    down = [Retry("refused", perhaps=True)] * 99
    rig = stand(chat=({"fallback": Fallback("sms", 600.0)}, down), sms=({}, ()))
    async with rig.running():
        for number in range(4):
            rig.offer(said(f"repeat-{number}" if number else "firing", created=rig.clock.now()))
            await later(rig, 150.1)
        assert rig.sent["sms"] == ["a-1-repeat-3"]
        rig.offer(said("resolved", created=rig.clock.now()))
        await later(rig, 400.0, 3)
        assert rig.sent["sms"] == ["a-1-repeat-3", "a-1-resolved"] or rig.sent["chat"][-1] == "a-1-resolved"


# groups


def grouped(serial, firing, news=(), first=False):
    return replace(spoken(1, serial, firing, news, first), receiver="chat", created=START)


async def test_what_a_group_told_in_an_outage_comes_as_one_message_and_the_rows_stay_until_it_is_told():
    rig = stand(chat=({}, [Retry("503")]))
    got = []
    receiver = rig.dispatcher._channels["chat"].receiver
    send = receiver.send

    async def keep(told):
        got.append(told.body)
        return await send(told)

    receiver.send = keep
    async with rig.running():
        rig.offer(grouped(1, ["p-1", "q-1"], ["r-1"]))
        await settle()
        rig.offer(grouped(2, ["p-1"], ["q-1"]), grouped(3, ["p-1", "s-1"]), grouped(4, ["p-1"], ["s-1"]))
        await settle()
        assert rig.outbox.states() == ["queued", "queued", "superseded", "queued"], "a crash now loses nothing"
        await later(rig, 400.0)
        await rig.idle()
    assert rig.sent["chat"] == ["g-1-group-1", "g-1-group-4"]
    assert [each["id"] for each in got[-1]["alerts"]] == ["p-1-firing", "s-1-resolved", "r-1-resolved", "q-1-resolved"]
    assert rig.outbox.states() == ["superseded", "superseded", "superseded", "delivered"]


async def test_a_group_that_becomes_a_dead_letter_goes_to_the_fallback_with_all_that_it_told():
    rig = stand(chat=({"fallback": Fallback("sms")}, [Retry("503"), Rejected("400")]), sms=({}, ()))
    async with rig.running():
        rig.offer(grouped(1, ["p-1", "q-1"], ["r-1"]))
        await settle()
        rig.offer(grouped(2, ["p-1"], ["q-1"]))
        await later(rig, 400.0)
        await rig.idle()
    assert rig.outbox.states() == ["superseded", "dead", "delivered"]
    told = rig.outbox.last(2).entered.notification
    assert [each["id"] for each in told.body["alerts"]] == ["p-1-firing", "q-1-resolved", "r-1-resolved"]


async def test_who_got_the_firing_message_gets_the_end_and_no_late_repetition():
    rig = stand(chat=({}, [Delivered(), Retry("refused")]))
    async with rig.running():
        rig.offer(said("firing"))
        await settle()
        rig.offer(said("repeat-1"))
        await settle()
        rig.offer(said("resolved"))
        await settle()
        await rig.idle()
    assert rig.sent["chat"] == ["a-1-firing", "a-1-repeat-1", "a-1-resolved"]
    assert rig.outbox.states() == ["delivered", "superseded", "delivered"]


async def test_whom_only_escalate_names_hears_no_end_of_what_it_was_never_told():
    step = said("escalate-1", receiver="boss")
    first = replace(step, body=step.body | {"first": True})
    for message, expected in ((first, []), (step, ["a-1-resolved"])):
        rig = stand(boss=({}, [Retry("refused", perhaps=False)] * 2))
        async with rig.running():
            rig.offer(message)
            await settle()
            await later(rig, 400.0)
            rig.offer(said("resolved", receiver="boss"))
            await rig.idle()
        assert rig.sent["boss"][2:] == expected


async def test_what_was_the_first_for_one_receiver_need_not_be_for_its_fallback():
    step = said("escalate-1", receiver="boss")
    rig = stand(boss=({"fallback": Fallback("sms")}, [Rejected("no")]), sms=({}, [Retry("refused", perhaps=False)] * 2))
    async with rig.running():
        rig.offer(replace(step, body=step.body | {"first": True}))
        await settle()
        await later(rig, 400.0)
        rig.offer(said("resolved", receiver="sms"))
        await rig.idle()
    assert rig.sent["sms"][-1] == "a-1-resolved"


async def test_after_an_unclear_answer_the_end_is_told():
    rig = stand(chat=({}, [Retry("no answer within 15s")]))
    async with rig.running():
        rig.offer(said("firing"))
        await settle()
        rig.offer(said("resolved"))
        await rig.idle()
    assert rig.sent["chat"] == ["a-1-firing", "a-1-resolved"]
    assert rig.outbox.states() == ["superseded", "delivered"]


async def test_what_an_earlier_process_had_queued_may_have_been_sent_so_the_end_is_told():
    rig = stand(chat=({}, ()))
    queued = rig.outbox.put(said("firing", created=START - 60), said("resolved"))
    for each in queued:
        rig.outbox.rows[each.row][1] = replace(each, perhaps=True)
    async with rig.running():
        await rig.idle()
    assert rig.sent["chat"] == ["a-1-resolved"]


# fallback


async def test_a_dead_letter_goes_to_the_fallback_with_the_same_id_in_the_same_commit():
    rig = stand(chat=({"fallback": Fallback("sms")}, [Rejected("401")]), sms=({}, ()))
    async with rig.running():
        rig.offer(said("firing"))
        await rig.idle()
    assert rig.sent["sms"] == ["a-1-firing"]
    assert rig.outbox.states() == ["dead", "delivered"]
    settled = rig.outbox.last(1)
    assert settled.entered.notification.receiver == "sms"
    assert settled.reason == "401; 'sms' is told instead"
    assert rig.observer.fallbacks == [("a-1-firing", "sms", settled.reason)]


async def test_after_its_age_what_waits_goes_to_the_fallback_tried_or_not():
    down = [Retry("refused", perhaps=False)] * 1000
    rig = stand(chat=({"fallback": Fallback("sms", 600.0)}, down), sms=({}, ()))
    async with rig.running():
        rig.offer(*(said("firing", order=f"n{n}") for n in range(50)))
        await settle()
        await later(rig, 59.0, 10)
        assert rig.sent["sms"] == []
        await later(rig, 30.0)
        await rig.idle()
    assert sorted(rig.sent["sms"]) == sorted(f"n{n}-1-firing" for n in range(50))
    assert rig.outbox.states() == ["dead"] * 50 + ["delivered"] * 50


async def test_the_age_ends_by_the_timer_without_anything_else_happening(monkeypatch):
    monkeypatch.setattr(lines, "FALLBACK_LOOK_SECONDS", 0.01)
    never = asyncio.Event()
    keys = {"fallback": Fallback("sms", 0.05), "concurrency": 1, "timeout": 600.0}
    rig = Stand(chat=(settings("chat", **keys), Scripted(never)), sms=Scripted())
    async with rig.running():
        rig.offer(notification(1), notification(2, order="b"))
        await rig.until(lambda: rig.outbox.states() == ["queued", "dead", "delivered"])
        never.set()


async def test_who_was_told_in_its_place_hears_of_the_end_and_who_was_not_told_does_not():
    rig = stand(chat=({"fallback": Fallback("sms", 600.0)}, [Retry("no", perhaps=False)] * 99), sms=({}, ()))
    async with rig.running():
        rig.offer(said("firing"))
        await settle()
        await later(rig, 601.0)
        assert rig.sent["sms"] == ["a-1-firing"]
        tries = len(rig.sent["chat"])
        rig.offer(said("resolved"))
        await rig.idle()
    assert rig.sent["sms"] == ["a-1-firing", "a-1-resolved"]
    assert len(rig.sent["chat"]) == tries
    assert rig.outbox.handed_over == [(1, "sms")]
    assert rig.outbox.closed == ["chat"]


async def test_both_hear_of_the_end_where_a_repetition_reached_the_first_one_after_all():
    rig = stand(chat=({"fallback": Fallback("sms", 600.0)}, [Retry("no", perhaps=False)]), sms=({}, ()))
    async with rig.running():
        rig.offer(said("firing"))
        await settle()
        await later(rig, 601.0)
        rig.offer(said("repeat-1", created=rig.clock.now()))
        await settle()
        rig.offer(said("resolved", created=rig.clock.now()))
        await rig.idle()
    assert rig.sent["chat"][-2:] == ["a-1-repeat-1", "a-1-resolved"]
    assert rig.sent["sms"] == ["a-1-firing", "a-1-resolved"]


async def test_after_a_restart_the_fallback_still_hears_of_the_end():
    rig = stand(chat=({}, ()), sms=({}, ()))
    rig.outbox.known_as_handed = [("chat", "a-1-firing", "sms"), ("gone", "b-1-firing", "sms")]
    async with rig.running():
        rig.offer(said("resolved"), said("resolved", order="c"))
        await rig.idle()
    assert rig.sent["sms"] == ["a-1-resolved"]
    assert rig.sent["chat"] == ["a-1-resolved", "c-1-resolved"]


async def test_a_chain_of_fallbacks_is_gone_through_to_its_end():
    refuse = [Rejected("no")] * 9
    rig = stand(a=({"fallback": Fallback("b")}, refuse), b=({"fallback": Fallback("c")}, refuse), c=({}, refuse))
    async with rig.running():
        rig.offer(said("firing", receiver="a"))
        await rig.idle()
    assert rig.outbox.states() == ["dead"] * 3
    assert [identity for identity, _ in rig.observer.dead_letters] == ["a-1-firing"] * 3


async def test_an_end_that_is_refused_is_told_to_the_fallback_once():
    rig = stand(chat=({"fallback": Fallback("sms")}, [Rejected("no")] * 9), sms=({}, ()))
    async with rig.running():
        rig.offer(said("firing"))
        await settle()
        rig.offer(said("resolved"))
        await rig.idle()
    assert rig.sent["sms"] == ["a-1-firing", "a-1-resolved"]


# drop


async def test_what_is_dropped_is_not_sent_but_what_is_under_way_cannot_be():
    gate = asyncio.Event()
    rig = stand(chat=({"concurrency": 1}, [gate]))
    async with rig.running():
        first, second, third = rig.outbox.put(said("firing"), said("repeat-1"), said("repeat-2"))
        rig.dispatcher.offer([first, second, third])
        await settle()
        assert not rig.dispatcher.drop(first.row, first.notification, "me")
        assert rig.dispatcher.drop(second.row, second.notification, "me")
        gate.set()
        await rig.idle()
    assert rig.sent["chat"] == ["a-1-firing", "a-1-repeat-2"]


async def test_handing_over_is_part_of_the_settlement_so_a_crash_between_them_cannot_be():
    entered = []

    class Watching(MemoryOutbox):
        def settle(self, results):
            entered.extend(each.entered.notification.receiver for each in results if each.entered)
            super().settle(results)

    rig = stand(chat=({"fallback": Fallback("sms")}, [Rejected("no")]), sms=({}, ()))
    watching = Watching()
    watching.entered = rig.dispatcher.offer
    rig.outbox = rig.dispatcher._outbox = rig.dispatcher._endings._outbox = watching
    async with rig.running():
        rig.offer(said("firing"))
        await rig.idle()
    assert entered == ["sms"]
