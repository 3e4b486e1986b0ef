"""Who is told of groups and levels, over the real thing: a broker, webhooks, mail; silences, reloads, kills."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from tests.acceptance.heard import Heard, dead, held, instance
from tests.acceptance.scene import document, scene
from tests.acceptance.test_commands import command
from tests.support.ends import Web
from tests.support.mailbox import Mailbox

# shorter than users may say, and no end is held back
FAST = {"REPEAT_SECONDS": 0.1, "FLAPPING_SECONDS": 0.0, "NEWCOMERS_WAIT_SECONDS": 0.3}
QUIET = "self_watch: {enabled: false}\n"
RECEIVERS = """\
chat: {{webhook: {{url: "{url}/chat"}}}}
boss: {{webhook: {{url: "{url}/boss"}}}}
mail: {{smtp: {{host: 127.0.0.1, port: {port}, tls: none, from: hub@example.org, to: [ops@example.org], subject: "{{state}} {{alerts.size()}}"}}}}
"""  # noqa: E501
GROUP = """
  - alert: Hot
    topic: hot/{site}/{device}
    when: value > 0
    notify: [chat]
    group_by: [site]
    group_wait: 1s
    group_interval: 1s
    repeat: 2s
    escalate: [{after: 1500ms, to: [boss, mail]}]
"""


class Told:
    """A scene, what its webhooks heard, and its mails."""

    def __init__(self, at, hook, mailbox, port):
        self.at, self.hook, self.mails, self.port = at, hook, mailbox.mails, port
        self.heard = Heard(hook.requests)

    async def send(self, value, *instances, rule="hot"):
        """Publish a value of these instances."""
        for each in instances:
            await self.at.send(f"{rule}/{each}", value)

    async def reload(self, rules, receivers=None):
        """Write other rules, and wait until they are at work."""
        said = len(self.at.hub.lines)
        self.at.hub.rules.write_text(document(rules, self.receivers(receivers)))
        await self.at.hub.says(" reloaded ", after=said)

    def receivers(self, text=None):
        return (text or RECEIVERS).format(url=self.hook.url, port=self.port)

    async def over(self):
        """Wait until nothing fires, and all is told."""
        wanted = "SELECT count(*) FROM alerts WHERE json_extract(state, '$.state') = 'firing'"
        async with asyncio.timeout(20):
            while self.at.hub.rows(wanted) != [(0,)] or _unsaid(self.at.hub):
                await asyncio.sleep(0.02)
        await self.at.settled()


def _unsaid(hub):
    texts = [json.loads(text) for (text,) in hub.rows("SELECT state FROM desk WHERE kind = 'conversation'") if text]
    return any(each["news"] for each in texts if isinstance(each, dict))


@asynccontextmanager
async def telling(folder, broker, rules, answer=lambda _: 204):
    mailbox = Mailbox()
    async with mailbox.serving() as port, Web(answer) as hook:
        receivers = RECEIVERS.format(url=hook.url, port=port)
        async with scene(folder, broker, rules, receivers, limits=FAST, settings=QUIET) as at:
            yield Told(at, hook, mailbox, port)


async def test_a_group_is_told_repeated_and_escalated_as_one_and_who_was_silenced_is_told_when_that_ends(
    tmp_path, broker
):
    async with telling(tmp_path, broker, GROUP) as it:
        heard = it.heard
        await it.send(1, "a/1", "a/2", "a/3")
        made = await command(broker, "silence", {"matchers": ['device="3"'], "duration": "1h", "by": "ann"})
        await it.at.states.first(lambda each: held(each) == "silence", 5, "silenced")
        first = await heard.until("chat", "Hot", "firing", "a/1", "a/2")
        assert [instance(each) for each in first["alerts"]] == ["a/1", "a/2"]
        step = await heard.until("boss", "Hot", "firing", "a/1", "a/2")
        assert step["first"] is True
        await it.mails.until(lambda mails: len(mails) >= 1)
        repeat = await heard.until("chat", "Hot", "firing", "a/1", "a/2", number=2)
        assert [instance(each) for each in repeat["alerts"]] == ["a/1", "a/2"]
        await command(broker, "unsilence", {"id": made["silence"]["id"], "by": "ann"})
        for who in ("chat", "boss"):
            await heard.until(who, "Hot", "firing", "a/3")
        await it.send(0, "a/1", "a/2", "a/3")
        await it.over()
        heard.hold()
        assert dead(it.at.hub) == []
        ends = [mail for _, mail, _ in it.mails if mail["Subject"].startswith("resolved")]
        assert [mail["Subject"] for mail in ends] == ["resolved 3"]
        assert len({mail["References"] for _, mail, _ in it.mails}) == 1
        assert len({mail["Message-ID"] for _, mail, _ in it.mails}) == len(it.mails)


RELOADED = """
  - {{alert: Alone, topic: "alone/{{device}}", when: value > 0, notify: [{notify}]}}
  - {{alert: Hot, topic: "hot/{{site}}/{{device}}", when: value > 0, notify: [{notify}], group_by: [site], group_wait: 0s, group_interval: 1s}}
