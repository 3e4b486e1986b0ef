"""A device's trace through a hub that runs as a process of its own: broker, webhook, MQTT and a collector are real."""

import asyncio
import contextlib
import gzip
import json
import struct

import aiohttp
import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from hub.config import load_settings
from hub.errors import ConfigError
from hub.tracing import tracing_settings
from tests.support.hub import Hub
from tests.support.mqtt import bounded, client, packet, utf8, varint
from tests.support.record import Record

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
DEVICE = f"00-{TRACE}-{SPAN}-01"
RULES = """
receivers:
  web: {{webhook: {{url: '{url}/hook'}}, retry: {{first: 100ms}}}}
  line: {{mqtt: {{topic: 'alerts/told/{{alertname}}'}}}}
rules:
  - alert: Warm
    topic: t/{{device}}
    when: v > 5
    notify: [web, line]
  - alert: Long
    topic: long/{{device}}
    when: v > 5
    for: {held}
    notify: [web]
"""


class World:
    """A collector and a webhook on one port; `refusing` answers of the webhook are 503."""

    def __init__(self):
        self.spans, self.calls, self.resources = Record(), Record(), []
        self.refusing = 0

    async def __aenter__(self):
        app = web.Application()
        app.router.add_post("/v1/traces", self.collect)
        app.router.add_post("/hook", self.hook)
        self.runner = web.AppRunner(app)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_):
        await self.runner.cleanup()

    async def collect(self, request):
        body = await request.read()
        if body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        for each in ExportTraceServiceRequest.FromString(body).resource_spans:
            self.resources.append({a.key: a.value.string_value for a in each.resource.attributes})
            for scope in each.scope_spans:
                self.spans += scope.spans
        self.spans.look()
        return web.Response(body=b"", content_type="application/x-protobuf")

    async def hook(self, request):
        self.calls.append((request.headers.get("traceparent"), json.loads(await request.read())))
        self.calls.look()
        if self.refusing:
            self.refusing -= 1
            return web.Response(status=503)
        return web.Response()

    async def span(self, name, **attributes):
        """Wait for a span of this name with these attributes (`_` for a dot)."""

        def look(spans):
            for each in spans:
                about = {a.key.replace(".", "_"): a.value.string_value or a.value.int_value for a in each.attributes}
                if each.name == name and attributes.items() <= about.items():
                    return each
            return None

        return await self.spans.until(look, 20, f"{name} {attributes}")

    async def called(self, count):
        return await self.calls.until(lambda calls: calls[count - 1] if len(calls) >= count else None, 20, "a call")


@contextlib.asynccontextmanager
async def running(tmp_path, broker, held="1s", sample=0, http="false", settings="tracing: "):
    async with World() as world:
        rules = RULES.format(url=world.url, held=held)
        settings = f"{settings}{{endpoint: '{world.url}', sample: {sample}}}\n"
        async with (
            Hub(tmp_path, broker, rules, settings=settings, http=http) as hub,
            client(broker.settings("device"), "device") as device,
        ):
            yield world, hub, device


async def send(device, topic, payload, *traceparents):
    """Publish at QoS 1 with user properties, in bytes by hand (MQTT 5, 3.3.2.3.7)."""
    properties = b"".join(b"\x26" + utf8("traceparent") + utf8(each) for each in traceparents)
    number, answer = device.expect(0x40)
    body = utf8(topic) + struct.pack(">H", number) + varint(len(properties)) + properties + payload
    device.writer.write(packet(0x32, body))
    await bounded(answer)


