"""Who is told what, and how it looks when it arrives."""

import asyncio
import hashlib
import hmac
import json
import time

import pytest

from tests.acceptance.scene import document, scene
from tests.support.ends import Web, watching
from tests.support.hub import Hub
from tests.support.mailbox import Mailbox
from tests.support.mqtt import client

HOT = '  - {alert: Hot, topic: "t/{device}", when: value > 30, notify: [WHO], summary: "{device} has {value}"}\n'


@pytest.fixture
async def mailbox():
    box = Mailbox()
    async with box.serving(enable_SMTPUTF8=True) as box.port:
        yield box


async def test_the_end_is_told_to_exactly_those_who_were_told_the_beginning(tmp_path, broker):
    async with Web() as hook:
        receivers = "\n".join(f'{name}: {{webhook: {{url: "{hook.url}/{name}"}}}}' for name in ("one", "two"))
        receivers += f'\nquiet: {{webhook: {{url: "{hook.url}/quiet"}}, send_resolved: false}}'
        rules = HOT.replace("WHO", "bus, one, quiet")
        async with scene(tmp_path, broker, rules, receivers) as at:
            await at.send("t/1", 31)
            await hook.requests.until(lambda items: len(items) == 2)
            at.hub.rules.write_text(document(HOT.replace("WHO", "bus, two"), receivers))
            await at.hub.says(" reloaded ")
            await at.send("t/1", 29)
            await hook.requests.until(lambda items: len(items) == 3)
            await at.settled()
            assert await at.hub.stop() == 0
            told = [(each["path"], each["json"]["state"]) for each in hook.requests]
            assert sorted(told) == [("/one", "firing"), ("/one", "resolved"), ("/quiet", "firing")]


async def test_the_retained_state_appears_changes_and_is_emptied(tmp_path, broker):
    rules = '  - {alert: Hot, topic: "t/{room}/{device}", when: value > 30, for: 500ms}\n'
    async with scene(tmp_path, broker, rules, limits={"RESOLVED_KEPT_SECONDS": 2.0}) as at:
        await at.send("t/ä%/7 b", 31)
        name = "Hot/ä%25/7 b"
        for state in ("pending", "firing"):
            body = await at.shown(name, state)
            assert body["labels"] == {"alertname": "Hot", "severity": "warning", "room": "ä%", "device": "7 b"}
            assert {"id", "summary", "since", "episode", "acknowledged"} <= body.keys()
        async with watching(broker, "hub/alerts/#", name="late") as kept:
            message = await kept.first(lambda each: each.topic == f"hub/alerts/{name}")
            assert message.retain
            assert json.loads(message.payload) == body
        await at.send("t/ä%/7 b", 29)
        over = await at.shown(name, "resolved")
        assert over["until"] >= over["since"]
        begun = time.monotonic()
        await at.shown(name, None, within=8)
        assert time.monotonic() - begun > 1.5
        async with watching(broker, "hub/alerts/#", "notify/Heard", name="later") as kept:
            await at.settled()
            await kept.first(lambda each: each.topic == "notify/Heard")
            assert not [each for each in kept if each.topic.startswith("hub/alerts/Hot")]
        await at.send("t/ä%/7 b", 31)
        assert (await at.notified("Hot", "firing", 2))["episode"] == 2


async def test_mail_and_webhook_arrive_as_promised(tmp_path, broker, mailbox):
    async with Web() as hook:
        receivers = f"""\
hook: {{webhook: {{url: "{hook.url}/x?token=t", secret: s3cret-of-ours, headers: {{X-Team: ops}}}}}}
mail:
  smtp:
    {{host: 127.0.0.1, port: {mailbox.port}, tls: none, from: Hub <hub@example.org>, to: [ops@example.org, b@x.org]}}
"""
        async with scene(tmp_path, broker, HOT.replace("WHO", "bus, hook, mail"), receivers) as at:
            await at.send("t/kühl 1", 31.5)
            firing = await at.notified("Hot", "firing")
            await at.send("t/kühl 1", 29)
            resolved = await at.notified("Hot", "resolved")
            await hook.requests.until(lambda items: len(items) == 2)
            await mailbox.mails.until(lambda items: len(items) == 2)
            assert await at.hub.stop() == 0
            assert not any("s3cret" in line or "token=t" in line for line in [*at.hub.lines, *at.hub.errors])

    assert firing["summary"] == "kühl 1 has 31.5"
    assert firing["event"]["topic"] == "t/kühl 1"
    assert firing["event"]["payload"] == 31.5
    assert firing["hub"]["client_id"] == "hub"
    assert {"details", "runbook", "until"} <= firing.keys()
    assert firing["since"].endswith("Z")
    for each, body in zip(hook.requests, (firing, resolved), strict=True):
        assert each["json"] == body
        assert each["key"] == body["id"]
        assert each["headers"]["X-Team"] == "ops"
        assert each["headers"]["Content-Type"] == "application/json"
        digest = hmac.new(b"s3cret-of-ours", each["body"], hashlib.sha256).hexdigest()
        assert each["headers"]["X-Hub-Signature-256"] == f"sha256={digest}"
    assert mailbox.senders == ["hub@example.org"] * 2
    for (to, mail, _), body in zip(mailbox.mails, (firing, resolved), strict=True):
        assert to == ["ops@example.org", "b@x.org"]
        assert body["id"] in mail["Message-ID"]
        assert body["summary"] in mail.get_content()
    assert mailbox.mails[0][1]["References"] == mailbox.mails[1][1]["References"]


async def test_overlapping_filters_evaluate_a_message_once_per_rule(tmp_path, broker):
    rules = """
  - {event: Both, topic: ["over/+/x", "over/a/+"]}
  - {event: Wide, topic: "over/{room}/x"}
  - {event: Left, topic: "over/a/{what}"}
"""
    async with scene(tmp_path, broker, rules) as at:
        for n in (1, 1, 2):
            await at.send("over/a/x", {"n": n})
        await at.settled()
        for name in ("Both", "Wide", "Left"):
            assert [body["event"]["payload"]["n"] for body in at.notifications(name)] == [1, 1, 2], name


async def test_sigterm_drains_within_10_seconds_and_a_clean_stop_repeats_nothing(tmp_path, broker):
    rules = """\
receivers: {{hook: {{webhook: {{url: "{url}"}}}}}}
rules:
  - {{event: Rang, topic: "bell/{{device}}", notify: [hook]}}
"""

    async def answer(_):
        await asyncio.sleep(0.05)
        return 204

    async with Web(answer) as hook, Hub(tmp_path, broker, rules.format(url=hook.url)) as hub:
        sent = 0
        async with client(broker.settings("device"), "bells") as device:
            for stop in range(3):
                for _ in range(10):
                    batch = [(f"bell/{n % 7}", json.dumps({"n": n})) for n in range(sent, sent + 10)]
                    assert set(await device.publish_all(batch)) == {0}
                    sent += 10
                began = time.monotonic()
                assert await hub.stop() == 0, stop
                assert time.monotonic() - began < 10
                assert hub.lines[-1].endswith(" stop drained and stopped")
                assert not hub.errors
                await hub.start()
        await hook.requests.until(lambda items: len(items) == sent)
        assert await hub.stop() == 0
        numbers = [each["json"]["event"]["payload"]["n"] for each in hook.requests]
        assert sorted(numbers) == list(range(sent))
        assert len(set(hook.ids())) == sent
