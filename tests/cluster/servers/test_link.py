"""link: one connection to real servers, reached by proxies that a test cuts."""

import asyncio
import contextlib
import os
import time
from contextlib import asynccontextmanager

import pytest

from hub.cluster.servers.link import Link, LinkError, NobodyAnswers
from hub.documents.secret import Secret
from hub.limits import LINK_PATIENCE_SECONDS
from hub.settings.cluster_settings import ClusterSettings
from tests.support import prefork
from tests.support.nats_cluster import NatsCluster, Reached, settings_of
from tests.support.proxy import Proxy
from tests.support.record import Record
from tests.support.servers import PLAIN_PASSWORD


def reach(*ports):
    urls = tuple(Secret(f"nats://127.0.0.1:{port}") for port in ports)
    return ClusterSettings(urls, "t", "a", user="hub", password=Secret(PLAIN_PASSWORD))


@asynccontextmanager
async def running(settings):
    said = Record()
    link = Link(settings, "test", said.add)
    link.heard = said
    task = asyncio.create_task(link.run())
    try:
        yield link
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def nothing(*_):
    pytest.fail("it answered")


async def test_a_request_fails_at_once_where_the_connection_is_lost_under_it(log_servers):
    async with Proxy(log_servers.ports[0]) as proxy, running(reach(proxy.port)) as link:
        await link.ready()
        lost = []
        link.lost = lambda: lost.append(link.connected)
        await link.listen("t.silent", _say_nothing)
        asking = asyncio.create_task(link.request("t.silent", seconds=30))
        await asyncio.sleep(0.1)
        begun = time.monotonic()
        proxy.cut()
        with pytest.raises(LinkError, match="connection was lost"):
            await asking
        assert time.monotonic() - begun < 1
        assert lost == [False]


async def test_what_is_published_without_a_connection_is_refused_and_never_sent_later(log_servers):
    async with (
        Proxy(log_servers.ports[0]) as proxy,
        running(reach(proxy.port)) as link,
        running(settings_of(log_servers)) as other,
    ):
        await asyncio.gather(link.ready(), other.ready())
        came = Record()
        await other.listen("t.word", keeping(came))
        await other._client.flush()  # behind the subscription
        assert await link.publish("t.word", b"before")
        await came.first(lambda data: data == b"before")
        proxy.hold()
        proxy.cut()
        await link.heard.until(lambda said: len(said) > 1)
        assert not await link.publish("t.word", b"lost")
        with pytest.raises(LinkError, match="no NATS server can be reached"):
            await link.request("t.word", b"lost")
        proxy.resume()
        await link.ready()
        assert await link.publish("t.word", b"after")
        await came.first(lambda data: data == b"after")
        assert list(came) == [b"before", b"after"]
        assert link.heard[-1] == ""


async def test_listeners_come_back_on_the_next_connection_also_those_that_came_between(log_servers):
    async with (
        Proxy(log_servers.ports[0]) as proxy,
        running(reach(proxy.port)) as link,
        running(settings_of(log_servers)) as other,
    ):
        came = Record()
        await link.listen("t.early", keeping(came))  # there is no connection yet
        await asyncio.gather(link.ready(), other.ready())
        await link.listen("t.there", keeping(came))
        proxy.cut()
        await link.heard.until(lambda said: len(said) > 1)
        await link.listen("t.between", keeping(came))
        await link.ready()
        await link._client.flush()
        for name in (b"early", b"there", b"between"):
            assert await other.publish(f"t.{name.decode()}", name)
        await came.until(lambda came: len(came) == 3, 10)


async def test_a_listener_that_comes_while_the_connection_is_made_is_subscribed_to(log_servers):
    link = Link(settings_of(log_servers), "test", lambda _: None)
    subscribed = []

    class Connecting:
        async def subscribe(self, subject, cb):
            subscribed.append((subject, cb))
            await asyncio.sleep(0)

        async def flush(self, _):
            if len(link._listeners) == 1:
                await link.listen("t.late", nothing)

    await link.listen("t.first", nothing)
    await link._subscribe(Connecting())
    assert subscribed == [("t.first", nothing), ("t.late", nothing)]


