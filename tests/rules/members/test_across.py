"""`across`: what a rule says of all members of an instance together."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.documents.document import Problems, parse_document
from hub.rules.reading.rule_reader import NO_DEFAULTS, read_rule
from hub.rules.reading.rule_values import KnownNames
from tests.rules.making import Drive, rules

SITE = """
- alert: SiteTooWarm
  topic: site/{site}/freezer/{freezer}
  by: [site]
  across: freezer
  stale: 15m
  when: "%s"
  summary: "{count(temperature > -15)} of {count()} at {site}: {names(temperature > -15)}"
"""


class Registry:
    """Devices by topic."""

    def __init__(self, *topics):
        self.known = topics

    def attributes(self, _topic):
        return {"kind": "freezer"}

    def topics(self, topic_filter):
        return self.known if topic_filter == "site/+/freezer/+" else ()


def site(when):
    return SITE % when


def phases(found):
    return [each[2] for each in found]


def warm(drive, freezer, celsius, **more):
    return phases(drive.send(f"site/a/freezer/{freezer}", {"temperature": celsius}, **more))


def crowd(drive, key=("a",)):
    return drive.engine.states[drive.rules[0].name].instances[key].members


def problem(text):
    problems = Problems()
    node = parse_document(text, "rules.yaml", problems)
    for item in node.value:
        read_rule(item, problems, NO_DEFAULTS, KnownNames(("chat",), {}))
    return "\n".join(map(str, problems))


def test_an_alert_fires_when_enough_members_hold_and_ends_when_they_no_longer_do():
    drive = Drive(site("count(temperature > -15) >= 2"))
    assert warm(drive, 1, -10) == []
    assert warm(drive, 2, -10) == ["firing"]
    assert warm(drive, 1, -20) == ["resolved"]


def test_each_instance_has_its_own_members():
    drive = Drive(site("count(temperature > -15) >= 2"))
    warm(drive, 1, -10)
    assert drive.send("site/b/freezer/2", {"temperature": -10}) == []


def test_a_member_that_is_silent_longer_than_stale_no_longer_counts_at_that_second():
    drive = Drive(site("count(temperature > -15) >= 2"))
    warm(drive, 1, -10)
    warm(drive, 2, -10, after=60)
    assert phases(drive.wait(839)) == []
    assert phases(drive.wait(1)) == ["resolved"]


def test_absent_holds_for_stale_members_and_the_clock_alone_says_so():
    drive = Drive(site("count(absent) >= 2"))
    warm(drive, 1, -20)
    warm(drive, 2, -20, after=1)
    assert phases(drive.wait(900)) == ["firing"]
    assert warm(drive, 2, -20) == ["resolved"]


def test_absent_beside_another_condition_ranges_over_all_members():
    drive = Drive(site("count(absent || temperature > -15) >= 2"))
    warm(drive, 1, -20)
    assert warm(drive, 2, -10, after=600) == []
    assert phases(drive.wait(300)) == ["firing"]


def test_a_message_without_the_field_leaves_the_members_value():
    drive = Drive(site("avg(temperature) > -15"))
    assert warm(drive, 1, -10) == ["firing"]
    assert phases(drive.send("site/a/freezer/1", {"door": "open"})) == []


def test_without_a_number_avg_keeps_the_state():
    drive = Drive(site("avg(temperature) > -15"))
    assert warm(drive, 1, -10) == ["firing"]
    assert phases(drive.wait(2000)) == []


def test_members_of_the_registry_count_from_the_start_and_are_absent_when_they_never_speak():
    registry = Registry("site/a/freezer/1", "site/a/freezer/2")
    drive = Drive(site("count(absent) >= 2"), registry)
    assert crowd(drive).fresh == 2
    assert phases(drive.wait(900)) == ["firing"]


def test_a_device_that_leaves_the_registry_unheard_is_no_member():
    text = site("count(absent) >= 2")
    drive = Drive(text, Registry("site/a/freezer/1", "site/a/freezer/2"))
    drive.engine.reload(rules(text), Registry("site/a/freezer/1"), drive.now)
    assert crowd(drive).members() == [("1",)]


def test_every_and_any_look_at_members_that_count():
    drive = Drive(site("every(temperature > -15) && any(temperature > 0)"))
    assert warm(drive, 1, -10) == []
    assert warm(drive, 2, 5) == ["firing"]
    assert warm(drive, 3, -20) == ["resolved"]


def test_a_retained_message_brings_a_value_and_is_no_sign_of_life():
    drive = Drive(site("count(absent) >= 1"))
    warm(drive, 1, -20)
    assert warm(drive, 1, -20, after=800, retain=True) == []
    assert phases(drive.wait(100)) == ["firing"]


def test_members_may_be_named_by_several_fields():
    text = '- {alert: A, topic: "t/{site}", across: [rack, id], when: count(v > 1) >= 2, summary: "{names(v > 1)}"}'
    drive = Drive(text)
    drive.send("t/a", {"rack": "r", "id": 1, "v": 2})
    assert phases(drive.send("t/a", {"rack": "r", "id": 2, "v": 2})) == ["firing"]
    assert crowd(drive).members() == [("r", "1"), ("r", "2")]


def test_members_may_be_named_by_an_expression():
    text = '- {alert: A, topic: "t/{site}/{d}", across: {id: d.lowerAscii()}, when: count(v > 1) >= 2}'
    drive = Drive(text)
    drive.send("t/a/X", {"v": 2})
    assert drive.send("t/a/x", {"v": 2}) == []
    assert phases(drive.send("t/a/y", {"v": 2})) == ["firing"]


def test_each_reading_of_a_message_may_be_of_another_member():
    text = '- {alert: A, topic: "t/{site}", each: payload.tags, by: [site], across: id, when: max(v) - min(v) > 5}'
    drive = Drive(text)
    assert phases(drive.send("t/a", {"tags": [{"id": 1, "v": 2}, {"id": 2, "v": 9}]})) == ["firing"]
    assert phases(drive.send("t/a", {"tags": [{"id": 2, "v": 3}]})) == ["resolved"]


def test_for_counts_and_fires_by_the_clock():
    drive = Drive(site("count(temperature > -15) >= 1") + "  for: 5m\n")
    assert warm(drive, 1, -10) == ["pending"]
    assert phases(drive.wait(300)) == ["firing"]


def test_members_follow_under_a_pause_and_all_are_judged_when_it_ends():
    drive = Drive(site("count(temperature > -15) >= 2") + "  pause: any(defrost == true)\n")
    drive.send("site/a/freezer/9", {"defrost": True})
    assert warm(drive, 1, -10) == [] == warm(drive, 2, -10)
    assert phases(drive.send("site/a/freezer/9", {"defrost": False})) == ["firing"]


@pytest.mark.parametrize(
    ("when", "says"),
    [
        ("avg(temperature, 10m) > 3", "avg() across members has no window"),
        ("previous(temperature) > 3", "previous() looks at the samples of one instance"),
        ("absent", "'absent' is about one member"),
        ("count(count(temperature > 3)) > 1", "count() cannot stand in count()"),
        ("any(size(topic)) ", "any() needs true or false"),
        ("percentile(temperature, 101) > 1", "from 0 to 100"),
    ],
)
def test_what_makes_no_sense_across_members_is_refused(when, says):
    assert says in problem(site(when))


def test_a_function_without_a_window_needs_across():
    assert "with the key `across` avg(x)" in problem('- {alert: A, topic: "t/{x}", when: avg(v) > 3}')
    assert "the key `across` names the members" in problem('- {alert: A, topic: "t/{x}", when: any(v > 3)}')


def test_stale_needs_across_and_by_must_not_name_the_members():
    assert "'stale' needs 'across' beside it" in problem('- {alert: A, topic: "t/{x}", when: v > 3, stale: 1m}')
    text = '- {alert: A, topic: "t/{s}/{x}", by: [s, x], across: x, when: count(v > 3) > 1}'
    assert "each instance would have one member" in problem(text)


def test_members_survive_a_restart_to_the_last_bit():
    text = site("count(temperature > -15) >= 3 || avg(temperature) > 100 || count(absent) > 5")
    drive = Drive(text)
    for number in range(5):
        warm(drive, number, -20 + number / 3, after=1)
    rows, members = drive.engine.take_changes(), drive.engine.work.members.take_rows()
    drive = Drive(text, start=drive.now)
    drive.engine.work.members.restore(members)
    drive.engine.restore(rows, dict(drive.engine.signatures()), drive.now)
    assert crowd(drive).size == 5
    for number in range(2):
        assert warm(drive, number, -10) == []
    assert warm(drive, 2, -10) == ["firing"]
    assert crowd(drive).fresh == 5
    assert phases(drive.wait(900)) == []  # nobody has a number any more, so the condition has no value


def test_a_removed_rule_leaves_no_rows_of_members():
    drive = Drive(site("count() > 9"))
    warm(drive, 1, -10)
    drive.engine.reload([], None, drive.now)
    rows = drive.engine.work.members.take_rows()
    assert [text for _, text in rows] == [None]


STEPS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.one_of(st.none(), st.floats(-50, 50)), st.integers(0, 700)), max_size=30
)


@settings(deadline=None)
@given(STEPS)
def test_it_says_what_a_walk_over_all_members_says(steps):
    drive = Drive(site("count(temperature > -15) >= 2 || count(absent) >= 2"))
    seen, value, now = {}, {}, 0
    for name, celsius, after in steps:
        for _ in range(after):  # a sweep each second
            now += 1
            drive.now += 1
            drive.engine.tick(drive.now)
            check(drive, seen, value, now)
        warm(drive, name, celsius)
        seen[name] = now
        if celsius is not None:
            value[name] = celsius
        check(drive, seen, value, now)


def check(drive, seen, value, now):
    here = [name for name in seen if now - seen[name] < 900]
    held = [name for name in here if value.get(name, -99) > -15]
    firing = len(held) >= 2 or len(seen) - len(here) >= 2
    instance = drive.engine.states["SiteTooWarm"].instances.get(("a",))
    if instance is None:
        assert not seen
        return
    assert (instance.phase.value == "firing") is firing
    members = instance.members
    assert (members.fresh, members.size) == (len(here), len(seen))
    names = next(slot for slot in members.slots.values() if slot.held == len(held) and slot._names is not None)
    assert names.names() == ", ".join(sorted(held))
