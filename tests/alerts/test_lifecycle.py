"""lifecycle: what a transition makes of an alert, and the alert itself."""

from dataclasses import fields
from math import inf

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.alerts.alert import Ack, Alert, alert_fingerprint
from hub.alerts.lifecycle import acknowledge, advance, end, forget, over_at, shifted, speak, suppressed_by, told
from hub.alerts.suppression.tally import LimitTally
from hub.alerts.telling.said import NOTHING_SAID, Said
from hub.alerts.telling.texts import Rendered
from hub.limits import RESOLVED_KEPT_SECONDS, TOPIC_BYTES
from hub.model import Phase, Reason, Suppressed, Suppressor
from hub.rules.reading.rule_values import Limit

TEXTS = Rendered({"a": "b"}, "summary", "details", "runbook", None, ())


def alert(**more):
    return Alert("Warm", (("site", "a"), ("device", "7")), **more)


def test_an_episode_begins_with_each_firing_and_every_change_has_its_version():
    it, seen = alert(), []
    for phase in (
        Phase.PENDING,
        Phase.FIRING,
        Phase.RESOLVED,
        Phase.FIRING,
        Phase.RESOLVED,
        Phase.PENDING,
        Phase.INACTIVE,
    ):
        it = advance(it, phase, Reason.CONDITION, 5.0, 3.0)
        seen.append((it.episode, it.version))
    assert seen == [(0, 1), (1, 2), (1, 3), (2, 4), (2, 5), (2, 6), (2, 7)]


def test_until_is_set_while_it_is_resolved():
    resolved = advance(alert(), Phase.RESOLVED, Reason.CLEARED, 5.0, 3.0)
    assert (resolved.since, resolved.until, resolved.reason) == (3.0, 5.0, "cleared")
    assert advance(resolved, Phase.FIRING, Reason.CONDITION, 6.0, 6.0).until is None


@pytest.mark.parametrize(
    ("phase", "until", "ended", "over"),
    [
        (Phase.PENDING, None, 2.0, 0.0),
        (Phase.FIRING, None, 2.0, 0.0),
        (Phase.RESOLVED, 9.0, 9.0, 0.0),
        (Phase.INACTIVE, None, 2.0, 9.0),
    ],
)
def test_a_phase_has_the_times_that_belong_to_it(phase, until, ended, over):
    it = advance(alert(until=2.0, ended=2.0, over=1.0, held=(Suppressor.MUTE, "")), phase, Reason.CONDITION, 9.0, 3.0)
    assert (it.state, it.since, it.until, it.ended, it.over, it.held) == (phase, 3.0, until, ended, over, None)


@pytest.mark.parametrize(
    ("phase", "until"), [(Phase.PENDING, 2.0), (Phase.INACTIVE, 2.0), (Phase.RESOLVED, 9.0), (Phase.FIRING, None)]
)
def test_while_it_flaps_its_episode_goes_on_and_until_is_its_last_end(phase, until):
    said, ack = Said(("chat",), 2, 1.0, 1.0), Ack("ann", "", 1.0)
    before = alert(episode=4, state=Phase.RESOLVED, until=2.0, calm=60.0, said=said, ack=ack, muted=True, told_in="x")
    it = advance(before, phase, Reason.CONDITION, 9.0, 3.0)
    assert (it.episode, it.said, it.ack, it.told_in, it.until) == (4, said, ack, "x", until)


def test_a_new_episode_is_told_to_nobody_and_nobody_cares_yet():
    before = alert(episode=4, said=Said(("chat",), 2, 1.0), ack=Ack("ann", "", 1.0), muted=True, told_in="x")
    it = advance(before, Phase.FIRING, Reason.CONDITION, 9.0, 9.0)
    assert (it.episode, it.said, it.ack, it.muted, it.told_in) == (5, NOTHING_SAID, None, False, "")


def test_only_a_silence_hides_it_and_from_when_it_does():
    hidden = suppressed_by(alert(), Suppressed(Suppressor.SILENCE, "id"), 5.0)
    assert (hidden.held, hidden.hidden) == ((Suppressor.SILENCE, "id"), 5.0)
    assert suppressed_by(hidden, Suppressed(Suppressor.MUTE), 6.0).hidden == 0.0
    released = suppressed_by(hidden, None, 7.0)
    assert (released.held, released.hidden) == (None, 0.0)


