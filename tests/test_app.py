"""app: every task of a hub ends with it, also one that forgets that it was told to; and what a start leaves behind."""

import asyncio
import gc
import weakref
from dataclasses import replace

import pytest

from hub.app import App
from hub.clock import SystemClock
from hub.config import load_settings
from hub.errors import ConnectionRefused, StoreUnusable
from hub.node.opening import open_state
from hub.observer import Observer
from hub.spine import crew


class Forgetful:
    """Runs on where it is cancelled for the first time, as a library may do."""

    name = "forgetful"

    def __init__(self):
        self.forgot = False

    async def run(self, _):
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.forgot = True
        await asyncio.Event().wait()


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Make a hub with a forgetful part, for this password at the broker."""
    monkeypatch.setattr(crew, "_INSIST_SECONDS", 0.05)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").mkdir()

    def make(broker, password):
        url, forgetful = f"mqtt://hub:{password}@127.0.0.1:{broker.port}", Forgetful()
        settings = load_settings(None, broker=url, rules=[tmp_path / "rules"])
        return App(settings, Observer(), beside=[forgetful]), forgetful

    return make


async def test_a_refused_login_ends_it_although_a_task_forgets_that_it_was_cancelled(made, broker):
    app, forgetful = made(broker, "wrong")
    async with asyncio.timeout(20):
        with pytest.raises(ConnectionRefused, match="not authorized"):
            await app.run()
    assert forgetful.forgot


async def test_a_stop_ends_it_although_a_task_forgets_that_it_was_cancelled(made, broker):
    app, forgetful = made(broker, broker.settings("hub").password.reveal())
    async with asyncio.timeout(20):
        running = asyncio.create_task(app.run())
        while not hasattr(app, "unit") or not app.tally.connected:
            await asyncio.sleep(0.01)
        app.stop()
        await running
    assert forgetful.forgot


class Rows(list):
    """Rows of the store, of which can be known whether somebody has them still."""


async def test_the_rows_that_a_start_has_read_are_let_go(made, broker):
    app, _ = made(broker, broker.settings("hub").password.reveal())
    read = []

    async def opening(trouble, say, stop):
        found = await open_state(app.settings.state, trouble, say, stop, SystemClock())
        rows = Rows(found.snapshot.instances)
        read.append(weakref.ref(rows))
        return found._replace(snapshot=replace(found.snapshot, instances=rows))

    app._opening = opening
    async with asyncio.timeout(20):
        running = asyncio.create_task(app.run())
        while not hasattr(app, "unit") or not app.tally.connected:
            await asyncio.sleep(0.01)
        assert [each() for each in read] == [None]
        app.stop()
        await running


async def test_a_start_that_fails_leaves_the_search_for_garbage_on(made, broker):
    app, _ = made(broker, broker.settings("hub").password.reveal())

    async def opening(trouble, say, stop):
        found = await open_state(app.settings.state, trouble, say, stop, SystemClock())
        return found._replace(snapshot=replace(found.snapshot, alerts=[("fingerprint", "[]")]))

    app._opening = opening
    with pytest.raises(StoreUnusable, match="of the table alerts cannot be read"):
        await app.run()
    assert gc.isenabled()
