"""What need not be sent: of a late episode all but the newest message, and of a group's nothing that is news."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.clock import ManualClock
from hub.ids import episode_id
from hub.limits import GROUP_ALERTS, LATE_SECONDS
from hub.notify.lanes.folding import folded
from hub.notify.lanes.lane import Lane
from hub.notify.lanes.superseding import NEWER, OVER, UNHEARD, Elsewhere, pass_over
from hub.notify.outbox_port import Queued
from tests.notify.fakes import notification
from tests.notify.lanes.test_lane import loaded, spoken, step, told

LATE = 100.0


def passed(*line, busy=(), elsewhere=None, age=LATE):
    """Return what is left of a line, by row, and what is gone and why; nothing where nothing is gone."""
    found = pass_over(line, busy, elsewhere or {}, lambda _: age)
    if found is None:
        return None
    return [each.row for each in found.line], {gone.queued.row: gone.reason for gone in found.gone}


def group(row, firing, news=(), episode=1, first=False, **rest):
    return Queued(row, spoken(episode, row, firing, news, first), **rest)


def left(*line, **rest):
    return pass_over(line, (), {}, lambda _: LATE, **rest).line


# one alert


def test_of_what_is_late_only_the_newest_firing_message_is_left_whatever_its_step():
    escalated = Queued(3, replace(told("a", 1, "repeat", 3), id="a-1-escalate-1"))
    assert passed(step(1, "firing"), step(2, "repeat"), escalated) == ([3], {1: NEWER, 2: NEWER})


def test_what_is_not_late_is_on_its_way():
    assert passed(step(1, "firing"), step(2, "repeat"), age=LATE_SECONDS - 0.1) is None


def test_what_was_tried_is_late_at_once():
    assert passed(step(1, "firing", attempts=1), step(2, "repeat"), age=0.0) == ([2], {1: NEWER})


def test_what_is_under_way_is_neither_left_out_nor_replaced():
    assert passed(step(1, "firing"), step(2, "repeat"), busy={1}) is None
    assert passed(step(1, "firing"), step(2, "repeat"), step(3, "repeat"), busy={1}) == ([1, 3], {2: NEWER})


def test_another_episode_is_another_matter():
    assert passed(step(1, "firing"), step(2, "firing", 2)) is None


def test_the_newest_has_the_turn_the_wait_and_the_failures_of_the_oldest():
    (kept,) = left(step(1, "firing", attempts=2, next_at=5e6, perhaps=True), step(2, "repeat"))
    assert (kept.place, kept.next_at, kept.before, kept.attempts, kept.perhaps) == (1, 5e6, 2, 0, True)
    (kept,) = left(replace(kept, attempts=3, next_at=6e6), step(3, "repeat"))
    assert (kept.place, kept.next_at, kept.before, kept.attempts, kept.perhaps) == (1, 6e6, 5, 0, True)


def test_an_end_waits_for_nothing_that_the_firing_message_waited_for():
    (kept,) = left(step(1, "repeat", attempts=2, next_at=5e6), step(2, "resolved"))
    assert (kept.row, kept.next_at, kept.place) == (2, 0.0, 0)


def test_who_has_heard_nothing_hears_no_end_though_the_first_message_was_replaced_twice():
    (kept,) = left(step(1, "firing"), step(2, "repeat"))
    (kept,) = left(kept, step(3, "repeat"))
    assert kept.notification.body["first"] is True
    assert passed(kept, step(4, "resolved")) == ([], {3: OVER, 4: UNHEARD})


@pytest.mark.parametrize("which", ["first", "second"])
def test_who_may_have_heard_something_hears_the_end_though_that_message_was_replaced(which):
    (kept,) = left(step(1, "firing", perhaps=which == "first"), step(2, "repeat"))
    (kept,) = left(replace(kept, perhaps=kept.perhaps or which == "second"), step(3, "repeat"))
    assert passed(kept, step(4, "resolved")) == ([4], {3: OVER})


def test_a_repetition_alone_is_not_the_first_message():
    (kept,) = left(step(2, "repeat"), step(3, "repeat"))
    assert "first" not in kept.notification.body
    assert passed(kept, step(4, "resolved")) == ([4], {3: OVER})


def test_what_stands_for_a_late_one_is_late_itself():
    (kept,) = left(step(1, "firing", attempts=1), step(2, "repeat"))
    assert kept.before == 1
    assert passed(kept, step(3, "resolved"), age=0.0) == ([], {2: OVER, 3: UNHEARD})


def test_a_message_that_somebody_queued_anew_behind_the_end_takes_the_place_of_nothing():
    assert passed(step(2, "resolved"), step(3, "firing")) is None
    assert passed(step(1, "repeat"), step(2, "resolved"), step(3, "firing")) == ([2, 3], {1: OVER})
    assert passed(group(1, [], ["p-1"]), group(2, ["p-1"])) is None


def test_what_is_under_way_decides_about_the_end():
    went = {"a-1": Elsewhere("sms", perhaps=False)}
    assert passed(step(1, "repeat"), step(2, "resolved"), busy={1}, elsewhere=went) is None
    assert passed(step(1, "repeat"), step(2, "resolved"), elsewhere=went) == ([], {1: OVER, 2: UNHEARD})


def test_where_one_of_several_may_have_arrived_what_stands_for_them_may_have_too():
    for which in range(3):
        line = [step(1, "repeat"), step(2, "repeat"), step(3, "repeat")]
        line[which] = replace(line[which], perhaps=True)
        (kept,) = left(*line)
        assert kept.perhaps
    (kept,) = left(step(1, "repeat"), step(2, "repeat"))
    assert not kept.perhaps


def test_what_stands_for_a_first_message_is_the_first_only_where_none_of_them_may_have_arrived():
    for which, first in ((None, True), (0, False), (1, False)):
        line = [step(1, "firing"), step(2, "repeat"), step(3, "repeat")]
        if which is not None:
            line[which] = replace(line[which], perhaps=True)
        (kept,) = left(*line)
        assert kept.notification.body.get("first", False) is first


def test_an_end_is_told_here_where_anything_of_the_episode_may_have_arrived_here_though_it_went_elsewhere():
    for here, there, lines in ((False, False, []), (True, False, [2]), (False, True, [2])):
        went = {"a-1": Elsewhere("sms", perhaps=there)}
        assert passed(step(1, "repeat", perhaps=here), step(2, "resolved"), elsewhere=went)[0] == lines


# a group


def ids(queued):
    return [each["id"] for each in queued.notification.body["alerts"]]


def test_of_a_group_only_the_newest_is_left_with_what_is_over_in_the_older_ones():
    older, newest = group(1, ["p-1", "q-1"], ["r-1"]), group(2, ["p-1"], ["q-1"])
    (kept,) = left(older, newest)
    assert ids(kept) == ["p-1-firing", "q-1-resolved", "r-1-resolved"]
    assert kept.notification.body["count"] == 3
    assert kept.notification.body["state"] == "firing"
    assert kept.notification.body["summary"].endswith("; and 1 more")
    assert kept.parts == (older, newest)


def test_an_older_message_of_a_group_is_kept_on_disk_only_where_it_tells_something_of_its_own():
    assert passed(group(1, ["p-1"]), group(2, ["p-1", "q-1"])) == ([2], {1: NEWER})
    assert passed(group(1, ["p-1"], ["q-1"]), group(2, ["p-1"])) == ([2], {})


def test_a_member_that_fires_in_the_older_message_is_dropped_because_the_newest_says_how_it_is():
    (kept,) = left(group(1, ["p-1", "q-1"], ["x-1"]), group(2, ["p-1"], ["q-1"]))
    assert "q-1-firing" not in ids(kept)


def test_what_is_over_goes_on_from_message_to_message_and_none_of_it_twice():
    (kept,) = left(group(1, ["p-1", "q-1"], ["r-1"]), group(2, ["p-1"], ["q-1"]))
    (kept,) = left(kept, group(3, ["p-1"]))
    (kept,) = left(kept, group(4, ["p-1", "s-1"]))
    assert ids(kept) == ["p-1-firing", "s-1-firing", "r-1-resolved", "q-1-resolved"]
    assert [part.row for part in kept.parts] == [1, 2, 4], "the third told nothing of its own"


def test_what_was_under_way_and_failed_comes_into_what_waited_behind_it():
    behind = pass_over([group(1, ["p-1"]), group(2, ["p-1"], ["q-1"]), group(3, ["p-1"])], {1}, {}, lambda _: LATE)
    (kept,) = left(group(1, ["p-1"], ["r-1"], attempts=1), behind.line[1])
    assert ids(kept) == ["p-1-firing", "r-1-resolved", "q-1-resolved"]
    assert [part.row for part in kept.parts] == [1, 2, 3]


def test_a_group_of_which_nothing_was_heard_and_all_is_over_is_not_told():
    assert passed(group(1, ["p-1"], first=True), group(2, [], ["p-1"])) == ([], {1: OVER, 2: UNHEARD})
    assert passed(group(1, ["p-1"], first=True, perhaps=True), group(2, [], ["p-1"])) == ([2], {1: OVER})
    assert passed(group(1, ["p-1"]), group(2, [], ["p-1"])) == ([2], {1: OVER})


def test_what_is_first_of_a_group_is_told_as_first_when_a_newer_one_stands_for_it():
    (kept,) = left(group(1, ["p-1"], first=True), group(2, ["p-1", "q-1"]))
    assert kept.notification.body["first"] is True
    assert passed(kept, group(3, [], ["p-1", "q-1"])) == ([], {2: OVER, 3: UNHEARD})


def test_events_are_told_though_nothing_of_the_group_was_heard_and_it_is_over():
    older, newest = group(1, ["p-1"], first=True), group(2, [], ["p-1"])
    older.notification.body["alerts"].append({"id": "e-1", "state": "event"})
    older.notification.body["count"] += 1
    (kept,) = left(older, newest)
    assert ids(kept) == ["p-1-resolved", "e-1"]


def test_of_a_group_that_tells_of_events_alone_one_message_is_left_with_all_of_them():
    def rang(row):
        body = {"state": "event", "alerts": [{"id": f"bell-{row}", "state": "event"}], "count": 1}
        return Queued(row, replace(notification(order="g", **body), id=f"g-1-group-{row}"))

    (kept,) = left(rang(1), rang(2), rang(3))
    assert (kept.row, kept.notification.body["count"]) == (3, 3)
    assert {each["id"] for each in kept.notification.body["alerts"]} == {"bell-1", "bell-2", "bell-3"}


def test_messages_that_an_earlier_version_queued_are_one_episode():
    made = [group(1, ["p-1"], ["q-1"]), group(2, ["p-1"])]
    old = [replace(each, notification=replace(each.notification, id=f"0123-{each.row}-group")) for each in made]
    (kept,) = left(*old)
    assert ids(kept) == ["p-1-firing", "q-1-resolved"]


def test_ids_of_one_episode_have_its_mark_in_common():
    assert episode_id("0123456789abcdef-7-group-3") == "0123456789abcdef-7"
    assert episode_id("0123456789abcdef-3-group") == "0123456789abcdef"
    assert episode_id("0123456789abcdef-7-firing") == episode_id("0123456789abcdef-7-repeat-2") == "0123456789abcdef-7"


# folding

MEMBERS = st.lists(
    st.builds(
        lambda n, state: {"id": f"{n}-{state}", "state": state},
        st.integers(0, 150),
        st.sampled_from(["firing", "resolved", "event"]),
    ),
    max_size=GROUP_ALERTS,
    unique_by=lambda each: each["id"],
).map(lambda members: sorted(members, key=lambda each: each["state"] != "firing"))


@given(MEMBERS, st.lists(MEMBERS, max_size=4), st.integers(0, 5))
def test_every_member_that_is_over_is_shown_or_counted_once(newest, older, hidden):
    bodies = [{"alerts": members, "count": len(members) + hidden} for members in older]
    body, gave = folded({"alerts": newest, "count": len(newest)}, bodies)
    has = {each["id"] for each in newest}
    news = {each["id"] for members in older for each in members if each["state"] != "firing"} - has
    unseen = sum(hidden for members in older if any(each["state"] != "firing" for each in members))
    shown = [each["id"] for each in body["alerts"]]
    assert shown[: len(newest)] == [each["id"] for each in newest]
    assert len(shown) == len(set(shown)) == min(GROUP_ALERTS, len(newest) + len(news))
    assert set(shown) <= has | news
    assert body["count"] == len(newest) + len(news) + unseen
    assert any(gave) == (body["count"] > len(newest))


# the lane


def test_the_newest_goes_out_in_the_turn_of_the_oldest():
    clock = ManualClock(1000.0)
    lane = Lane(clock, concurrency=1)
    loaded(lane, Queued(9, notification(9, order="z")))
    busy = lane.take()
    for row, order in ((10, "a"), (11, "b"), (12, "c")):
        lane.offer(Queued(row, told(order, 1, "firing", row, 1000.0)))
    clock.advance(LATE)
    for row, order in ((13, "b"), (14, "a")):
        lane.offer(Queued(row, told(order, 1, "repeat", row, clock.now())))
    lane.finish(busy)
    sent = []
    while (queued := lane.take()) is not None:
        sent.append(queued.row)
        lane.finish(queued)
    assert sent == [14, 13, 12]
    assert lane.empty()


def test_a_newer_message_does_not_end_a_back_off():
    clock = ManualClock(1000.0)
    lane = Lane(clock)
    loaded(lane, step(1, "firing"))
    lane.again(replace(lane.take(), attempts=1, next_at=clock.now() + 100.0))
    for row in (2, 3, 4):
        clock.advance(20.0)
        lane.offer(step(row, "repeat"))
        assert lane.take() is None
    assert lane.due() == clock.monotonic() + 40.0
    clock.advance(40.0)
    assert lane.take().row == 4
    assert lane.take() is None


def test_a_newer_message_does_not_begin_the_patience_anew():
    clock = ManualClock(1000.0)
    lane = Lane(clock)
    lane.lines.set_patience(60.0)
    loaded(lane, Queued(1, told("a", 1, "firing", 1, 1000.0)))
    for row in (2, 4):
        clock.advance(25.0)
        lane.offer(Queued(row, told("a", 1, "repeat", row, clock.now())))
        lane.offer(Queued(row + 1, told("b", row, "firing", row, clock.now())))
    clock.advance(10.0)
    assert [each.row for each in lane.lines.expired()] == [4]
    clock.advance(25.0)
    assert [each.row for each in lane.lines.expired()] == [3]


def held_back(*rows):
    """A lane whose receiver waits: all of these are late."""
    lane = Lane(ManualClock(1_000_000.0))
    lane.load([], 1, 0)
    lane.hold_back(60.0)
    for each in rows:
        lane.offer(each)
    return lane


def test_when_somebody_drops_the_newest_of_a_group_what_it_told_of_the_others_stays():
    rows = group(1, ["p-1", "q-1"], ["r-1"]), group(2, ["p-1"], ["q-1"]), group(3, [], ["p-1"])
    lane = held_back(*rows)
    assert lane.lines.held == 1
    assert lane.withdraw(3, "g").row == 3
    lane.clock.advance(60.0)
    kept = lane.take()
    assert ids(kept) == ["p-1-firing", "q-1-resolved", "r-1-resolved"]
    lane.finish(kept)
    assert lane.empty()


def test_when_somebody_drops_an_older_one_of_a_group_the_newest_tells_no_more_of_it():
    lane = held_back(group(1, ["p-1"], ["r-1"]), group(2, ["p-1"], ["q-1"]), group(3, ["p-1"]))
    assert lane.withdraw(1, "g").row == 1
    lane.clock.advance(60.0)
    kept = lane.take()
    assert ids(kept) == ["p-1-firing", "q-1-resolved"]
    assert lane.lines.sending(2, "g"), "it is told with what is under way"
    assert not lane.lines.sending(1, "g")


def test_after_a_restart_a_groups_message_that_failed_waits_though_what_it_stands_for_was_never_tried():
    clock = ManualClock(1000.0)
    lane = Lane(clock)
    rows = group(1, ["p-1"], ["r-1"]), group(2, ["p-1"], ["q-1"])
    failed = group(3, ["p-1"], attempts=1, next_at=clock.now() + 60.0)
    clock.advance(LATE_SECONDS)
    lane.load([replace(each, perhaps=True) for each in (*rows, failed)], 4, 0)
    assert lane.take() is None
    assert lane.due() == clock.monotonic() + 60.0 - LATE_SECONDS
    clock.advance(60.0)
    kept = lane.take()
    assert (kept.row, ids(kept)) == (3, ["p-1-firing", "r-1-resolved", "q-1-resolved"])


def test_emptied_for_another_receiver_a_lane_gives_each_of_a_group_as_it_was():
    rows = [group(1, ["p-1"], ["r-1"]), group(2, ["p-1"], ["q-1"]), group(3, ["p-1"])]
    assert held_back(*rows).clear() == rows


def test_a_message_that_fires_again_and_again_costs_no_more_memory_than_one():
    lane = held_back(*(Queued(row, told("a", 1, "repeat", row)) for row in range(1, 1000)))
    assert lane.lines.held == 1
    assert len(lane.lines._born) == 2, "its own time, and that of the first"
    assert lane.standing(())[0] == 1


def test_what_has_waited_counts_from_the_oldest_though_that_is_not_sent():
    clock = ManualClock(1000.0)
    lane = Lane(clock)
    loaded(lane, Queued(1, told("a", 1, "firing", 1, 1000.0)))
    clock.advance(100.0)
    lane.offer(Queued(2, told("a", 1, "repeat", 2, clock.now())))
    assert lane.standing(()) == (1, 1000.0)
