"""Births, deaths and $state as presence: for every instance of the device, in every rule, durable, never too early."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hub.model import Event
from hub.rules.presence import presence
from hub.rules.running.engine import Engine
from tests.rules.making import Drive, desk_of, event, restore_desk, rules

HOMIE = """
    - {alert: Silent, topic: "homie/{device}/{node}/{property}", by: device, absent: 1h}
"""
FIVE = """
    - {alert: Silent, topic: "homie/5/{device}/{node}/{property}", by: device, absent: 1h}
"""
NODES = """
    - {alert: Node, topic: "spBv1.0/{group}/+/{node}/#", absent: 1h}
    - {alert: Device, topic: "spBv1.0/{group}/+/{node}/{device}", absent: 1h}
"""
FIRES, OVER = "reported offline", "reported online"


def said(drive, *sent, **options):
    """Send, and let what is due at once happen."""
    return drive.send(*sent, **options) + drive.wait(0)


# Homie


def homie(text=HOMIE):
    drive = Drive(text)
    drive.send("homie/kitchen/sensor/temperature", 21.5)
    return drive


@pytest.mark.parametrize("state", ["lost", "disconnected"])
@pytest.mark.parametrize("life", ["init", "ready", "alert", "sleeping"])
def test_a_reported_death_fires_at_once_and_the_next_state_ends_it(state, life):
    drive = homie()
    assert said(drive, "homie/kitchen/$state", state, after=5) == [("Silent", "kitchen", "firing", FIRES)]
    assert said(drive, "homie/kitchen/$state", state) == []
    assert said(drive, "homie/kitchen/$state", life, after=5) == [("Silent", "kitchen", "resolved", OVER)]


def test_another_device_hears_nothing_of_it():
    drive = homie()
    drive.send("homie/bath/sensor/temperature", 21.5)
    assert said(drive, "homie/bath/$state", "lost") == [("Silent", "bath", "firing", FIRES)]


def test_a_death_is_one_of_all_instances_of_the_device_in_all_rules():
    drive = Drive("""
        - {alert: Device, topic: "homie/{device}/{node}/{property}", by: device, absent: 1h}
        - {alert: Property, topic: "homie/{device}/{node}/{property}", absent: auto}
        - {alert: Kitchen, topic: "homie/kitchen/+/+", absent: 1h, when: value > 30}
        - {alert: Hot, topic: "homie/{device}/{node}/{property}", when: value > 30}
    """)
    for place in ("a/x", "a/y"):
        drive.send(f"homie/kitchen/{place}", 21.5)
    fired = said(drive, "homie/kitchen/$state", "lost")
    assert sorted(each[:2] for each in fired) == [
        ("Device", "kitchen"),
        ("Kitchen", "absent"),
        ("Property", "kitchen/a/x"),
        ("Property", "kitchen/a/y"),
    ]
    over = said(drive, "homie/kitchen/a/x", 22)
    assert sorted(each[:3] for each in over) == [(*each[:2], "resolved") for each in sorted(fired)]


def test_a_birth_in_the_same_breath_is_no_death():
    drive = homie()
    states = [event("homie/kitchen/$state", state, drive.now) for state in ("lost", "init", "ready")]
    drive.engine.process(states, drive.now)
    assert drive.said() + drive.wait(0) == []


def test_a_device_that_sleeps_is_not_absent_until_it_wakes():
    drive = homie()
    assert said(drive, "homie/kitchen/$state", "sleeping") == []
    assert drive.wait(86400) == []
    assert said(drive, "homie/kitchen/$state", "ready") == []
    assert drive.wait(3599) == []
    assert drive.wait(1) == [("Silent", "kitchen", "firing", "no message within its time")]


def test_a_device_that_dies_asleep_is_dead():
    drive = homie()
    said(drive, "homie/kitchen/$state", "sleeping")
    assert said(drive, "homie/kitchen/$state", "lost", after=9999) == [("Silent", "kitchen", "firing", FIRES)]


def test_a_value_of_a_device_that_sleeps_does_not_wake_it():
    drive = homie()
    said(drive, "homie/kitchen/$state", "sleeping")
    assert said(drive, "homie/kitchen/sensor/temperature", 22, after=60) == []
    assert drive.wait(86400) == []


def test_a_retained_death_is_a_death_whichever_message_comes_first():
    for topics in (("$state", "sensor/temperature"), ("sensor/temperature", "$state")):
        drive = Drive(HOMIE)
        fired = []
        for each in topics:
            value = "lost" if each == "$state" else 21.5
            fired += said(drive, f"homie/kitchen/{each}", value, retain=True)
        assert fired == [("Silent", "kitchen", "firing", FIRES)]


def test_a_retained_ready_is_no_sign_of_life_but_takes_back_a_death_that_was_reported():
    drive = homie()
    said(drive, "homie/kitchen/$state", "ready", after=3000, retain=True)
    assert drive.wait(600) == [("Silent", "kitchen", "firing", "no message within its time")]
    drive = homie()
    said(drive, "homie/kitchen/$state", "lost")
    over = said(drive, "homie/kitchen/$state", "ready", retain=True)
    assert over == [("Silent", "kitchen", "resolved", OVER)]


def test_a_retained_value_does_not_bring_a_dead_device_back():
    drive = homie()
    said(drive, "homie/kitchen/$state", "lost")
    assert said(drive, "homie/kitchen/sensor/temperature", 22, retain=True) == []


def test_a_command_to_a_device_is_no_sign_of_life_and_makes_none_known():
    drive = Drive('- {alert: Silent, topic: "homie/{device}/#", absent: 1h}')
    drive.send("homie/kitchen/lamp/power", "true")
    assert said(drive, "homie/kitchen/$state", "lost") == [("Silent", "kitchen", "firing", FIRES)]
    assert said(drive, "homie/kitchen/lamp/power/set", "false", after=60) == []
    assert said(drive, "homie/bath/lamp/power/set", "false") == []
    assert drive.wait(7200) == []


def test_a_device_that_is_removed_is_forgotten_and_not_absent():
    drive = homie()
    said(drive, "homie/kitchen/$state", "lost")
    removed = said(drive, "homie/kitchen/$state", b"")
    assert removed == [("Silent", "kitchen", "resolved", "device removed")]
    assert said(drive, "homie/kitchen/sensor/temperature", b"") == []
    assert drive.wait(86400) == []
    assert not drive.engine.states["Silent"].instances


@pytest.mark.parametrize("payload", [5, {"state": "lost"}, "LOST", ["lost"], "gone"])
def test_a_state_that_is_none_changes_nothing(payload):
    drive = homie()
    assert said(drive, "homie/kitchen/$state", payload) == []


def test_a_root_that_is_lost_takes_along_who_lives_on_its_connection():
    drive = Drive(FIVE)
    for device in ("bridge", "lamp", "other"):
        drive.send(f"homie/5/{device}/a/b", 1)
    drive.send("homie/5/lamp/$description", {"homie": "5.0", "root": "bridge"}, retain=True)
    drive.send("homie/5/lamp/$state", "ready")
    fired = said(drive, "homie/5/bridge/$state", "lost")
    assert sorted(each[1] for each in fired) == ["bridge", "lamp"]
    over = said(drive, "homie/5/bridge/$state", "ready", after=60)
    assert sorted(each[1:3] for each in over) == [("bridge", "resolved"), ("lamp", "resolved")]


def test_a_child_that_was_lost_by_itself_does_not_come_back_with_its_root():
    drive = Drive(FIVE)
    drive.send("homie/5/lamp/a/b", 1)
    drive.send("homie/5/lamp/$description", {"root": "bridge"})
    said(drive, "homie/5/lamp/$state", "lost")
    assert said(drive, "homie/5/bridge/$state", "lost") + said(drive, "homie/5/bridge/$state", "ready") == []


# Sparkplug


def plant(text=NODES):
    drive = Drive(text)
    drive.send("spBv1.0/g/NBIRTH/n", {"bdSeq": 3})
    for device in ("d", "e"):
        drive.send(f"spBv1.0/g/DBIRTH/n/{device}", {"x": 1})
    return drive


def names(transitions):
    return sorted(f"{each[0]} {each[1]} {each[2]}" for each in transitions)


def test_the_death_of_a_node_is_that_of_its_devices_and_its_birth_only_its_own():
    drive = plant()
    fired = said(drive, "spBv1.0/g/NDEATH/n", {"bdSeq": 3}, after=60)
    assert names(fired) == ["Device g/n/d firing", "Device g/n/e firing", "Node g/n firing"]
    assert {each[3] for each in fired} == {FIRES}
    assert names(said(drive, "spBv1.0/g/NBIRTH/n", {"bdSeq": 4})) == ["Node g/n resolved"]
    assert names(said(drive, "spBv1.0/g/DBIRTH/n/d", {"x": 1})) == ["Device g/n/d resolved"]
    assert names(said(drive, "spBv1.0/g/DDATA/n/e", {"x": 1})) == ["Device g/n/e resolved"]


def test_the_death_of_a_device_is_its_own():
    drive = plant()
    assert names(said(drive, "spBv1.0/g/DDEATH/n/d", {})) == ["Device g/n/d firing"]
    assert names(said(drive, "spBv1.0/g/DDATA/n/d", {"x": 1})) == ["Device g/n/d resolved"]


def test_the_will_of_an_earlier_connection_is_no_death():
    drive = plant()
    said(drive, "spBv1.0/g/NBIRTH/n", {"bdSeq": 4})
    assert said(drive, "spBv1.0/g/NDEATH/n", {"bdSeq": 3}) == []
    assert names(said(drive, "spBv1.0/g/NDEATH/n", {"bdSeq": 4}))[-1] == "Node g/n firing"


def test_a_death_counts_where_births_may_have_been_missed():
    drive = plant()
    drive.engine.excuse(5.0, drive.now)
    assert names(said(drive, "spBv1.0/g/NDEATH/n", {"bdSeq": 9}))[-1] == "Node g/n firing"


def test_data_of_a_device_is_life_of_its_node_and_a_command_is_none():
    drive = plant()
    said(drive, "spBv1.0/g/NDEATH/n", {"bdSeq": 3})
    assert said(drive, "spBv1.0/g/NCMD/n", {"Node Control/Rebirth": True}) == []
    assert said(drive, "spBv1.0/g/DCMD/n/d", {"x": 0}) == []
    assert names(said(drive, "spBv1.0/g/DDATA/n/d", {"x": 1})) == ["Device g/n/d resolved", "Node g/n resolved"]


def test_a_retained_birth_or_death_is_not_the_nodes():
    drive = plant()
    assert said(drive, "spBv1.0/g/NDEATH/n", {"bdSeq": 3}, retain=True) == []


def test_a_rule_that_hears_only_data_is_told_of_deaths_and_births_too():
    drive = Drive('- {alert: Device, topic: "spBv1.0/{group}/DDATA/{node}/{device}", absent: 1h, when: x > 5}')
    drive.send("spBv1.0/g/DDATA/n/d", {"x": 9})
    assert said(drive, "spBv1.0/g/NDEATH/n", {"bdSeq": 0}) == [("Device", "g/n/d/absent", "firing", FIRES)]
    assert said(drive, "spBv1.0/g/DBIRTH/n/d", {"x": 9}) == [("Device", "g/n/d/absent", "resolved", OVER)]


# with the rest of the language


def test_under_a_pause_nothing_is_told_and_behind_it_who_is_dead_is():
    drive = Drive(
        """
        - alert: Silent
          topic: homie/{device}/{node}/{property}
          by: device
          absent: 1h
          pause: daily 00:00-01:00
    """,
        start=0.0,
    )
    drive.send("homie/kitchen/sensor/temperature", 21.5)
    assert said(drive, "homie/kitchen/$state", "lost", after=60) == []
    assert drive.wait(3539) == []
    assert drive.wait(1) == [("Silent", "kitchen", "firing", FIRES)]


def test_auto_does_not_take_the_time_of_a_death_for_an_interval():
    drive = Drive('- {alert: Silent, topic: "homie/{device}/{node}/{property}", by: device, absent: auto}')
    for _ in range(30):
        drive.send("homie/kitchen/sensor/temperature", 21.5, after=60)
    said(drive, "homie/kitchen/$state", "lost", after=30)
    drive.send("homie/kitchen/sensor/temperature", 21.5, after=86400)
    drive.send("homie/kitchen/sensor/temperature", 21.5, after=60)
    (fired,) = drive.wait(181)
    assert fired[2:] == ("firing", "no message within its time")


def stored(engine, rows):
    for kind, key, text in desk_of(engine):
        rows["desk", kind, key] = text
    for rule_name, key, text in engine.take_changes():
        rows["instances", rule_name, key] = text


def restarted(drive, rows, text):
    """End the engine and start another with what was stored."""
    stored(drive.engine, rows)
    kept = {key: value for key, value in rows.items() if value is not None}
    drive.engine = Engine(rules(text))
    restore_desk(drive.engine, [(*key[1:], value) for key, value in kept.items() if key[0] == "desk"])
    signatures = {each.name: each.signature for each in rules(text)}
    drive.engine.restore(
        [(*key[1:], value) for key, value in kept.items() if key[0] == "instances"], signatures, drive.now
    )


def test_who_is_dead_or_asleep_is_so_after_a_restart_and_a_reload():
    drive, rows = homie(), {}
    drive.send("homie/bath/sensor/temperature", 21.5)
    assert said(drive, "homie/bath/$state", "sleeping") == []
    assert said(drive, "homie/kitchen/$state", "lost") == [("Silent", "kitchen", "firing", FIRES)]
    restarted(drive, rows, HOMIE)
    assert drive.wait(7200) == []
    drive.engine.reload(rules(HOMIE), None, drive.now)
    assert drive.wait(7200) == []
    assert said(drive, "homie/kitchen/$state", "ready") == [("Silent", "kitchen", "resolved", OVER)]
    assert said(drive, "homie/bath/$state", "lost") == [("Silent", "bath", "firing", FIRES)]


def test_a_death_that_was_stored_and_not_told_yet_is_told_after_a_restart():
    drive, rows = homie(), {}
    drive.engine.process([event("homie/kitchen/$state", "lost", drive.now)], drive.now)
    restarted(drive, rows, HOMIE)
    assert drive.wait(0) == [("Silent", "kitchen", "firing", FIRES)]


def test_reports_beyond_the_bound_push_out_the_oldest(monkeypatch):
    monkeypatch.setattr(presence, "PRESENCE_SUBJECTS", 10)
    drive, rows = homie(), {}
    for number in range(50):
        drive.send(f"homie/d{number}/$state", "lost")
    stored(drive.engine, rows)
    assert sum(text is not None for key, text in rows.items() if key[0] == "desk") == 10
    assert said(drive, "homie/d49/sensor/temperature", 5, retain=True) == [("Silent", "d49", "firing", FIRES)]


def test_an_event_of_other_topics_meets_nobody_beside_its_rules():
    drive = Drive(HOMIE + '    - {alert: Hot, topic: "site/{device}", when: value > 30}\n')
    assert len(drive.engine.plan("site/a").always) == 1
    assert len(drive.engine.plan("homie/a/b/c").always) == 1
    assert len(drive.engine.plan("homie/a/$state").always) == 1
    alone = Drive('- {alert: Hot, topic: "homie/{device}/{node}/{property}", when: value > 30}')
    assert len(alone.engine.plan("homie/a/$state").always) == 0


# against a model


class Homie(RuleBasedStateMachine):
    """Two devices, messages in any order, restarts: who is absent is what the last reports and silences make of it."""

    DEVICES = st.sampled_from(["a", "b"])
    STATES = st.sampled_from(["lost", "disconnected", "sleeping", "ready", "init"])

    @initialize()
    def begin(self):
        self.drive, self.rows = Drive(HOMIE), {}
        self.seen, self.state, self.fires = {}, {}, set()

    def took(self, transitions):
        for _, device, phase, _ in transitions:
            assert (phase == "firing") is (device not in self.fires)
            self.fires ^= {device}

    @rule(device=DEVICES, state=STATES, retain=st.booleans())
    def report(self, device, state, retain):
        self.took(said(self.drive, f"homie/{device}/$state", state, retain=retain))
        before, now = self.state.get(device, ""), {"disconnected": "lost", "init": "", "ready": ""}.get(state, state)
        self.state[device] = now
        if now != "lost" and (not retain or before != now) and device in self.seen:
            self.seen[device] = self.drive.now

    @rule(device=DEVICES, retain=st.booleans())
    def value(self, device, retain):
        self.took(said(self.drive, f"homie/{device}/sensor/temperature", 5, retain=retain))
        if not retain or device not in self.seen:
            self.seen[device] = self.drive.now
        if not retain and self.state.get(device) == "lost":
            self.state[device] = ""

    @rule(seconds=st.sampled_from([1, 1800, 3600, 90000]))
    def wait(self, seconds):
        self.took(self.drive.wait(seconds))

    @rule()
    def restart(self):
        restarted(self.drive, self.rows, HOMIE)
        self.took(self.drive.wait(0))

    @invariant()
    def absent_is_who_is_dead_or_silent(self):
        now = self.drive.now
        late = {device for device, seen in self.seen.items() if now >= seen + 3600}
        dead = {device for device in self.seen if self.state.get(device) == "lost"}
        asleep = {device for device in self.seen if self.state.get(device) == "sleeping"}
        assert dead <= self.fires
        assert late - asleep <= self.fires
        assert self.fires <= late | dead


TestHomie = Homie.TestCase
TestHomie.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=8), st.one_of(st.none(), st.integers(), st.text())), max_size=4))
def test_no_report_raises_whatever_its_topic_and_payload(reports):
    drive = plant(NODES + FIVE.replace("Silent", "Five") + HOMIE)
    for level, value in reports:
        for topic in (
            f"homie/{level}/$state", f"homie/5/{level}/$description", f"spBv1.0/{level}/NDEATH/n", "spBv1.0/g/NBIRTH/n"
        ):  # fmt: skip
            fields = {"bdSeq": value, "root": value}
            drive.engine.process([Event(topic, b"{}", fields, value, drive.now, 1, retain=False)], drive.now)
    drive.wait(0)


def test_auto_believes_what_it_has_learned_from_the_message_on_with_which_it_has_learned_it():
    drive = Drive('- {alert: Silent, topic: "s/{device}", absent: auto}')
    for _ in range(5):
        drive.send("s/1", {"v": 1}, after=200)
    assert drive.wait(599) == []
    assert [said[2] for said in drive.wait(1)] == ["firing"]


def test_auto_waits_as_if_it_knew_nothing_until_it_has_seen_enough():
    drive = Drive('- {alert: Silent, topic: "s/{device}", absent: auto}')
    for _ in range(4):
        drive.send("s/1", {"v": 1}, after=200)
    assert drive.wait(7 * 86400 - 1) == []
    assert [said[2] for said in drive.wait(1)] == ["firing"]


def test_auto_learns_nothing_of_what_the_broker_has_kept_but_knows_whose_it_is():
    drive = Drive('- {alert: Silent, topic: "s/{device}/{part}", by: device, absent: auto}')
    for _ in range(9):
        drive.send("s/1/a", {"v": 1}, after=200, retain=True)
    assert drive.wait(7 * 86400 - 1601) == []
    assert [said[1:3] for said in drive.wait(1)] == [("1", "firing")]
    assert drive.send("s/1/b", {"v": 1}, retain=True) == []
    assert [said[1:3] for said in drive.send("s/1/b", {"v": 1})] == [("1", "resolved")]
