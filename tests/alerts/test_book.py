"""book: every alert, who was told, and what is published of it; ids that never come twice."""

from collections import defaultdict
from dataclasses import replace

import orjson
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from hub.alerts.book import Book
from hub.alerts.matchers import parse_matchers
from hub.alerts.suppression.silences import Silence
from hub.limits import ALERT_KEPT_SECONDS, RESOLVED_KEPT_SECONDS
from hub.model import OWN, Reason
from hub.rules.running.engine import Engine
from hub.store.changes import Snapshot
from hub.store.keeper import restore_all, take_all
from tests.alerts.flapper import Site
from tests.rules.making import event, rules

HUB = {"client_id": "hub", "version": "1"}
WARM = '- {alert: Warm, topic: "f/{device}", when: t > 5, notify: [chat, mail], summary: "{device} is {t}"}\n'


class Desk:
    """An engine and a book that share one store."""

    def __init__(self, text, now=1000.0):
        self.now, self.errors = now, []
        self.instances, self.alerts, self.signatures = {}, {}, {}
        self.start(text)

    def start(self, text):
        self.rules = rules(text)
        self.engine = Engine(self.rules)
        self.book = Book("hub", HUB, lambda *error: self.errors.append(error))
        rows = [(*key, state) for key, state in self.instances.items()]
        gone = self.engine.restore(rows, self.signatures, self.now)
        restore_all(self.book.keepers, Snapshot(alerts=list(self.alerts.items())))
        self.book.resume(self.now)
        self.book.end(gone, self.now)
        return self.take()

    def reload(self, text):
        self.book.end(self.engine.reload(rules(text), None, self.now), self.now)
        return self.take()

    def send(self, topic, payload=None):
        self.engine.process([event(topic, payload, self.now)], self.now)
        return self.take()

    def wait(self, seconds):
        self.now += seconds
        self.engine.tick(self.now)
        self.book.tick(self.now)
        return self.take()

    def take(self):
        """Commit, and return the notifications."""
        self.book.apply(self.engine.take_transitions(), self.now)
        for rule_, key, state in self.engine.take_changes():
            self.instances[rule_, key] = state
            if state is None:
                del self.instances[rule_, key]
        self.alerts.update(take_all(self.book.keepers).alerts)
        self.signatures = dict(self.engine.signatures())
        self.book.take_changed()
        return self.book.take_notifications()


def told(notifications):
    return [(n.receiver, n.body["state"], n.id) for n in notifications if n.receiver != OWN]


def published(notifications):
    return [
        (n.body["topic"], n.body["payload"] and n.body["payload"]["state"]) for n in notifications if n.receiver == OWN
    ]


# who is told


def test_firing_and_resolved_go_to_the_rules_receivers_with_the_same_episode():
    desk = Desk(WARM)
    fired, resolved = desk.send("f/7", {"t": 6}), desk.send("f/7", {"t": 1})
    fingerprint = fired[0].order
    assert told(fired) == [("chat", "firing", f"{fingerprint}-1-firing"), ("mail", "firing", f"{fingerprint}-1-firing")]
    assert told(resolved) == [
        ("chat", "resolved", f"{fingerprint}-1-resolved"),
        ("mail", "resolved", f"{fingerprint}-1-resolved"),
    ]
    assert [n.body["summary"] for n in (fired[0], resolved[0])] == ["7 is 6", "7 is 1"]
    assert {n.order for n in fired + resolved} == {fingerprint}
    assert {n.created for n in fired} == {1000.0}


def test_pending_tells_nobody_and_so_does_its_end():
    desk = Desk(WARM.replace("when", "for: 1m, when"))
    assert told(desk.send("f/7", {"t": 6})) == []
    assert told(desk.send("f/7", {"t": 1})) == []


def test_resolved_goes_to_those_who_were_told_though_the_rule_names_others_now():
    desk = Desk(WARM)
    desk.send("f/7", {"t": 6})
    desk.reload(WARM.replace("[chat, mail]", "[mail]"))
    assert [receiver for receiver, *_ in told(desk.send("f/7", {"t": 1}))] == ["chat", "mail"]
    assert [receiver for receiver, *_ in told(desk.send("f/7", {"t": 6}))] == ["mail"]


def test_a_receiver_without_send_resolved_does_not_hear_of_the_end():
    desk = Desk(WARM)
    desk.book.follow({}, frozenset({"chat"}))
    assert len(told(desk.send("f/7", {"t": 6}))) == 2
    assert [receiver for receiver, *_ in told(desk.send("f/7", {"t": 1}))] == ["mail"]


def test_a_removed_rule_resolves_its_alerts_and_says_that_instead_of_a_value_that_is_not_over():
    desk = Desk(WARM)
    desk.send("f/7", {"t": 6})
    ended = desk.reload("[]")
    assert [(receiver, state) for receiver, state, _ in told(ended)] == [("chat", "resolved"), ("mail", "resolved")]
    assert (ended[0].body["reason"], ended[0].body["summary"]) == (
        "rule removed",
        "Warm (device=7) ended: rule removed",
    )
    assert told(desk.reload("[]")) == []


