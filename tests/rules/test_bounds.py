"""What devices can make the engine remember is bounded; who fires stays, and what is lost is said."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.documents.document import Problems
from hub.errors import RequestError
from hub.limits import HEAVY_PAYLOAD_BYTES, RESOLVED_KEPT_SECONDS
from hub.model import Phase, Reason
from hub.notify.receiver_settings import read_receivers
from hub.rules.instances import heard_order, heavy, rule_instances
from hub.rules.posted import posted
from hub.rules.posted.posting import Posting
from hub.rules.presence import births, presence
from hub.rules.reading.loader import load_rules
from hub.rules.reading.rule_reader import NO_DEFAULTS
from hub.rules.running.rule_runner import RuleRunner
from hub.trial.world import World
from tests.rules.making import Drive, event

START = 1_767_229_200.0


def fleet(rule, count, *, topic="d", value=1, start=0):
    """Drive a rule with a message of each of so many devices, a second apart."""
    hub = Drive(rule)
    more(hub, count, topic=topic, value=value, start=start)
    return hub


def more(hub, count, *, topic="d", value=1, start=0):
    return [said for n in range(start, start + count) for said in hub.send(f"{topic}/{n}", {"v": value}, after=1.0)]


def instances(hub, name="A"):
    return hub.engine.states[name].instances


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(rule_instances, "RULE_INSTANCES", 50)
    monkeypatch.setattr(heard_order, "HISTORY_INSTANCES", 20)
    monkeypatch.setattr(heard_order, "HISTORY_FORGOTTEN", 4)


def test_devices_of_which_nothing_is_the_matter_cost_a_plain_rule_nothing():
    hub = fleet('- {alert: A, topic: "d/{x}", when: v > 5}', 500)
    assert instances(hub) == {}
    assert hub.errors == []


def test_who_comes_when_a_rule_watches_as_many_as_it_may_is_not_watched_and_that_is_said():
    hub = fleet('- {alert: A, topic: "d/{x}", absent: 10m}', 60)
    assert len(instances(hub)) == 50
    assert [each[:2] for each in hub.errors] == [("A", f"d/{n}") for n in range(50, 60)]
    assert "not watched" in hub.errors[0][2]
    assert len([each for each in hub.wait(700.0) if each[2] == "firing"]) == 50
    assert ("A", "7", "resolved", Reason.RETURNED) in hub.send("d/7", {"v": 1})


@pytest.mark.parametrize("keys", ["when: v > 0", "when: v > 0, for: 10m", "when: v > 0, absent: 10m"])
def test_what_fires_or_is_pending_stays_where_there_is_no_room_for_more(keys):
    hub = fleet(f'- {{alert: A, topic: "d/{{x}}", {keys}}}', 80)
    assert list(instances(hub)) == [(str(n),) for n in range(50)]
    assert len(hub.errors) == 30
    for n in range(80):
        hub.send(f"d/{n}", {"v": 0})
    assert all(each.phase is Phase.INACTIVE for each in instances(hub).values())
    if "absent" not in keys:
        hub.send("d/79", {"v": 1})
        assert list(instances(hub)) == [("79",)]  # there is room again


@pytest.mark.parametrize("gate", ["pause: v > 5", "mute: v > 5", "timestamp: t, absent: 10m, pause: v > 5"])
@pytest.mark.parametrize("kind", ["alert", "event"])
def test_what_a_gate_remembers_is_bounded_too(gate, kind):
    if kind == "event" and "absent" in gate:
        pytest.skip("an event has no absent")
    hub = fleet(f'- {{{kind}: A, topic: "d/{{x}}", when: v > 0, {gate}}}', 80, value=9)
    assert len(instances(hub)) == 50
    assert {each[1] for each in hub.errors} >= {f"d/{n}" for n in range(50, 80)}


def test_a_sparkplug_device_for_which_there_is_no_room_leaves_nothing_behind():
    hub = Drive('- {alert: A, topic: "spBv1.0/{g}/DDATA/{n}/{d}", absent: 10m}')
    for n in range(80):
        hub.send(f"spBv1.0/g/DDATA/n/{n}", {"v": 1})
    assert len(instances(hub)) == 50
    presence = hub.engine.work.presence
    assert len(presence._members) == len(presence._children["spBv1.0/g/n"]) == 50


def test_samples_are_bounded_and_absent_watches_on():
    hub = fleet('- {alert: A, topic: "d/{x}", when: "count(v, 1h) > 1", absent: 10m}', 40)
    assert len(instances(hub)) == 40
    with_samples = [key for key, each in instances(hub).items() if each.history.slots and each.history.latest]
    assert len(with_samples) <= 20
    assert hub.send("d/0", {"v": 1}) == []  # its sample is forgotten
    assert ("A", "39", "firing", "condition") in hub.send("d/39", {"v": 1})
    assert len([each for each in hub.wait(3600.0) if each[2:] == ("firing", Reason.ABSENT)]) == 40
    assert all("silent longest" in each[2] for each in hub.errors)


@pytest.mark.parametrize("keys", ["", ", for: 1h", ", absent: 1h"])
def test_a_message_past_the_bound_looks_at_few_instances_whatever_they_do(monkeypatch, keys):
    monkeypatch.setattr(rule_instances, "RULE_INSTANCES", 10_000)
    monkeypatch.setattr(heard_order, "HISTORY_INSTANCES", 1000)
    hub = fleet(f'- {{alert: A, topic: "d/{{x}}", when: "max(v, 1h) > 5"{keys}}}', 1000, value=9)
    looked = 0
    idle = RuleRunner.idle

    def counted(self, instance):
        nonlocal looked
        looked += 1
        return idle(self, instance)

    monkeypatch.setattr(RuleRunner, "idle", counted)
    more(hub, 100, start=1000)
    assert looked < 1000
    assert len([each for each in instances(hub).values() if each.phase is not Phase.INACTIVE]) == 1000


# large payloads


def large(number):
    return {"v": 9, "text": "x" * HEAVY_PAYLOAD_BYTES, "n": number}


def test_large_payloads_of_topics_are_bounded_in_bytes(monkeypatch):
    monkeypatch.setattr(heavy, "HEAVY_BYTES", 10 * HEAVY_PAYLOAD_BYTES)
    hub = Drive('- {alert: A, topic: "d/{x}", when: v > 10}')
    for n in range(100):
        hub.send(f"d/{n}", large(n))
        hub.send(f"d/s{n}", {"v": 1})
    kept = [topic for topic, raw, _ in hub.engine.last_messages() if len(raw) > HEAVY_PAYLOAD_BYTES]
    assert kept == [f"d/{n}" for n in range(91, 100)]
    assert len(list(hub.engine.last_messages())) == 109


def test_large_payloads_of_instances_are_bounded_in_bytes_and_their_timers_go_on(monkeypatch):
    monkeypatch.setattr(heavy, "HEAVY_BYTES", 10 * HEAVY_PAYLOAD_BYTES)
    hub = Drive('- {alert: A, topic: "d/{x}", when: v > 5, for: 10m, absent: 1h}')
    for n in range(50):
        hub.send(f"d/{n}", large(n))
    assert sum(len(each.raw) for each in instances(hub).values()) <= 10 * HEAVY_PAYLOAD_BYTES
    assert len(hub.errors) == 41
    hub.engine.reload(hub.rules, None, hub.now)
    assert len(instances(hub)) == 50
    assert len([each for each in hub.wait(600.0) if each[2:] == ("firing", Reason.HELD)]) == 50


# all together

RULES = """
receivers: {chat: {webhook: {url: "http://127.0.0.1:9/"}}}
rules:
  - {alert: Plain, topic: "d/{x}", when: v > 5}
  - {alert: Held, topic: "d/{x}", when: v > 5, for: 10m}
  - {alert: Gone, topic: "d/{x}", absent: 10m}
  - {alert: Mean, topic: "d/{x}", when: "avg(v, 5m) > 5"}
  - {alert: Both, topic: "d/{x}", when: "changed(v) && v > 5", absent: 5m}
  - {alert: Quiet, topic: "d/{x}", when: v > 5, mute: v > 8, pause: v < 0}
