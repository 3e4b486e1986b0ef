"""What the hub measures of itself, under a clock that is moved: counts, ages, and nothing of what it causes itself."""

import asyncio

import orjson
import pytest

from hub.clock import ManualClock
from hub.contracts.own_voice import OF_CLUSTER, OWN_FIELDS
from hub.errors import EvaluationError, StoreError
from hub.ingest.topics import matches
from hub.limits import SELF_WATCH_CALM_SECONDS
from hub.model import OWN, Delivered, Notification, Rejected, Retry
from hub.notify.dispatcher import ReceiverStanding
from hub.notify.lanes.breaker import Circuit
from hub.rules.running.misses import Misses
from hub.selfwatch import watcher as module
from hub.selfwatch.event_tally import EventTally
from hub.selfwatch.peers import ALONE, Alone
from hub.selfwatch.recall import about_itself, spoken
from hub.selfwatch.watcher import DROPPED_SO_FAR, SelfWatcher
from tests.rules.making import Drive, event, rules

START = 1000.0


class Way:
    """Takes events as the pipeline does."""

    def __init__(self):
        self.notes, self.submitted = {}, asyncio.Queue()

    async def submit(self, events, key="", *, own=False):
        assert own
        assert not key
        await self.submitted.put(events)


class Stand:
    """A watcher with what it looks at; `look` measures once."""

    def __init__(self, folder, notes=None, spoken=(), peers=ALONE):
        self.clock, self.way = ManualClock(START), Way()
        self.tally = EventTally(self.clock, {"HubDeadLetters"})
        self.receivers = {"chat": ReceiverStanding(Circuit.CLOSED, 0, 0.0)}
        self.asked, self.misses = [], Misses()
        state = folder / "hub.db"
        notes = notes or {}
        self.watcher = SelfWatcher(
            self.tally, self.way, self.standing, self.clock, state, notes, spoken, self.misses, peers=peers
        )

    def standing(self, ignored):
        self.asked.append(set(ignored))
        return self.receivers

    def miss(self, topic="t/1", count=1):
        """Let the rule Hot have no value for so many messages of a topic."""
        for _ in range(count):
            error = EvaluationError("no field")
            if self.misses.note("Hot", event(topic, {}, self.clock.now()), error):
                self.tally.rule_error("Hot", topic, str(error))
            self.misses.settle(topic)

    def look(self):
        """Return what is told, by topic."""
        found = self.watcher._events({"free_bytes": 1, "free_percent": 2.0})
        assert all(orjson.loads(each.raw) == each.fields == each.value for each in found)
        assert all(each.time == self.clock.now() for each in found)
        return {each.topic: each.fields for each in found}


@pytest.fixture
def stand(tmp_path):
    return Stand(tmp_path)


def told(receiver="chat", alertname="Hot"):
    return Notification("id-1", receiver, "lane", {"alertname": alertname}, START)


def test_every_event_has_the_fields_that_are_documented_and_no_topic_is_missing(stand):
    stand.watcher.broker_says(b"0")
    stand.tally.rule_error("Hot", "t/1", "no field")
    found = stand.look()
    for topic, fields in found.items():
        (known,) = (each for each in OWN_FIELDS if matches(each, topic))
        assert set(fields) == set(OWN_FIELDS[known]), topic
    assert [known for known in OWN_FIELDS if not any(matches(known, topic) for topic in found)] == [*OF_CLUSTER]
    assert stand.way.notes == {DROPPED_SO_FAR: "0"}


class Peers(Alone):
    """Another node, of which there is one thing to say."""

    def __init__(self):
        self.mark = {"node": "a"}

    def recall(self, notes, spoken):
        self.recalled = dict(notes), list(spoken)

    def events(self):
        return [("node/b", {"alive": False, "node": "b"})]

    def notes(self):
        return {"log:nodes": "[]"}


def test_in_a_cluster_each_payload_names_its_node_and_what_is_known_of_others_is_noted(tmp_path):
    peers = Peers()
    stand = Stand(tmp_path, {"kept": "1"}, ["$hub/node/c"], peers)
    found = stand.look()
    assert peers.recalled == ({"kept": "1"}, ["$hub/node/c"])
    assert found.pop("$hub/node/b") == {"alive": False, "node": "b"}
    assert {fields["node"] for fields in found.values()} == {"a"}
    assert stand.way.notes == {"log:nodes": "[]"}