def test_a_message_counts_against_limit_where_there_is_one():
    said = Said(("chat",), 1, 5.0, 5.0)
    assert told(alert(tally=LimitTally((1.0,), 3)), said, Limit(2, 60.0, "2/1m"), 5.0).tally == LimitTally((1.0, 5.0))
    it = told(alert(tally=LimitTally((1.0,), 3)), said, None, 5.0)
    assert (it.tally, it.said) == (LimitTally(), said)


def test_an_acknowledgement_is_its_own_matter_and_can_be_taken_back():
    ack = Ack("ann", "", 1.0)
    assert acknowledge(alert(), ack) == alert(ack=ack)
    assert acknowledge(alert(ack=ack), None) == alert()


@pytest.mark.parametrize(
    ("state", "until", "at"),
    [
        (Phase.RESOLVED, 5.0, 5.0 + RESOLVED_KEPT_SECONDS),
        (Phase.RESOLVED, None, inf),
        (Phase.PENDING, 5.0, inf),
        (Phase.FIRING, None, inf),
        (Phase.INACTIVE, 5.0, inf),
    ],
)
def test_what_is_resolved_and_nothing_else_goes_out_of_sight(state, until, at):
    assert over_at(alert(state=state, until=until)) == at


TIMES = {"since", "until", "hidden", "fired", "calm", "ended", "over"}


def test_when_the_clock_is_set_the_times_that_there_are_move_and_what_a_person_said_stays():
    ack, said = Ack("ann", "", 100.0, 200.0), Said(("chat",), 1, 100.0, 110.0, paused=120.0, behind=130.0)
    it = alert(**dict.fromkeys(TIMES, 100.0), ack=ack, said=said, tally=LimitTally((100.0, 110.0), 1))
    moved = shifted(it, -30.0)
    assert {name: getattr(moved, name) for name in TIMES} == dict.fromkeys(TIMES, 70.0)
    assert (moved.ack, moved.tally) == (ack, LimitTally((70.0, 80.0), 1))
    assert moved.said == Said(("chat",), 1, 70.0, 80.0, paused=90.0, behind=100.0)
    assert shifted(alert(), -30.0) == alert()


def test_every_time_of_an_alert_is_known_to_move():
    assert {each.name for each in fields(Alert) if "float" in str(each.type)} == TIMES


def test_who_was_told_stays_until_the_next_episode():
    firing = speak(alert(state=Phase.FIRING, said=Said(("chat", "boss"), 2, 1.0, 3.0, 1)), TEXTS, "warning")
    resolved = speak(advance(firing, Phase.RESOLVED, Reason.CLEARED, 5.0, 3.0), TEXTS, "warning")
    assert resolved.told == ("chat", "boss")
    pending = speak(advance(resolved, Phase.PENDING, Reason.CONDITION, 6.0, 6.0), TEXTS, "warning")
    assert pending.told == ("chat", "boss")
    anew = advance(pending, Phase.FIRING, Reason.HELD, 7.0, 7.0)
    assert anew.said == NOTHING_SAID


@pytest.mark.parametrize(("before", "after"), [(Phase.FIRING, Phase.RESOLVED), (Phase.PENDING, Phase.INACTIVE)])
def test_an_alert_whose_rule_is_gone_ends_with_the_texts_it_had(before, after):
    it = alert(state=before, summary="s", labels={"a": "b"}, since=3.0, said=Said(("chat",), 1))
    ended = end(it, Reason.RULE_REMOVED, 9.0)
    assert (ended.state, ended.reason, ended.since) == (after, "rule removed", 3.0)
    assert (ended.summary, ended.labels, ended.told) == ("s", {"a": "b"}, ("chat",))


@pytest.mark.parametrize(("before", "calm"), [(Phase.FIRING, 0.0), (Phase.RESOLVED, 60.0)])
def test_what_flaps_and_fires_when_its_rule_goes_is_calm_at_once(before, calm):
    assert end(alert(state=before, calm=60.0), Reason.RULE_REMOVED, 9.0).calm == calm


def test_what_is_forgotten_keeps_its_identity_and_its_counts():
    gone = forget(alert(episode=3, version=9, summary="s", said=Said(("chat",), 1), state=Phase.RESOLVED), 50.0)
    assert gone == alert(episode=3, version=10, over=50.0)


