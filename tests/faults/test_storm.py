"""A storm: ten thousand alerts within a second are one notification each interval, and delay no other alert."""

import asyncio
import time

from tests.acceptance.scene import SLACK, scene
from tests.support.mqtt import client

RULES = """
  - alert: MeterOffline
    topic: site/{site}/meter/{meter}/state
    when: value == "offline"
    group_by: []
  - alert: Fire
    topic: fire/{hall}
    when: value == "yes"
    severity: critical
"""
METERS, WITHIN_SECONDS = 10_000, 5.0


async def arrival(hub):
    await hub.notified("Fire", "firing", within=60)
    return time.time()


async def test_a_storm_is_one_notification_and_a_critical_alert_in_it_is_told_within_seconds(tmp_path, broker):
    async with scene(tmp_path, broker, RULES) as hub, client(broker.settings("device"), "gateway") as gateway:
        storm = [(f"site/a/meter/{number}/state", "offline") for number in range(METERS)]
        arrived = asyncio.create_task(arrival(hub))
        await gateway.publish_all(storm[: METERS // 2])
        rest = asyncio.create_task(gateway.publish_all(storm[METERS // 2 :]))
        sent = await hub.send("fire/1", "yes")
        await rest
        assert await arrived - sent < WITHIN_SECONDS + SLACK
        grouped = await hub.notified("MeterOffline", "firing", within=60)
        assert grouped["count"] == METERS
        await hub.settled()
        assert len(hub.notifications("MeterOffline")) == 1
        assert hub.hub.rows("SELECT count(*) FROM alerts WHERE state ->> 'alertname' = 'MeterOffline'") == [(METERS,)]
