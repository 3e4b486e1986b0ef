"""What is announced, when, and what of it is remembered, on a whole core."""

import pytest

from hub.discovery import announcements
from hub.discovery.homeassistant import check_discovery
from hub.documents.document import Problems
from hub.model import OWN, Event
from hub.rules.reading.loader import load_rules
from hub.spine.core import Core
from hub.store.changes import Snapshot

HOT = "rules: [{alert: Hot, topic: 't/{d}', when: value > 30}]"
SHADOW = "rules: [{alert: Hot, topic: 't/{d}', when: value > 30, shadow: true}]"
MOMENT = "rules: [{event: Hot, topic: 't/{d}'}]"
NOTHING = "rules: []"


class World:
    """A core whose store is what it has handed out; `state` is what the broker has retained."""

    def __init__(self, tmp_path):
        self.path = tmp_path / "rules.yaml"
        self.now, self.desk, self.alerts, self.retained = 1000.0, {}, {}, {}
        self.ids = set()

    def rules(self, text):
        self.path.write_text(text)
        problems = Problems()
        found = load_rules([self.path], problems, lambda *_: {}, "hub")
        assert not problems
        return found

    def start(self, text=HOT, discovery="homeassistant"):
        """Begin a process; return what it publishes at once."""
        self.core = Core(self.rules(text), None, "hub", {"version": "1"}, lambda *_: None, discovery=discovery)
        rows = [(*key, text) for key, text in self.desk.items()]
        self.core.restore(Snapshot(desk=rows, alerts=list(self.alerts.items())), self.now)
        return self.taken()

    def reload(self, text):
        self.core.reload(self.rules(text), None, self.now)
        return self.taken()

    def send(self, device, value):
        self.now += 1
        self.core.process([Event(f"t/{device}", str(value).encode(), {}, value, self.now, 1, False)], self.now)
        return self.taken()

    def wait(self, seconds):
        self.now += seconds
        self.core.tick(self.now)
        return self.taken()

    def taken(self):
        """Commit; return topic and payload of what was published outside hub/."""
        told = self.core.take_notifications()
        changes = self.core.take_changes()
        for kind, key, text in changes.desk:
            self.desk[kind, key] = text
        self.desk = {key: text for key, text in self.desk.items() if text is not None}
        self.alerts |= dict(changes.alerts)
        assert all(each.receiver == OWN for each in told)
        fresh = {each.id for each in told}
        assert len(fresh) == len(told)
        assert not fresh & self.ids, "an id that was used before is taken for a repetition"
        self.ids |= fresh
        for each in told:
            if each.body["retain"]:
                self.retained[each.body["topic"]] = each.body["payload"]
        return [(each.body["topic"], each.body["payload"], each.body["retain"]) for each in told]


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def configs(published):
    return {topic.split("/")[1]: payload for topic, payload, _ in published if topic.startswith("homeassistant/")}


def test_an_alert_is_announced_before_its_first_state_and_never_again_while_nothing_changes(world):
    world.start()
    published = world.send("a", 35)
    assert [topic.partition("/")[0] for topic, *_ in published] == ["homeassistant", "homeassistant", "hub"]
    assert all(retain for *_, retain in published)
    assert set(configs(published)) == {"binary_sensor", "button"}
    assert {each["origin"]["sw_version"] for each in configs(published).values()} == {"1"}
    for value in (20, 40, 41, 10):
        assert not configs(world.send("a", value))
    assert configs(world.send("b", 35))


def test_a_restart_announces_nothing_again_but_says_of_what_is_long_over_that_it_is(world):
    world.start()
    world.send("a", 35)
    world.send("b", 35)
    world.send("a", 20)
    world.wait(3600)
    assert world.retained["hub/alerts/Hot/a"] is None
    assert world.start() == [("hub/alerts/Hot/a", None, False)]


def test_a_rule_that_goes_takes_its_entities_along_and_brings_them_back_when_it_returns(world):
    world.start()
    world.send("a", 35)
    gone = configs(world.reload(NOTHING))
    assert gone == {"binary_sensor": None, "button": None}
    assert not [key for kind, key in world.desk if kind == announcements.Announcements.kind and key != "serial"]
    assert None not in configs(world.reload(HOT)).values()


def test_a_rule_that_went_while_the_hub_was_down_is_withdrawn_at_start(world):
    world.start()
    world.send("a", 35)
    assert set(configs(world.start(NOTHING)).values()) == {None}


def test_the_switch_announces_all_that_is_known_and_withdraws_it_when_turned_off(world):
    world.start(discovery="")
    assert not configs(world.send("a", 35))
    assert set(configs(world.start())) == {"binary_sensor", "button"}
    assert set(configs(world.start(discovery="")).values()) == {None}
    assert not configs(world.start(discovery=""))


def test_another_prefix_empties_the_topics_below_the_old_one(world):
    world.start()
    world.send("a", 35)
    world.start(discovery="ha")
    kept = {topic for topic, payload in world.retained.items() if payload is not None and "config" in topic}
    assert {topic.split("/")[0] for topic in kept} == {"ha"}
    assert len(kept) == 2


def test_when_home_assistant_has_started_everything_is_published_again(world):
    world.start()
    world.send("a", 35)
    world.send("b", 35)
    world.send("b", 20)
    world.wait(3600)
    world.core.announce_again(world.now)
    published = world.taken()
    assert sum(topic.startswith("homeassistant/") for topic, *_ in published) == 4
    assert published[-1] == ("hub/alerts/Hot/b", None, False)
    assert ("hub/alerts/Hot/a", None, False) not in published


@pytest.mark.parametrize("rules", [SHADOW, MOMENT])
def test_nobody_hears_of_a_shadow_rule_and_a_moment_has_no_state(world, rules):
    world.start(rules)
    assert not configs(world.send("a", 35))


def test_beyond_the_limit_what_is_announced_stays_and_nothing_is_added(world, monkeypatch):
    monkeypatch.setattr(announcements, "DISCOVERY_ALERTS", 1)
    world.start()
    assert configs(world.send("a", 35))
    assert not configs(world.send("b", 35))
    world.core.announce_again(world.now)
    assert len(world.taken()) == 2


def test_a_rule_that_could_hear_announcements_is_refused(world):
    rules = world.rules("rules: [{alert: Any, topic: 'homeassistant/{kind}/{id}/config', when: 'true'}]")
    problems = Problems()
    check_discovery(rules.rules, "", problems)
    assert not problems
    check_discovery(rules.rules, "homeassistant", problems)
    assert "a loop" in str(problems[0])
