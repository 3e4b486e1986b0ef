"""What hostile or broken devices publish, through the real broker: counted, kept as dead letters, acknowledged."""

import json

import pytest

from tests.acceptance.scene import scene
from tests.support.mqtt import packets
from tests.support.proxy import Proxy

RULES = """
  - {alert: Hot, topic: "t/{device}", when: "payload.v > 30 || v > 1000", summary: "{device}: {v}"}
  - {event: Seen, topic: "t/{device}", by: [device], summary: "{payload}"}
"""
UNREADABLE = {
    "half an object": b"{oops",
    "half a list": b"[1,2",
    "what is nearly nan": b'{"v": nano}',
    "nan, and a name twice": b'{"v": nan, "v": 99}',
    "depth": b"[" * 5000 + b"]" * 5000,
    "depth of objects": b'{"a":' * 500 + b"1" + b"}" * 500,
    "duplicate keys": b'{"v": 1, "v": 99}',
    "duplicate keys inside": b'{"x": {"v": 1, "v": 99}}',
    "broken": b'{"v": 1',
    "quotes without an end": b'"' + b'\\"' * 100_000,
    "300 KB": b'{"v": "' + b"x" * 300_000 + b'"}',
    "escaped lone surrogate": b'{"v": "\\ud800"}',
}
HARMLESS = {
    "5,000 digits": b'{"v": ' + b"9" * 300 + b"}",
    "NaN": b'{"v": NaN}',
    "infinity": b'{"v": -Infinity}',
    "1e999": b'{"v": 1e999}',
    "5,000 digits more": b'{"v": ' + b"9" * 5000 + b"}",
    "many nans": b"[" + b"nan," * 60_000 + b"nan]",
    "plain nan": b"nan",
    "plain 1e999": b"1e999",
    "a mark and NULs": b'\xef\xbb\xbf{"v": 1}\0\0',
    "not UTF-8": b'{"v": "\xff\xfe"}',
    "overlong UTF-8": b'{"v": "\xc0\xaf"}',
    "surrogates": b'{"v": "\xed\xa0\x80"}',
    "control characters": b"ok\x1b[2J\x07\x00",
    "a picture": b"\xff\xd8\xff\xe0\0\x10JFIF",
    "binary that begins like JSON": b"[\x01\x02",
    "empty": b"",
    "null": b"null",
    "a list": b"[1, 2]",
    "NUL in text": b'{"v": "\\u0000\\u001b[2J"}',
    "dunder": b'{"__class__": 1, "v": "{0.__class__}"}',
    "deep enough": b"[" * 32 + b"]" * 32,
}


async def test_what_cannot_be_read_is_counted_kept_acknowledged_and_hurts_nobody(tmp_path, broker):
    async with Proxy(broker.port) as proxy, scene(tmp_path, broker, RULES, port=proxy.port) as at:
        for payload in UNREADABLE.values():
            await at.send("t/bad", payload)
        for payload in HARMLESS.values():
            await at.send("t/odd", payload)
        await at.send("t/good", {"v": 31})
        await at.notified("Hot", "firing", device="good")
        await at.settled()
        seen = at.notifications("Seen", device="bad")
        assert seen == [], [each["event"]["payload"] for each in seen]
        assert len(at.notifications("Seen", device="odd")) == len(HARMLESS)
        letters = at.hub.rows("SELECT topic, length(head), reason FROM dead_letters ORDER BY row")
        assert [topic for topic, _, _ in letters] == ["t/bad"] * len(UNREADABLE)
        assert all(size <= 1024 and reason for _, size, reason in letters)
        assert await at.hub.stop() == 0
        events = len(UNREADABLE) + len(HARMLESS) + 1 + at.heard
        of_events = [recording for recording in proxy.sent if b"hub-desk" not in recording[:200]]
        acknowledged = sum(first == 0x40 for recording in of_events for first, _ in packets(recording))
        assert acknowledged == events
        assert not [line for line in at.hub.lines if any(ord(char) < 32 or 127 <= ord(char) < 160 for char in line)]
        assert sum(" unread " in line for line in at.hub.lines) == 1, "told once, then counted"
        assert any(" summary " in line and str(len(letters)) in line for line in at.hub.lines)
        assert at.hub.errors == []


async def test_a_flood_of_rubbish_does_not_keep_a_good_device_from_being_heard(tmp_path, broker):
    async with scene(tmp_path, broker, RULES) as at:
        rubbish = list(UNREADABLE.values())
        batch = [(f"t/{n}", rubbish[n % 4]) for n in range(3000)]
        await at._device.publish_all(batch)
        await at.send("t/good", {"v": 31})
        await at.notified("Hot", "firing", within=10, device="good")
        assert sum(" unread " in line for line in at.hub.lines) == 1
        assert at.hub.rows("SELECT count(*) FROM dead_letters") == [(3000,)]


