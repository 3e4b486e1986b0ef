"""intake: what a rule hears of a message (`where`, `each`), and the instance that expressions make (`by` as a map)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.limits import EACH_ELEMENTS
from hub.rules.reading.loader import RuleSet
from hub.trial.world import World
from hub.why.why_not import why_not
from tests.rules.making import Drive, event, rule, rules
from tests.rules.running.test_engine import Disk

TAGS = (
    '- {alert: TagHot, topic: "plant/{plant}/gateway", each: payload.values, by: {plant: plant, tag: id}, when: v > 90,'
    ' summary: "{tag} at {plant}: {v}"}\n'
)
GATEWAY = {"values": [{"id": "a", "v": 91}, {"id": "b", "v": 12}, {"id": "c", "v": 99}]}


# where


def test_a_message_for_which_where_is_false_or_has_no_value_was_never_there():
    drive = Drive(
        '- {alert: Gone, topic: "s/{x}", where: kind == "state", when: "avg(t, 1h) > 5", absent: 10m}\n'
        '- {alert: All, topic: "s/{x}", when: "avg(t, 1h) > 5"}\n'
    )
    drive.send("s/1", {"kind": "state", "t": 1})
    assert [each[:3:2] for each in drive.send("s/1", {"kind": "log", "t": 99}, after=500)] == [("All", "firing")]
    assert drive.send("s/1", {"t": 99}, after=99) == []
    assert [each[:3:2] for each in drive.wait(1)] == [("Gone", "firing")]  # neither was a sign of life
    runner = drive.engine.states["Gone"]
    assert (runner.errors, runner.heard) == (0, 1)


def test_where_keeps_messages_of_another_kind_from_ending_what_fires():
    drive = Drive('- {alert: Hot, topic: "s/{x}", where: has(payload.t), when: t > 5}\n')
    assert [each[2] for each in drive.send("s/1", {"t": 9})] == ["firing"]
    assert drive.send("s/1", {"volts": 3}) == []
    assert [each[2] for each in drive.send("s/1", {"t": 1})] == ["resolved"]


@pytest.mark.parametrize("where", ["kind == 'a'", "x == 'a' && t > 0", "kind == 'a' && has(payload.t)"])
def test_rules_that_where_tells_apart_are_found_by_value(where):
    drive = Drive(f'- {{alert: A, topic: "s/{{x}}", where: "{where}", when: t > 5, for: 1m, absent: 1h}}\n')
    assert not drive.engine.plan("s/b").always
    drive.send("s/a", {"kind": "a", "t": 9})
    drive.send("s/a", {"kind": "b", "t": 0} if "kind" in where else {"t": -1})
    assert [each[2] for each in drive.wait(60)] == ["firing"]


def test_an_event_rule_speaks_only_of_what_it_hears():
    drive = Drive('- {event: Door, topic: "door/{id}", where: value == "open"}\n')
    assert [each[1:3] for each in drive.send("door/1", "open")] == [("1", "event")]
    assert drive.send("door/1", "closed") == []


def test_a_message_that_cannot_be_read_is_no_sign_of_life_where_there_is_a_where():
    drive = Drive('- {alert: Gone, topic: "s/{x}", where: t > 0, absent: 10m}\n')
    drive.send("s/1", {"t": 1})
    drive.send("s/1", b'{"t": ', after=500)
    assert [each[2] for each in drive.wait(100)] == ["firing"]


# each


def test_each_element_of_a_list_is_a_message_of_its_own():
    drive = Drive(TAGS)
    assert [each[1:3] for each in drive.send("plant/p/gateway", GATEWAY)] == [("p/a", "firing"), ("p/c", "firing")]
    # what a message does not name it does not touch
    assert [each[1:3] for each in drive.send("plant/p/gateway", {"values": [{"id": "a", "v": 1}]})] == [
        ("p/a", "resolved")
    ]


def test_a_map_gives_its_keys_and_plain_values():
    drive = Drive(
        '- {alert: Probe, topic: "g/{g}", each: payload.probes, by: {g: g, probe: event.key}, when: value > 9,'
        " summary: '{event.key} {event.index} {event.payload.site} {value}', for: 1m}\n"
    )
    drive.send("g/1", {"site": "berlin", "probes": {"t1": 5, "t2": 10, "t3": 11}})
    drive.wait(59)
    disk = Disk()
    disk.commit(drive.engine)
    disk.restart(drive)
    drive.now += 1
    drive.engine.tick(drive.now)
    found = drive.engine.take_transitions()
    found.sort(key=lambda each: each.instance)  # both are due at one moment, in any order
    assert [dict(each.instance)["probe"] for each in found] == ["t2", "t3"]
    from hub.alerts.telling.texts import render  # noqa: PLC0415 - the texts of a later stage, for this test alone

    assert [render(each, 1, "x").summary for each in found] == ["t2 1 berlin 10", "t3 2 berlin 11"]


def test_where_is_asked_of_each_element_and_payload_is_the_element():
    drive = Drive(
        '- {event: Seen, topic: "g/{g}", each: payload, where: "payload.ok && event.payload.size() == 3", by: id}\n'
    )
    said = drive.send("g/1", [{"id": 1, "ok": True}, {"id": 2, "ok": False}, {"id": 3}])
    assert [each[1] for each in said] == ["1"]


def test_elements_that_stand_for_the_same_instance_are_heard_in_order():
    drive = Drive('- {alert: A, topic: "g/{g}", each: payload, when: value > 5}\n')
    assert [each[2] for each in drive.send("g/1", [1, 9, 2, 8])] == ["firing", "resolved", "firing"]


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        ({"values": 5}, "`each` gives neither a list nor a map"),
        ({"other": 5}, "no field 'values'"),
        ("text", "no field 'values'"),
    ],
)
def test_a_message_without_elements_counts_as_one_that_cannot_be_judged_and_changes_nothing(payload, why):
    drive = Drive(TAGS)
    drive.send("plant/p/gateway", GATEWAY)
    assert drive.send("plant/p/gateway", payload) == []
    assert [each[2] for each in drive.errors] == [drive.errors[0][2]]
    assert why.split("'")[0] in drive.errors[0][2]


def test_of_a_message_with_too_many_elements_the_first_are_judged_and_it_is_said():
    drive = Drive('- {alert: A, topic: "g/{g}", each: payload, by: {n: string(event.index)}, when: value > 0}\n')
    drive.take(event("g/1", [0] * (EACH_ELEMENTS - 1) + [1, 1], drive.now))
    assert [each[1] for each in drive.said()] == [str(EACH_ELEMENTS - 1)]
    assert "10,001 elements in one message: only the first 10,000 are judged" in drive.errors[0][2]


def test_an_older_message_undoes_nothing_of_the_elements_that_a_newer_one_names():
    drive = Drive(TAGS)
    drive.send("plant/p/gateway", GATEWAY)
    drive.now += 10
    older = {"values": [{"id": "a", "v": 1}, {"id": "d", "v": 95}]}
    drive.take(event("plant/p/gateway", older, drive.now - 20))
    assert [each[1:3] for each in drive.said()] == [("p/d", "firing")]


@given(
    st.lists(
        st.dictionaries(st.sampled_from("abc"), st.dictionaries(st.sampled_from(["v", "w"]), st.integers(0, 9))),
        max_size=8,
    )
)
def test_elements_do_what_messages_of_their_own_do(messages):
    one = Drive('- {alert: A, topic: "g/{g}", each: payload, by: {p: event.key}, when: v > 4}\n')
    many = Drive('- {alert: A, topic: "g/{p}", when: v > 4}\n')
    for message in messages:
        said = one.send("g/x", message)
        expected = [each for key, value in message.items() for each in many.send(f"g/{key}", value)]
        assert said == expected


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x, max_size=3)))
def test_an_element_comes_back_from_the_store_as_it_was(value):
    drive = Drive('- {alert: A, topic: "g/{g}", each: payload, when: "true", repeat: 1h}\n')
    drive.send("g/x", [value])
    runner = drive.engine.states["A"]
    instance = runner.instances[("x",)]
    found, _ = runner.instances.last(instance)
    known = event("g/x", [value], drive.now).value[0]
    assert (found.value, found.index, found.key) == (known, 0, None)


# by as a map


def test_an_expression_makes_the_instance_and_an_empty_value_leaves_the_label_out():
    drive = Drive(
        '- {alert: A, topic: "cam/{where}", by: {id: after.id, camera: "after.camera.lowerAscii()", zone: after.?zone'
        '.orValue("")}, when: after.score > 0.5, summary: "{id} {camera} {zone} {where}"}\n'
    )
    drive.take(event("cam/x", {"after": {"id": 7, "camera": "Door", "score": 0.9}}, drive.now))
    (found,) = drive.engine.take_transitions()
    assert found.instance == (("id", "7"), ("camera", "door"), ("zone", ""))
    from hub.alerts.telling.texts import render  # noqa: PLC0415 - as above

    rendered = render(found, 1, "x")
    assert rendered.summary == "7 door  x"
    assert "zone" not in dict(rendered.labels)


def test_a_field_that_an_expression_of_by_needs_and_that_is_not_there_is_no_instance():
    drive = Drive('- {alert: A, topic: "cam/x", by: {id: after.id, n: after.n + 1}, when: "true"}\n')
    assert drive.send("cam/x", {"after": {"id": 7}}) == []
    assert drive.engine.states["A"].errors == 1


def test_the_signature_of_a_map_differs_where_a_label_or_an_expression_does():
    texts = ["{a: z.y}", "{b: z.y}", "{a: z.z}", "{a: z.y + '1'}", "z.a", "{x: x}", "x"]
    signatures = [
        rule(f'- {{alert: A, topic: "t/{{x}}", by: {text}, when: "true", runbook: "{{x}}"}}').signature
        for text in texts
    ]
    assert len(set(signatures)) == len(texts) - 1
    assert signatures[-1] == signatures[-2]  # a map that says what a list says means the same


# why not


def test_why_not_tells_which_messages_where_left_out():
    (one,) = rules('- {alert: A, topic: "s/{x}", where: kind == "a", when: t > 5}')
    world = World(RuleSet({"A": one}), None, 1000.0)
    world.send([event("s/1", {"kind": "b", "t": 9})])
    answer = why_not(world.core, "A", {}, 1001.0)
    assert answer["sentences"][1] == ("the last message on s/1 is not heard: where: kind == \"a\" (kind is 'b')")


def test_why_not_tells_of_each_element():
    (one,) = rules(TAGS)
    world = World(RuleSet({"TagHot": one}), None, 1000.0)
    world.send([event("plant/p/gateway", GATEWAY)])
    (found,) = why_not(world.core, "TagHot", {"tag": "b"}, 1001.0)["instances"]
    assert (found["labels"], found["holds"], found["event"]["payload"]) == (
        {"plant": "p", "tag": "b"},
        False,
        {"id": "b", "v": 12},
    )


def test_what_one_message_was_is_not_left_to_the_next():
    drive = Drive(
        '- {event: A, topic: "g/{g}", each: payload.list, by: {n: string(event.index)}, when: event.size > 9}\n'
        '- {event: B, topic: "g/{g}", when: event.size == 1 && event.text == "1" && value == 1}\n'
    )
    assert [each[:2] for each in drive.send("g/1", {"list": [1, 2]})] == [("A", "0"), ("A", "1")]
    assert [each[0] for each in drive.send("g/1", 1)] == ["B"]
    assert drive.send("g/1", 11) == []
