"""`value`: a bare payload, and the field of that name of an object, wherever a rule can name it."""

import pytest

from tests.rules.making import Drive

BOTH = [21.5, {"value": 21.5}, {"value": 21.5, "unit": "C"}]


@pytest.mark.parametrize("payload", BOTH, ids=repr)
def test_conditions_and_gates_see_it(payload):
    drive = Drive('- {alert: A, topic: "t/{x}", when: value > 20, clear: value < 15, mute: value > 100}')
    assert drive.send("t/a", payload) == [("A", "a", "firing", "condition")]
    low = {"value": 1} if isinstance(payload, dict) else 1
    assert drive.send("t/a", low) == [("A", "a", "resolved", "cleared")]
    assert drive.errors == []


@pytest.mark.parametrize("payload", BOTH, ids=repr)
@pytest.mark.parametrize(
    "condition",
    [
        "avg(value, 10m) > 20",
        "count(value > 20, 10m) == 2",
        "previous(value) == 21.5",
        "last(value) > 20 && delta(value, 1h) == 0",
    ],
)
def test_what_looks_back_sees_it(payload, condition):
    drive = Drive(f'- {{alert: A, topic: t, when: "{condition}"}}')
    drive.send("t", payload)
    drive.send("t", payload, after=60)
    assert drive.engine.states["A"].instances[()].phase.value == "firing"


def test_an_object_without_the_field_has_none_and_the_error_says_what_to_do():
    drive = Drive("- {alert: A, topic: t, when: value > 20}")
    assert drive.send("t", {"v": 30}) == []
    ((_, _, message),) = drive.errors
    assert message == "the payload is an object without a field 'value': name the field that is meant"
