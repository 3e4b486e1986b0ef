"""Where the default address is taken, the hub runs without its HTTP interface and says so."""

import asyncio
import socket
from types import SimpleNamespace

import pytest

from hub.clock import ManualClock
from hub.config import HttpSettings
from hub.node.identity import identify
from hub.observer import Observer
from hub.operate.api.front.server import HttpServer, ListenError
from hub.operate.figures.figures import Figures
from hub.selfwatch.peers import ALONE
from hub.store.memory import MemoryStore


class Ears(Observer):
    def __init__(self):
        self.troubles = []

    def trouble(self, what, message):
        self.troubles.append((what, message))


@pytest.fixture
def taken():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen()
        yield bound.getsockname()[1]


def server(port, **more):
    return HttpServer(HttpSettings(port=port, **more), ManualClock(), Figures(), pytest.fail)


async def test_the_default_address_that_is_taken_is_told_and_the_hub_goes_on(taken):
    ears = Ears()
    await server(taken).run(SimpleNamespace(observer=ears))
    ((what, message),) = ears.troubles
    assert what == "http"
    assert f"cannot listen on 127.0.0.1:{taken}" in message
    assert "runs without its HTTP interface" in message


async def test_an_address_that_was_asked_for_and_is_taken_is_an_error(taken):
    with pytest.raises(ListenError, match="name another with --http"):
        await server(taken, asked=True).run(SimpleNamespace(observer=Ears()))


async def test_an_address_that_is_not_of_this_machine_is_an_error():
    with pytest.raises(ListenError, match="cannot listen on 192"):
        await server(8080, host="192.0.2.1", asked=True).run(SimpleNamespace(observer=Ears()))


class Stored:
    """What a server takes of an App before it listens: who it is, what is in its store, and what requests will need."""

    observer, clock = Observer(), ManualClock()
    unit, ask, settings, since, tracing, reload = SimpleNamespace(service=None), None, None, "", None, None
    peers = ALONE

    def __init__(self):
        self.mirror, self.identity = MemoryStore(), identify("memory", {})[0]


async def test_it_ends_when_it_is_cancelled_at_whatever_moment_of_its_start():
    app = Stored()
    for turns in range(60):
        server = HttpServer(HttpSettings(port=0), app.clock, Figures(), lambda _: None)
        serving = asyncio.create_task(server.run(app))
        for _ in range(turns):
            await asyncio.sleep(0)
        serving.cancel()
        await asyncio.wait({serving}, timeout=10)
        assert serving.cancelled(), f"cancelled after {turns} turns of the loop, it ran on: {serving}"
