"""A host that an event chooses leads nowhere but to the public Internet."""

import asyncio
import socket

import pytest
from aiohttp.abc import AbstractResolver
from hypothesis import given
from hypothesis import strategies as st

from hub.document import Problems, parse_document
from hub.model import Delivered, Rejected
from hub.notify import guard
from hub.notify.guard import Forbidden, Guard, forbidden
from hub.notify.http import http_client
from hub.notify.receivers import webhook
from hub.notify.settings import build_receiver, read_receivers
from tests.notify.fakes import notification, toolbox
from tests.notify.listener import Listener

PRIVATE = """
127.0.0.1 127.8.8.8 0.0.0.0 10.1.2.3 172.16.0.1 192.168.1.1 169.254.169.254 100.64.0.1 100.100.100.200 224.0.0.1
255.255.255.255 168.63.129.16 ::1 :: fe80::1 fe80::1%eth0 fc00::1 fd00:ec2::254 ff02::1 ::ffff:127.0.0.1
::ffff:10.0.0.1 2002:7f00:1:: 2002:a00:1:: 64:ff9b::a9fe:a9fe 64:ff9b::7f00:1
"""


@pytest.mark.parametrize("address", PRIVATE.split())
def test_what_is_not_public_is_forbidden(address):
    assert forbidden(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"]
)
def test_what_is_public_is_not(address):
    assert not forbidden(address)


@given(st.ip_addresses(v=4, network="10.0.0.0/8") | st.ip_addresses(v=4, network="127.0.0.0/8"))
def test_no_clothing_of_a_private_address_helps(address):
    assert forbidden(str(address))
    assert forbidden(f"::ffff:{address}")
    assert forbidden(f"64:ff9b::{address}")


class Turning(AbstractResolver):
    """Names that change their address from one question to the next."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), 0

    async def resolve(self, host, port=0, _family=socket.AF_INET):
        self.asked += 1
        return [
            {"hostname": host, "host": each, "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}
            for each in self.answers.pop(0)
        ]

    async def close(self):
        pass


async def test_one_private_address_among_public_ones_is_enough():
    with pytest.raises(Forbidden):
        await Guard(Turning(["1.1.1.1", "127.0.0.1"])).resolve("h")


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
    monkeypatch.setattr(webhook, "guarded_client", lambda: http_client(Guard(turning)))
    monkeypatch.setattr(guard, "forbidden", lambda address: address == "127.0.0.2")
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
