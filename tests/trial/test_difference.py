"""replay and difference: what fires, and what another version of the rules tells differently, with the reason."""

import orjson
import pytest

from hub.documents.document import Problems
from hub.notify.receiver_settings import read_receivers
from hub.rules.reading.loader import load_rules
from hub.trial.difference import compare
from hub.trial.records import read_line
from hub.trial.replaying import Replay

HEAD = "receivers: {chat: json://localhost/chat}\ndefaults: {notify: [chat]}\nrules:\n"
HOT = "  - {alert: Hot, topic: 't/{device}', when: value > 30}\n"


@pytest.fixture
def played(tmp_path):
    def played(rules, *sent):
        path = tmp_path / f"{abs(hash(rules))}.yaml"
        path.write_text(HEAD + rules, "utf-8")
        problems = Problems()
        found = load_rules([path], problems, read_receivers, "hub")
        assert not problems, problems
        replay = Replay(found)
        lines = [orjson.dumps({"time": float(at), "topic": topic, "payload": value}) for at, topic, value in sent]
        replay.feed([read_line(line, 1) for line in lines])
        replay.end()
        return replay

    return played


FLAPPING = [(100 + 70 * n, "t/1", 35 if n % 2 == 0 else 20) for n in range(8)]


def test_a_timeline_says_what_fired_when_and_who_would_have_been_told(played):
    replay = played(HOT, (100, "t/1", 35), (200, "t/1", 20))
    assert [(each.at, each.state) for each in replay.happenings()] == [(100.0, "firing"), (200.0, "resolved")]
    assert [(each.at, each.state, each.receivers) for each in replay.notices()] == [
        (100.0, "firing", ("chat",)),
        (200.0, "resolved", ("chat",)),
    ]


def test_timers_speak_between_the_records(played):
    rule = "  - {alert: Hot, topic: 't/{device}', when: value > 30, for: 1m, absent: 5m}\n"
    replay = played(rule, (100, "t/1", 35), (1000, "t/2", 20))
    assert [(each.at, each.state) for each in replay.happenings()] == [
        (100.0, "pending"),
        (160.0, "firing"),
        (400.0, "firing"),
    ]


def test_what_a_wildcard_recorded_of_the_hub_itself_is_no_event(played):
    rule = "  - {event: Status, topic: '{node}/status'}\n"
    replay = played(rule, (100, "hub/status", {"status": "online"}), (200, "esp/status", "online"))
    assert (replay.events, [each.at for each in replay.happenings()]) == (1, [200.0])


def test_fewer_notifications_of_the_same_alert_are_not_missed(played):
    new = played(HOT.replace("value > 30", "value > 30, clear_for: 5m"), *FLAPPING)
    difference = compare(new, played(HOT, *FLAPPING))
    assert (len(difference.fewer), len(difference.new), len(difference.missed)) == (7, 0, 0)
    assert all("firing since" in each.reason or "still fires" in each.reason for each in difference.fewer)


def test_an_alert_of_which_nobody_hears_any_more_is_missed_with_the_condition(played):
    new = played(HOT.replace("> 30", "> 40"), (100, "t/1", 35), (200, "t/1", 20))
    difference = compare(new, played(HOT, (100, "t/1", 35), (200, "t/1", 20)))
    assert (len(difference.fewer), len(difference.missed)) == (2, 1)
    assert difference.missed[0].reason == "`value > 40` did not hold"


def test_what_a_stage_holds_back_is_missed_for_that_reason(played):
    sent = [(100, "t/1", 35), (200, "t/1", 20)]
    new = played(HOT.replace("value > 30", "value > 30, shadow: true"), *sent)
    difference = compare(new, played(HOT, *sent))
    assert [each.reason for each in difference.missed] == ["held back by shadow"]


def test_what_only_the_new_version_tells_is_new_with_what_it_saw(played):
    sent = [(100, "t/1", 35), (200, "t/1", 20)]
    difference = compare(played(HOT, *sent), played(HOT.replace("> 30", "> 40"), *sent))
    assert (len(difference.fewer), len(difference.new), difference.same) == (0, 2, 0)
    assert "value was 35" in difference.new[0].reason


def test_a_rule_that_is_gone_is_named(played):
    sent = [(100, "t/1", 35)]
    difference = compare(played(HOT.replace("Hot", "Warm"), *sent), played(HOT, *sent))
    assert [each.reason for each in difference.missed] == ["there is no such rule"]
    assert len(difference.new) == 1


def test_the_same_rules_make_no_difference(played):
    difference = compare(played(HOT, *FLAPPING), played(HOT, *FLAPPING))
    assert (difference.fewer, difference.new, difference.same) == ([], [], 8)
