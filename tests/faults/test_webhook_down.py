"""A webhook that is down, slow, or answers 500, 429 and 400 by turns; one that hangs beside one that works."""

import asyncio
import json
import time

from aiohttp import web

from tests.support.ends import Web
from tests.support.hub import Hub
from tests.support.mqtt import client

RULES = """\
receivers:
  hook: {{webhook: {{url: "{url}"}}, timeout: 500ms}}
rules:
  - {{event: Rang, topic: "bell/{{device}}", notify: [hook]}}
"""


async def ring(broker, count):
    async with client(broker.settings("device"), "bells") as device:
        await device.publish_all([(f"bell/{n}", json.dumps({"n": n})) for n in range(count)])


def told(requests):
    return {each["json"]["event"]["payload"]["n"] for each in requests}


async def test_what_comes_while_it_is_down_is_delivered_when_it_is_back(tmp_path, broker):
    hook = Web()
    async with hook:
        pass  # now there is a port at which nobody listens
    async with Hub(tmp_path, broker, RULES.format(url=hook.url)) as hub:
        await ring(broker, 20)
        await hub.says(" retry ", "hook")
        async with hook:
            await hook.requests.until(lambda items: len(told(items)) == 20)
            await hub.says(" delivers ", "hook takes notifications again")
            assert await hub.stop() == 0
        assert len(hook.ids()) == len(set(hook.ids())) == 20
        assert hub.rows("SELECT * FROM outbox") == []


async def test_an_answer_beyond_the_timeout_is_no_delivery_and_the_next_attempt_has_the_same_id(tmp_path, broker):
    seen = {}

    async def answer(request):
        n = request["json"]["event"]["payload"]["n"]
        seen[n] = seen.get(n, 0) + 1
        if seen[n] <= 1 + n % 2:
            await asyncio.sleep(3)
        return 204

    async with Web(answer) as hook, Hub(tmp_path, broker, RULES.format(url=hook.url)) as hub:
        await ring(broker, 6)
        await hook.requests.until(lambda _: seen == {n: 2 + n % 2 for n in range(6)})
        assert await hub.stop() == 0
        assert hub.rows("SELECT * FROM outbox") == []
        assert len(set(hook.ids())) == 6
        assert any("no answer within 500ms" in line for line in hub.lines)


async def test_500_429_400_by_turns_lose_nothing_and_400_is_a_dead_letter(tmp_path, broker):
    scripts = {n: [[500], [429], [400], ["cut"], [500, 429], [503, 400], [429, 500], []][n % 8][:] for n in range(8)}
    refused = {n for n, script in scripts.items() if 400 in script}
    attempts = sum(len(script) + (400 not in script) for script in scripts.values())
    asked = {}

    def answer(request):
        n = request["json"]["event"]["payload"]["n"]
        what = scripts[n].pop(0) if scripts[n] else 204
        if n in asked:
            assert time.monotonic() - asked.pop(n) >= 0.99
        if what == 429:
            asked[n] = time.monotonic()
            return web.Response(status=429, headers={"Retry-After": "1"})
        if what == "cut":
            request["cut"]()
            return 204
        return web.Response(status=what, text=f"no {n}")

    async with Web(answer) as hook, Hub(tmp_path, broker, RULES.format(url=hook.url)) as hub:
        await ring(broker, 8)
        await hook.requests.until(lambda items: len(items) == attempts)
        await hub.says(" dead ", "400 Bad Request")
        assert await hub.stop() == 0
        assert not asked
        dead = hub.rows("SELECT body, reason FROM outbox WHERE state = 'dead'")
        assert {json.loads(body)["event"]["payload"]["n"] for body, _ in dead} == refused
        assert all("400" in reason for _, reason in dead)
        assert hub.rows("SELECT * FROM outbox WHERE state <> 'dead'") == []
        assert len(set(hook.ids())) == 8


async def test_a_receiver_that_hangs_delays_no_other_and_gets_its_own_after_a_restart(tmp_path, broker):
    rules = """\
receivers:
  hung: {{webhook: {{url: "{url}/hung"}}, timeout: 10m}}
  slow: {{webhook: {{url: "{url}/slow"}}, timeout: 10m}}
  good: {{webhook: {{url: "{url}/good"}}}}
rules:
  - {{event: Rang, topic: "bell/{{device}}", notify: [hung, slow, good]}}
"""
    freed = asyncio.Event()

    async def answer(request):
        if request["path"] == "/hung":
            await freed.wait()
        if request["path"] == "/slow":
            await asyncio.sleep(0.02)
        return 204

    async with Web(answer) as hook, Hub(tmp_path, broker, rules.format(url=hook.url)) as hub:
        begun = time.monotonic()
        await ring(broker, 300)
        await hook.requests.until(lambda _: len(hook.ids("/good")) == 300, 10)
        took = time.monotonic() - begun
        assert len(hook.ids("/hung")) == 8, "its own concurrency bounds it"
        await hook.requests.until(lambda _: len(hook.ids("/slow")) == 300)
        begun = time.monotonic()
        assert await hub.stop() == 0
        assert time.monotonic() - begun < 10
        assert hub.rows("SELECT receiver, count(*) FROM outbox GROUP BY receiver") == [("hung", 300)]
        freed.set()
        early = hook.ids("/hung")
        await hub.start()
        await hook.requests.until(lambda _: len(hook.ids("/hung")) == 308)
        assert set(early) < set(hook.ids("/hung"))
        assert set(hook.ids("/hung")) == set(hook.ids("/good"))
        print(f"\n300 notifications beside a hung receiver: {took * 1000:.0f} ms")
