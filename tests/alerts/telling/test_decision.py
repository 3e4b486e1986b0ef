"""decision: what is told of a conversation next, or why nothing is, and when to look again; sentences with times."""

from dataclasses import replace
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.alerts.alert import Ack, Alert
from hub.alerts.suppression.tally import LimitTally
from hub.alerts.telling.decision import (
    Say,
    Situation,
    Untold,
    alone,
    audience,
    decide,
    look_again,
    newcomers,
    next_step,
)
from hub.alerts.telling.said import NOTHING_SAID, Said
from hub.model import Phase, Suppressed, Suppressor
from tests.rules.making import rules

KEYS = 'alert: A, topic: "t/{d}", when: v > 5'
TOLD = Said(("chat",), 1, notified=1000.0, last=1000.0)


def rule(more="notify: [chat]"):
    (made,) = rules(f"- {{{KEYS}, {more}}}", receivers=("chat", "mail", "boss", "owner"))
    return made


def firing(said=NOTHING_SAID, **more):
    return Alert("A", (("d", "1"),), state=Phase.FIRING, said=said, **more)


def of(alert, text, now):
    made = rule(text)
    return decide(alone(alert, made), made, now)


def test_what_nobody_has_heard_of_is_told_at_once_to_whom_the_rule_names():
    decision = of(firing(), "notify: [chat, mail]", 1000.0)
    assert (decision.say, decision.receivers) == (Say.NEWS, ("chat", "mail"))


@pytest.mark.parametrize("stage", [each for each in Suppressor if each is not Suppressor.LIMIT])
def test_what_a_stage_holds_back_is_told_nobody_whether_it_is_new_or_due(stage):
    for said in (NOTHING_SAID, TOLD):
        decision = of(firing(said, held=Suppressed(stage)), "notify: [chat], repeat: 1h", 9e9)
        assert (decision.say, decision.untold, decision.again) == (None, Untold.SUPPRESSED, inf)


def test_an_acknowledgement_ends_repeats_and_steps_but_not_the_first_word():
    ack, text = Ack("ann", "", 1.0), "notify: [chat], repeat: 1h, escalate: [{after: 5m, to: [boss]}]"
    assert of(firing(ack=ack), text, 1000.0).say is Say.NEWS
    decision = of(firing(TOLD, ack=ack), text, 9e9)
    assert (decision.say, decision.untold, decision.again) == (None, Untold.ACKNOWLEDGED, inf)


def test_a_repeat_is_due_after_the_interval_of_its_place_in_the_list():
    for tellings, due in ((1, 1600.0), (2, 2800.0), (3, 15400.0), (9, 15400.0)):
        alert, text = firing(replace(TOLD, tellings=tellings)), "notify: [chat], repeat: '10m, 30m, 4h'"
        before = of(alert, text, due - 1)
        assert (before.say, before.untold, before.again) == (None, Untold.NOT_DUE, due)
        assert of(alert, text, due).say is Say.REPEAT


def test_a_step_comes_after_its_time_and_goes_to_whom_it_names():
    text = "notify: [chat], escalate: [{after: 15m, to: [boss]}, {after: 1h, to: [owner]}]"
    before = of(firing(TOLD), text, 1899.0)
    assert (before.untold, before.again) == (Untold.NOT_DUE, 1900.0)
    decision = of(firing(TOLD), text, 1900.0)
    assert (decision.say, decision.receivers) == (Say.STEP, ("boss",))
    taken = TOLD.step(("boss",), 900.0)
    assert of(firing(taken), text, 1900.0).again == 4600.0
    assert of(firing(taken), text, 4600.0).receivers == ("owner",)
    last = taken.step(("owner",), 3600.0)
    decision = of(firing(last), text, 9e9)
    assert (decision.say, decision.untold) == (None, Untold.TOLD)


def test_steps_wait_for_the_time_in_which_they_stood_still():
    text = "notify: [chat], escalate: [{after: 15m, to: [boss]}]"
    paused = TOLD.goes_on(1600.0, runs=False)
    assert next_step(paused, rule(text)) is None
    went_on = paused.goes_on(9000.0, runs=True)
    assert of(firing(went_on), text, 9299.0).say is None
    assert of(firing(went_on), text, 9300.0).say is Say.STEP


