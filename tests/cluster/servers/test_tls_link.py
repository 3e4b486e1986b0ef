"""A link over TLS to a real server, which dies: the reason is told, and asyncio says nothing beside."""

import asyncio
import logging
from dataclasses import replace

import trustme

from hub.cluster.servers.link import Link
from hub.documents.secret import Secret
from hub.settings.cluster_settings import ClusterSettings
from tests.support.nats_cluster import Node
from tests.support.proxy import Proxy
from tests.support.record import Record
from tests.support.servers import PLAIN_PASSWORD


class TlsNode(Node):
    """A server alone that speaks TLS only."""

    def more(self):
        files = f'cert_file: "{self.folder}/node.pem", key_file: "{self.folder}/node.key"'
        return f"tls: {{{files}}}\n"


def certify(authority, server):
    issued = authority.issue_cert("127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(server.folder / "node.pem")
    issued.private_key_pem.write_to_path(server.folder / "node.key")


def reach(ca, *servers):
    urls = tuple(Secret(f"tls://127.0.0.1:{server.port}") for server in servers)
    return ClusterSettings(urls, "t", "a", user="hub", password=Secret(PLAIN_PASSWORD), ca=ca)


async def test_a_server_with_a_foreign_certificate_is_told_and_the_next_one_is_taken(tmp_path):
    """nats-py's own close never ends behind a failed handshake."""
    ours, foreign = trustme.CA(), trustme.CA()
    wrong, right = TlsNode(tmp_path / "w", "w", [], 0), TlsNode(tmp_path / "r", "r", [], 0)
    certify(foreign, wrong)
    certify(ours, right)
    ours.cert_pem.write_to_path(tmp_path / "ca.pem")
    with wrong, right:
        assert "certificate is refused: " in await first_word(reach(tmp_path / "ca.pem", wrong))
        assert await first_word(reach(tmp_path / "ca.pem", wrong, right)) == ""


async def test_no_login_is_sent_to_a_server_that_speaks_no_tls_where_hub_yaml_asks_for_it(tmp_path):
    """Who stands between could leave out the word by which a server asks for TLS."""
    authority, plain = trustme.CA(), Node(tmp_path / "p", "p", [], 0)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with plain:
        async with Proxy(plain.port) as proxy:
            for scheme in ("tls", "nats"):
                url = Secret(f"{scheme}://127.0.0.1:{proxy.port}")
                said = await first_word(replace(reach(tmp_path / "ca.pem", plain), nats=(url,)))
                assert "the server speaks no TLS, and no login was sent to it" in said
            assert len(proxy.sent) == 2
            assert PLAIN_PASSWORD.encode() not in b"".join(map(bytes, proxy.sent))


async def first_word(settings):
    """Return what a link says first: why it has no connection, or "" where it has one."""
    said = Record()
    running = asyncio.create_task(Link(settings, "test", said.add).run())
    await said.until(len, 20)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return said[0]


async def test_a_server_that_dies_is_told_once_and_asyncio_says_nothing(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    authority, said = trustme.CA(), []
    server = TlsNode(tmp_path / "n", "n", [], 0, "2m")
    certify(authority, server)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    settings = reach(tmp_path / "ca.pem", server)
    told = asyncio.Event()

    def hear(why):
        said.append(why)
        if why:
            told.set()

    link = Link(settings, "test", hear)
    with server:
        running = asyncio.create_task(link.run())
        await link.ready()
        assert said == [""]
        await asyncio.to_thread(server.kill)
        async with asyncio.timeout(20):
            await told.wait()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert not [each.message for each in caplog.records if each.name == "asyncio" and each.levelno >= logging.WARNING]
