"""desk: what a silence is asked with, and what is refused or warned of, whichever way it comes."""

import orjson
import pytest

from hub.alerts.matchers import parse_matchers
from hub.alerts.suppression.silences import Silence
from hub.commands import alert_desk
from hub.errors import RequestError
from hub.rules.posted.posting import Posting
from hub.trial.world import World
from tests.alerts.flapper import rule_set
from tests.rules.making import event

NOON = 1_790_000_000.0
RULES = """
- {alert: Hot, topic: "t/{site}/{device}", when: v > 5, labels: {zone: "{v}"}, notify: [chat]}
- {event: Seen, topic: "s/{door}", notify: [chat]}
"""


@pytest.fixture
def world():
    return World(rule_set(RULES), None, NOON)


def silence(world, **request):
    made = alert_desk.silence(world.core, {"matchers": "site=a", **request}, world.now)
    world.collect()
    return made


def ended(steps):
    """Return what steps come to, as a client reads it."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return orjson.loads(orjson.dumps(end.value))


def span(made):
    """Return from when to when, in seconds from noon."""
    (found,) = [each for each in made.core.book.silences.values() if each.end > made.now]
    return found.start - NOON, found.end - NOON


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ({}, 0.0, 3600.0),
        ({"for": "2h"}, 0.0, 7200.0),
        ({"until": NOON + 90}, 0.0, 90.0),
        ({"start": NOON + 3600, "for": "2h"}, 3600.0, 3 * 3600.0),
        ({"start": NOON + 3600}, 3600.0, 7200.0),
        ({"start": NOON + 40 * 86400, "for": "4h"}, 40 * 86400.0, 40 * 86400.0 + 4 * 3600),
        ({"start": NOON + 60, "until": NOON + 90}, 60.0, 90.0),
        ({"start": NOON - 600, "for": "1h"}, 0.0, 3000.0),
    ],
)
def test_for_counts_from_the_start_where_one_is_named_else_from_now(world, asked, start, end):
    silence(world, **asked)
    assert span(world) == (start, end)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"start": NOON - 7200, "for": "1h"}, "1h from 2026-09-21T12:13:20.000Z is over already"),
        ({"start": NOON - 7200}, "1h from 2026-09-21T12:13:20.000Z is over already"),
        ({"until": NOON}, "'until' is over already"),
        ({"start": NOON + 60, "until": NOON + 60}, "would end before it starts; 'until' must be later than 'start'"),
        ({"for": "0s"}, "'for' is 0s, which is no time at all"),
        ({"for": "1h", "until": NOON + 60}, "exclude each other"),
        ({"start": "1h"}, "'start' must be a time with its zone"),
    ],
)
def test_a_time_that_cannot_be_is_refused_with_why(world, asked, says):
    with pytest.raises(RequestError) as raised:
        silence(world, **asked)
    assert says in str(raised.value)
    assert not world.core.book.silences


def test_a_silence_that_is_planned_hides_from_its_start_to_its_end_and_not_before(world):
    made = silence(world, start=NOON + 100, **{"for": "100s"})
    assert made["silence"]["status"] == {"state": "pending"}
    (listed,) = ended(alert_desk.silences(world.core.book, {}, world.now))["silences"]
    assert listed["status"] == {"state": "pending"}
    world.send([event("t/a/1", {"v": 9}, world.now)])
    told = [each.body["labels"]["device"] for each in world.told]
    world.pass_time(NOON + 100)
    world.send([event("t/a/2", {"v": 9}, world.now)])
    assert told == ["1"] == [each.body["labels"]["device"] for each in world.told]
    world.pass_time(NOON + 199)
    assert len(world.told) == 1
    world.pass_time(NOON + 200)
    assert [each.body["labels"]["device"] for each in world.told] == ["1", "2"]


@pytest.mark.parametrize(
    ("at", "asked", "start", "end"),
    [
        (60.0, {"for": "2h"}, 3600.0, 3 * 3600.0),  # still to begin: so long from its start
        (5400.0, {"for": "2h"}, 3600.0, 5400.0 + 7200.0),  # it holds: so long from now
        (5400.0, {"for": "2h", "start": NOON + 3600}, 3600.0, 3600.0 + 7200.0),
        (60.0, {"for": "2h", "start": NOON + 600}, 600.0, 7800.0),
    ],
)
def test_a_silence_that_is_changed_lasts_for_so_long_from_its_start_or_from_now(world, at, asked, start, end):
    identity = silence(world, start=NOON + 3600, **{"for": "1h"})["silence"]["id"]
    world.pass_time(NOON + at)
    assert silence(world, id=identity, **asked)["silence"]["id"] == identity
    assert span(world) == (start, end)


@pytest.mark.parametrize("text", ['zone=""', 'zone=~".*"', 'zone!~"x.+"', "zone!=x", 'a="", b!=c'])
def test_a_silence_that_would_match_what_has_none_of_its_labels_is_refused(world, text):
    with pytest.raises(RequestError, match=r"must not match the empty string.*name a label that is meant"):
        silence(world, matchers=text)
    identity = silence(world)["silence"]["id"]
    with pytest.raises(RequestError, match=r"must not match the empty string"):
        silence(world, matchers=text, id=identity)
    assert [str(each) for each in world.core.book.silences[identity].matchers] == ['site="a"']


def test_an_empty_label_or_name_is_refused_as_its_matcher_is(world):
    for asked in ({"labels": {"site": ""}}, {"alertname": ""}):
        with pytest.raises(RequestError, match=r"must not match the empty string"):
            alert_desk.silence(world.core, asked, world.now)
    assert alert_desk.silence(world.core, {"alertname": "Hot", "labels": {"site": ""}}, world.now)["ok"]


def test_a_silence_that_was_stored_before_is_kept_and_can_be_ended(world):
    world.core.book.silence(Silence("", tuple(parse_matchers("zone=~.*")), NOON, NOON + 600, "ann", "", NOON))
    world.restart()
    world.send([event("t/a/1", {"v": 9}, world.now)])
    assert not world.told
    (kept,) = world.core.book.silences
    alert_desk.unsilence(world.core, {"id": kept}, world.now)
    world.collect()
    assert len(world.told) == 1


@pytest.mark.parametrize(
    ("text", "warnings"),
    [
        ("alertname=Hot, site=a, zone=b, severity=info, door=c", []),
        ("site=a, zoen=b", ["no alert or rule has a label 'zoen'; did you mean 'zone'?"]),
        ("zoen=b, zoen!=c", ["no alert or rule has a label 'zoen'; did you mean 'zone'?"]),
        (
            "x=b",
            ["no alert or rule has a label 'x'; there are alertname, device, door, severity, site, zone"],
        ),
    ],
)
def test_a_label_that_nothing_has_is_told_while_the_silence_is_made(world, text, warnings):
    made = silence(world, matchers=text)
    assert (made["ok"], made["warnings"]) == (True, warnings)
    assert made["silence"]["id"] in world.core.book.silences


def test_a_label_of_an_alert_that_was_posted_is_known_while_the_alert_lives(world):
    assert len(silence(world, matchers="rack=7")["warnings"]) == 1
    posting = Posting({"alertname": "Disk", "rack": "7"}, {}, None, None, "")
    world.core.post(posting, world.now)
    world.collect()
    assert silence(world, matchers="rack=7")["warnings"] == []


def test_of_many_labels_a_warning_names_a_few(world):
    labels = {f"label{n}": "x" for n in range(40)}
    world.core.post(Posting({"alertname": "Disk", **labels}, {}, None, None, ""), world.now)
    world.collect()
    (warning,) = silence(world, matchers="q=7")["warnings"]
    assert warning.endswith(", …")
    assert len(warning) < 200