def test_limit_delays_a_repeat_until_there_is_room_and_neither_holds_back_nor_waits_for_a_step():
    full = firing(TOLD, tally=LimitTally((1000.0,)))
    text = "notify: [chat], limit: 1/h, repeat: 1m, escalate: [{after: 5m, to: [boss]}]"
    decision = of(full, text, 1100.0)
    assert (decision.say, decision.untold, decision.again) == (None, Untold.LIMIT, 1300.0)
    assert of(full, text, 1300.0).say is Say.STEP
    called = firing(TOLD.step(("boss",), 300.0), tally=LimitTally((1000.0,)))
    assert of(called, text, 1301.0).again == 4600.0
    assert of(called, text, 4600.0).say is Say.REPEAT


def test_whom_the_rule_names_anew_hears_at_once_or_with_the_next_repeat():
    decision = of(firing(TOLD), "notify: [chat, mail]", 1001.0)
    assert (decision.say, decision.receivers) == (Say.NEWCOMERS, ("mail",))
    text = "notify: [chat, mail], repeat: 1h"
    assert of(firing(TOLD), text, 1001.0).say is None
    decision = of(firing(TOLD), text, 4600.0)
    assert (decision.say, decision.receivers) == (Say.REPEAT, ("chat", "mail"))


def test_reminders_go_to_whom_the_rule_names_now_and_whom_its_steps_called_not_to_all_who_ever_heard():
    said = Said(("chat", "boss"), 1, 1000.0, 1000.0, 1, 900.0)
    made = rule("notify: [mail], escalate: [{after: 15m, to: [boss]}, {after: 1h, to: [owner]}]")
    assert audience(said, made) == ("mail", "boss")
    assert newcomers(said, made) == ("mail",)
    assert newcomers(NOTHING_SAID, made) == ()
    assert newcomers(replace(said, told=("mail",), heirs=("mail",)), made) == ("mail",)
    assert newcomers(replace(said, told=("mail",)), made) == ()


@pytest.mark.parametrize(
    ("steps", "following"),
    [
        ("[{after: 15m, to: [boss]}, {after: 1h, to: [owner]}]", 3600.0),
        ("[{after: 20m, to: [boss]}, {after: 1h, to: [owner]}]", 3600.0),  # moved to later: it was taken
        ("[{after: 5m, to: [mail]}, {after: 15m, to: [boss]}, {after: 1h, to: [owner]}]", 3600.0),  # one came before it
        ("[{after: 1h, to: [owner]}]", 3600.0),  # it is gone
        ("[{after: 15m, to: [boss]}]", None),
    ],
)
def test_a_step_that_was_taken_is_not_taken_again_however_the_list_was_changed(steps, following):
    said = TOLD.step(("boss",), 900.0)
    step = next_step(said, rule(f"notify: [chat], escalate: {steps}"))
    assert (None if step is None else step.after) == following


def test_a_rule_that_names_nobody_says_so():
    decision = of(firing(Said((), 1, 1.0, 1.0)), "notify: []", 9.0)
    assert (decision.say, decision.untold) == (None, Untold.NOBODY)


# groups


def group(**more):
    return Situation(**({"said": NOTHING_SAID, "fresh": False, "active": False, "grouped": True} | more))


GROUPED = "notify: [chat], group_by: [], group_wait: 10s, group_interval: 5m"


def test_a_group_waits_for_more_and_then_for_its_interval():
    made = rule(GROUPED)
    for situation, due in (
        (group(fresh=True, changed=1000.0), 1010.0),
        (group(said=TOLD, fresh=True, active=True, changed=1100.0, spoke=1000.0), 1300.0),
        (group(said=TOLD, fresh=True, active=True, changed=1295.0, spoke=1000.0), 1305.0),
        (group(said=TOLD, news=True, only=("chat",), changed=1100.0, spoke=1000.0), 1300.0),
    ):
        before = decide(situation, made, due - 1)
        assert (before.say, before.untold, before.again) == (None, Untold.GROUP, due)
        assert decide(situation, made, due).say is Say.NEWS


