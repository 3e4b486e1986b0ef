"""Receivers that fail, as users see it: fallback over a kill, what resolved meanwhile, `hub outbox` while it runs."""

import asyncio
import json
import os

from tests.support import prefork
from tests.support.ends import Web
from tests.support.hub import Hub
from tests.support.mqtt import client

RULES = """\
receivers:
  chat: {{webhook: {{url: "{url}/chat"}}, timeout: 2s, retry: {{first: 100ms, longest: 200ms}}{more}}}
  sms: {{webhook: {{url: "{url}/sms"}}}}
rules:
  - {{alert: Hot, topic: "t/{{device}}", when: value > 30, notify: [chat]}}
"""


async def send(broker, *messages):
    async with client(broker.settings("device"), "thermometer") as device:
        await device.publish_all([(f"t/{device_}", json.dumps(value)) for device_, value in messages])


async def outbox(hub, *arguments):
    env = os.environ | {"PASSWORD": hub.broker.settings("hub").password.reveal()}
    process = await prefork.start("outbox", *arguments, cwd=hub.folder, env=env)
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode(), err.decode()


async def test_who_was_told_in_place_of_another_hears_of_the_end_after_a_kill(tmp_path, broker):
    hook = Web(lambda request: 400 if request["path"] == "/chat" else 204)
    async with hook, Hub(tmp_path, broker, RULES.format(url=hook.url, more=", fallback: sms")) as hub:
        await send(broker, ("1", 35))
        await hook.requests.until(lambda _: len(hook.ids("/sms")) == 1)
        await hub.says(" fallback ", "sms is told instead of chat")
        await hub.kill()
        await hub.start()
        await send(broker, ("1", 20))
        await hook.requests.until(lambda _: any(each.endswith("-resolved") for each in hook.ids("/sms")))
        assert await hub.stop() == 0
        # the kill may have come between sent and recorded, and then the same id comes twice
        assert list(dict.fromkeys(hook.ids("/sms"))) == list(dict.fromkeys(hook.ids("/chat")))
        assert {each["json"]["state"] for each in hook.requests if each["path"] == "/sms"} == {"firing", "resolved"}
        assert hub.rows("SELECT handed FROM outbox WHERE handed <> ''") == []


async def test_what_resolved_while_the_receiver_was_down_is_told_to_nobody_and_why_says_so(tmp_path, broker):
    hook = Web()
    async with hook:
        pass  # now there is a port at which nobody listens
    async with Hub(tmp_path, broker, RULES.format(url=hook.url, more="")) as hub:
        await send(broker, ("1", 35))
        await hub.says(" retry ", "chat")
        await send(broker, ("1", 20), ("2", 35))
        # an attempt that was under way when it resolved has failed, too, before the receiver is there again
        await hub.says(" superseded ", "its firing message was not sent, either")
        async with hook:
            await hook.requests.until(lambda items: items)
            assert await hub.stop() == 0
        assert [each["json"]["labels"]["device"] for each in hook.requests] == ["2"]
        assert hub.rows("SELECT * FROM outbox") == []
        traced = [json.loads(row[0]) for row in hub.rows("SELECT data FROM trace WHERE kind = 'delivery' ORDER BY row")]
        assert [each["reason"] for each in traced if each["outcome"] == "superseded"] == [
            "its alert resolved before it was sent",
            "its firing message was not sent, either",
        ]


async def test_a_running_hub_retries_and_drops_what_it_is_asked_to(tmp_path, broker):
    works = asyncio.Event()
    hook = Web(lambda _: 204 if works.is_set() else 410)
    async with hook, Hub(tmp_path, broker, RULES.format(url=hook.url, more="")) as hub:
        await send(broker, ("1", 35), ("2", 35), ("3", 35))
        while len(hub.rows("SELECT row FROM outbox WHERE state = 'dead'")) < 3:
            await asyncio.sleep(0.01)  # a result waits for its commit, some milliseconds
        found = json.loads((await outbox(hub, "list", "--dead", "--json"))[0])
        first, second, third = (each["id"] for each in found)
        works.set()
        out, _ = await outbox(hub, "retry", second)
        assert out == f"queued again: chat {second}\n"
        await hook.requests.until(lambda _: hook.ids("/chat")[3:] == [second])
        out, _ = await outbox(hub, "drop", first, third, "--by", "ann")
        assert out == f"dropped: chat {first}\ndropped: chat {third}\n"
        assert await hub.stop() == 0
        assert hub.rows("SELECT * FROM outbox") == []
        assert any('"by ann"' in row[0] for row in hub.rows("SELECT data FROM trace WHERE kind = 'delivery'"))


async def test_what_waits_is_dropped_and_what_is_being_sent_is_left_alone(tmp_path, broker):
    freed = asyncio.Event()

    async def hang(_):
        await freed.wait()
        return 204

    rules = RULES.replace("timeout: 2s", "timeout: 1m").replace(
        "when: value > 30", "when: value > 30, clear: value < 0"
    )
    async with Web(hang) as hook, Hub(tmp_path, broker, rules.format(url=hook.url, more="")) as hub:
        await send(broker, *((str(n), 35) for n in range(12)))
        await hook.requests.until(lambda items: len(items) == 8)
        while len(hub.rows("SELECT row FROM outbox WHERE receiver = 'chat'")) < 12:
            await asyncio.sleep(0.01)
        out, err = await outbox(hub, "drop", "--all")
        assert len(out.splitlines()) == 4
        assert "8 being sent at this moment: left alone" in err
        freed.set()
        assert await hub.stop() == 0
        assert len(hook.requests) == 8
        assert hub.rows("SELECT * FROM outbox") == []
