"""What real devices send beside sound JSON, through a real broker: read as they mean it, and never lost from sight."""

import base64

import pytest

from tests.acceptance.scene import scene
from tests.acceptance.test_http import opened

RULES = """
  - {alert: Hot, topic: "raw/{case}", when: temperature > 30, absent: 3s, summary: "{case} {temperature}"}
  - {event: Image, topic: "cam/{cam}/snapshot", summary: "{cam} {value} {size(value)} {event.size}"}
  - {alert: CamSilent, topic: "cam/{cam}/snapshot", absent: 3s}
  - {event: Degrees, topic: "text/{device}", summary: "{device} {value}"}
  - {event: Told, topic: "told/{device}", summary: "{value}", details: "{event.size}", labels: {first: "{value}"}}
"""
MEANT = {
    "bom": b'\xef\xbb\xbf{"temperature":35}',
    "nul": b'{"temperature":35}\0',
    "crlfnul": b'{"temperature":35}\r\n\0',
    "nan": b'{"temperature":35,"humidity":nan}',
    "inf": b'{"temperature":35,"humidity":-inf}',
    "latin1": '{"temperature":35,"unit":"°C"}'.encode("latin-1"),
}
PICTURE = b"\xff\xd8\xff\xe0\0\x10JFIF\xc0\x80"


async def test_what_libraries_add_to_json_is_no_part_of_it(tmp_path, broker):
    async with scene(tmp_path, broker, RULES) as at:
        for case, payload in MEANT.items():
            await at.send(f"raw/{case}", payload)
        for case in MEANT:
            assert (await at.notified("Hot", "firing", case=case))["summary"] == f"{case} 35"
        await at.send("text/a", "35°C".encode("latin-1"))
        assert (await at.notified("Degrees", "event"))["summary"] == "a 35°C"
        assert at.hub.rows("SELECT * FROM dead_letters") == []
        assert not [line for line in at.hub.lines if " unread " in line]


async def test_a_picture_is_an_event_that_is_told_and_a_sign_of_life(tmp_path, broker):
    async with scene(tmp_path, broker, RULES) as at:
        await at.send("cam/yard/snapshot", PICTURE)
        told = await at.notified("Image", "event", cam="yard")
        assert told["summary"] == "yard <12 bytes> 12 12"
        assert told["event"]["payload"] == "<12 bytes>"
        assert base64.b64decode(told["event"]["base64"]) == PICTURE
        await at.notified("CamSilent", "firing", within=8, cam="yard")
        await at.hub.kill()  # what it remembers of the picture is bytes, too
        await at.hub.start()
        await at.send("cam/yard/snapshot", PICTURE)
        await at.notified("CamSilent", "resolved", cam="yard")
        assert at.hub.rows("SELECT * FROM dead_letters") == []
        assert at.hub.errors == []


@pytest.mark.parametrize("payload", [PICTURE, b"{oops", b"[1,2", b"nan"], ids=repr)
async def test_a_device_that_sends_what_no_rule_can_use_is_not_silent(tmp_path, broker, payload):
    async with scene(tmp_path, broker, RULES) as at:
        await at.send("raw/a", {"temperature": 20})
        await at.notified("Hot", "firing", within=8, case="a", reason="absent")
        await at.send("raw/a", payload)
        told = await at.notified("Hot", "resolved", case="a", reason="absent")
        assert told["reason"] == "message again"
        assert at.hub.rows("SELECT count(*) FROM dead_letters") == [(int(payload[:1] in b"{["),)]


@pytest.mark.parametrize("payload", [PICTURE, b"{oops"], ids=repr)
async def test_page_and_commands_know_of_a_device_that_sends_what_no_rule_can_use(tmp_path, broker, payload):
    async with opened(tmp_path, broker, rules=RULES) as ask:
        at = ask.scene
        await at.send("cam/yard/snapshot", payload)
        await at.settled()
        found = {each["device"]: each for each in (await ask.good("GET", "/api/hub/devices"))["devices"]}
        assert found["cam/yard/snapshot"]["presence"] == "online"
        events = {each["topic"]: each for each in (await ask.good("GET", "/api/hub/events"))["events"]}
        shown = "<12 bytes>" if payload is PICTURE else "{oops"
        assert events["cam/yard/snapshot"]["payload"] == shown
        why = await ask.good("GET", "/api/hub/why-not?rule=CamSilent&cam=yard")
        assert why["instances"][0]["event"]["payload"] == shown
        sentences = " ".join(why["instances"][0]["sentences"])
        assert ("could not be read" in sentences) is (payload is not PICTURE)
        status, body = await ask.ask("POST", "/events/cam/door/snapshot", payload)
        assert (status == 202) is (payload is PICTURE), body
        assert at.hub.errors == []