async def test_the_next_server_is_tried_at_once_where_one_is_dead_and_soon_where_one_is_silent(log_servers):
    dead = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = dead.sockets[0].getsockname()[1]
    dead.close()
    await dead.wait_closed()
    begun = time.monotonic()
    async with running(reach(port, log_servers.ports[1])) as link:
        await link.ready()
        assert time.monotonic() - begun < 1
        assert link.server["server_name"] == "n1"
    async with Proxy(log_servers.ports[0]) as silent:
        silent.hold()
        begun = time.monotonic()
        async with running(reach(silent.port, log_servers.ports[2])) as link:
            await link.ready()
            assert time.monotonic() - begun < 4
            assert link.server["server_name"] == "n2"


async def test_each_reason_why_no_server_can_be_reached_is_said_once(log_servers):
    wrong = ClusterSettings(settings_of(log_servers).nats, "t", "a", user="hub", password=Secret("no"))
    async with running(wrong) as link:
        await link.heard.first(lambda said: "uthorization" in said)
        await asyncio.sleep(0.5)
        assert len(link.heard) == len(set(link.heard))
        assert not link.connected


async def test_a_subject_to_which_nobody_listens_says_so(log_servers):
    async with running(settings_of(log_servers)) as link:
        await link.ready()
        with pytest.raises(NobodyAnswers, match=r"nobody answers on t\.nobody"):
            await link.request("t.nobody")
        await link.listen("t.silent", _say_nothing)
        with pytest.raises(LinkError, match="no answer") as error:
            await link.request("t.silent", seconds=0.2)
        assert not isinstance(error.value, NobodyAnswers)


async def _say_nothing(_):
    pass


def keeping(came):
    async def keep(message):
        came.add(message.data)

    return keep


async def test_the_next_server_is_tried_where_one_stands_still_while_much_is_sent_to_it(tmp_path):
    with NatsCluster(tmp_path, 2) as servers:
        await _stands_still(*servers.servers)


async def _stands_still(frozen, next_one):
    async with running(reach(frozen.port, next_one.port)) as link:
        await link.ready()
        frozen.freeze()
        try:
            begun, much = time.monotonic(), bytes(7 << 20)
            with pytest.raises(LinkError, match="timeout"):
                await link.request("t.much", much)
            assert time.monotonic() - begun < 3, "its time is that of the whole request"
            while link.server.get("server_name") != "n1":
                assert time.monotonic() - begun < 10, "two pings were not answered"
                with contextlib.suppress(LinkError):
                    await link.request("t.much", much)
                await asyncio.sleep(0.05)
            assert "the server does not answer" in link.heard
        finally:
            frozen.thaw()


async def test_a_server_that_takes_too_little_in_one_message_is_passed_over_and_named_where_it_is_the_only_one(
    tmp_path,
):
    servers = NatsCluster(tmp_path, 2)
    servers.servers[0].payload = 64 << 10
    with servers:
        async with running(settings_of(servers)) as link:
            await link.ready()
            assert link.server["server_name"] == "n1"
        async with running(reach(servers.ports[0])) as link:
            said = await link.heard.first(lambda _: True)
            assert said.startswith(
                "the server n0 takes 64 KB in one message, and a hub needs 128 KB: write max_payload:"
            )
            assert not link.connected
        lonely = Reached(servers.ports[:1]).yaml_of()
        (tmp_path / "hub.yaml").write_text(f"cluster: {{{lonely}, node: a}}\n", "utf-8")
        for words in (("create",), ("status",), ("status", "--json")):
            begun = time.monotonic()
            process = await prefork.start("cluster", *words, "-c", "hub.yaml", cwd=tmp_path, env=os.environ)
            _, err = await process.communicate()
            assert (process.returncode, err.decode()) == (1, f"hub: no NATS server can be reached: {said}\n")
            assert time.monotonic() - begun < LINK_PATIENCE_SECONDS, "to wait would not help"
