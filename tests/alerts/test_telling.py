"""Who is told again, who by a step, and what an acknowledgement ends: repeat, escalate and groups."""

import pytest

from hub.alerts.matchers import parse_matchers
from hub.limits import RESOLVED_KEPT_SECONDS
from hub.model import Phase
from tests.alerts.flapper import HOT, Flapper

ALL = parse_matchers("alertname=Hot")


def ack(at, until=None):
    ((mark, _),) = at.world.core.book.find(ALL)
    at.world.core.book.acknowledge(mark, "ann", "", until, at.world.now)
    at.world.collect()
    return mark


@pytest.mark.parametrize("words", ["", " until ack"])
def test_an_acknowledgement_ends_repeat_and_escalate_and_they_go_on_when_it_is_taken_back(words):
    at = Flapper(HOT + f", repeat: 1h{words}, escalate: [{{after: 90m, to: [boss]}}]}}")
    at.send(9)
    at.wait(3600)
    assert [step for _, step, _ in at.told()] == ["1-firing", "1-repeat-1"]
    mark = ack(at)
    at.wait(86400)
    assert at.told() == []
    at.world.core.book.unacknowledge(mark, "ann", at.world.now)
    at.world.collect()
    assert [step for _, step, _ in at.told()] == ["1-repeat-2", "1-escalate-1"]


def test_an_acknowledgement_with_an_end_ends_them_until_then():
    at = Flapper(HOT + ", repeat: 1h}")
    at.send(9)
    ack(at, at.world.now + 7200)
    at.wait(7199)
    assert len(at.told()) == 1
    at.wait(1)
    assert [step for _, step, _ in at.told()] == ["1-repeat-1"]


def test_an_alert_that_ends_before_its_repeat_was_due_goes_out_of_sight_as_any_other():
    at = Flapper(HOT + ", repeat: 10m}")
    at.send(9)
    at.wait(100)
    at.send(1)
    at.wait(RESOLVED_KEPT_SECONDS - 1)
    assert at.alert.state is Phase.RESOLVED
    at.wait(1)
    assert at.alert.state is Phase.INACTIVE


def test_a_step_marks_the_message_for_whom_it_is_the_first():
    at = Flapper(HOT + ", escalate: [{after: 5m, to: [boss, chat]}, {after: 10m, to: [boss]}]}")
    at.send(9)
    at.wait(600)
    told = [(each.receiver, each.id.split("-", 2)[2], each.body.get("first")) for each in at.world.told]
    assert told == [
        ("chat", "firing", None),
        ("boss", "escalate-1", True),
        ("chat", "escalate-1", None),
        ("boss", "escalate-2", None),
    ]


@pytest.mark.parametrize("how", ["ack", "silence"])
def test_a_group_whose_alerts_are_all_acknowledged_or_held_back_is_not_repeated_until_that_ends(how):
    at = Flapper(HOT + ", group_by: [], repeat: 10m}")
    at.send(9)
    at.wait(700)
    assert len(at.told()) == 2
    book = at.world.core.book
    if how == "ack":
        ack(at, at.world.now + 3600)
    else:
        book.silence(ALL, at.world.now, at.world.now + 3600, "ann", "", at.world.now)
        at.world.collect()
    at.wait(3600)
    assert at.told() == []
    at.wait(600)
    assert len(at.told()) == 1


def test_a_group_with_nothing_to_repeat_does_not_ask_to_be_woken_at_once():
    at = Flapper(HOT + ", group_by: [], repeat: 10m}")
    at.send(9)
    at.wait(11)
    at.send(1)
    at.send(9)
    book = at.world.core.book
    book.silence(ALL, at.world.now, at.world.now + 86400, "ann", "", at.world.now)
    at.world.collect()
    at.wait(3600)
    assert book.next_due() > at.world.now


def test_many_groups_that_have_spoken_cost_a_look_at_the_time_nothing():
    at = Flapper(HOT + ", group_by: [device]}")
    for device in range(300):
        at.send(9, f"t/{device}")
    at.wait(60)
    assert len(at.told()) == 300
    looked = []
    groups = at.world.core.book._groups
    groups.all = Watched(groups.all, looked)
    assert at.world.core.book.next_due() is None
    at.send(1, "t/7")
    assert at.world.core.book.next_due() == at.world.now + 250.0
    assert len(looked) <= 3
    at.wait(250)
    assert len(at.told()) == 1


class Watched(dict):
    """Groups that note each time somebody looks at one."""

    def __init__(self, items, looked):
        super().__init__(items)
        self.looked = looked

    def __getitem__(self, key):
        self.looked.append(key)
        return super().__getitem__(key)

    def values(self):
        raise AssertionError("all of them were looked at")
