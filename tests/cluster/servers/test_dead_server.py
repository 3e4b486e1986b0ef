"""A link whose first servers are not there: it says why, and goes on with the next at once."""

import asyncio
import contextlib
from dataclasses import replace

import pytest

from hub.cluster.servers.link import Link
from hub.documents.secret import Secret
from hub.operate.mosquitto import free_port
from hub.settings.cluster_settings import ClusterSettings
from tests.support.record import Record
from tests.support.servers import PLAIN_PASSWORD, NatsServer


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with NatsServer(tmp_path_factory.mktemp("nats")) as made:
        yield made


@pytest.fixture
def settings(server):
    urls = [f"nats://127.0.0.1:{free_port()}", f"nats://127.0.0.1:{free_port()}", server.address]
    return ClusterSettings(tuple(map(Secret, urls)), "t", "a", user="hub", password=Secret(PLAIN_PASSWORD))


@contextlib.asynccontextmanager
async def running(link):
    task = asyncio.create_task(link.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_servers_that_are_not_there_are_passed_over_at_once(settings, server):
    link = Link(settings, "test", lambda _: None)
    async with running(link):
        await asyncio.wait_for(link.ready(), 2)
        assert link.server["port"] == server.port


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"nats": (Secret("nats://127.0.0.1:1"),)}, "Connect call failed"),
        ({"nats": (Secret("nats://nowhere.invalid:4222"),)}, "Name or service not known"),
        ({"password": Secret("wrong")}, "Authorization Violation"),
    ],
)
async def test_why_no_server_takes_us_is_told(settings, change, why):
    told = Record()
    made = replace(settings, **{"nats": settings.nats[-1:], **change})
    async with running(Link(made, "test", told.add)):
        await told.first(lambda said: why in said)  # a server that refuses us may also reset the connection, first


async def test_a_link_ends_at_whatever_moment_of_a_refused_connection_it_is_cancelled():
    dead = ClusterSettings((Secret(f"nats://127.0.0.1:{free_port()}"),), "t", "a")
    for turns in range(80):
        task = asyncio.create_task(Link(dead, "test", lambda _: None).run())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=5)
        assert done, f"cancelled after {turns} turns of the loop, it goes on"