"""
DEEDS = st.lists(
    st.one_of(
        st.tuples(st.integers(0, 30), st.sampled_from([-1, 1, 6, 9])),
        st.tuples(st.just("wait"), st.sampled_from([1.0, 100.0, 700.0])),
        st.tuples(st.sampled_from(["restart", "reload"]), st.none()),
    ),
    max_size=80,
)


@settings(deadline=None)
@given(deeds=DEEDS)
def test_whatever_devices_send_memory_and_rows_are_bounded_and_who_fires_is_not_forgotten(tmp_path_factory, deeds):
    path = tmp_path_factory.mktemp("bounds") / "rules.yaml"
    path.write_text(RULES, "utf-8")
    problems = Problems()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rule_instances, "RULE_INSTANCES", 12)
        patch.setattr(heard_order, "HISTORY_INSTANCES", 5)
        patch.setattr(heard_order, "HISTORY_FORGOTTEN", 2)
        hub = World(load_rules([path], problems, read_receivers, "hub"), None, START)
        assert not list(problems)
        for what, value in deeds:
            fired = _firing(hub)
            if what == "wait":
                hub.pass_time(hub.now + value)
            elif value is None:
                getattr(hub, what)()
                assert _firing(hub) == fired
            else:
                hub.send([event(f"d/{what}", {"v": value}, hub.now)])
                assert all(key == (str(what),) for _, key in fired - _firing(hub))
            _check(hub)
        hub.restart()
        _check(hub)


def _firing(hub):
    states = hub.core.engine.states.values()
    return {
        (state.rule.name, key)
        for state in states
        for key, each in state.instances.items()
        if each.phase is Phase.FIRING or each.absent_since
    }


def _check(hub):
    for state in hub.core.engine.states.values():
        assert len(state.instances) <= 12
        active = [each for each in state.instances.values() if each.phase is not Phase.INACTIVE]
        assert len(state.instances.line) <= 5 + len(active)
    hub._stored = hub._stored.with_all([hub.core.take_changes()])
    rows = {key[0] for key in hub._stored.instances}
    stored = dict.fromkeys(rows, 0)
    for name, key in hub._stored.instances:
        stored[name] += bool(key)
    assert stored == {name: len(hub.core.engine.states[name].instances) for name in rows}
    keys = set(hub._stored.instances)
    assert {key[:2] for key in hub._stored.samples} <= keys


# beside the rules


def test_births_that_declare_nothing_are_bounded_and_what_is_forgotten_is_said(monkeypatch):
    monkeypatch.setattr(births, "SPARKPLUG_NAMES", 10)
    errors = []
    known = births.Births(lambda *error: errors.append(error), lambda _: None)
    for n in range(100):
        known._learn(f"spBv1.0/g/{n}", ())
    assert len(known._known) == 10
    assert [each[:2] for each in errors] == [("Sparkplug B", f"spBv1.0/g/{n}") for n in range(90)]
    assert len([row for row in known.take_rows() if row[1] is not None]) == 10


def test_devices_that_were_reported_gone_are_bounded_and_what_is_forgotten_is_said(monkeypatch):
    monkeypatch.setattr(presence, "PRESENCE_SUBJECTS", 10)
    errors = []
    known = presence.Presence(lambda *error: errors.append(error))
    for n in range(100):
        known._die(f"homie/{n}")
    assert [known.standing(f"homie/{n}") for n in (89, 90)] == ["", "dead"]
    assert [each[:2] for each in errors] == [("presence", f"homie/{n}") for n in range(90)]


def test_posted_alerts_that_are_over_at_once_are_bounded_too(monkeypatch):
    monkeypatch.setattr(posted, "POSTED_ALERTS", 5)
    desk = posted.Posted()
    desk.follow({}, NO_DEFAULTS)

    def post(n, now, ends):
        desk.post(Posting({"alertname": "Disk", "n": str(n)}, {}, now, ends), now)

    for n in range(10):
        post(n, 1000.0, 1100.0)
        post(n, 1000.0, 900.0)
    with pytest.raises(RequestError, match="within a quarter of an hour"):
        post(10, 1000.0, 1100.0)
    post(3, 1000.0, 1100.0)  # one that is known may come back
    desk.tick(1000.0 + RESOLVED_KEPT_SECONDS)
    post(10, 2000.0, 2100.0)
