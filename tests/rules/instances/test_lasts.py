"""The last message of each topic over reload, restart and crash, and what is too much."""

import random

import pytest

from hub.documents.document import Problems
from hub.limits import HEARD_ROWS, HEAVY_PAYLOAD_BYTES
from hub.notify.receiver_settings import read_receivers
from hub.rules.instances import lasts as lasts_module
from hub.rules.reading.loader import load_rules
from hub.rules.running import engine as engine_module
from hub.spine.core import Core
from hub.store.changes import Snapshot
from tests.rules.making import event

RULES = 'rules: [{alert: Hot, topic: "t/{device}", when: value > 50}]\n'
OTHER = 'rules: [{alert: Hot, topic: "u/{device}", when: value > 50}]\n'


def load(folder, text):
    problems, path = Problems(), folder / "rules.yaml"
    path.write_text(text, "utf-8")
    found = load_rules([path], problems, read_receivers, "hub")
    assert not problems, list(problems)
    return found


class Hub:
    """A core whose desk rows are kept as a store would; `now` goes on by hand."""

    def __init__(self, tmp_path, text=RULES):
        self.tmp_path, self.rows, self.now = tmp_path, {}, 1_000_000.0
        self.start(text)

    def start(self, text=RULES):
        self.core = Core(load(self.tmp_path, text), None, "hub", {}, print)
        desk = [(*key, state) for key, state in self.rows.items()]
        self.core.restore(Snapshot(desk=desk), self.now)

    def send(self, topic, payload, *, commit=True):
        self.core.process([event(topic, payload, self.now)], self.now)
        if commit:
            self.commit(self.now)

    def commit(self, now=None):
        for kind, key, state in self.core.take_changes(now).desk:
            if state is None:
                self.rows.pop((kind, key), None)
            else:
                self.rows[kind, key] = state

    def last(self):
        return {topic: (raw, at) for topic, raw, at in self.core.engine.last_messages()}


def test_a_reload_keeps_what_was_heard_of_topics_that_rules_still_read(tmp_path):
    hub = Hub(tmp_path)
    hub.send("t/a", 1)
    before = hub.last()
    hub.core.reload(load(tmp_path, RULES.replace("50", "51")), None, hub.now + 1)
    assert hub.last() == before
    hub.core.reload(load(tmp_path, OTHER), None, hub.now + 2)
    assert hub.last() == {}
    hub.commit()
    assert not [key for key in hub.rows if key[0] == "heard"]


def test_a_new_message_takes_the_place_of_what_was_carried_over_a_reload(tmp_path):
    hub = Hub(tmp_path)
    hub.send("t/a", 1)
    hub.core.reload(load(tmp_path, RULES), None, hub.now)
    hub.now += 5
    hub.send("t/a", 2)
    assert hub.last() == {"t/a": (b"2", hub.now)}


def test_a_crash_right_behind_a_commit_loses_nothing_that_it_held(tmp_path):
    hub = Hub(tmp_path)
    for number in range(20):  # commits in one and the same second
        hub.send(f"t/{number % 7}", number)
        hub.now += 0.01
    before = hub.last()
    hub.start()
    assert hub.last() == before
    assert dict(hub.core.engine.heard()) == {topic: at for topic, (_, at) in before.items()}


def test_bytes_of_any_kind_come_back_as_they_were(tmp_path):
    hub = Hub(tmp_path)
    raw = bytes(range(256))
    hub.send("t/a", 1, commit=False)
    hub.core.engine.plan("t/a").raw = raw
    hub.commit(hub.now)
    hub.start()
    assert hub.last() == {"t/a": (raw, hub.now)}


def test_of_a_large_payload_the_time_is_known_after_a_restart(tmp_path):
    hub = Hub(tmp_path)
    hub.core.process([event("t/a", "x" * HEAVY_PAYLOAD_BYTES, hub.now)], hub.now)
    hub.commit(hub.now)
    assert len(hub.last()["t/a"][0]) > HEAVY_PAYLOAD_BYTES
    hub.start()
    assert hub.last() == {}
    assert dict(hub.core.engine.heard()) == {"t/a": hub.now}


def test_the_usual_interval_comes_back(tmp_path):
    hub = Hub(tmp_path)
    hub.core.engine.lasts.learn("t/a", 12.0)
    hub.send("t/a", 1)
    hub.start()
    assert hub.core.engine.lasts.interval("t/a") == 12.0


def test_many_topics_are_written_a_bounded_number_at_a_time_and_then_there_is_nothing_left(tmp_path):
    hub = Hub(tmp_path)
    many = 3 * HEARD_ROWS
    hub.core.process([event(f"t/{number}", number, hub.now) for number in range(many)], hub.now)
    commits = 0
    while hub.core.engine.lasts.behind:
        before = len(hub.rows)
        hub.commit(hub.now)
        assert len(hub.rows) - before <= HEARD_ROWS
        hub.now += 1
        commits += 1
    assert commits <= 4
    assert len(hub.rows) == many
    assert hub.core.take_changes(hub.now).desk == []


@pytest.mark.parametrize("seed", range(5))
def test_whatever_comes_and_is_committed_when_in_the_end_the_rows_say_what_is_remembered(tmp_path, monkeypatch, seed):
    monkeypatch.setattr(lasts_module, "HEARD_ROWS", 3)
    monkeypatch.setattr(lasts_module, "HEARD_LEAST", 2)
    monkeypatch.setattr(engine_module, "PLAN_CACHE_TOPICS", 9)
    chance, hub = random.Random(seed), Hub(tmp_path)
    for _ in range(200):
        hub.now += chance.choice([0.0, 0.01, 1.0])
        match chance.randrange(12):
            case 0:
                hub.core.reload(load(tmp_path, RULES), None, hub.now)
            case 1:
                before = dict(hub.core.engine.heard())
                hub.commit()
                hub.start()
                assert dict(hub.core.engine.heard()) == before
            case 2:
                hub.core.shift(5.0, hub.now)
            case _:
                hub.send(f"t/{chance.randrange(14)}", chance.random(), commit=chance.random() < 0.5)
        assert len(hub.last()) <= 9
    hub.now += 100
    for _ in range(20):
        hub.now += 1
        hub.commit(hub.now)
    before = hub.last()
    hub.start()
    assert hub.last() == before


def test_the_last_commits_of_a_run_look_only_at_topics_that_may_have_changed(tmp_path, monkeypatch):
    hub = Hub(tmp_path)
    for number in range(50):
        hub.send(f"t/{number}", number)
    hub.commit()
    hub.start()
    looked, row = [], lasts_module.Lasts._row
    monkeypatch.setattr(
        lasts_module.Lasts, "_row", lambda self, plans, topic: looked.append(topic) or row(self, plans, topic)
    )
    hub.now += 1
    hub.send("t/7", 1, commit=False)
    hub.commit()
    assert set(looked) == {"t/7"}, "the others stand in the store as they are"
    looked.clear()
    hub.commit()
    assert looked == []
    hub.start()
    assert hub.last()["t/7"] == (b"1", hub.now)


def test_who_has_to_leave_leaves_the_store_too_and_it_is_known_that_somebody_did(tmp_path, monkeypatch):
    monkeypatch.setattr(engine_module, "PLAN_CACHE_TOPICS", 2)
    hub = Hub(tmp_path)
    for number in range(3):
        hub.send(f"t/{number}", number)
    hub.commit()
    assert [key[1] for key in hub.rows] == ["t/1", "t/2"]
    assert hub.core.engine.lasts.forgotten == 1
