"""register: when each alert is looked at, what is written of it, and that ids of who is gone never come back."""

from types import SimpleNamespace

import pytest

from hub.alerts.alert import Alert
from hub.alerts.register import Register
from hub.alerts.telling.said import Said
from hub.limits import ALERT_KEPT_SECONDS, RESOLVED_KEPT_SECONDS
from hub.model import Phase
from tests.rules.making import rules

(RULE,) = rules('- {alert: A, topic: "t/{device}", when: v > 5, notify: [chat], repeat: 10m}')
NOW = 1000.0


@pytest.fixture
def register():
    out = SimpleNamespace(voice=lambda *_: None, state=lambda *_, **__: None, publish=lambda *_: None)
    made = Register(out, {"A": 7200.0}.get)
    made.follow({"A": RULE})
    return made


def firing(device, last=NOW):
    said = Said(("chat",), 1, last, last)
    return Alert("A", (("device", device),), state=Phase.FIRING, since=last, said=said)


def due(register, until):
    """Return which alerts are looked at by then, and when."""
    found = []
    while (at := register.next_due()) is not None and at <= until:
        if (fingerprint := register.take_due(at)) is not None:
            found.append((fingerprint, at))
    return found


@pytest.mark.parametrize("seconds", [-500.0, 500.0])
def test_each_alert_is_looked_at_when_it_is_due_whatever_the_clock_was_set_to(register, seconds):
    register.put("a", firing("1"), NOW)
    register.put("b", firing("2", NOW + 5), NOW)
    register.take_rows()
    register.shift(seconds)
    assert sorted(fingerprint for fingerprint, _ in register.take_rows()) == ["a", "b"]
    assert due(register, 9e9) == [("a", NOW + seconds + 600), ("b", NOW + seconds + 605)]


def test_what_has_no_time_is_not_written_anew_when_the_clock_is_set(register):
    register.put("a", Alert("A", ()), NOW)
    register.take_rows()
    register.shift(-500.0)
    assert register.take_rows() == []


def test_what_is_resolved_goes_out_of_sight_when_it_holds_nobody_back_any_more(register):
    register.put("a", Alert("A", (), state=Phase.RESOLVED, until=NOW), NOW)
    assert due(register, 9e9) == [("a", NOW + max(7200.0, RESOLVED_KEPT_SECONDS))]


def test_of_one_that_is_dropped_nothing_is_due_and_its_ids_never_come_again(register):
    register.put("a", firing("1"), NOW)
    register.put("b", Alert("A", (), episode=3, version=9), NOW)
    assert register.floor.take_rows() == []
    register.drop("b")
    register.drop("a")
    assert (due(register, 9e9), register.alerts) == ([], {})
    assert sorted(register.take_rows()) == [("a", None), ("b", None)]
    assert (register.floor.take_rows(), register.floor.take_rows()) == ([("floor", "9")], [])
    transition = SimpleNamespace(rule=RULE, instance=())
    assert (register.new(transition).episode, register.new(transition).version) == (9, 9)


def test_what_is_kept_is_written_and_seen_by_nobody_and_what_is_noted_has_a_version_of_its_own(register):
    seen = []
    register._out.state = lambda fingerprint, alert, _, *, desk: seen.append((fingerprint, alert.version, desk))
    register.keep("a", firing("1"))
    assert (seen, [fingerprint for fingerprint, _ in register.take_rows()], register.alerts["a"]) == (
        [],
        ["a"],
        firing("1"),
    )
    register.note("a", firing("1"), NOW)
    register.put("a", firing("1"), NOW)
    assert seen == [("a", 1, True), ("a", 0, False)]
    assert due(register, 9e9) == [("a", NOW + 600)]


def test_after_a_restart_what_was_over_first_is_forgotten_first_in_whatever_order_it_was_stored(register):
    over = {name: Alert("A", (("device", name),), over=at) for name, at in (("a", 30.0), ("b", 10.0), ("c", 20.0))}
    register.restore([(name, each.dump()) for name, each in over.items()])
    register.resume(NOW)
    assert register.next_due() == 10.0 + ALERT_KEPT_SECONDS
    assert list(register.let_go(20.0 + ALERT_KEPT_SECONDS, ())) == []
    assert list(register.alerts) == ["a"]


def test_who_fires_is_counted_from_its_entry_to_its_leave_and_after_a_restart(register):
    register.enter("a", firing("1"))
    assert (list(register.firing), register.has_changes()) == (["a"], False)
    register.put("a", firing("1"), NOW)
    assert register.has_changes()
    again = Register(register._out, {"A": 0.0}.get)
    flaps = Alert("A", (), state=Phase.RESOLVED, calm=60.0)
    over = Alert("A", ())
    again.restore([*register.take_rows(), ("f", flaps.dump()), ("o", over.dump())])
    again.resume(NOW)
    assert list(again.firing) == ["a", "f"]
    assert (again.alerts["o"].over, [fingerprint for fingerprint, _ in again.take_rows()]) == (NOW, ["o"])
    again.leave("a")
    again.leave("a")
    assert list(again.firing) == ["f"]