def test_what_happened_is_told_once(stand):
    stand.tally.decode_error("a/b", b"{", "no JSON")
    stand.tally.session("session_lost", "subscribed anew")
    stand.tally.session("dropped", "3 events at QoS 0 found no room")
    stand.tally.clock_set(-3600.0)
    stand.tally.dead(told(), "410 Gone")
    found = stand.look()
    assert found["$hub/ingest"] == {"unreadable": 1, "topic": "a/b", "detail": "no JSON"}
    assert (found["$hub/session"]["lost"], found["$hub/session"]["overflows"]) == (1, 1)
    assert found["$hub/clock"] == {"steps": 1, "seconds": -3600.0}
    assert (found["$hub/receiver/chat"]["dead"], found["$hub/receiver/chat"]["detail"]) == (1, "410 Gone")
    again = stand.look()
    assert again["$hub/ingest"]["unreadable"] == again["$hub/session"]["lost"] == again["$hub/clock"]["steps"] == 0
    assert again["$hub/receiver/chat"]["dead"] == 0


def test_the_time_without_a_session_counts_from_the_start_and_from_each_end(stand):
    stand.clock.advance(70)
    assert stand.look()["$hub/session"]["away_seconds"] == 70
    stand.tally.session("connected", "new")
    found = stand.look()["$hub/session"]
    assert (found["connected"], found["away_seconds"]) == (True, 0)
    stand.tally.session("disconnected", "refused")
    stand.clock.advance(5)
    stand.tally.session("disconnected", "no route")  # another attempt that failed
    stand.clock.set(3600)  # which is no time that passed
    stand.clock.advance(5)
    found = stand.look()["$hub/session"]
    assert (found["away_seconds"], found["detail"]) == (10, "no route")


def test_a_receiver_fails_from_the_first_retry_until_it_answers_or_nothing_waits(stand):
    stand.receivers["chat"] = ReceiverStanding(Circuit.OPEN, 2, START - 20)
    stand.tally.delivery(told(), Retry("refused"), 1, START)
    stand.clock.advance(30)
    stand.tally.delivery(told(), Retry("no answer"), 2, START)
    assert stand.look()["$hub/receiver/chat"] == {
        "circuit": "open",
        "queued": 2,
        "oldest_seconds": 50,
        "failing_seconds": 30,
        "dead": 0,
        "detail": "no answer",
    }
    for answer in (Delivered(), Rejected("gone")):
        stand.tally.delivery(told(), Retry("refused"), 1, START)
        stand.tally.delivery(told(), answer, 2, START)
        stand.clock.advance(1)
        assert stand.look()["$hub/receiver/chat"]["failing_seconds"] == 0
    stand.tally.delivery(told(), Retry("refused"), 1, START)
    stand.receivers["chat"] = ReceiverStanding(Circuit.OPEN, 0, 0.0)
    stand.clock.advance(1)
    assert stand.look()["$hub/receiver/chat"]["failing_seconds"] == 0


def test_what_is_given_up_for_a_receiver_that_is_gone_is_told_and_then_over(stand):
    for _ in range(2):
        stand.tally.dead(told("old/chat"), "there is no receiver 'old/chat' any more")
    found = stand.look()["$hub/receiver/old%2Fchat"]
    assert (found["dead"], found["queued"], found["circuit"]) == (2, 0, "closed")
    assert found["detail"] == "there is no receiver 'old/chat' any more"
    stand.clock.advance(SELF_WATCH_CALM_SECONDS)
    assert stand.look()["$hub/receiver/old%2Fchat"]["dead"] == 0, "or HubDeadLetters would fire for ever"
    stand.clock.advance(1.0)
    stand.look()
    assert "$hub/receiver/old%2Fchat" not in stand.look()
    stand.tally.dead(told("old/chat"), "again")
    assert stand.look()["$hub/receiver/old%2Fchat"]["dead"] == 1


def test_what_the_heirs_of_a_receiver_that_is_gone_have_taken_is_no_dead_letter(stand):
    stand.tally.superseded(told("old"), "its receiver is gone; told to 'chat'")
    assert "$hub/receiver/old" not in stand.look()