def test_a_group_repeats_by_the_list_and_no_more_often_than_its_interval():
    made = rule(GROUPED + ", repeat: '1m, 30m'")
    told = group(said=TOLD, active=True, spoke=1000.0)
    assert decide(told, made, 1299.0).again == 1300.0
    assert decide(told, made, 1300.0).say is Say.REPEAT
    again = group(said=replace(TOLD, tellings=2, last=1300.0), active=True, spoke=1300.0)
    assert decide(again, made, 1300.0).again == 3100.0


def test_what_is_over_goes_to_whom_it_concerns_and_to_newcomers_and_limit_never_holds_it_back():
    made = rule(GROUPED.replace("[chat]", "[chat, mail]"))
    over = group(said=TOLD, news=True, only=("boss",), owed=("mail",), active=True)
    over = over._replace(changed=1000.0, room=inf)
    assert decide(over, made, 1010.0).receivers == ("boss", "mail")
    assert decide(over._replace(active=False), made, 1010.0).receivers == ("boss",)


def test_a_step_of_a_group_does_not_wait_for_its_interval():
    made = rule(GROUPED + ", escalate: [{after: 1m, to: [boss]}]")
    told = group(said=TOLD, active=True, spoke=1000.0)
    assert decide(told, made, 1060.0).receivers == ("boss",)


def test_an_alert_is_looked_at_again_when_the_first_of_all_that_may_happen_is_due():
    text = "notify: [chat], repeat: 1h, escalate: [{after: 15m, to: [boss]}]"
    assert look_again(firing(TOLD), rule(text)) == 1900.0
    assert look_again(firing(TOLD, ack=Ack("ann", "", 1.0, 1500.0)), rule(text)) == 1500.0
    hidden = firing(TOLD, held=Suppressed(Suppressor.SILENCE, "x"), hidden=1000.0, severity="critical")
    assert look_again(hidden, rule(text)) == 1000.0 + 86400.0
    assert look_again(firing(TOLD), rule(GROUPED + ", repeat: 1h")) == inf
    assert look_again(replace_state(firing(TOLD), Phase.RESOLVED), rule(text)) == inf


def replace_state(alert, state):
    return replace(alert, state=state)


# whatever the situation

SAID = st.builds(
    Said,
    st.sets(st.sampled_from(["chat", "mail", "boss"])).map(lambda names: tuple(sorted(names))),
    st.integers(1, 4),
    st.sampled_from([1000.0, 1200.0]),
    st.sampled_from([1000.0, 1400.0]),
    st.integers(0, 2),
    st.sampled_from([0.0, 60.0, 900.0]),
    st.sampled_from([0.0, 1500.0]),
)
TEXTS = [
    "notify: [chat]",
    "notify: [chat, mail], repeat: '10m, 1h', escalate: [{after: 1m, to: [boss]}, {after: 15m, to: [owner, boss]}]",
    GROUPED,
    GROUPED + ", repeat: 1m, escalate: [{after: 1m, to: [boss]}], limit: 2/h",
]
SITUATION = st.builds(
    Situation,
    said=st.just(NOTHING_SAID) | SAID,
    fresh=st.booleans(),
    active=st.booleans(),
    grouped=st.booleans(),
    news=st.booleans(),
    only=st.just(("chat",)),
    owed=st.sampled_from([(), ("mail",)]),
    changed=st.sampled_from([0.0, 1300.0]),
    spoke=st.sampled_from([0.0, 1400.0]),
    room=st.sampled_from([0.0, 1500.0, 9000.0]),
).map(lambda it: it if it.said.tellings else it._replace(active=False))


@given(SITUATION, st.sampled_from(TEXTS), st.sampled_from([1000.0, 1310.0, 1700.0, 5000.0, 99999.0]))
def test_it_says_something_or_why_not_and_at_the_time_that_it_names_it_says_something(it, text, now):
    made = rule(text)
    decision = decide(it, made, now)
    assert (decision.say is None) is (decision.untold is not None)
    assert decision.say is not None or decision.again > now
    if decision.say is None and decision.again < inf:
        then = decide(it, made, decision.again)
        assert then.say is not None or then.untold is Untold.LIMIT
        assert then.say is not None or decide(it, made, then.again).say is not None
