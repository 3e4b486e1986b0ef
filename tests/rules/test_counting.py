"""What a rule counts of itself: evaluations, matches and errors, whether it is evaluated alone or beside others."""

from hub.limits import TOGETHER_AFTER
from tests.rules.making import Drive, event, rules

ONE = '- {alert: A, topic: "d/{x}", when: t > 30.0, clear: t < 20.0}'
FOUR = "".join(f'- {{alert: A{n}, topic: "d/{{x}}", when: t > {n}.5}}\n' for n in range(4))


def counted(drive, name="A"):
    state = drive.engine.states[name]
    return state.evaluations, state.matches, state.errors


def test_a_rule_counts_every_event_it_was_evaluated_for_and_those_for_which_it_held():
    drive = Drive(ONE)
    for celsius in (10, 31, 25, 32, 19, 10):
        drive.send("d/1", {"t": celsius})
    drive.send("d/1", {"other": 1})
    drive.send("e/1", {"t": 99})
    assert counted(drive) == (7, 3, 1)  # 25 keeps up what 31 began


def test_an_event_rule_counts_its_moments():
    drive = Drive('- {event: A, topic: "d/{x}", when: t > 30.0}')
    for celsius in (10, 31, 32):
        drive.send("d/1", {"t": celsius})
    assert counted(drive) == (3, 2, 0)


def test_rules_that_are_evaluated_together_count_as_each_would_alone():
    drive, rounds = Drive(FOUR), TOGETHER_AFTER + 20
    for number in range(rounds):
        drive.send("d/1", {"t": number % 5})
    assert drive.engine.plan("d/1").joined[0].batch._run is not None
    for number in range(4):
        held = sum(at % 5 > number + 0.5 for at in range(rounds))
        assert counted(drive, f"A{number}") == (rounds, held, 0)


def test_a_reload_goes_on_counting():
    drive = Drive(FOUR)
    for _ in range(TOGETHER_AFTER + 5):
        drive.send("d/1", {"t": 9})
    before = counted(drive, "A1")
    drive.engine.reload(rules(FOUR), None, drive.now)
    assert counted(drive, "A1") == before
    drive.send("d/1", {"t": 9})
    assert counted(drive, "A1") == (before[0] + 1, before[1] + 1, 0)


def test_a_rehearsal_evaluates_each_rule_that_a_message_concerns_and_changes_nothing():
    drive = Drive(
        FOUR
        + '- {alert: Mean, topic: "d/{x}", when: "avg(t, 10m) > 2.0"}\n'
        + '- {alert: Field, topic: "d/+", by: [], when: payload.kind == "a" && t > 1.0}\n'
        + '- {alert: Other, topic: "d/+", by: [], when: payload.kind == "b" && t > 1.0}\n'
        + '- {alert: Elsewhere, topic: "e/{x}", when: t > 1.0}\n'
    )
    message = {"t": 1.5, "kind": "a"}
    drive.send("d/1", message)
    before = {name: counted(drive, name) for name in drive.engine.states}
    found = dict(drive.engine.rehearsals(event("d/1", message), drive.now))
    assert found.keys() == {"A0", "A1", "A2", "A3", "Mean", "Field"}
    for rehearse in found.values():
        rehearse()
    assert drive.said() == []
    assert {name: counted(drive, name) for name in drive.engine.states} == before
