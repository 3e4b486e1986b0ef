"""Alerts that others post: when they begin and end, what is told, what a restart, a reload and a clock make of them."""

from dataclasses import dataclass

import pytest

from hub.documents.document import Problems
from hub.errors import RequestError
from hub.limits import POSTED_SECONDS, RESOLVED_KEPT_SECONDS
from hub.model import OWN
from hub.rules.posted import posted
from hub.rules.posted.posting import Posting
from hub.rules.reading.loader import load_rules
from hub.spine.core import Core
from hub.store.changes import Snapshot

DEFAULTS = "defaults: {notify: [chat]}\nreceivers: {chat: {}, mail: {}}"
CPU = {"alertname": "HighCpu", "instance": "a:9100", "severity": "critical"}


@dataclass(frozen=True)
class Receiver:
    send_resolved: bool = True

    def publishes(self):
        return None


class World:
    """A core whose store is what it has handed out."""

    def __init__(self, tmp_path, text=DEFAULTS):
        self.path, self.now = tmp_path / "rules.yaml", 1000.0
        self.desk, self.alerts, self.trace, self.retained, self.ids = {}, {}, [], {}, set()
        self.start(text)

    def rules(self, text):
        self.path.write_text(text)
        problems = Problems()
        found = load_rules([self.path], problems, lambda node, _: dict.fromkeys(node.value, Receiver()), "hub")
        assert not problems
        return found

    def start(self, text=DEFAULTS):
        """Begin a process with what is stored."""
        self.core = Core(self.rules(text), None, "hub", {}, lambda *_: None)
        rows = [(*key, state) for key, state in self.desk.items()]
        self.core.restore(Snapshot(desk=rows, alerts=[(*key, state) for key, state in self.alerts.items()]), self.now)
        return self.take()

    def reload(self, text):
        self.core.reload(self.rules(text), None, self.now)
        return self.take()

    def post(self, labels=CPU, starts=None, ends=None, **annotations):
        self.core.post(Posting(labels, annotations, starts, ends), self.now)
        return self.take()

    def wait(self, seconds):
        """Let time pass as the pipeline does: a tick at each moment that something is due."""
        until, told = self.now + seconds, []
        while (due := max(self.now, self.core.next_due())) <= until:
            self.now = due
            self.core.tick(self.now)
            told += self.take()
            if self.core.next_due() <= self.now:
                break
        self.now = until
        return told

    def take(self):
        """Commit; return receiver, state and summary of what is told."""
        notes, changes = self.core.take_notifications(), self.core.take_changes()
        for rows, store in ((changes.desk, self.desk), (changes.alerts, self.alerts)):
            for *key, state in rows:
                store[tuple(key)] = state
                if state is None:
                    del store[tuple(key)]
        self.trace += changes.trace
        for note in notes:
            assert (note.id, note.receiver) not in self.ids, "an id came twice"
            self.ids.add((note.id, note.receiver))
            if note.receiver == OWN:
                self.retained[note.body["topic"]] = note.body["payload"]
        return [(n.receiver, n.body["state"], n.body["summary"]) for n in notes if n.receiver != OWN]

    @property
    def states(self):
        return {mark: alert.state.value for mark, alert in self.core.book.alerts.items()}

    @property
    def alert(self):
        (alert,) = self.core.book.alerts.values()
        return alert


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_a_posted_alert_fires_is_told_once_and_resolves_when_it_is_posted_as_over(world):
    assert world.post(ends=1240.0, summary="a is hot") == [("chat", "firing", "a is hot")]
    assert world.wait(60) == []
    assert world.post(ends=1300.0, summary="a is hot") == []
    assert world.post(ends=1060.0, summary="a is hot") == [("chat", "resolved", "a is hot")]
    assert world.alert.reason == "posted as over"


def test_its_labels_are_those_it_was_posted_with_and_its_texts_are_its_annotations(world):
    labels = {"alertname": "HighCpu", "pod": "x"}
    world.post(labels, description="it is\nhot\x1b[31m", runbook_url="http://r")
    assert world.alert.labels == {"alertname": "HighCpu", "severity": "warning", "pod": "x"}
    assert (world.alert.summary, world.alert.runbook) == ("it is\nhot\\x1b[31m", "http://r")
    world.post(labels | {"pod": "y"})
    assert [a.summary for a in world.core.book.alerts.values()][1] == "HighCpu (pod=y)"


@pytest.mark.parametrize(("label", "severity"), [("critical", "critical"), ("page", "warning"), (None, "warning")])
def test_a_severity_that_the_hub_does_not_have_stays_a_label(world, label, severity):
    world.post({"alertname": "A"} | ({"severity": label} if label else {}))
    assert world.alert.severity == severity
    assert world.alert.labels["severity"] == label or severity


def test_it_is_over_when_its_end_has_passed_and_when_it_has_none_after_a_while(world):
    world.post(ends=1240.0, summary="one")
    assert world.wait(239) == []
    assert world.wait(2) == [("chat", "resolved", "one")]
    assert world.alert.reason == "not posted again in time"
    world.post({"alertname": "Other"}, summary="two")
    assert world.wait(POSTED_SECONDS - 1) == []
    assert world.wait(2) == [("chat", "resolved", "two")]


def test_one_that_begins_later_is_pending_and_fires_by_the_clock(world):
    assert world.post(starts=1100.0, ends=2000.0, summary="soon") == []
    assert world.alert.state == "pending"
    assert world.wait(101) == [("chat", "firing", "soon")]
    assert world.alert.since == 1100.0
    world.post({"alertname": "Never"}, starts=3000.0, ends=2000.0)
    world.wait(1000)
    assert "inactive" in world.states.values()