async def test_one_trace_goes_from_the_device_through_the_hub_to_the_webhook_with_its_retry_and_to_mqtt(
    tmp_path, broker
):
    async with running(tmp_path, broker) as (world, _, device):
        async with client(broker.settings("hub"), "listener") as listener:
            raw = []
            hear = listener.hear
            listener.hear = lambda first, body: (raw.append(bytes(body)), hear(first, body))
            await listener.subscribe("alerts/told/#")
            world.refusing = 1
            await send(device, "t/a", b'{"v": 9}', DEVICE)
            (told, _), (again, body) = await world.called(1), await world.called(2)
            await listener.message()
        event = await world.span("event", messaging_destination_name="t/a")
        failed = await world.span("attempt", hub_receiver="web", hub_attempt=1)
        delivered = await world.span("attempt", hub_receiver="web", hub_attempt=2)
        deliver = await world.span("deliver", hub_receiver="web")
        line = await world.span("deliver", hub_receiver="line")
        inner = [await world.span("evaluate"), await world.span("commit")]

        spans = [event, failed, delivered, deliver, line, *inner]
        assert {each.trace_id.hex() for each in spans} == {TRACE}
        assert event.parent_span_id.hex() == SPAN
        assert {each.parent_span_id for each in (deliver, line, *inner)} == {event.span_id}
        assert failed.parent_span_id == delivered.parent_span_id == deliver.span_id
        assert told == again == body["traceparent"] == f"00-{TRACE}-{deliver.span_id.hex()}-01"
        assert body["event"]["traceparent"] == f"00-{TRACE}-{event.span_id.hex()}-01"
        said = utf8("traceparent") + utf8(f"00-{TRACE}-{line.span_id.hex()}-01")
        assert any(b"\x26" + said in each for each in raw)
        assert failed.status.code == 2
        assert "503" in failed.status.message
        assert delivered.status.code == deliver.status.code == 0
        assert all(each.start_time_unix_nano <= each.end_time_unix_nano for each in spans)
        assert world.resources[0]["service.name"] == "mqtt-notification-hub"


async def test_the_trace_of_an_alert_that_has_to_hold_outlives_a_kill_of_the_hub(tmp_path, broker):
    async with running(tmp_path, broker, held="3s") as (world, hub, device):
        await send(device, "long/a", b'{"v": 9}', DEVICE)
        event = await world.span("event")
        await hub.kill()
        await hub.start()
        told, _ = await world.called(1)
        deliver = await world.span("deliver")
        assert told == f"00-{TRACE}-{deliver.span_id.hex()}-01"
        assert deliver.parent_span_id == event.span_id


async def test_what_is_not_sampled_is_passed_on_and_not_recorded_and_what_is_no_trace_is_nothing(tmp_path, broker):
    unsampled = DEVICE[:-1] + "0"
    async with running(tmp_path, broker) as (world, _, device):
        await send(device, "t/a", b'{"v": 9}', unsampled)
        assert (await world.called(1))[0] == unsampled
        await send(device, "t/b", b'{"v": 9}', "nonsense")
        await send(device, "t/c", b'{"v": 9}', DEVICE, DEVICE)
        assert [(await world.called(count))[0] for count in (2, 3)] == [None, None]
        await send(device, "t/d", b"{broken", DEVICE)
        await send(device, "t/d", b'{"v": 9}', DEVICE)
        await world.span("deliver", hub_receiver="web")
        events = {a.value.string_value for s in world.spans if s.name == "event" for a in s.attributes}
        assert events & {"t/a", "t/b", "t/c", "t/d"} == {"t/d"}


async def test_an_event_by_http_goes_on_with_the_trace_of_its_header_and_one_without_begins_its_own(tmp_path, broker):
    async with running(tmp_path, broker, sample=1, http="{listen: '127.0.0.1:0'}") as (world, hub, device):
        async with aiohttp.ClientSession() as http:
            url = f"{await hub.url()}/events/t/a"
            async with http.post(url, json={"v": 9}, headers={"traceparent": DEVICE}) as response:
                assert response.status == 202
        assert TRACE in (await world.called(1))[0]
        await send(device, "t/b", b'{"v": 9}')
        event = await world.span("event", messaging_destination_name="t/b")
        assert not event.parent_span_id
        assert event.trace_id.hex() in (await world.called(2))[0]


async def test_a_collector_that_is_away_holds_nothing_up_and_is_told_of_once(tmp_path, broker):
    async with running(tmp_path, broker) as (world, hub, device):
        hub.configure("tracing: {endpoint: 'http://127.0.0.1:9', sample: 1}\n")
        await hub.kill()
        await hub.start()
        await send(device, "t/a", b'{"v": 9}')
        assert (await world.called(1))[0]
        await hub.says("the collector does not take them")
        assert await asyncio.wait_for(hub.stop(), 12) in (0, None)


async def test_without_the_extra_hub_check_says_what_to_install(monkeypatch, tmp_path):
    (tmp_path / "hub.yaml").write_text("tracing: {sample: 2}\n", "utf-8")
    monkeypatch.setattr(tracing_settings, "_NEEDED", ("no_such_library.at_all",))
    with pytest.raises(ConfigError) as error:
        load_settings(tmp_path / "hub.yaml")
    assert "pip install 'mqtt-notification-hub[otel]'" in str(error.value)
    assert "must be from 0 to 1" in str(error.value)
