"""outbox: rows numbered as they are queued, results gathered into few commits."""

import asyncio

import pytest

from hub.limits import SETTLE_SECONDS, SETTLE_WINDOW
from hub.model import Notification
from hub.notify.outbox import Queued, Settled
from hub.outbox import StoreOutbox, outbox_row
from hub.store.changes import Changes
from hub.store.writer import Store


def notification(identity, receiver="chat"):
    return Notification(identity, receiver, "lane", {"text": "é", "n": 1}, 1000.25)


@pytest.fixture
async def store(tmp_path):
    store = Store(tmp_path / "hub.db", lambda _: None)
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
    queued = outbox.enter([notification("a"), notification("b")]) + outbox.enter([notification("c", "mail")])
    assert [each.row for each in queued] == [7, 8, 9]
    await commit(store, queued=[outbox_row(each) for each in queued])
    assert await outbox.queued("chat", 0, 10) == queued[:2]
    assert await outbox.queued("chat", 7, 10) == queued[1:2]
    assert sorted(await outbox.receivers()) == ["chat", "mail"]


async def test_results_are_taken_once_by_the_commit_that_is_made_and_a_retry_keeps_its_row(store):
    outbox = StoreOutbox(store, 0)
    await commit(store, queued=[outbox_row(each) for each in outbox.enter([notification("a"), notification("b")])])
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