def test_what_alerts_about_the_hub_cause_is_not_counted(stand):
    for about in (told(alertname="HubDeadLetters"), told(receiver=OWN)):
        stand.tally.delivery(about, Retry("refused"), 1, START)
        stand.tally.dead(about, "too old")
        stand.tally.fallback(about, "sms", "too old")
    stand.tally.rule_error("HubDeadLetters", "$hub/receiver/chat", "no field")
    stand.receivers["chat"] = ReceiverStanding(Circuit.OPEN, 1, START)
    stand.clock.advance(9)
    found = stand.look()
    assert (found["$hub/receiver/chat"]["failing_seconds"], found["$hub/receiver/chat"]["dead"]) == (0, 0)
    assert "$hub/rule/HubDeadLetters" not in found
    assert stand.asked == [{"HubDeadLetters"}]
    assert not stand.tally.urgent.is_set()


def test_what_a_fallback_has_taken_is_not_dead(stand):
    for _ in range(2):
        stand.tally.dead(told(), "too old; 'sms' is told instead")
    stand.tally.fallback(told(), "sms", "too old; 'sms' is told instead")
    assert stand.look()["$hub/receiver/chat"]["dead"] == 1


def test_a_receiver_that_is_gone_is_told_of_until_no_rule_looks_back_at_it(stand):
    stand.receivers = {
        "chat": ReceiverStanding(Circuit.CLOSED, 1, START),
        "a/b": ReceiverStanding(Circuit.CLOSED, 1, START),
    }
    assert {"$hub/receiver/chat", "$hub/receiver/a%2Fb"} <= stand.look().keys()
    del stand.receivers["chat"]
    assert stand.look()["$hub/receiver/chat"]["queued"] == 0
    stand.clock.advance(SELF_WATCH_CALM_SECONDS + 1)
    assert stand.look()["$hub/receiver/chat"]["queued"] == 0
    assert "$hub/receiver/chat" not in stand.look()


def test_a_rule_is_told_of_until_it_is_calm_for_long(stand):
    for number in range(150):
        stand.tally.rule_error(f"R{number}", "t/1", "no field")
    found = stand.look()
    assert sum(topic.startswith("$hub/rule/") for topic in found) == 100
    told = {"errors": 1, "troubles": 1, "unjudged": 0, "topic": "t/1", "detail": "no field"}
    assert found["$hub/rule/R0"] == told
    stand.clock.advance(3600)
    assert stand.look()["$hub/rule/R0"]["errors"] == 0
    stand.clock.advance(3601)
    stand.look()
    assert not any(topic.startswith("$hub/rule/") for topic in stand.look())


def test_ten_messages_that_a_rule_cannot_judge_are_told_until_it_judges_one(stand):
    stand.miss(count=9)
    found = stand.look()["$hub/rule/Hot"]
    assert found == {"errors": 9, "troubles": 0, "unjudged": 0, "topic": "t/1", "detail": "no field"}
    stand.miss()
    for errors in (1, 0):
        stand.clock.advance(3600)
        found = stand.look()["$hub/rule/Hot"]
        assert found == {"errors": errors, "troubles": 0, "unjudged": 1, "topic": "t/1", "detail": "no field"}
    stand.misses.settle("t/1")
    assert stand.look()["$hub/rule/Hot"]["unjudged"] == 0


def test_after_a_restart_nothing_is_said_of_what_nobody_knows_yet(tmp_path):
    stand = Stand(tmp_path, spoken=["$hub/rule/Hot"])
    assert stand.look()["$hub/rule/Hot"]["unjudged"] is None
    stand.clock.advance(599)
    assert stand.look()["$hub/rule/Hot"]["unjudged"] is None
    stand.clock.advance(1)
    assert stand.look()["$hub/rule/Hot"]["unjudged"] == 0
    stand = Stand(tmp_path, spoken=["$hub/rule/Hot"])
    stand.miss(count=10)
    assert stand.look()["$hub/rule/Hot"]["unjudged"] == 1
    stand.misses.settle("t/1")
    assert stand.look()["$hub/rule/Hot"]["unjudged"] == 0


def test_refused_rules_stay_refused_until_new_ones_load(stand):
    stand.tally.trouble("store", "disk full")
    assert stand.look()["$hub/rules"] == {"refused": False, "detail": ""}
    stand.tally.trouble("reload", "r.yaml:1:1: unknown key")
    for _ in range(2):
        assert stand.look()["$hub/rules"] == {"refused": True, "detail": "r.yaml:1:1: unknown key"}
    stand.tally.reloaded("3 rules")
    assert not stand.look()["$hub/rules"]["refused"]


