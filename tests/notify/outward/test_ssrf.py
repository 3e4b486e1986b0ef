"""A host that an event chooses leads nowhere but to the public Internet."""

import asyncio
import socket
import threading
import types

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver
from hypothesis import given
from hypothesis import strategies as st

from hub.documents.document import Problems, parse_document
from hub.limits import HOST_LOOKUPS
from hub.model import Delivered, Rejected
from hub.notify.outward import ssrf
from hub.notify.outward.http import http_client
from hub.notify.outward.ssrf import Forbidden, Names, SsrfGuard, forbidden
from hub.notify.receiver_settings import build_receiver, read_receivers
from hub.notify.receivers import webhook
from tests.notify.fakes import notification, toolbox
from tests.notify.listener import Listener

PRIVATE = """
127.0.0.1 127.8.8.8 0.0.0.0 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 100.100.100.200 224.0.0.1
255.255.255.255 168.63.129.16 ::1 :: fe80::1 fe80::1%eth0 fc00::1 fd00:ec2::254 ff02::1 ::ffff:127.0.0.1
::ffff:10.0.0.1 2002:7f00:1:: 2002:a00:1:: 64:ff9b::a9fe:a9fe 64:ff9b::7f00:1
fec0::1 feff::1 64:ff9b:1::1 64:ff9b:1:ffff::101:101 ::127.0.0.1 ::10.0.0.1 ::1.1.1.1 ::ffff:169.254.169.254
::ffff:0:127.0.0.1 ::ffff:0:10.0.0.1 ::ffff:0:1.1.1.1 2002:101:101:: 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:20::1
2001:db8::1 3fff::1 100::1 5f00::1 fe80::1%25eth0 febf::1 fdff:: ff0e::1 4000::1
0.1.2.3 100.127.255.255 127.255.255.255 169.254.0.1 172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1
198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 239.255.255.250 240.0.0.1 ::ffff:192.0.0.192 64:ff9b::100.64.0.1
64:ff9b::e000:1
"""


@pytest.mark.parametrize("address", PRIVATE.split())
def test_what_is_not_public_is_forbidden(address):
    assert forbidden(address)


@pytest.mark.parametrize(
    "address",
    [
        *("1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101", "100.63.255.255"),
        *("172.15.255.255", "172.32.0.1", "192.0.1.1", "223.255.255.254", "2001:200::1", "2a00:1450::1"),
    ],
)
def test_what_is_public_is_not(address):
    assert not forbidden(address)


@given(st.ip_addresses(v=4, network="10.0.0.0/8") | st.ip_addresses(v=4, network="127.0.0.0/8"))
def test_no_clothing_of_a_private_address_helps(address):
    assert forbidden(str(address))
    assert forbidden(f"::ffff:{address}")
    for net in ("64:ff9b::", "64:ff9b:1::", "::", "::ffff:0:"):
        assert forbidden(f"{net}{address}")
    assert forbidden(f"2002:{int(address) >> 16:x}:{int(address) & 0xFFFF:x}::1")