def test_a_rule_removed_or_changed_while_the_hub_was_off_does_the_same():
    for text, reason in (("[]", "rule removed"), (WARM.replace("t > 5", "t > 6"), "rule changed")):
        desk = Desk(WARM)
        desk.send("f/7", {"t": 6})
        ended = desk.start(text)
        assert [(n.body["state"], n.body["reason"]) for n in ended if n.receiver != OWN] == [("resolved", reason)] * 2
        assert told(desk.start(text)) == []


def test_a_pending_alert_of_a_removed_rule_ends_without_a_word():
    desk = Desk(WARM.replace("when", "for: 1m, when"))
    desk.send("f/7", {"t": 6})
    ended = desk.reload("[]")
    assert (told(ended), published(ended)) == ([], [("hub/alerts/Warm/7", None)])


def test_an_event_is_told_each_time_under_an_id_of_its_own():
    desk = Desk('- {event: Door, topic: "door/{id}", notify: [chat], severity: info}')
    first, second = desk.send("door/1"), desk.send("door/1")
    assert told(first)[0][:2] == ("chat", "event")
    assert (published(first), first[0].body["severity"]) == ([], "info")
    assert first[0].id != second[0].id
    assert first[0].order == second[0].order


def test_a_rule_without_receivers_still_publishes_its_state():
    desk = Desk(WARM.replace("notify: [chat, mail], ", ""))
    fired = desk.send("f/7", {"t": 6})
    assert (told(fired), published(fired)) == ([], [("hub/alerts/Warm/7", "firing")])


def test_a_text_that_cannot_be_filled_in_loses_no_notification_and_is_counted():
    desk = Desk(WARM.replace("is {t}", "is {u}"))
    assert desk.send("f/7", {"t": 6})[0].body["summary"] == "7 is ?"
    ((rule_, topic, why),) = desk.errors
    assert (rule_, topic) == ("Warm", "f/7")
    assert "u" in why


# the state plane


def test_each_state_is_published_retained_and_nothing_stays_of_an_alert_that_only_was_pending():
    desk = Desk(WARM.replace("when", "for: 1m, when"))
    assert published(desk.send("f/7", {"t": 6})) == [("hub/alerts/Warm/7", "pending")]
    assert published(desk.send("f/7", {"t": 1})) == [("hub/alerts/Warm/7", None)]
    desk.send("f/7", {"t": 6})
    (notification,) = [n for n in desk.wait(60) if n.receiver == OWN]
    assert notification.body["retain"] is True
    assert notification.body["payload"]["state"] == "firing"
    assert published(desk.send("f/7", {"t": 1})) == [("hub/alerts/Warm/7", "resolved")]


def test_a_resolved_alert_is_taken_out_of_sight_after_a_while_also_over_a_restart():
    desk = Desk(WARM)
    desk.send("f/7", {"t": 6})
    desk.send("f/7", {"t": 1})
    assert published(desk.wait(RESOLVED_KEPT_SECONDS - 1)) == []
    assert desk.start(WARM) == []
    assert desk.book.next_due() == desk.now + 1
    assert published(desk.wait(1)) == [("hub/alerts/Warm/7", None)]
    assert desk.book.next_due() == desk.now + ALERT_KEPT_SECONDS
    assert desk.wait(RESOLVED_KEPT_SECONDS) == []
    assert desk.start(WARM) == desk.wait(ALERT_KEPT_SECONDS) == []
    assert desk.book.next_due() is None
    assert not desk.book.alerts


def test_an_alert_that_fires_again_stays_in_sight_though_its_last_end_is_long_ago():
    desk = Desk(WARM)
    desk.send("f/7", {"t": 6})
    desk.send("f/7", {"t": 1})
    desk.wait(RESOLVED_KEPT_SECONDS - 1)
    desk.send("f/7", {"t": 6})
    assert published(desk.wait(10)) == []
    desk.send("f/7", {"t": 1})
    assert published(desk.wait(RESOLVED_KEPT_SECONDS - 1)) == []
    assert published(desk.wait(1)) == [("hub/alerts/Warm/7", None)]


def test_onlookers_hear_of_every_state():
    desk = Desk(WARM)
    desk.engine.process([event("f/7", {"t": 6})], 1000.0)
    desk.book.apply(desk.engine.take_transitions(), desk.now)
    assert desk.book.has_changes()
    (body,) = desk.book.take_changed()
    assert (body["state"], body["labels"]["device"]) == ("firing", "7")
    desk.take()
    assert not desk.book.has_changes()


# ids and receivers, whatever happens


