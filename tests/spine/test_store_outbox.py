"""outbox: rows numbered as they are queued, results gathered into few commits."""

import asyncio
from dataclasses import replace

import pytest

from hub.clock import ManualClock
from hub.limits import SETTLE_SECONDS, SETTLE_WINDOW
from hub.model import Notification
from hub.notify.lanes.lane import Lane
from hub.notify.outbox_port import Entered, Queued, Settled
from hub.spine.store_outbox import StoreOutbox, outbox_row
from hub.store.changes import Changes
from hub.store.memory import MemoryStore
from hub.store.sqlite.writer import SqliteStore

NOW = 1000.0, 1000.0


def notification(identity, receiver="chat"):
    return Notification(identity, receiver, "lane", {"text": "é", "n": 1}, 1000.25)


@pytest.fixture(params=["sqlite", "memory"])
async def store(request, tmp_path):
    store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "hub.db", lambda _: None)
    yield store
    await store.close()


async def commit(store, **changes):
    done = asyncio.get_running_loop().create_future()
    store.commit(Changes(**changes), done.set_result)
    assert await asyncio.wait_for(done, 10) is None


def settled(row, state="delivered"):
    return Settled(row, state, 1, 5.0, "why")


async def test_rows_go_on_behind_the_last_one_and_come_back_as_they_were_queued(store):
    outbox = StoreOutbox(store, 6)
    queued = outbox.enter([notification("a"), notification("b")], *NOW)
    queued += outbox.enter([notification("c", "mail")], *NOW)
    assert [each.row for each in queued] == [7, 8, 9]
    await commit(store, queued=[outbox_row(each) for each in queued])
    assert await outbox.queued("chat", 0, 10) == queued[:2]
    assert await outbox.queued("chat", 7, 10) == queued[1:2]
    assert sorted(await outbox.receivers()) == ["chat", "mail"]


async def test_results_are_taken_once_by_the_commit_that_is_made_and_a_retry_keeps_its_row(store):
    outbox = StoreOutbox(store, 0)
    await commit(
        store, queued=[outbox_row(each) for each in outbox.enter([notification("a"), notification("b")], *NOW)]
    )
    outbox.settle([settled(1), settled(2, "retry")])
    await commit(store, settled=outbox.take_settled())
    assert outbox.take_settled() == []
    assert await outbox.queued("chat", 0, 10) == [Queued(2, notification("b"), 1, 5.0, perhaps=True)]


async def test_a_result_waits_a_moment_for_others_and_then_wants_a_commit(store):
    assert SETTLE_SECONDS <= 0.1
    outbox, wanted = StoreOutbox(store, 0), []
    outbox.want_commit = lambda: wanted.append(len(outbox._settled))
    outbox.settle([settled(1)])
    outbox.settle([settled(2)])
    assert wanted == []
    async with asyncio.timeout(5):
        while not wanted:
            await asyncio.sleep(0.005)
    assert wanted == [2]


async def test_a_full_window_of_results_wants_a_commit_at_once(store):
    outbox, wanted = StoreOutbox(store, 0), []
    outbox.want_commit = lambda: wanted.append(True)
    outbox.settle([settled(row) for row in range(SETTLE_WINDOW - 1)])
    assert wanted == []
    outbox.settle([settled(99)])
    assert wanted == [True]


async def test_a_commit_that_came_by_itself_leaves_no_timer_behind(store):
    outbox, wanted = StoreOutbox(store, 0), []
    outbox.want_commit = lambda: wanted.append(True)
    outbox.settle([settled(1)])
    outbox.take_settled()
    await asyncio.sleep(2 * SETTLE_SECONDS)
    assert wanted == []


async def test_what_goes_to_a_fallback_enters_with_the_commit_that_settles_the_first_one(store):
    outbox = StoreOutbox(store, 1)
    first = Notification("f-1-firing", "chat", "f", {"state": "firing"}, 1000.0)
    await commit(store, queued=[outbox_row(Queued(1, first))])
    copy = replace(first, receiver="sms", created=1600.0)
    outbox.settle([Settled(1, "dead", 3, 0.0, "why", Entered(copy, handed=True))])
    entering = outbox.enter(outbox.take_entering(), *NOW)
    handed, closed, dropped = outbox.take_marks()
    assert [(each.row, each.notification) for each in entering] == [(2, copy)]
    await commit(
        store,
        queued=[outbox_row(each) for each in entering],
        settled=outbox.take_settled(),
        handed=handed,
        closed=closed,
        dropped=dropped,
    )
    assert await outbox.queued("sms", 0, 10) == entering
    assert await outbox.queued("chat", 0, 10) == []
    assert await outbox.handed() == [("chat", "f-1-firing", "sms")]

    end = Entered(replace(copy, id="f-1-resolved"), closes="chat")
    outbox.settle([Settled(9, "delivered", 1, 0.0, "", end)])
    marks = outbox.take_marks()
    await commit(store, settled=outbox.take_settled(), handed=marks[0], closed=marks[1])
    assert await outbox.handed() == []
    assert outbox.take_entering()[0].id == "f-1-resolved"


