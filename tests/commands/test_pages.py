"""pages: a list page by page is whole and shows nothing twice, whatever changes; an answer fits its packet."""

from itertools import chain

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.commands import alert_desk
from hub.commands.contract import Paged
from hub.commands.pages import cut, fitting, page, wanted
from hub.errors import RequestError
from hub.limits import ANSWER_BYTES, ANSWER_LEAST_BYTES, PAGE_ITEMS
from hub.trial.world import World
from tests.alerts.flapper import rule_set
from tests.rules.making import event

RULE = '- {alert: Hot, topic: "t/{site}/{device}", when: v > 5, notify: [chat], summary: "{device} is {v}"}'


def ended(steps):
    """Return what steps come to, as a client reads it."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return orjson.loads(orjson.dumps(end.value, default=list))


def world_of(count):
    world = World(rule_set(RULE), None, 1000.0)
    world.send([event(f"t/a/{number}", {"v": 9}, 1000.0 + number) for number in range(count)])
    return world


def pages(core, change=lambda: None, **asked):
    """Yield the pages of the alerts, one list each; between two of them something changes."""
    cursor = ""
    while cursor is not None:
        answer = ended(alert_desk.alerts(core.book, {"cursor": cursor, **asked}))
        assert len(orjson.dumps(answer)) <= asked.get("bytes", ANSWER_BYTES)
        yield answer["alerts"]
        cursor = answer["next"]
        change()


@settings(max_examples=50, deadline=None)
@given(
    kept=st.sets(st.integers(0, 999), min_size=1, max_size=60),
    changes=st.lists(st.tuples(st.booleans(), st.integers(0, 999)), max_size=200),
    limit=st.integers(1, 20),
)
def test_what_is_there_the_whole_time_is_shown_once_whatever_comes_and_goes(kept, changes, limit):
    keys, coming = {f"{number:03}" for number in kept}, iter(changes)
    stays, shown, cursor = frozenset(keys), [], ""
    while True:
        found = ended(
            page(
                lambda: keys,
                lambda key: {"key": key} if key in keys else None,
                wanted(Paged({"cursor": cursor, "limit": limit})),
            )
        )
        shown += [each["key"] for each in found[0]]
        cursor = found[1]
        if not cursor:
            break
        for come, number in (next(coming, (False, -1)) for _ in range(5)):
            key = f"{number:03}"
            if key not in stays:
                (keys.add if come else keys.discard)(key)
    assert len(shown) == len(set(shown))
    assert stays <= set(shown)


def test_alerts_come_page_by_page_and_each_once_while_they_change():
    world = world_of(300)
    numbers = iter(range(1000, 2000))

    def change():
        world.send(
            [event(f"t/a/{next(numbers)}", {"v": 9}, world.now), event("t/a/0", {"v": next(numbers)}, world.now)]
        )

    found = [each["labels"]["device"] for each in chain.from_iterable(pages(world.core, change, limit=50))]
    assert len(found) == len(set(found))
    assert {str(number) for number in range(300)} <= set(found)


def test_a_page_has_no_more_bytes_than_the_asker_takes():
    found = list(pages(world_of(100).core, bytes=4096))
    assert len(found) > 10
    assert sum(map(len, found)) == 100


def test_only_what_is_meant_is_on_the_pages():
    world = world_of(20)
    world.send([event("t/b/1", {"v": 9}, world.now)])
    assert [each["labels"]["site"] for each in chain.from_iterable(pages(world.core, matchers="site=b", limit=3))] == [
        "b"
    ]
    assert list(pages(world.core, state="resolved")) == [[]]


def test_of_an_id_only_its_alert_is_listed_whatever_the_episode_of_the_id():
    core = world_of(5).core
    fingerprint = ended(alert_desk.alerts(core.book, {}))["alerts"][3]["fingerprint"]
    for identity in (fingerprint, f"{fingerprint}-1", f"{fingerprint}-7-resolved"):
        assert [each["fingerprint"] for each in chain.from_iterable(pages(core, id=identity))] == [fingerprint]
        whole = ended(alert_desk.alerts(core.book, {"id": identity, "bytes": 8192}))
        assert [each["fingerprint"] for each in whole["alerts"]] == [fingerprint]
    assert ended(alert_desk.alerts(core.book, {"id": "0" * 16}))["alerts"] == []


def test_who_does_not_know_of_pages_gets_as_many_as_fit_firing_ones_first_and_is_told_how_many_there_are():
    world = world_of(100)
    world.send([event("t/a/99", {"v": 1}, world.now)])
    answer = ended(alert_desk.alerts(world.core.book, {"bytes": 8192}))
    assert answer["truncated"]
    assert answer["total"] == 100
    assert {each["state"] for each in answer["alerts"]} == {"firing"}
    assert len(orjson.dumps(answer)) <= 8192
    whole = ended(alert_desk.alerts(world.core.book, {}))
    assert len(whole["alerts"]) == 100
    assert "truncated" not in whole


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"limit": 0}, "'limit' must be a whole number from 1 on"),
        ({"limit": "5"}, "'limit' must be a whole number"),
        ({"limit": True}, "'limit' must be a whole number"),
        ({"cursor": 5}, "'cursor' must be text"),
        ({"bytes": 10}, f"'bytes' must be a whole number from {ANSWER_LEAST_BYTES} on"),
        ({"state": "burning"}, "'state' is one of pending, firing, resolved, not 'burning'"),
        ({"id": "burning"}, "'burning' is not the id of an alert or notification"),
    ],
)
def test_a_page_that_cannot_be_is_refused_with_why(asked, says):
    with pytest.raises(RequestError) as raised:
        ended(alert_desk.alerts(world_of(1).core.book, asked))
    assert says in str(raised.value)


def test_more_than_a_page_holds_is_asked_for_in_vain_and_no_cursor_is_the_first_page():
    assert wanted(Paged({"limit": 10**9})).limit == PAGE_ITEMS
    assert wanted(Paged({"cursor": None})).cursor == ""
    assert not wanted(Paged({})).paged


def test_one_alert_that_is_longer_than_a_page_is_shown_cut():
    steps = page(
        lambda: {"a": 1}, lambda _: {"id": "a", "details": "x" * 100_000}, wanted(Paged({"cursor": "", "bytes": 4096}))
    )
    ((item,), following) = ended(steps)
    assert item["id"] == "a"
    assert item["truncated"]
    assert following == ""


def test_silences_come_page_by_page():
    world = world_of(1)
    for number in range(30):
        alert_desk.silence(world.core, {"matchers": f"device={number}"}, world.now)
    first = ended(alert_desk.silences(world.core.book, {"cursor": "", "limit": 20}, world.now))
    second = ended(alert_desk.silences(world.core.book, {"cursor": first["next"]}, world.now))
    assert len({each["id"] for each in first["silences"] + second["silences"]}) == 30
    assert second["next"] is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=200),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(max_size=8), inner, max_size=6),
    max_leaves=40,
)


@given(st.dictionaries(st.sampled_from(["alerts", "ok", "error", "trace"]), JSON), st.integers(400, 4000))
def test_what_is_cut_fits_and_says_so(value, room):
    made = cut(value, room)
    assert len(orjson.dumps(made)) <= room
    assert (made == value) == (len(orjson.dumps(value)) <= room) or made.get("truncated")


def test_a_list_is_cut_at_its_end():
    answer = {"ok": True, "alerts": [{"id": number} for number in range(1000)]}
    made = cut(answer, 2000)
    assert made["ok"]
    assert made["alerts"] == answer["alerts"][: len(made["alerts"])]
    assert 50 < len(made["alerts"]) < 1000


def test_what_fits_is_all_of_it():
    items, complete = ended(fitting([{"a": 1}] * 3, 100))
    assert (items, complete) == ([{"a": 1}] * 3, True)
