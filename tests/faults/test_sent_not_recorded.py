"""A crash between "sent" and "recorded": what was sent is sent again with the id that was seen before; nothing is lost.

What came of a delivery is recorded late here on purpose, so that every kill hits this gap.
"""

import asyncio
import collections
import json

from hub.limits import RECEIVER_CONCURRENCY, SETTLE_WINDOW
from tests.support.ends import Web, lines_of, watching
from tests.support.hub import Hub
from tests.support.mqtt import client

RULES = """\
receivers:
  hook: {{webhook: {{url: "{url}"}}}}
  bus: {{mqtt: {{topic: "notify/{{alertname}}"}}}}
  log: {{file: {{path: out.ndjson}}}}
rules:
  - {{event: Rang, topic: "bell/{{device}}", notify: [hook, bus, log]}}
"""
RINGS = 200


async def test_what_was_sent_and_not_recorded_is_sent_again_with_the_same_id_and_nothing_is_lost(
    tmp_path, broker, long
):
    kills = 30 if long else 3
    killing = asyncio.Event()
    due = [RINGS * (number + 1) // (kills + 2) for number in range(kills)]

    async def answer(_):
        if due and len(hook.requests) >= due[0]:
            due.pop(0)
            asyncio.get_running_loop().call_later(0.03, killing.set)  # when this answer has long been read
        await asyncio.sleep(0.002)
        return 204

    async with Web(answer) as hook, watching(broker, "notify/#", name="bus") as bus:
        late = {"SETTLE_SECONDS": 60.0, "CHECKPOINT_SECONDS": 60.0}
        async with Hub(tmp_path, broker, RULES.format(url=hook.url), limits=late) as hub:
            async with client(broker.settings("device"), "bells") as device:
                await device.publish_all([(f"bell/{n}", json.dumps({"n": n})) for n in range(RINGS)])
            while due:
                await asyncio.wait_for(killing.wait(), 60)
                killing.clear()
                await hub.kill()
                assert hub.rows("SELECT 1 FROM outbox LIMIT 1"), "there is something left to lose"
                await hub.start()
            await hook.requests.until(lambda _: len(set(hook.ids())) == RINGS)
            assert await hub.stop() == 0
            assert hub.rows("SELECT * FROM outbox") == []

        logged, _ = lines_of(tmp_path / "out.ndjson")
        bodies = {
            "hook": [each["json"] for each in hook.requests],
            "bus": [json.loads(each.payload) for each in bus],
            "log": logged,
        }
        again = {}
        for name, told in bodies.items():
            known = {}
            for body in told:
                assert known.setdefault(body["id"], body) == body, f"{name}: an id that means two things"
            assert {body["event"]["payload"]["n"] for body in known.values()} == set(range(RINGS)), f"{name}: lost"
            again[name] = len(told) - len(known)
        assert again["hook"] > 0, "no kill came between sent and recorded"
        assert again["hook"] <= kills * (SETTLE_WINDOW + RECEIVER_CONCURRENCY)
        times = collections.Counter(hook.ids())
        assert max(times.values()) <= kills + 1
        print(f"\n{kills} kills between sent and recorded, {RINGS} notifications each, 0 lost, again {again}")
