"""Rules that are changed while the broker is away: taken at once, and given back where it then refuses them."""

import aiohttp

from tests.acceptance.scene import document
from tests.support.brokers import denying
from tests.support.hub import QUICK_RELOAD, Hub
from tests.support.mqtt import client

HOT = '  - {alert: Hot, topic: "t/{device}", when: value > 30}\n'
COLD = '  - {alert: Cold, topic: "t/{device}", when: value < 0}\n'
SHOP = '  - {alert: Shop, topic: "shop/{device}", when: value > 30}\n'
AWAY = "  - {alert: HubBrokerAway, topic: $hub/session, when: away_seconds > 0.5, severity: critical}\n"


async def fired(hub, name):
    await hub.says(" firing ", name)


async def post(hub, topic, value):
    url, patient = f"{await hub.url()}/events/{topic}", aiohttp.ClientTimeout(10)
    async with aiohttp.ClientSession(timeout=patient) as session, session.post(url, json=value) as answer:
        assert answer.status == 202


async def test_rules_that_change_while_the_broker_is_away_are_at_work_at_once_and_the_hub_goes_on_watching_itself(
    tmp_path, broker
):
    async with Hub(tmp_path, broker, document(HOT + AWAY), limits=QUICK_RELOAD, http="{listen: '127.0.0.1:0'}") as hub:
        await broker.stop()
        hub.rules.write_text(document(COLD + SHOP + AWAY))
        await hub.says(" reloaded ", "4 rules")
        await fired(hub, "HubBrokerAway")
        await post(hub, "t/1", -1)
        await fired(hub, "Cold")
        said = len(hub.lines)
        await broker.start()
        await hub.says(" connected ", after=said)
        async with client(broker.settings("device"), "device") as device:
            await device.publish("shop/1", "31")
        await fired(hub, "Shop")


async def test_rules_taken_while_the_broker_was_away_that_it_then_refuses_give_way_to_the_old_ones(tmp_path):
    async with (
        denying(tmp_path / "broker", "t/#", "ask/#", "hub/#", "homeassistant/#") as broker,
        Hub(tmp_path, broker, document(HOT), limits=QUICK_RELOAD) as hub,
    ):
        await broker.stop()
        hub.rules.write_text(document(COLD + SHOP))
        await hub.says(" reloaded ")
        await broker.start()
        await hub.says(" trouble ", "the old rules go on", "shop/+")
        await fired(hub, "HubRulesRefused")
        async with client(broker.settings("hub"), "device") as device:
            await device.publish("t/1", "31")
        await fired(hub, "Hot")
        hub.rules.write_text(document(COLD))
        said = len(hub.lines)
        await hub.says(" reloaded ", after=said)
        async with client(broker.settings("hub"), "device") as device:
            await device.publish("t/1", "-1")
        await fired(hub, "Cold")
