"""The mqtt receiver on a real broker with the shipped configuration and ACL."""

import asyncio
import contextlib

import orjson
import pytest

from hub.documents.document import Problems, parse_document
from hub.errors import Disconnected, PublishRefused
from hub.ingest.mqtt.session5 import Session5
from hub.model import Delivered, Rejected, Retry
from hub.notify.receiver_settings import read_receivers
from hub.notify.receivers.mqtt import Mqtt
from tests.notify.fakes import notification, toolbox

BOUND = 20.0


@contextlib.asynccontextmanager
async def session(broker, user, filters=()):
    made = Session5(broker.settings(user), None, lambda _: None)
    up = asyncio.Event()
    made.on_notice = lambda notice: up.set() if notice.kind == "connected" else None
    task = asyncio.create_task(made.run(filters))
    try:
        await asyncio.wait_for(up.wait(), BOUND)
        yield made
    finally:
        await made.close()
        await asyncio.wait_for(task, BOUND)


def publisher(made):
    async def publish(topic, payload, qos, retain):
        await made.publish(topic, payload, qos=qos, retain=retain)

    return publish


def read(yaml):
    problems = Problems()
    settings = read_receivers(parse_document(yaml, "r.yaml", problems), problems)
    return settings, [str(problem) for problem in problems]


def mqtt(options, publish):
    settings, problems = read(f"out: {{mqtt: {options}}}")
    assert problems == []
    return Mqtt(settings["out"].options, toolbox(publish=publish))


async def received(reader, count):
    got = []
    async with asyncio.timeout(BOUND):
        while len(got) < count:
            got.extend(await reader.receive())
            reader.acknowledge(reader.handed)
    return got


async def test_a_notification_arrives_as_json_on_the_topic_of_its_labels(broker):
    async with session(broker, "hub") as hub, session(broker, "viewer", ["notify/#"]) as viewer:
        receiver = mqtt("{topic: 'notify/{site}/{device}/{alertname}'}", publisher(hub))
        assert await receiver.send(notification()) == Delivered()
        (message,) = await received(viewer, 1)
    assert message.topic == "notify/a/7/FreezerTooWarm"
    assert orjson.loads(message.payload) == notification().body
    assert message.qos == 1


async def test_payload_qos_and_retain_are_as_written(broker):
    async with session(broker, "hub") as hub:
        payload = "{state}: {event.payload.temperature:.1f} {topic} {payload.temperature}"
        options = f"{{topic: 'notify/{{labels.device}}', qos: 0, retain: true, payload: '{payload}'}}"
        assert await mqtt(options, publisher(hub)).send(notification()) == Delivered()
        async with session(broker, "viewer", ["notify/#"]) as viewer:
            (message,) = await received(viewer, 1)
    assert message.payload == b"firing: -9.0 site/a/freezer/7/telemetry -9"
    assert message.retain


async def test_no_label_leaves_its_level_or_breaks_the_connection(broker):
    evil = ["../../hub/status", "a/b", "+", "#", "\x00", "\x01", "", "%2F", "$SYS", "x" * 70_000, "\ud800", "\u202e"]
    async with session(broker, "hub") as hub, session(broker, "viewer", ["notify/#", "hub/#"]) as viewer:
        receiver = mqtt("{topic: 'notify/{site}/alert'}", publisher(hub))
        for each in evil:
            sent = notification(labels={"site": each})
            if each == "\ud800":
                continue  # no JSON can hold it, so no body does
            assert await receiver.send(sent) == Delivered(), each
        messages = await received(viewer, len(evil) - 1)
    assert all(len(message.topic.split("/")) == 3 for message in messages)
    assert all(message.topic.startswith("notify/") for message in messages)


async def test_a_field_that_is_missing_is_a_question_mark_and_loses_nothing(broker):
    async with session(broker, "hub") as hub, session(broker, "viewer", ["notify/#"]) as viewer:
        receiver = mqtt("{topic: 'notify/{nowhere}', payload: '{nothing} {summary}'}", publisher(hub))
        assert await receiver.send(notification()) == Delivered()
        (message,) = await received(viewer, 1)
    assert message.topic == "notify/?"
    assert message.payload.decode() == "? 7 at a is -9.0 °C"


async def test_what_the_brokers_acl_refuses_is_rejected(broker):
    async with session(broker, "hub") as hub:
        outcome = await mqtt("{topic: 'site/a/freezer/7/command'}", publisher(hub)).send(notification())
    assert isinstance(outcome, Rejected)
    assert outcome.reason.startswith("the broker refuses it: ")


@pytest.mark.parametrize(("error", "outcome"), [(PublishRefused("no"), Rejected), (Disconnected("gone"), Retry)])
async def test_a_refusal_is_for_good_and_a_lost_connection_is_not(error, outcome):
    async def publish(*_):
        raise error

    assert isinstance(await mqtt("{topic: notify/x}", publish).send(notification()), outcome)


def test_a_receiver_tells_what_it_can_publish_to():
    settings, _ = read("out: {mqtt: {topic: 'notify/x{site}/{device}/alert'}}")
    assert settings["out"].publishes() == "notify/+/+/alert"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("{}", "needs the key 'topic'"),
        ("{topic: 'notify/#'}", "a topic to publish to cannot hold '#'"),
        ("{topic: '{device}/alert'}", "r.yaml:1:22: the first level of a topic must be fixed"),
        ("{topic: 'notify/{device +}'}", "r.yaml:1:"),
        ("{topic: notify/x, qos: 2}", "must be from 0 to 1, not 2"),
        ("{topic: notify/x, retian: true}", "did you mean 'retain'?"),
        ("{topic: notify/x, payload: '{a'}", "r.yaml:1:"),
    ],
)
def test_a_mistake_is_shown_with_its_place(options, message):
    _, problems = read(f"out: {{mqtt: {options}}}")
    assert len(problems) == 1
    assert message in problems[0]
    if "{" in options[1:]:
        assert "first level" in problems[0] or "^" in problems[0]
