"""The AsyncAPI document: it is valid by the specification's own schema, and a running hub's messages fit it.

`specs/asyncapi-3.0.0.json.gz` is that of @asyncapi/specs 6.11.1 (Apache-2.0), without descriptions and without the
bindings of other protocols.
"""

import gzip
import json
import os
import re
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from hub.commands.contract import COMMANDS
from hub.commands.service import Service
from hub.config import load_settings
from hub.operate.client.ask import ask
from hub.operate.specs.asyncapi import asyncapi
from tests.acceptance.scene import scene
from tests.support import prefork
from tests.support.ends import watching

SPECIFICATION = json.loads(
    gzip.decompress((Path(__file__).parents[1] / "specs" / "asyncapi-3.0.0.json.gz").read_bytes())
)
DOCUMENT = asyncapi()
GONE = "gone: {webhook: {url: 'http://127.0.0.1:9/'}}"
RULES = """
  - {alert: Hot, topic: "t/{site}/{device}", when: celsius > 30, severity: critical, summary: "{device} has {celsius}"}
  - {alert: Group, topic: "g/{device}", when: celsius > 30, group_by: []}
  - {event: Moment, topic: m/x}
"""


def test_it_is_valid_by_the_specification():
    Draft7Validator.check_schema(SPECIFICATION)
    errors = Draft7Validator(SPECIFICATION).iter_errors(DOCUMENT)
    assert not [f"{list(each.absolute_path)}: {each.message}" for each in errors]


def test_the_specification_is_looked_at_closely():
    broken = asyncapi()
    broken["channels"]["status"]["adress"] = "x"
    broken["operations"]["sendStatus"]["action"] = "publish"
    broken["operations"]["sendStatus"]["bindings"]["mqtt"]["qos"] = 7
    assert len(list(Draft7Validator(SPECIFICATION).iter_errors(broken))) >= 2


def test_every_reference_leads_somewhere():
    for reference in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(DOCUMENT)):
        found = DOCUMENT
        for step in reference.split("/"):
            found = found[step]


def test_it_is_printed():
    code, printed, _ = prefork.run("schema", "--asyncapi", cwd=prefork.ROOT, env=os.environ)
    assert (code, json.loads(printed)) == (0, DOCUMENT)


def test_the_prefix_is_that_of_the_settings():
    addresses = [each["address"] or "" for each in asyncapi("site/hub")["channels"].values()]
    assert "site/hub/command/ack" in addresses
    assert not [each for each in addresses if each.startswith("hub/")]


def test_every_command_is_in_it():
    made = Service(None, None, None, None, None, token_key=b"", mirror=None, ask=None)
    assert set(COMMANDS) == set(made._known)


def payload_of(channel, message):
    return DOCUMENT["channels"][channel]["messages"][message]["payload"]


def fits(value, schema):
    """Hold a value against a schema, and every name in it, too: what is not described is an error."""
    Draft7Validator(closed(schema)).validate(value)


def closed(schema):
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: closed(value) for key, value in schema.items()}
    if isinstance(made.get("properties"), dict):
        made = {**made, "additionalProperties": False}
    return made


@pytest.fixture
async def talk(tmp_path, broker):
    """A hub to which something of everything has happened, and all that it has said."""
    (tmp_path / "devices").mkdir()
    (tmp_path / "devices" / "t.csv").write_text("topic,limit,limit.min,limit.max\nt/2,5,0,9\n", "utf-8")
    async with (
        watching(broker, "#", name="all") as heard,
        scene(tmp_path, broker, RULES, receivers=GONE, limits={"GROUP_WAIT_SECONDS": 0.2}) as made,
    ):
        await made.send("t/a/1", {"celsius": 31})
        await made.send("t/a/1", {"celsius": 1})
        await made.send("t/a/2", {"celsius": 32})
        await made.send("g/1", {"celsius": 32})
        await made.send("m/x", {"any": "thing"})
        await made.notified("Hot", "resolved", device="1")
        await made.notified("Group", "firing")
        await made.notified("Moment", "event")
        await heard.until(lambda items: told_names(items) >= {"Hot", "Group", "Moment"})
        yield made, heard


def told_names(messages):
    """Return of which alerts somebody was told; this client hears in its own time."""
    return {json.loads(each.payload)["alertname"] for each in messages if each.topic.startswith("notify/")}


async def test_what_is_said_is_as_described(talk):
    _, heard = talk
    status = [json.loads(each.payload) for each in heard if each.topic == "hub/status"]
    alerts = [json.loads(each.payload) for each in heard if each.topic.startswith("hub/alerts/") and each.payload]
    told = [json.loads(each.payload) for each in heard if each.topic.startswith("notify/")]
    assert status
    assert {each["state"] for each in alerts} >= {"firing", "resolved"}
    assert {each["alertname"] for each in told} >= {"Hot", "Group", "Moment"}
    for found, channel, message in (
        (status, "status", "status"),
        (alerts, "alerts", "alert"),
        (told, "notifications", "notification"),
    ):
        for each in found:
            fits(each, payload_of(channel, message))


ASKED = {
    "ack": {"alertname": "Hot", "by": "olga", "comment": "mine", "for": "1h"},
    "unack": {"matchers": "alertname=Hot"},
    "silence": {"matchers": ["device=2"], "for": "1h", "by": "olga"},
    "unsilence": {"id": "SILENCE"},
    "set": {"device": "t/2", "attributes": {"limit": 7}, "by": "olga"},
    "settings": {},
    "token": {"id": "ALERT", "by": "olga"},
    "outbox": {"state": "queued"},
    "outbox-retry": {"all": True},
    "outbox-drop": {"receiver": "gone"},
    "drill": {"receivers": ["gone"], "by": "olga"},
    "drill-receipts": {"drill": 1},
    "alerts": {"matchers": "severity=critical"},
    "silences": {"expired": True},
    "push": {},
    "why": {"alert": "Hot", "labels": {"device": "2"}},
    "why-not": {"rule": "Hot", "labels": {"device": "2"}},
}


async def test_what_is_asked_and_answered_is_as_described(talk, monkeypatch):
    made, _ = talk
    monkeypatch.setenv("PASSWORD", made.hub.broker.settings("hub").password.reveal())
    settings = load_settings(made.hub.folder / "hub.yaml")
    known = {"SILENCE": "", "ALERT": (await ask(settings, "alerts", {"alertname": "Hot"}))["alerts"][0]["id"]}
    for name, asked in ASKED.items():
        request = {key: known.get(value, value) if isinstance(value, str) else value for key, value in asked.items()}
        Draft7Validator(payload_of(command(name), "request")).validate(request)
        answer = await ask(settings, name, request)
        assert answer["ok"], (name, answer)
        Draft7Validator(payload_of(command(name).replace("command", "answer"), "answer")).validate(answer)
        known["SILENCE"] = answer.get("silence", {}).get("id", known["SILENCE"])
    assert set(COMMANDS) - set(ASKED) == {"push-subscribe", "push-unsubscribe"}  # they need a browser
    wrong = await ask(settings, "ack", {"alertname": "Nobody"})
    fits(wrong, payload_of("answerAck", "error"))


def command(name):
    return "command" + "".join(word.capitalize() for word in name.split("-"))