def test_what_the_broker_drops_counts_from_what_was_stored_and_over_its_restarts(tmp_path, stand):
    assert "$hub/broker" not in stand.look()  # another broker says nothing of that
    stand.watcher.broker_says(b"nonsense")
    stand.watcher.broker_says(b"40")
    assert stand.look()["$hub/broker"] == {"dropped": 0, "total": 40}
    stand.watcher.broker_says(b"47")
    assert stand.look()["$hub/broker"] == {"dropped": 7, "total": 47}
    assert stand.look()["$hub/broker"] == {"dropped": 0, "total": 47}
    later = Stand(tmp_path, stand.way.notes)
    later.watcher.broker_says(b"4047")  # while the hub was away
    assert later.look()["$hub/broker"] == {"dropped": 4000, "total": 4047}
    later.watcher.broker_says(b"3")  # the broker has started anew
    assert later.look()["$hub/broker"] == {"dropped": 3, "total": 3}


def test_after_a_restart_it_speaks_where_it_spoke_before(tmp_path):
    drive = Drive("""
- {alert: R, topic: "$hub/receiver/{receiver}", when: queued > 0}
- {alert: E, topic: "$hub/rule/{rule}", when: errors > 0}
- {alert: D, topic: $hub/disk, when: free_bytes < 0}
- {alert: S, topic: "$hub/receiver/{name}", by: [circuit], when: queued > 0}
- {alert: Hot, topic: "t/{d}", when: queued > 0}
""")
    for topic in ("$hub/receiver/old", "$hub/rule/Hot", "$hub/disk", "t/1"):
        drive.send(topic, {"queued": 1, "errors": 1, "free_bytes": 1, "circuit": "open"})
    topics = set(spoken(drive.engine.states.values()))
    assert {"$hub/receiver/old", "$hub/rule/Hot"} <= topics <= {"$hub/receiver/old", "$hub/rule/Hot", "$hub/disk"}
    found = Stand(tmp_path, spoken=topics).look()
    assert found["$hub/receiver/old"]["queued"] == found["$hub/rule/Hot"]["errors"] == 0


def test_rules_about_the_hub_are_known_by_their_topics():
    found = rules("""
- {alert: Mine, topic: ["$hub/disk", "a/b"], when: x > 0}
- {alert: Hot, topic: "t/{d}", when: x > 0}
""")
    assert about_itself(found) == {"Mine"}


async def test_it_measures_at_its_times_and_soon_after_what_is_urgent(stand, monkeypatch):
    monkeypatch.setattr(module, "SELF_WATCH_SECONDS", 0.2)
    monkeypatch.setattr(module, "SELF_WATCH_SOON_SECONDS", 0.01)
    running = asyncio.create_task(stand.watcher.run())
    loop = asyncio.get_running_loop()
    begun = loop.time()
    async with asyncio.timeout(10):
        first = await stand.way.submitted.get()
        assert loop.time() - begun >= 0.19
        assert {"$hub/disk", "$hub/session"} <= {each.topic for each in first}
        monkeypatch.setattr(module, "SELF_WATCH_SECONDS", 3600)
        stand.tally.clock_set(60.0)
        found = None
        while found is None:
            clock = next(each for each in await stand.way.submitted.get() if each.topic == "$hub/clock")
            found = clock if clock.fields["steps"] else None
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_it_ends_with_the_store(stand, monkeypatch):
    monkeypatch.setattr(module, "SELF_WATCH_SECONDS", 0)

    async def ended(*_, **__):
        raise StoreError("ended")

    stand.way.submit = ended
    await asyncio.wait_for(stand.watcher.run(), 10)


def test_an_own_event_never_comes_to_a_rule_by_a_wildcard():
    drive = Drive("- {event: All, topic: '#'}\n- {event: Own, topic: '$hub/#'}\n- {event: Plus, topic: '+/disk'}\n")
    drive.engine.process([event("$hub/disk", {"free_bytes": 1})], 1000.0)
    assert [each.rule.name for each in drive.engine.take_transitions()] == ["Own"]
