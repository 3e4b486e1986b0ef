"""kill -9 while a group is told: at moments that are known, and in a walk of everything that people and devices do."""

import asyncio
import os
import random

import pytest

from tests.acceptance.heard import dead
from tests.acceptance.test_commands import command
from tests.acceptance.test_groups import RECEIVERS, telling

RULES = """
  - alert: Hot
    topic: hot/{site}/{device}
    when: value > 0
    notify: [chat]
    group_by: [site]
    group_wait: 200ms
    group_interval: 1s
    repeat: 3s
    escalate: [{after: 1s, to: [boss]}]
"""


class Gate:
    """Lets requests wait for their answer, those of one kind: so the hub has sent, and knows nothing of it yet."""

    def __init__(self):
        self.wanted, self.caught, self.open = None, asyncio.Event(), asyncio.Event()

    async def answer(self, each):
        body = each["json"]
        if self.wanted is not None and self.wanted(each["path"], body):
            self.caught.set()
            await self.open.wait()
        return 204

    def close(self, who, state):
        """Hold up what is told to one in this state from now on."""
        self.wanted = lambda path, body: path == f"/{who}" and body["state"] == state
        self.caught.clear()
        self.open.clear()

    async def killed(self, hub):
        """Kill the hub once it waits for an answer; then answer all."""
        async with asyncio.timeout(10):
            await self.caught.wait()
        await hub.kill()
        self.wanted = None
        self.open.set()


@pytest.mark.parametrize("who", ["chat", "boss"])
@pytest.mark.parametrize("state", ["firing", "resolved"])
async def test_what_was_sent_and_not_recorded_comes_again_with_the_same_id_and_nothing_else_does(
    tmp_path, broker, who, state
):
    gate = Gate()
    async with telling(tmp_path, broker, RULES, gate.answer) as it:
        hub, heard = it.at.hub, it.heard
        gate.close(who, state)
        await it.send(1, "a/1", "a/2", "a/3")
        if state == "firing":
            await gate.killed(hub)
            await hub.start()
        await heard.until("chat", "Hot", "firing", "a/1", "a/2", "a/3")
        await heard.until("boss", "Hot", "firing", "a/1", "a/2", "a/3")
        await it.send(0, "a/1", "a/2", "a/3")
        if state == "resolved":
            await gate.killed(hub)
            await hub.start()
        await it.over()
        heard.hold(killed=True)
        keys = [each["key"] for each in heard.requests if each["path"] == f"/{who}" and each["json"]["state"] == state]
        assert len(keys) - len(set(keys)) == 1
        assert dead(hub) == []


async def test_what_waited_in_its_group_is_told_once_by_the_hub_that_comes_after(tmp_path, broker):
    async with telling(tmp_path, broker, RULES.replace("200ms", "1s")) as it:
        hub, heard = it.at.hub, it.heard
        await it.send(1, "a/1", "a/2", "a/3")
        await it.at.shown("Hot/a/3", "firing")
        await hub.kill()
        assert heard.bodies("chat") == []
        await it.send(0, "a/2")  # nobody heard of it, so nobody hears of its end
        await hub.start()
        await heard.until("chat", "Hot", "firing", "a/1", "a/3")
        await it.send(0, "a/1", "a/3")
        await it.at.shown("Hot/a/3", "resolved")
        await hub.kill()
        await hub.start()
        await it.over()
        heard.hold(killed=True)
        members = [each["labels"]["device"] for body in heard.bodies("chat") for each in body["alerts"]]
        assert set(members) == {"1", "3"}


WALK = """
  - alert: Alone
    topic: alone/{{device}}
    when: value > 0
    notify: [{notify}]
    repeat: 300ms
    escalate: [{{after: 500ms, to: [boss]}}]
  - alert: Hot
    topic: hot/{{site}}/{{device}}
    when: value > 1
    notify: [{notify}]
    {group}
    repeat: 1s
    escalate: [{{after: 1s, to: [boss]}}]
  - alert: Warm
    topic: hot/{{site}}/{{device}}
    when: value > 0
    notify: [{notify}]
    group_by: [site]
    group_wait: 100ms
    group_interval: 1s
    unless: {{alert: Hot, after: 200ms}}
"""
GROUPS = ["group_by: [site]", "group_by: []", ""]
NOTIFY = ["chat", "chat, room", "room"]
PLACES = RECEIVERS + 'room: {{webhook: {{url: "{url}/room"}}}}\n'
INSTANCES = [("alone", "1"), ("alone", "2"), *(("hot", f"{site}/{device}") for site in "ab" for device in "12")]


class Walk:
    """Deeds of people, devices and bad luck, from a seeded generator."""

    def __init__(self, it, chance, broker):
        self.it, self.chance, self.broker = it, chance, broker
        self.silences, self.done = [], []

    async def go(self, deeds):
        await self.rules()
        for _ in range(deeds):
            deed = self.chance.choice(
                [*[self.device] * 5, self.rules, self.kill, self.ack, self.silence, self.unsilence]
            )
            await deed()
            # so that something may come due between two deeds; whatever does, the promises hold
            await asyncio.sleep(self.chance.choice([0.0, 0.05, 0.3]))

    async def device(self):
        rule, instance = self.chance.choice(INSTANCES)
        await self.it.send(self.chance.choice([0, 1, 2]), instance, rule=rule)

    async def rules(self):
        group = self.chance.choice(GROUPS)
        more = "group_wait: 100ms\n    group_interval: 1s" if group else ""
        text = WALK.format(
            notify=self.chance.choice(NOTIFY), group=f"{group}\n    {more}" if group else "shadow: false"
        )
        await self.it.reload(text, PLACES)

    async def kill(self):
        await self.it.at.hub.kill()
        await self.it.at.hub.start()

    async def ack(self):
        await command(self.broker, "ack", {"matchers": [f'device="{self.chance.choice("12")}"'], "by": "ann"})

    async def silence(self):
        matcher = f'device="{self.chance.choice("12")}"'
        made = await command(self.broker, "silence", {"matchers": [matcher], "duration": "1h", "by": "ann"})
        self.silences.append(made["silence"]["id"])

    async def unsilence(self):
        if self.silences:
            await command(self.broker, "unsilence", {"id": self.silences.pop(), "by": "ann"})


@pytest.mark.parametrize("seed", [int(os.environ["KILL_SEED"])] if "KILL_SEED" in os.environ else [1, 2])
async def test_whatever_happens_who_was_told_hears_of_the_end_once_and_nobody_of_what_is_over(
    tmp_path, broker, seed, long
):
    async with telling(tmp_path, broker, WALK.format(notify="chat", group="shadow: false")) as it:
        walk = Walk(it, random.Random(seed), broker)
        await walk.go(60 if long else 20)
        for rule, instance in INSTANCES:
            await it.send(0, instance, rule=rule)
        await it.over()
        it.heard.hold(killed=True)
        assert dead(it.at.hub) == []