RULES = [
    '- {alert: A, topic: "t/{x}", when: v > 5, notify: [chat]}\n',
    '- {alert: A, topic: "t/{x}", when: v > 5, notify: [mail, chat]}\n',
    '- {alert: A, topic: "t/{x}", when: v > 6, notify: [mail], for: 5s, clear_for: 5s}\n',
    '- {alert: A, topic: "t/{x}", when: v > 5, absent: 20s, notify: [chat]}\n',
    '- {event: A, topic: "t/{x}", when: v > 5, notify: [chat]}\n',
    "[]",
]


class Life(RuleBasedStateMachine):
    """Rules come, go and change; the hub restarts. Whoever was told of a beginning is told of its end; nobody else."""

    def __init__(self):
        super().__init__()
        self.text = RULES[0]
        self.desk = Desk(self.text)
        self.ids, self.open = set(), defaultdict(set)

    def hear(self, notifications):
        for each in notifications:
            assert (each.id, each.receiver) not in self.ids, "the same id twice"
            self.ids.add((each.id, each.receiver))
            if each.receiver == OWN:
                continue
            if each.body["state"] == "firing":
                self.open[each.order].add(each.receiver)
            elif each.body["state"] == "resolved":
                assert each.receiver in self.open[each.order], "told of an end who was not told of the beginning"
                self.open[each.order].discard(each.receiver)
        for fingerprint, receivers in self.open.items():
            assert not receivers or self.desk.book.alerts[fingerprint].open, "not told of the end"

    @rule(device=st.sampled_from("ab"), value=st.sampled_from([0, 6, 9]))
    def event(self, device, value):
        self.hear(self.desk.send(f"t/{device}", {"v": value}))

    @rule(seconds=st.sampled_from([1, 5, 20, 1000]))
    def time(self, seconds):
        self.hear(self.desk.wait(seconds))

    @rule()
    def restart(self):
        self.hear(self.desk.start(self.text))

    @rule(text=st.sampled_from(RULES))
    def reload(self, text):
        self.text = text
        self.hear(self.desk.reload(text))

    @rule(text=st.sampled_from(RULES))
    def restart_with_other_rules(self, text):
        self.text = text
        self.hear(self.desk.start(text))


Life.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestLife = Life.TestCase


@pytest.mark.parametrize("reason", [Reason.RULE_REMOVED, Reason.RULE_CHANGED])
def test_ending_rules_that_have_no_alerts_does_nothing(reason):
    desk = Desk(WARM)
    desk.book.end({"Warm": reason, "Other": reason}, 1000.0)
    assert not desk.book.has_changes()


def test_a_silence_that_hides_a_critical_alert_for_a_day_is_reminded_of_once():
    desk = Desk('- {alert: Warm, topic: "f/{device}", when: t > 5, notify: [chat], severity: critical}\n')
    desk.book.follow({rule.name: rule for rule in desk.rules}, frozenset())
    desk.book.silence(
        Silence("", tuple(parse_matchers("alertname=Warm")), desk.now, desk.now + 7 * 86400, "ann", "works", desk.now)
    )
    assert told(desk.send("f/7", {"t": 6})) == []
    topics = [n.body["topic"] for n in desk.wait(86399)]
    assert "hub/events/silence_hides_critical" not in topics
    (said,) = [n for n in desk.wait(1) if n.body["topic"] == "hub/events/silence_hides_critical"]
    assert said.body["payload"]["silence"]["createdBy"] == "ann"
    assert said.body["payload"]["alertname"] == "Warm"
    assert "hub/events/silence_hides_critical" not in [n.body["topic"] for n in desk.wait(3 * 86400)]


def test_a_silence_that_is_changed_hides_what_it_matches_now_and_no_more_and_who_changed_it_is_noted():
    at = Site('- {alert: Hot, topic: "t/{device}", when: v > 5, notify: [chat]}')
    at.silence("device=1", 600)
    at.send(9, "t/1")
    book = at.world.core.book
    (made,) = book.silences.values()
    asked = replace(made, matchers=tuple(parse_matchers("device=2")), by="bob", comment="the other one")
    assert book.change_silence(replace(asked, id="unknown"), at.world.now) is None
    changed = book.change_silence(asked, at.world.now)
    at.world.collect()
    at.send(9, "t/2")
    assert at.heard() == ["0 chat: 1 firing"]
    noted = [orjson.loads(data) for _, kind, *_, data in at.world.trace if kind == "command"]
    assert noted == [{"command": f"silence changed ({made.id})", "by": "bob", "comment": "the other one"}]
    assert changed.id != made.id


def test_what_is_not_queued_yet_when_the_clock_is_set_is_as_old_as_it_was():
    desk = Desk(WARM)
    desk.engine.process([event("f/7", {"t": 6}, desk.now)], desk.now)
    desk.book.apply(desk.engine.take_transitions(), desk.now)
    desk.book.shift(3600.0, desk.now + 3600.0)
    assert {note.created for note in desk.book.take_notifications()} == {desk.now + 3600.0}
