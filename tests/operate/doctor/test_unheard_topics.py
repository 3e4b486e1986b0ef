"""doctor, the rules' topics: one without a message is named, with the nearest topic there is; nothing false is said."""

import json
from dataclasses import replace

import pytest

from hub.config import Settings
from hub.documents.document import Problems
from hub.ingest.mqtt.session import BrokerSettings
from hub.operate.doctor.finding import Level
from hub.operate.doctor.unheard_topics import look_at_topics, nearest
from hub.project.files import load_files
from hub.rules.reading.loader import RuleSet
from hub.store.changes import Changes
from hub.store.sqlite.database import Database
from tests.support.brokers import denying
from tests.support.mqtt import client

FREEZER = "rules:\n  - {alert: Cold, topic: 'site/{site}/freezr/{n}/telemetry', when: v > 3}\n"


def rules(folder, text):
    (folder / "rules.yaml").write_text(text)
    problems = Problems()
    found = load_files(Settings(rules=(folder / "rules.yaml",), devices=()), problems).rules
    assert not problems
    return found


async def look(broker, folder, text, seconds=0.3):
    settings = Settings(broker=broker.settings("hub"), state=folder / "hub.db")
    return await look_at_topics(settings, rules(folder, text), "m", seconds)


async def test_a_topic_that_is_nearly_one_of_the_brokers_is_a_warning_that_names_it(broker, tmp_path):
    async with client(broker.settings("device"), "sensor") as device:
        await device.publish("site/berlin/freezer/7/telemetry", "1", retain=True)
        await device.publish("site/berlin/door/1/state", "1", retain=True)
        (found,) = await look(broker, tmp_path, FREEZER)
    assert found.level is Level.WARNING
    assert found.text == (
        "no message has come on site/+/freezr/+/telemetry (rule Cold): none is retained, none came within 0.3 s"
    )
    assert found.remedy.startswith("the nearest that there is: site/berlin/freezer/7/telemetry;")


async def test_a_topic_that_a_retained_or_an_earlier_message_stands_on_is_good(broker, tmp_path):
    text = FREEZER.replace("freezr", "freezer") + "  - {alert: Wet, topic: 'site/{s}/pump/{p}', when: v > 1}\n"
    database = Database(tmp_path / "hub.db")
    state = json.dumps(["I", 0, 0, 0, 0, 0, "site/a/pump/1\0trace", None])
    database.apply([Changes(instances=[("Wet", '["a","1"]', state)])])
    database.close()
    async with client(broker.settings("device"), "sensor") as device:
        await device.publish("site/berlin/freezer/7/telemetry", "1", retain=True)
        (found,) = await look(broker, tmp_path, text)
    assert (found.level, found.text) == (Level.GOOD, "messages have come on all 2")


async def test_what_the_hub_has_heard_before_is_good_for_an_event_too_and_near_what_is_misspelt(broker, tmp_path):
    database = Database(tmp_path / "hub.db")
    heard = [("heard", topic, '[1796031156.5,0.0,"MQ=="]') for topic in ("site/a/bell", "site/a/freezer/7/telemetry")]
    database.apply([Changes(desk=heard)])
    database.close()
    (found,) = await look(broker, tmp_path, FREEZER + "  - {event: Bell, topic: 'site/{s}/bell', when: v == 1}\n")
    assert found.text.startswith("no message has come on site/+/freezr/+/telemetry")
    assert found.remedy.startswith("the nearest that there is: site/a/freezer/7/telemetry;")


async def test_a_rare_device_is_a_question_and_no_warning(broker, tmp_path):
    async with client(broker.settings("device"), "sensor") as device:
        await device.publish("site/berlin/door/1/state", "1", retain=True)
        (found,) = await look(broker, tmp_path, "rules:\n  - {alert: A, topic: 'meter/{m}/energy', when: v > 3}\n")
    assert found.level is Level.UNKNOWN
    assert "rare" in found.remedy


async def test_the_hubs_own_messages_are_nobodys_nearest_topic(broker, tmp_path):
    async with client(broker.settings("hub"), "self") as hub:
        await hub.publish("hub/site/freezer/7/telemetry", "1", retain=True)
        (found,) = await look(broker, tmp_path, FREEZER)
    assert "hub/" not in found.remedy


async def test_where_not_all_may_be_read_the_rules_own_topics_are_listened_to(tmp_path):
    async with denying(tmp_path / "denying", "site/+/freezr/+/telemetry") as broker:
        (found,) = await look(broker, tmp_path, FREEZER)
    assert found.text.startswith("no message has come on site/+/freezr/+/telemetry")


async def test_many_silent_topics_are_counted_and_a_broker_that_is_away_is_no_claim(broker, tmp_path):
    text = "rules:\n" + "".join(f"  - {{alert: A{n}, topic: 'q{n}/{{x}}', when: v > 3}}\n" for n in range(30))
    found = await look(broker, tmp_path, text)
    assert len(found) == 21
    assert found[-1].text == "no message has come on 10 more"
    away = Settings(broker=replace(BrokerSettings(), port=1), state=tmp_path / "hub.db")
    (found,) = await look_at_topics(away, rules(tmp_path, text), "m", 0.1)
    assert (found.level, found.text.split(":")[0]) == (Level.UNKNOWN, "cannot be listened to")
    assert await look_at_topics(away, RuleSet(), "m", 0.1) == []


@pytest.mark.parametrize(
    ("topic_filter", "near"),
    [
        ("zigbee2mqtt/+", "zigbee2mqtt/kitchen/lamp"),
        ("Site/+/freezer/+/telemetry", "site/a/freezer/1/telemetry"),
        ("site/freezer/+/telemetry", "site/a/freezer/1/telemetry"),
        ("shellies/#", "shelly/1/status"),
        ("tele/+/SENSOR", "tele/plug/SENSORS"),
        ("+/+", ""),
        ("b/+", ""),
        ("xyz", ""),
    ],
)
def test_the_nearest_topic_is_that_with_the_fewest_changes(topic_filter, near):
    topics = ["zigbee2mqtt/kitchen/lamp", "site/a/freezer/1/telemetry", "shelly/1/status", "tele/plug/SENSORS", "q/w/e"]
    assert nearest(topic_filter, topics)[1] == near


def test_the_nearest_of_20_000_is_found_at_once():
    topics = [f"site/{n % 50}/room/{n}/climate" for n in range(20_000)]
    assert nearest("site/+/rooms/+/climate", topics)[1].startswith("site/")
