"""conversations: who takes part in which group, when it is looked at, and what of it goes into the store and back."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from hub.alerts.alert import Ack, Alert
from hub.alerts.telling.conversation import Conversation, News
from hub.alerts.telling.conversations import FLOOR, Conversations
from hub.alerts.telling.said import Said
from hub.model import Phase, Suppressed, Suppressor
from tests.rules.making import rules

(RULE,) = rules('- {alert: A, topic: "t/{site}/{device}", when: v > 5, notify: [chat], group_by: [site]}')
NOW = 1000.0


def alert(device="1", site="a", **more):
    labels = {"alertname": "A", "site": site, "device": device}
    return Alert("A", (("site", site), ("device", device)), state=Phase.FIRING, labels=labels, **more)


def placed(it, *alerts):
    for each in alerts:
        it.place(each.fingerprint, each, RULE, NOW)
    return it.of(RULE, alerts[0].labels)


def test_alerts_with_equal_labels_take_part_in_one_and_wait_from_the_first_one_on():
    it = Conversations()
    group = placed(it, alert("1"), alert("2"), alert("3", site="b"))
    assert (len(group.fresh), group.changed, len(it.all)) == (2, NOW, 2)
    assert it.next_due() == NOW + RULE.group_wait


def test_what_is_held_back_takes_part_and_is_neither_new_nor_active():
    it = Conversations()
    group = placed(it, alert(held=Suppressed(Suppressor.SILENCE, "x")))
    assert (len(group.members), group.fresh, group.active) == (1, {}, {})
    assert list(placed(it, alert(held=Suppressed(Suppressor.LIMIT, "1/h"))).fresh) == [alert().fingerprint]


def test_what_was_told_is_active_until_somebody_acknowledges_it():
    it = Conversations()
    group = it.of(RULE, alert().labels)
    group.episode, group.said = 1, Said(("chat",), 1, NOW, NOW)
    told = alert(told_in=group.episode_id, said=group.said)
    placed(it, told)
    assert (list(group.active), group.fresh) == ([told.fingerprint], {})
    placed(it, replace(told, ack=Ack("ann", "", NOW)))
    assert (group.active, group.said.paused) == ({}, NOW)
    assert list(placed(it, replace(told, told_in=f"{group.fingerprint}-0")).fresh) == [told.fingerprint]


def test_one_that_goes_on_while_nothing_is_said_any_more_in_its_conversation_is_new():
    it = Conversations()
    group = it.of(RULE, alert().labels)
    assert list(placed(it, alert(told_in=group.episode_id)).fresh) == [alert().fingerprint]
    assert not group.active


def test_since_when_a_group_waits_is_stored():
    it = Conversations()
    group = it.of(RULE, alert().labels)
    it.take_rows()
    placed(it, alert())
    ((fingerprint, text),) = it.take_rows()
    assert (fingerprint, Conversation.load(fingerprint, text).changed) == (group.fingerprint, NOW)


def test_what_a_group_still_owes_is_stored():
    it = Conversations()
    group = it.of(RULE, alert().labels)
    it.take_rows()
    it.report(group, RULE, ("chat",), {"id": "x"}, NOW)
    ((fingerprint, text),) = it.take_rows()
    assert (fingerprint, Conversation.load(fingerprint, text).news) == (
        group.fingerprint,
        [News(("chat",), 1, [{"id": "x"}])],
    )


def test_what_is_over_of_a_group_that_is_none_any_more_is_told_at_once():
    (ungrouped,) = rules('- {alert: A, topic: "t/{site}/{device}", when: v > 5, notify: [chat]}')
    for rule, due in ((None, 0.0), (ungrouped, 0.0), (RULE, NOW + RULE.group_wait)):
        it = Conversations()
        it.report(it.of(RULE, alert().labels), rule, ("chat",), {"id": "x"}, NOW)
        assert it.next_due() == due
        assert [each.news[0].told for each in it.take_due(9e9)] == [("chat",)]


def test_a_group_that_has_spoken_speaks_again_after_its_interval_and_no_sooner_than_it_waits():
    it = Conversations()
    group = it.of(RULE, alert().labels)
    group.spoke = NOW - 100.0
    placed(it, alert())
    assert it.next_due() == group.spoke + RULE.group_interval
    group.spoke = NOW - RULE.group_interval
    it.wake(group, RULE)
    assert it.next_due() == NOW + RULE.group_wait


HEARD = Said(("chat",), 2, 900.0, 950.0)


def test_one_that_was_told_alone_is_told_by_its_group_from_then_on_and_not_anew():
    it = Conversations()
    it.take_rows()
    taken = it.adopt("m", alert(said=HEARD), RULE)
    group = it.of(RULE, alert().labels)
    assert (taken.told_in, taken.said, group.said, group.episode) == (group.episode_id, HEARD, HEARD, 1)
    assert [fingerprint for fingerprint, _ in it.take_rows()] == [group.fingerprint]
    assert it.adopt("m", taken, RULE) is taken
    other = it.adopt("n", alert("2", said=Said(("mail",), 1, 930.0, 930.0)), RULE)
    assert (other.told_in, group.episode) == (group.episode_id, 1)
    assert (group.said.told, group.said.tellings, group.said.notified) == (("chat", "mail"), 2, 900.0)


def test_one_that_was_told_by_a_group_is_told_by_another_with_what_that_one_said_and_alone_again():
    (by_device,) = rules('- {alert: A, topic: "t/{site}/{device}", when: v > 5, notify: [chat], group_by: [device]}')
    (ungrouped,) = rules('- {alert: A, topic: "t/{site}/{device}", when: v > 5, notify: [chat]}')
    it = Conversations()
    first = it.of(RULE, alert().labels)
    first.episode, first.said = 1, replace(HEARD, steps=1, called=("boss",))
    told = alert(told_in=first.episode_id, said=Said(("chat", "mail"), 1, 900.0, 900.0))
    moved = it.adopt("m", told, by_device)
    second = it.of(by_device, alert().labels)
    assert (moved.told_in, second.said.steps, second.said.told) == (second.episode_id, 1, ("chat", "mail"))
    alone = it.adopt("m", told, ungrouped)
    assert (alone.told_in, alone.said.steps, alone.told, alone.said.tellings) == ("", 1, ("chat", "mail"), 2)
    assert it.adopt("m", alone, ungrouped) is alone


def test_one_that_nobody_was_told_of_takes_nothing_into_its_group():
    it = Conversations()
    one = alert()
    assert it.adopt("m", one, RULE) is one
    assert it.of(RULE, one.labels).episode == 0


def test_an_alert_whose_label_could_not_be_filled_in_is_a_group_of_its_own():
    it = Conversations()
    one, other = alert("1", site="?", unfilled=("site",)), alert("2", site="?", unfilled=("site",))
    placed(it, one, other)
    assert sorted(len(group.members) for group in it.all.values()) == [0, 1, 1]


def test_an_alert_that_leaves_is_in_none_and_one_with_other_labels_moves():
    it = Conversations()
    group = placed(it, alert())
    moved = replace(alert(), labels={**alert().labels, "site": "b"})
    it.place(moved.fingerprint, moved, RULE, NOW)
    assert (group.members, len(it.of(RULE, moved.labels).members)) == ({}, 1)
    it.leave(moved.fingerprint, NOW)
    assert not any(group.members for group in it.all.values())


def test_heirs_take_the_place_of_a_receiver_in_each_of_them():
    it = Conversations()
    for site in "ab":
        it.of(RULE, alert(site=site).labels).said = Said(("chat",), 1, NOW, NOW)
    it.take_rows()
    it.rename(lambda rule, receiver: ("mail",) if (rule, receiver) == ("A", "chat") else ())
    assert [Conversation.load(*row).said.told for row in it.take_rows()] == [("mail",), ("mail",)]


def test_one_that_is_forgotten_comes_back_above_every_id_it_gave():
    it = Conversations()
    group = it.of(RULE, alert().labels)
    group.episode, group.serial = 3, 7
    it.forget(group)
    assert dict(it.take_rows()) == {group.fingerprint: None, FLOOR: "7"}
    again = Conversations()
    again.restore([(FLOOR, "7")])
    for one in (it, again):
        assert (one.of(RULE, alert().labels).episode, one.of(RULE, alert().labels).serial) == (7, 7)


def test_when_the_clock_is_set_all_its_times_move_and_all_are_looked_at():
    it = Conversations()
    group = placed(it, alert())
    group.spoke, group.said = 900.0, Said(("chat",), 1, 900.0, 900.0)
    it.take_rows()
    it.shift(-500.0)
    assert (group.spoke, group.changed, group.said.last) == (400.0, 500.0, 400.0)
    assert (it.next_due(), [fingerprint for fingerprint, _ in it.take_rows()]) == (0.0, [group.fingerprint])
    idle = Conversation("A", {}, "x")
    idle.shift(5.0)
    assert (idle.spoke, idle.changed) == (0.0, 0.0)


NAMES = st.lists(st.sampled_from(["chat", "mail", "boss"]), unique=True).map(tuple)


@given(
    st.builds(
        Conversation,
        st.text(max_size=3),
        st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
        st.just("f" * 16),
        *([st.integers(0, 9)] * 2),
        *([st.floats(0, 4e9)] * 2),
        st.builds(Said, NAMES, st.integers(0, 9), st.floats(0, 4e9), st.floats(0, 4e9), st.integers(0, 3)),
        st.lists(st.builds(News, st.none() | NAMES, st.integers(1, 500), st.just([{"id": "x"}])), max_size=2),
    )
)
def test_a_conversation_comes_back_from_the_store_as_it_went_in(it):
    assert Conversation.load(it.fingerprint, it.dump()) == it


def test_ends_are_gathered_by_who_heard_of_the_beginning():
    it = Conversation("A", {}, "x")
    for told in (("chat",), ("chat", "mail"), ("chat",), None):
        it.report(told, {"id": str(told)}, NOW)
    assert [(each.told, each.count) for each in it.news] == [(("chat",), 2), (("chat", "mail"), 1), (None, 1)]
    assert it.renamed(lambda name: ["slack"] if name == "chat" else [name])
    assert [each.told for each in it.news] == [("slack",), ("slack", "mail"), None]
