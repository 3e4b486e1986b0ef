"""What chatters for days, or is never the same twice, leaves nothing behind in the desk's own clocks and tables."""

import pytest

from hub.alerts.matchers import parse_matchers
from hub.alerts.suppression import event_limits, silences
from hub.alerts.suppression.event_limits import EventLimits
from hub.alerts.suppression.inhibition import Inhibition
from hub.alerts.suppression.silences import Silences
from hub.errors import RequestError
from hub.rules.reading.rule_values import Limit
from tests.rules.making import rule, rules

LIMIT = Limit(1, 86400.0, "1/d")
FEW = 10_000
"""Entries: what is tidied is tidied at about 4,000."""


def test_an_event_that_chatters_under_a_limit_waits_once():
    limits, rang = EventLimits(), rule('- {event: Rang, topic: "r/{x}", limit: 1/d}')
    limits.told("m", rang, 1000.0)
    for n in range(50_000):
        limits.hold("m", rang, {"n": n})
    assert len(limits._agenda) < 10
    ((fingerprint, entry),) = limits.take_due(1000.0 + 86400.0, {"Rang": rang.limit})
    assert (fingerprint, entry.waits, entry.tally.held) == ("m", {"n": 49_999}, 50_000)


def test_what_was_held_back_comes_after_the_clock_was_set_too():
    limits, rang = EventLimits(), rule('- {event: Rang, topic: "r/{x}", limit: 1/d}')
    limits.told("m", rang, 1000.0)
    limits.hold("m", rang, {"n": 1})
    limits.shift(3600.0, {"Rang": rang.limit})
    assert limits.next_due() == 1000.0 + 3600.0 + 86400.0
    assert len(limits.take_due(1000.0 + 3600.0 + 86400.0, {"Rang": rang.limit})) == 1


def test_the_limits_of_too_many_instances_begin_anew_and_that_is_told(monkeypatch):
    monkeypatch.setattr(event_limits, "LIMIT_EVENTS", 100)
    limits, rang = EventLimits(), rule('- {event: Rang, topic: "r/{x}", limit: 1/d}')
    for n in range(150):
        limits.told(f"m{n}", rang, 1000.0 + n)
        limits.told("m0", rang, 1000.0 + n)  # speaks all the time, so it stays
    assert len(limits.all) == 100
    assert not limits.room("m0", rang.limit, 1200.0)
    assert limits.room("m1", rang.limit, 1200.0)
    assert limits.take_dropped() == ["Rang"] * 50
    assert limits.take_dropped() == []
    rows = dict(limits.take_rows())
    assert len([text for text in rows.values() if text is None]) == 50


def test_a_cause_that_chatters_leaves_no_more_than_its_last_end():
    text = '- {alert: Off, topic: "g/{g}"}\n- {alert: Far, topic: "d/{g}/{d}", unless: {alert: Off, after: 1d}}'
    cause, dependent = rules(text.replace('"g/{g}"', '"g/{g}", when: v').replace('{d}"', '{d}", when: v'))
    inhibition = Inhibition()
    inhibition.follow({"Off": cause, "Far": dependent})
    inhibition.enter("Far", "far", {"g": "1", "d": "2"}, ())
    for n in range(50_000):
        inhibition.begins("Off", "off", {"g": "1"}, ())
        inhibition.ends("Off", "off", {"g": "1"}, (), float(n))
    assert len(inhibition._due) < FEW
    assert inhibition.take_due(49_999.0 + 86_399.0) in ([], ["far"])
    assert inhibition.take_due(49_999.0 + 86_400.0) == ["far"]
    assert inhibition.next_due() is None


def test_there_are_so_many_silences_and_no_more_until_some_are_forgotten(monkeypatch):
    monkeypatch.setattr(silences, "SILENCES", 5)
    made = Silences()
    for n in range(5):
        made.add(silences.Silence("", tuple(parse_matchers(f"d={n}")), 1000.0, 2000.0, "ann", "", 1000.0))
    with pytest.raises(RequestError, match="5 silences already"):
        made.add(silences.Silence("", tuple(parse_matchers("d=9")), 1000.0, 2000.0, "ann", "", 1000.0))
    kept = next(iter(made.all.values()))
    with pytest.raises(RequestError, match="5 silences already"):
        made.change(silences.Silence(kept.id, tuple(parse_matchers("d=8")), 1000.0, 2000.0, "ann", "", 0.0), 1100.0)
    assert made.all[kept.id] == kept
    made.forget(2000.0 + silences.SILENCE_KEPT_SECONDS)
    assert made.add(silences.Silence("", tuple(parse_matchers("d=9")), 1000.0, 2000.0, "ann", "", 1000.0))
