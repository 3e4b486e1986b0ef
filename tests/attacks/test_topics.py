"""A publisher that invents devices: the hub forgets or refuses, says so, and goes on watching those that are there."""

import asyncio

from tests.acceptance.scene import scene
from tests.support.record import PATIENCE

RULES = """
  - {alert: Hot, topic: "t/{device}", when: v > 30}
  - {alert: Gone, topic: "t/{device}", absent: 10m}
  - {alert: Mean, topic: "t/{device}", when: "avg(v, 10m) > 30"}
  - {event: Rang, topic: "t/{device}", when: v == 31, limit: 1/h}
"""
SMALL = {
    "RULE_INSTANCES": 50,
    "HISTORY_INSTANCES": 50,
    "HISTORY_FORGOTTEN": 5,
    "ALERTS_KEPT": 20,
    "RESOLVED_KEPT_SECONDS": 0.2,
    "LIMIT_EVENTS": 30,
}
INVENTED = 300


async def test_invented_devices_are_bounded_told_and_do_not_push_out_who_is_watched(tmp_path, broker):
    async with scene(tmp_path, broker, RULES, limits=SMALL) as at:
        await at.send("t/real", {"v": 1})
        for n in range(INVENTED):
            await at.send(f"t/x{n}", {"v": 31})
            await at.send(f"t/x{n}", {"v": 1})
        await at.settled()
        await at.send("t/real", {"v": 99})
        await at.notified("Hot", "firing", device="real")
        await at.send("t/real", {"v": 2})
        await at.notified("Hot", "resolved", device="real")
        for rule in ("Gone", "Mean", "Hot", "Rang"):
            await at.hub.says(f" {rule} on ")
        over = "SELECT count(*) FROM alerts WHERE state NOT LIKE '%firing%'"
        await _until(lambda: at.hub.rows(over)[0][0] <= 20)
        rules = at.hub.rows("SELECT rule, count(*) FROM instances WHERE instance <> '' GROUP BY rule")
        assert all(count <= 50 for _, count in rules), rules
        assert at.hub.rows("""SELECT 1 FROM instances WHERE rule = 'Gone' AND instance = '["real"]'""")
        assert at.hub.rows("SELECT count(*) FROM desk WHERE kind = 'limit'")[0][0] <= 30
        assert not at.hub.rows(
            "SELECT 1 FROM samples WHERE (rule, instance) NOT IN (SELECT rule, instance FROM instances)"
        )
        assert len(at.notifications("Rang")) == INVENTED
        ids = [each["id"] for each in at.notifications()]
        assert len(ids) == len(set(ids))
        assert await at.hub.stop() == 0


async def test_an_alert_that_was_forgotten_comes_back_under_a_new_id_also_behind_a_kill(tmp_path, broker):
    age = SMALL | {"ALERT_KEPT_SECONDS": 1.0}
    async with scene(tmp_path, broker, RULES, limits=age) as at:
        for turn in range(3):
            await at.send("t/a", {"v": 99})
            await at.notified("Hot", "firing", turn + 1)
            await at.send("t/a", {"v": 1})
            await at.notified("Hot", "resolved", turn + 1)
            await _until(lambda: not at.hub.rows("""SELECT 1 FROM alerts WHERE state LIKE '%"Hot"%'"""))
            if turn == 1:
                await at.hub.kill()
                await at.hub.start()
        ids = [each["id"] for each in at.notifications("Hot")]
        assert len(ids) == len(set(ids)) == 6
        assert await at.hub.stop() == 0


async def _until(holds):
    async with asyncio.timeout(PATIENCE):
        while not holds():
            await asyncio.sleep(0.05)