"""  # noqa: E501


async def test_rules_and_receivers_that_change_while_alerts_fire_lose_no_word_and_repeat_none(tmp_path, broker):
    async with telling(tmp_path, broker, RELOADED.format(notify="chat")) as it:
        heard = it.heard
        await it.send(1, "1", "2", rule="alone")
        await it.send(1, "a/1", "a/2")
        for one in ("1", "2"):
            await heard.until("chat", "Alone", "firing", one)
        for one in ("a/1", "a/2"):
            await heard.until("chat", "Hot", "firing", one)

        await it.reload(RELOADED.format(notify="chat, boss"))  # who is new hears of what fires, nobody else
        for one in ("1", "2"):
            await heard.until("boss", "Alone", "firing", one)
        await heard.until("boss", "Hot", "firing", "a/1", "a/2")
        chat = [body for body in heard.bodies("chat") if body["alertname"] == "Alone"]
        assert len(chat) == 2

        await it.send(0, "1", rule="alone")
        for who in ("chat", "boss"):
            await heard.until(who, "Alone", "resolved", "1")

        renamed = RECEIVERS.replace("chat: ", "room: ")  # the same place by another name
        await it.reload(RELOADED.format(notify="room, boss"), renamed)
        grouped = RELOADED.format(notify="room, boss").replace(
            "notify: [room, boss]}", "notify: [room, boss], group_by: [], group_wait: 0s}", 1
        )
        await it.reload(grouped, renamed)
        await it.send(0, "a/1")
        for who in ("chat", "boss"):
            await heard.until(who, "Hot", "resolved", "a/1")
        await it.at.settled()
        assert len([body for body in heard.bodies("boss", "Alone") if body["state"] == "firing"]) == 2

        await it.reload("", renamed)
        for who in ("chat", "boss"):
            gone = await heard.until(who, "Hot", "resolved", "a/2")
            assert [each["summary"] for each in gone["alerts"]] == ["Hot (site=a, device=2) ended: rule removed"]
            await heard.until(who, "Alone", "resolved", "2")
        await it.over()
        heard.hold()
        assert dead(it.at.hub) == []


LEVELS = {
    "low": """
  - {alert: Warm, topic: "hot/{site}/{device}", when: value > 1, notify: [chat], unless: {alert: Burning, after: 1s}}
""",
    "high": """
  - {alert: Burning, topic: "hot/{site}/{device}", when: value > 2, notify: [chat]}
""",
}


@pytest.mark.parametrize("order", [("low", "high"), ("high", "low")], ids="-".join)
@pytest.mark.parametrize("group", [False, True], ids=["alone", "grouped"])
async def test_of_two_levels_that_one_message_begins_the_higher_is_told_and_the_lower_when_that_is_over(
    tmp_path, broker, order, group
):
    rules = "".join(LEVELS[each] for each in order)
    if group:
        rules = rules.replace("notify: [chat]", "notify: [chat], group_by: [site], group_wait: 100ms")
        rules = rules.replace("group_wait: 100ms", "group_wait: 100ms, group_interval: 1s")
    async with telling(tmp_path, broker, rules) as it:
        await it.send(3, "a/1", "a/2")
        await it.send(0, "a/2")  # both are over
        await it.heard.until("chat", "Burning", "firing", "a/1")
        await it.at.states.first(lambda each: held(each) == "unless", 5, "held back")
        await it.send(2, "a/1")
        await it.heard.until("chat", "Burning", "resolved", "a/1")
        assert it.heard.bodies("chat", "Warm") == []
        await it.heard.until("chat", "Warm", "firing", "a/1")
        await it.send(3, "a/1")
        await it.heard.until("chat", "Burning", "firing", "a/1", number=2)
        await it.send(0, "a/1")
        await it.heard.until("chat", "Warm", "resolved", "a/1")
        await it.over()
        it.heard.hold()
        warm = [each for body in it.heard.bodies("chat", "Warm") for each in body.get("alerts", [body])]
        assert [(instance(each), each["state"]) for each in warm] == [("a/1", "firing"), ("a/1", "resolved")]