def test_one_that_was_never_heard_of_and_is_over_is_nothing(world):
    assert world.post(ends=900.0) == []
    assert world.states == {}


def test_other_words_change_what_is_shown_and_tell_nobody(world):
    world.post(ends=1300.0, summary="31 degrees")
    assert world.post(ends=1300.0, summary="33 degrees") == []
    assert world.retained["hub/alerts/HighCpu/a:9100/critical"]["summary"] == "33 degrees"
    before = world.alert.version
    world.post(ends=1360.0, summary="33 degrees")
    assert world.alert.version == before


def test_acknowledgement_silence_and_trace_are_those_of_every_alert(world):
    world.post(ends=9000.0, summary="hot")
    (mark,) = world.core.book.alerts
    world.core.book.acknowledge(mark, "anna", "", None, world.now)
    world.post(ends=9000.0, summary="hotter")
    assert world.alert.ack.by == "anna"
    assert [row[1] for row in world.trace] == ["transition", "notified", "command"]


def test_it_survives_a_restart_with_its_deadline(world):
    world.post(ends=1240.0, summary="hot")
    world.start()
    assert world.wait(239) == []
    assert world.wait(2) == [("chat", "resolved", "hot")]


def test_what_passed_while_nobody_could_be_heard_does_not_end_it(world):
    world.post(ends=1240.0, summary="hot")
    world.now += 600
    world.start()
    world.core.excuse(600, world.now)
    assert world.wait(200) == []
    assert world.post(ends=world.now + 240, summary="hot") == []
    assert world.wait(250) == [("chat", "resolved", "hot")]


def test_one_that_was_not_near_its_end_is_not_pushed(world):
    world.post(ends=90_000.0)
    world.core.excuse(600, world.now)
    (kept,) = world.core.posted.alerts.values()
    assert kept.ends == 90_000.0


def test_a_clock_that_is_set_ends_nothing(world):
    world.post(ends=1240.0, summary="hot")
    world.now += 3600
    world.core.shift(3600, world.now)
    assert world.wait(239) == []
    assert world.wait(2) == [("chat", "resolved", "hot")]


def test_of_one_that_is_long_over_nothing_is_kept_and_ids_do_not_come_again(world):
    for _ in range(3):
        world.post(ends=world.now + 60, summary="hot")
        world.wait(61)
        world.wait(RESOLVED_KEPT_SECONDS + 1)
        assert world.states == {}
        assert world.alerts == {}
        assert set(world.desk) == {("episode", "floor")}
        assert world.core.rules == {}
        assert not any(world.retained.values())
        world.start()


def test_a_name_of_a_rule_is_refused(tmp_path):
    rule = "rules: [{alert: HighCpu, topic: 't/{d}', when: value > 30}]"
    world = World(tmp_path, rule)
    with pytest.raises(RequestError, match="'HighCpu' is the name of one of the hub's own rules"):
        world.post()
    assert world.desk == {}


@pytest.mark.parametrize("restart", [False, True])
def test_a_rule_that_takes_the_name_ends_what_was_posted_by_it(world, restart):
    world.post(ends=9000.0, summary="hot")
    text = DEFAULTS + "\nrules: [{alert: HighCpu, topic: 't/{d}', when: value > 30}]"
    said = "HighCpu (instance=a:9100, severity=critical) ended: a rule has its name now"
    assert (world.start if restart else world.reload)(text) == [("chat", "resolved", said)]
    assert world.alert.reason == "a rule has its name now"
    assert not any(kind == posted.KIND for kind, _ in world.desk)


def test_a_reload_keeps_what_was_posted_and_tells_it_by_the_new_defaults(world):
    world.post(ends=9000.0, summary="hot")
    assert world.reload(DEFAULTS.replace("[chat]", "[mail]")) == []
    assert world.post({"alertname": "Other"}, summary="new") == [("mail", "firing", "new")]
    assert world.post(ends=1.0) == [("chat", "resolved", "hot")]


def test_more_than_the_bound_are_refused_but_those_that_are_there_go_on(world, monkeypatch):
    monkeypatch.setattr(posted, "POSTED_ALERTS", 2)
    for name in "AB":
        world.post({"alertname": name})
    with pytest.raises(RequestError, match="2 posted alerts"):
        world.post({"alertname": "C"})
    world.post({"alertname": "A"}, summary="again")
    world.post({"alertname": "B"}, ends=world.now)
    world.post({"alertname": "C"})
    assert sorted(world.states.values()) == ["firing", "firing", "resolved"]


def test_deadlines_that_move_each_minute_do_not_pile_up(world):
    for turn in range(5000):
        world.post(ends=100_000.0 + turn)
    assert len(world.core.posted._agenda) < 2000


@pytest.mark.parametrize(
    ("files", "notified"),
    [
        (["defaults: {notify: [chat]}"], ["chat"]),
        (["defaults: {notify: [mail]}\nrules: []", "rules: []"], ["mail"]),
        (["defaults: {notify: [mail]}\nrules: []", "defaults: {notify: [chat]}"], ["chat"]),
        (["defaults: {notify: [mail]}\nrules: []", "defaults: {notify: [chat]}\nrules: []"], []),
        (["rules: []"], []),
    ],
)
def test_who_is_told_are_the_defaults_of_a_file_without_rules_or_of_the_only_file_that_has_any(
    tmp_path, files, notified
):
    for number, text in enumerate([*files, "receivers: {chat: {}, mail: {}}"]):
        (tmp_path / f"{number}.yaml").write_text(text)
    problems = Problems()
    found = load_rules([tmp_path], problems, lambda node, _: dict.fromkeys(node.value, Receiver()), "hub")
    assert not problems
    assert list(found.defaults.notify) == notified