VALUES = {
    "slash": "a/b",
    "out": "../../hub/command/ack",
    "plus": "+",
    "hash": "#",
    "NUL": "x\0y",
    "ESC": "\x1b]0;owned\x07",
    "line": "a\nb\r\nc",
    "U+0001": "\x01",
    "U+FFFE": "\ufffe\uffff\ufdd0",
    "U+10FFFF": "\U0001fffe\U0010ffff",
    "slashes": "/" * 5000,
    "empty": "",
    "dollar": "$SYS/broker",
    "percent": "%2F%00",
    "10 KB": "ü" * 10_000,
    "braces": "{device} {0.__class__} {{",
    "right to left": "\u202egnp.exe",
    "U+2028": "a\u2028b\u0085c",
}
TEMPLATED = """
  - {event: Named, topic: "in/{device}", notify: [bus, to], summary: "{name}", details: "{name}",
     labels: {who: "{name}"}}
  - {alert: Kept, topic: "in/{device}", by: [name], when: 'name != "-"'}
"""
TO = 'to: {mqtt: {topic: "notify/to/{payload.name}/end", payload: "{payload.name}"}}'


async def test_hostile_values_in_topics_and_texts_stay_where_they_belong(tmp_path, broker):
    async with scene(tmp_path, broker, TEMPLATED, TO) as at:
        for value in VALUES.values():
            await at.send("in/x", {"name": value})
        await at.settled()
        assert not [line for line in at.hub.lines if " disconnected " in line]
        templated = [each for each in at.told if each.topic.startswith("notify/to/")]
        assert len(templated) == len(VALUES)
        for each in templated:
            assert each.topic.count("/") == 3
            assert each.topic.endswith("/end")
            assert len(each.topic.encode()) <= 512
            assert each.topic.isprintable() or each.topic.endswith("gnp.exe/end") or "\u2028" in each.topic
            text = each.payload.decode()
            assert len(each.payload) <= 4096
            assert not [char for char in text if ord(char) < 32 and char not in "\n\t"], text
        assert len({each.topic for each in templated}) == len(VALUES), "different values, different topics"
        assert {each.topic for each in at.told} - {each.topic for each in templated} == {
            "notify/Named",
            "notify/Kept",
            "notify/Heard",
        }
        kept = await at.states.until(
            lambda items: len(found := {each.topic for each in items if each.payload}) == len(VALUES) and found
        )
        assert all(topic.startswith("hub/alerts/Kept/") and topic.count("/") == 3 for topic in kept)
        for body in at.notifications("Named"):
            assert not [char for char in body["summary"] + body["labels"]["who"] if ord(char) < 32]
        assert await at.hub.stop() == 0
        assert not [line for line in at.hub.lines if any(ord(char) < 32 or 127 <= ord(char) < 160 for char in line)]
        assert not [line for line in at.hub.lines if "\u202e" in line or "\u2028" in line]
        assert at.hub.errors == []


async def test_hostile_topics_of_devices_are_captured_as_they_are_and_shown_harmless(tmp_path, broker):
    async with scene(tmp_path, broker, TEMPLATED, TO) as at:
        names = ["%2F", "ä ö", "$SYS", "{device}", "a" * 400, "'; DROP TABLE alerts; --", "\u202etxt"]
        for name in names:
            await at.send(f"in/{name}", {"name": "-"})
        await at.settled()
        assert [body["labels"]["device"] for body in at.notifications("Named")] == names
        assert [body["event"]["topic"] for body in at.notifications("Named")] == [f"in/{name}" for name in names]


@pytest.mark.parametrize("what", ["crash", "restart"])
async def test_a_hostile_event_that_is_pending_survives_a_restart(tmp_path, broker, what):
    rules = '  - {alert: Held, topic: "in/{device}", by: [device, name], when: v > 1, for: 1s, summary: "{name}"}'
    async with scene(tmp_path, broker, rules) as at:
        for value in VALUES.values():
            await at.send("in/x", json.dumps({"v": 2, "name": value}))
        await at.states.until(lambda items: len({each.topic for each in items}) == len(VALUES))
        if what == "crash":
            await at.hub.kill()
        else:
            assert await at.hub.stop() == 0
        await at.hub.start()
        await at.told.until(lambda _: len({each["id"] for each in at.notifications("Held")}) == len(VALUES))
        assert at.hub.errors == []
