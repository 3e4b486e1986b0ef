"""Rules that change while the hub runs, and rules that it does not take."""

import asyncio
import signal

import pytest

from tests.acceptance.scene import SLACK, document, scene, seconds
from tests.support.hub import Hub

HOT = '  - {alert: Hot, topic: "t/{device}", when: value > 30, summary: "SUMMARY"}\n'
SLOW = '  - {alert: Slow, topic: "s/{device}", when: value > 30, for: 3s}\n'
MISSING = '  - {alert: Missing, topic: "m/{device}", absent: 2s}\n'


@pytest.mark.parametrize("how", ["file change", "SIGHUP"])
async def test_a_reload_keeps_unrelated_instances_and_ends_the_alerts_of_a_removed_rule(tmp_path, broker, how):
    async with scene(tmp_path, broker, HOT + SLOW + MISSING) as at:
        pending = await at.send("s/1", 31)
        await at.send("t/1", 31)
        await at.notified("Hot", "firing")
        await at.send("m/1", 1)
        await at.shown("Slow/1", "pending")
        again = document(HOT.replace("Hot", "Warm") + SLOW + MISSING)
        if how == "SIGHUP":  # by another name, which nobody watches for; then the signal
            aside = at.hub.rules.with_suffix(".new")
            aside.write_text(again)
            aside.rename(at.hub.rules)
            at.hub.signal(signal.SIGHUP)
        else:
            at.hub.rules.write_text(again)
        gone = await at.notified("Hot", "resolved", within=SLACK)
        assert gone["reason"] == "rule removed"
        assert gone["summary"] == "Hot (device=1) ended: rule removed"
        assert (await at.shown("Hot/1", "resolved"))["reason"] == "rule removed"
        await at.hub.says(" reloaded ", "4 rules")
        told = await at.notified("Slow", "firing", within=3 + SLACK)
        assert 3 <= seconds(told["since"]) - pending + 0.001 < 3 + SLACK
        await at.notified("Missing", "firing", within=2 + SLACK)
        await at.send("t/1", 31)
        await at.notified("Warm", "firing")
        assert len(at.notifications("Hot")) == 2


async def test_a_rule_with_another_text_keeps_its_alert_and_one_with_another_meaning_ends_it(tmp_path, broker):
    async with scene(tmp_path, broker, HOT + SLOW.replace(", for: 3s", "")) as at:
        await at.send("t/1", 31)
        await at.send("s/1", 31)
        await at.notified("Slow", "firing")
        await at.notified("Hot", "firing")
        at.hub.rules.write_text(document(HOT.replace("SUMMARY", "other words") + SLOW.replace("30, for: 3s", "20")))
        ended = await at.notified("Slow", "resolved")
        assert ended["reason"] == "rule changed"
        await at.send("t/1", 29)
        told = await at.notified("Hot", "resolved")
        assert (told["reason"], told["episode"], told["summary"]) == ("cleared", 1, "other words")
        await at.send("s/1", 25)
        assert (await at.notified("Slow", "firing", 2))["episode"] == 2


async def test_rules_that_change_while_the_hub_is_off_are_as_if_reloaded(tmp_path, broker):
    async with scene(tmp_path, broker, HOT + SLOW.replace(", for: 3s", "")) as at:
        await at.send("t/1", 31)
        await at.send("s/1", 31)
        await at.notified("Slow", "firing")
        await at.notified("Hot", "firing")
        assert await at.hub.stop() == 0
        at.hub.rules.write_text(document(HOT))
        await at.send("s/2", 31)
        await at.hub.start()
        assert (await at.notified("Slow", "resolved"))["reason"] == "rule removed"
        await at.settled()
        assert len(at.notifications("Slow")) == 2
        assert len(at.notifications("Hot")) == 1


async def test_a_bad_file_leaves_the_old_rules_at_work_and_names_the_line(tmp_path, broker):
    async with scene(tmp_path, broker, HOT) as at:
        at.hub.rules.write_text(document(HOT.replace("when", "wen")))
        await at.hub.says(" trouble ", "old rules go on")
        line = at.hub.rules.read_text().splitlines().index(HOT.replace("when", "wen").rstrip("\n")) + 1
        await at.hub.says(" trouble ", f"rules/rules.yaml:{line}:", "wen", "did you mean 'when'?")
        await at.send("t/1", 31)
        await at.notified("Hot", "firing")
        at.hub.rules.write_text("rules: [\n")
        await at.hub.says(" trouble ", "rules/rules.yaml:", "not YAML")
        await at.send("t/1", 29)
        await at.notified("Hot", "resolved")
        at.hub.rules.write_text(document(HOT + SLOW))
        await at.hub.says(" reloaded ", "3 rules")


DOWN = '{webhook: {url: "http://127.0.0.1:9"}}'


