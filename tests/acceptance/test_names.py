"""A rule's own names, from its texts to the topics and payloads of receivers."""

from tests.acceptance.scene import scene

RULES = """
  - alert: Battery
    topic: rtl/+/events
    by: [model, id]
    when: battery_ok == 0
    summary: "battery of {model} {id}"
    notify: [bus, shelf]
  - {alert: Door, topic: "z/{name}", when: state == "OPEN", summary: "{name} is {state}", notify: [bus, shelf]}
"""
SHELF = 'shelf: {mqtt: {topic: "notify/by/{id}/{alertname}", payload: "{id} {state} {key}"}}'


async def test_id_and_state_are_the_rules_own_in_texts_and_its_id_in_a_receivers_templates(tmp_path, broker):
    async with scene(tmp_path, broker, RULES, SHELF) as at:
        await at.send("rtl/pi/events", {"model": "TH", "id": 5, "battery_ok": 0})
        await at.send("z/front", {"state": "OPEN"})
        assert (await at.notified("Battery", "firing"))["summary"] == "battery of TH 5"
        door = await at.notified("Door", "firing")
        assert (door["summary"], "named" in door) == ("front is OPEN", False)
        await at.send("rtl/pi/events", {"model": "TH", "id": None, "battery_ok": 0})
        nothing = await at.notified("Battery", "firing", 2)
        assert (nothing["summary"], "id" in nothing["labels"]) == ("battery of TH ", False)
        await at.send("z/front", {"state": "SHUT"})
        assert (await at.notified("Door", "resolved"))["summary"] == "front is SHUT"
        await at.settled()
        shelf = {each.topic: each.payload for each in at.told if each.topic.startswith("notify/by/5/")}
        assert [(topic, bytes(text).split()[:2]) for topic, text in shelf.items()] == [
            ("notify/by/5/Battery", [b"5", b"firing"])
        ]