class Turning(AbstractResolver):
    """Names that change their address from one question to the next."""

    def __init__(self, *answers):
        self.answers, self.asked, self.closed = list(answers), 0, False

    async def resolve(self, host, port=0, _family=socket.AF_INET):
        self.asked += 1
        return [
            {"hostname": host, "host": each, "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}
            for each in self.answers.pop(0)
        ]

    async def close(self):
        self.closed = True


async def test_the_guard_closes_the_resolver_that_it_asks():
    inner = Turning()
    await SsrfGuard(inner).close()
    assert inner.closed


async def test_one_private_address_among_public_ones_is_enough():
    with pytest.raises(Forbidden):
        await SsrfGuard(Turning(["1.1.1.1", "127.0.0.1"])).resolve("h")


def receiver(http, url, **options):
    problems = Problems()
    more = "".join(f", {key}: {value}" for key, value in options.items())
    found = read_receivers(parse_document(f"ops: {{webhook: {{url: '{url}'{more}}}}}", "r.yaml", problems), problems)
    assert problems == []
    return build_receiver(found["ops"], toolbox(http))


@pytest.fixture
async def http():
    async with http_client() as session:
        yield session


@pytest.fixture
async def listener():
    async with Listener().listening() as running:
        yield running


async def attempt(made, host):
    try:
        return await asyncio.wait_for(made.send(notification(labels={"host": host})), 20)
    finally:
        await made.close()


SPELLINGS = ["127.1", "0x7f000001", "2130706433", "0177.0.0.1", "127.0.0.1.", "0x7f.1", "127.0.0.01", "0"]


@pytest.mark.parametrize("allowed", ["false", "true"])
@pytest.mark.parametrize("host", SPELLINGS)
async def test_old_spellings_of_an_address_are_no_host_names_even_where_private_ones_are_allowed(
    http, listener, host, allowed
):
    made = receiver(http, f"http://{{host}}:{listener.port}/x", allow_private=allowed)
    outcome = await attempt(made, host)
    assert outcome == Rejected(f"the host that the event names is refused: '{host}': it is no host name")
    assert listener.requests == []


async def test_a_redirect_leads_nowhere(http, listener):
    to = web.Response(status=302, headers={"Location": f"http://127.0.0.1:{listener.port}/secret"})
    listener.answers = [to]
    made = receiver(http, f"http://{{host}}:{listener.port}/x", allow_private="true")
    outcome = await attempt(made, "localhost")
    assert isinstance(outcome, Rejected)
    assert [path for _, path, _, _ in listener.requests] == ["/x"]


async def test_names_that_hang_hold_up_no_other_look_up_of_the_process(monkeypatch):
    hanging = threading.Event()

    def getaddrinfo(host, *_args, **_named):
        hanging.wait(20)
        return []

    names = Names()
    monkeypatch.setattr(ssrf, "socket", types.SimpleNamespace(getaddrinfo=getaddrinfo))
    asked = [asyncio.ensure_future(names.resolve(f"h{number}")) for number in range(HOST_LOOKUPS)]
    await asyncio.sleep(0)
    with pytest.raises(OSError, match="8 earlier attempts still hang"):
        await names.resolve("one.more")
    assert await asyncio.wait_for(asyncio.to_thread(int), 5) == 0
    hanging.set()
    assert await asyncio.gather(*asked) == [[]] * HOST_LOOKUPS
    assert await names.resolve("one.more") == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "169.254.169.254", "10.0.0.1"])
async def test_an_event_cannot_send_the_hub_to_its_own_network(http, listener, host):
    outcome = await attempt(receiver(http, f"http://{{host}}:{listener.port}/x"), host)
    assert outcome == Rejected("the host that the event names is refused: its address is not a public one")
    assert listener.requests == []


async def test_a_fixed_host_may_be_private_and_so_may_any_with_allow_private(http, listener):
    fixed = receiver(http, f"http://127.0.0.1:{listener.port}/{{host}}")
    assert await attempt(fixed, "../admin") == Delivered()
    allowed = receiver(http, f"http://{{host}}:{listener.port}/y", allow_private="true")
    assert await attempt(allowed, "localhost") == Delivered()
    assert [path for _, path, _, _ in listener.requests] == ["/..%2Fadmin", "/y"]


async def test_the_client_connects_to_the_address_that_was_looked_at_and_asks_no_second_time(
    http, listener, monkeypatch
):
    turning = Turning(["127.0.0.1"], ["127.0.0.2"], ["127.0.0.2"])
    monkeypatch.setattr(webhook, "guarded_client", lambda: http_client(SsrfGuard(turning)))
    monkeypatch.setattr(ssrf, "forbidden", lambda address: address == "127.0.0.2")
    made = receiver(http, f"http://{{host}}:{listener.port}/x")
    assert await made.send(notification(labels={"host": "turns.example"})) == Delivered()
    assert turning.asked == 1
    outcome = await attempt(made, "other.example")
    assert outcome == Rejected("the host that the event names is refused: its address is not a public one")
    assert len(listener.requests) == 1


def test_allow_private_beside_a_fixed_host_is_a_mistake():
    problems = Problems()
    text = "ops: {webhook: {url: 'http://h/{site}', allow_private: true}}"
    read_receivers(parse_document(text, "r.yaml", problems), problems)
    assert str(problems[0]).startswith("r.yaml:1:41: 'allow_private' is for a URL whose host comes from the event")