async def test_what_waits_for_a_receiver_that_is_renamed_is_told_by_its_new_name(tmp_path, broker):
    rules = '  - {alert: Hot, topic: "t/{device}", when: value > 30, notify: [old]}\n'
    async with scene(tmp_path, broker, rules, f"old: {DOWN}") as at:
        await at.send("t/1", 31)
        await at.hub.says(" retry ", "old")
        at.hub.rules.write_text(document(rules.replace("old", "bus")))
        await at.notified("Hot", "firing")
        await at.hub.says(" superseded ", "its receiver is gone; told to 'bus'")
        await at.settled()
        assert len(at.notifications("Hot")) == 1
        assert not at.hub.rows("SELECT 1 FROM outbox WHERE state = 'dead'")


async def test_what_waits_for_a_receiver_that_is_gone_when_the_hub_starts_is_told_to_whom_the_rule_names(
    tmp_path, broker
):
    rules = '  - {event: Rang, topic: "t/{device}", notify: [old]}\n'
    async with scene(tmp_path, broker, rules, f"old: {DOWN}") as at:
        await at.send("t/1", 1)
        await at.hub.says(" retry ", "old")
        assert await at.hub.stop() == 0
        at.hub.rules.write_text(document(rules.replace("old", "bus")))
        await at.hub.start()
        await at.notified("Rang", "event")


async def test_a_receiver_that_is_taken_away_leaves_nothing_where_the_others_have_it(tmp_path, broker):
    rules = '  - {event: Rang, topic: "t/{device}", notify: [bus, gone]}\n'
    async with scene(tmp_path, broker, rules, f"gone: {DOWN}") as at:
        await at.send("t/1", 1)
        await at.hub.says(" retry ", "gone")
        at.hub.rules.write_text(document(rules.replace(", gone", "")))
        await at.hub.says(" superseded ", "its receiver is gone; the others whom its rule tells have it")
        await at.settled()
        assert len(at.notifications("Rang")) == 1


async def test_a_receiver_that_is_taken_away_with_its_rule_leaves_dead_letters_that_say_so(tmp_path, broker):
    rules = '  - {event: Rang, topic: "t/{device}", notify: [bus, gone]}\n'
    async with scene(tmp_path, broker, rules, f"gone: {DOWN}") as at:
        await at.send("t/1", 1)
        await at.hub.says(" retry ", "gone")
        at.hub.rules.write_text(document(HOT))
        await at.hub.says(" dead ", "no receiver 'gone' any more")


LOOPS = {
    "what a receiver publishes": '  - {event: Echo, topic: "notify/{name}"}',
    "everything": '  - {event: All, topic: "{all...}"}',
    "the hub's own alerts": '  - {event: Own, topic: "hub/alerts/{name}/{device}"}',
    "a wildcard that can become it": '  - {event: Wild, topic: "+/{name}"}',
}


@pytest.mark.parametrize("rule", LOOPS.values(), ids=LOOPS.keys())
async def test_a_rule_that_could_hear_the_hub_itself_is_refused_at_load(tmp_path, broker, rule):
    hub = Hub(tmp_path, broker, document(rule))
    await hub.start(connected=False)
    assert await hub.ended() == 1
    assert any(line.startswith("rules/rules.yaml:6:") and "a loop" in line for line in hub.errors), hub.errors


async def test_a_loop_is_refused_at_a_reload_too(tmp_path, broker):
    async with scene(tmp_path, broker, HOT) as at:
        at.hub.rules.write_text(document(HOT + LOOPS["everything"]))
        await at.hub.says(" trouble ", "a loop")
        await at.send("t/1", 31)
        await at.notified("Hot", "firing")
        await asyncio.sleep(0.2)
        await at.settled()
        assert len(at.told) == 1 + at.heard


async def test_a_rule_that_is_added_sees_what_the_broker_keeps_for_its_topic(tmp_path, broker):
    added = '  - {alert: Loaded, topic: "kept/{device}", when: value > 50}\n'
    async with scene(tmp_path, broker, HOT) as at:
        for n in range(100):
            await at.send(f"kept/{n}", 51, retain=True)
        at.hub.rules.write_text(document(HOT + added))
        await at.hub.says(" reloaded ")
        await at.told.until(lambda _: len(at.notifications("Loaded", "firing")) == 100, SLACK, "100 kept values")
        await at.settled()
        assert len(at.notifications("Loaded")) == 100


async def test_what_comes_while_rules_are_reloaded_is_evaluated_by_the_old_or_the_new_ones(tmp_path, broker):
    rules = '  - {{event: Beat, topic: "beat/{{device}}", summary: "{words}"}}\n'
    async with scene(tmp_path, broker, rules.format(words=0)) as at:
        sent = 0
        for words in range(1, 4):
            at.hub.rules.write_text(document(rules.format(words=words) + HOT.replace("Hot", f"Hot{words}")))
            said = len(at.hub.lines)
            reloaded = asyncio.create_task(at.hub.says(" reloaded ", after=said))
            while not reloaded.done():
                await at.send("beat/a", {"n": sent})
                sent += 1
                await asyncio.sleep(0.002)  # a reload takes a second or two: a thousand events are enough
        await at.settled()
        beats = at.notifications("Beat")
        assert [body["event"]["payload"]["n"] for body in beats] == list(range(sent))
        summaries = [int(body["summary"]) for body in beats]
        assert summaries == sorted(summaries)
        assert summaries[-1] >= 2