def test_the_fingerprint_is_the_same_in_any_order_and_another_for_any_other_value():
    assert alert_fingerprint("A", (("x", "1"), ("y", "2"))) == alert_fingerprint("A", (("y", "2"), ("x", "1")))
    different = {
        alert_fingerprint(*it)
        for it in [
            ("A", ()),
            ("B", ()),
            ("A", (("x", "1"),)),
            ("A", (("x", "2"),)),
            ("A", (("y", "1"),)),
            ("Ax", (("", "1"),)),
        ]
    }
    assert len(different) == 6
    assert len(alert().fingerprint) == 16


def test_the_fingerprint_never_changes_between_versions_of_the_hub():
    assert alert().fingerprint == "74697385e7e8aee7"
    assert alert(episode=2).id("firing") == "74697385e7e8aee7-2-firing"


def test_the_topic_has_the_name_and_the_instances_values_each_level_safe():
    assert alert().topic("hub") == "hub/alerts/Warm/a/7"
    assert Alert("Too warm", (("a", "x/y#+"), ("b", ""), ("c", "é"))).topic("p") == "p/alerts/Too warm/x%2Fy%23%2B/_/é"


def test_a_value_too_long_for_a_topic_is_cut_and_tells_itself_from_others():
    long, other = (Alert("A", (("x", "/" * 40_000 + end),)).topic("hub") for end in "ab")
    assert long != other
    assert len(long.encode()) <= len("hub/alerts/A/") + TOPIC_BYTES


def test_the_state_others_see_has_the_fields_of_the_interface():
    body = alert(episode=1, state=Phase.FIRING, since=0.0, severity="critical", labels={"a": "b"}, summary="s").body()
    assert body.keys() >= {
        "state",
        "labels",
        "summary",
        "since",
        "acknowledged",
        "episode",
        "id",
        "alertname",
        "severity",
    }
    assert (body["since"], body["until"], body["id"]) == ("1970-01-01T00:00:00.000Z", None, "74697385e7e8aee7-1-firing")


TEXT = st.text(st.characters(exclude_categories=["Cs"]))


LIVE = st.sampled_from([Phase.PENDING, Phase.FIRING, Phase.RESOLVED])
TIME = st.floats(0, 4e9)


@given(
    st.builds(
        Alert,
        alertname=TEXT,
        instance=st.lists(st.tuples(TEXT, TEXT)).map(tuple),
        episode=st.integers(0, 2**40),
        version=st.integers(0, 2**40),
        state=LIVE,
        reason=TEXT,
        labels=st.dictionaries(TEXT, TEXT),
        summary=TEXT,
        since=TIME,
        until=st.none() | TIME,
        said=st.builds(Said, st.lists(TEXT).map(tuple), st.integers(1, 9), TIME, TIME, st.integers(0, 3), TIME, TIME),
        told_in=TEXT,
        unfilled=st.lists(TEXT).map(tuple),
        event=st.none() | st.dictionaries(TEXT, TEXT),
        held=st.none() | st.builds(Suppressed, st.sampled_from(Suppressor), TEXT),
        ack=st.none() | st.builds(Ack, TEXT, TEXT, TIME, st.none() | TIME),
        tally=st.builds(LimitTally, st.lists(TIME).map(tuple), st.integers(0, 9)),
    )
)
def test_an_alert_comes_back_from_the_store_as_it_went_in(it):
    assert Alert.load(it.dump()) == it


def test_of_an_alert_that_is_over_its_counts_stay():
    over = forget(alert(episode=3, version=7, state=Phase.RESOLVED, summary="long", tally=LimitTally((1.0,), 2)), 9.0)
    assert Alert.load(over.dump()) == over
    assert (over.episode, over.version, over.tally) == (3, 8, LimitTally((1.0,), 2))
    assert len(over.dump()) < 200


@pytest.mark.parametrize("by", Suppressor)
def test_what_suppresses_an_alert_is_stored_as_word_and_detail_and_published_as_a_stage(by):
    it = suppressed_by(advance(Alert("Hot", ()), Phase.FIRING, Reason.CONDITION, 1.0, 1.0), Suppressed(by, "why"), 5.0)
    assert orjson.loads(it.dump())["held"] == [by.value, "why"]
    assert Alert.load(it.dump()) == it
    assert isinstance(Alert.load(it.dump()).held, Suppressed)
    assert it.body()["held"] == {"stage": by.value, "detail": "why"}
    assert it.hidden == (5.0 if by is Suppressor.SILENCE else 0.0)