async def test_what_heirs_are_told_enters_with_the_commit_that_settles_the_row_of_who_is_gone(store):
    outbox = StoreOutbox(store, 0)
    told = Notification("f-1-firing", "old", "f", {"state": "firing"}, 5.0)
    await commit(store, queued=[outbox_row(each) for each in outbox.enter([told], *NOW)])
    heirs = tuple(Entered(replace(told, receiver=name)) for name in ("chat", "mail"))
    outbox.settle([Settled(1, "superseded", 2, 0.0, "its receiver is gone", heirs=heirs)])
    entering = outbox.take_entering()
    assert entering == [each.notification for each in heirs]
    entered = [outbox_row(each) for each in outbox.enter(entering, *NOW)]
    await commit(store, queued=entered, settled=outbox.take_settled())
    assert [each.notification for each in await outbox.queued("mail", 0, 9)] == [replace(told, receiver="mail")]
    assert sorted(await outbox.receivers()) == ["chat", "mail"]


async def test_the_end_of_one_episode_leaves_the_mark_of_the_next(store):
    outbox = StoreOutbox(store, 0)
    rows = [outbox_row(Queued(row, Notification(f"f-{row}-firing", "chat", "f", {}, 1.0))) for row in (1, 12)]
    marks = [(1, "sms"), (12, "sms")]
    await commit(store, queued=rows, settled=[(1, "dead", 1, 0, ""), (12, "dead", 1, 0, "")], handed=marks)
    await commit(store, settled=[(99, "delivered", 1, 0, "")], closed=[("chat", "f-1"), ("mail", "f-12")])
    assert await outbox.handed() == [("chat", "f-12-firing", "sms")]


async def test_a_superseded_row_is_gone(store):
    outbox = StoreOutbox(store, 0)
    await commit(store, queued=[outbox_row(each) for each in outbox.enter([notification("a")], *NOW)])
    outbox.settle([settled(1, "superseded")])
    await commit(store, settled=outbox.take_settled())
    assert await store.read(lambda reader: reader.outbox((), "", "", 10)) == []


async def test_a_dead_letter_revived_is_a_new_row_of_now_and_the_old_one_is_gone(store):
    outbox = StoreOutbox(store, 0)
    await commit(
        store, queued=[outbox_row(each) for each in outbox.enter([notification("a"), notification("b")], *NOW)]
    )
    await commit(store, settled=[(1, "dead", 7, 0.0, "410 Gone")])
    (dead,) = await store.read(lambda reader: reader.outbox((), "chat", "dead", 10))
    assert (dead.id, dead.attempts, dead.reason) == ("a", 7, "410 Gone")
    outbox.revive([dead], 5000.0)
    again = outbox.enter(outbox.take_entering(), *NOW)
    await commit(store, queued=[outbox_row(each) for each in again], dropped=outbox.take_marks()[2])
    assert again == [Queued(3, replace(notification("a"), created=5000.0))]
    assert [each.notification.id for each in await outbox.queued("chat", 0, 10)] == ["b", "a"]


async def test_what_was_queued_before_this_process_began_may_have_been_sent(store):
    await commit(store, queued=[outbox_row(Queued(1, notification("a")))])
    outbox = StoreOutbox(store, 1)
    await commit(store, queued=[outbox_row(each) for each in outbox.enter([notification("b")], *NOW)])
    assert [each.perhaps for each in await outbox.queued("chat", 0, 10)] == [True, False]


async def test_how_old_a_notification_is_counts_from_before_its_commit_whatever_the_wall_clock_is_set_to(store):
    outbox = StoreOutbox(store, 0)
    clock = ManualClock(1000.0)
    (queued,) = outbox.enter([replace(notification("a"), created=990.0)], clock.now(), clock.monotonic())
    lane = Lane(clock)
    lane.behind = False
    clock.set(3600.0)
    lane.offer(queued)
    assert lane.lines.age(queued) == 10.0
