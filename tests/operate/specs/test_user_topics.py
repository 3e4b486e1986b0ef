"""The AsyncAPI document of a user's own rules: it names their topics, and the messages of a hub with them fit it."""

import json
import os
import re

import pytest
from jsonschema import Draft7Validator

from hub.config import load_settings
from hub.documents.document import Problems
from hub.ingest.topics import matches
from hub.operate.specs.asyncapi import asyncapi
from hub.project.files import load_files
from tests.acceptance.scene import scene
from tests.operate.specs.test_asyncapi import SPECIFICATION, fits
from tests.support import prefork
from tests.support.ends import watching
from tests.support.hub import ROOT

ODD = """
receivers:
  plain: {mqtt: {topic: "notify/{labels.site}-{alertname}/{site}", payload: "{state}: {summary}", qos: 0, retain: true}}
  kept: {file: {path: told.txt}}
defaults: {notify: [plain, kept]}
rules:
  - {alert: A, topic: ["a/{site}/b", "z/{site}/#"], when: "x > 1 && y.z < 3", by: [site, serial]}
  - {alert: B, topic: a/site/b, by: [], when: x > 2, summary: "{w}"}
  - {alert: C, topic: "c/{level3}/+/{rest...}", when: value > 1}
  - {alert: D, topic: "spBv1.0/{group}/DDATA/{node}/{device}", when: Temperature > 1, absent: 1m}
  - {alert: E, topic: "homie/{device}/thermo/temperature", absent: 1m}
  - {alert: Own, topic: $hub/disk, when: free_percent < 5}
  - {event: F, topic: f/+}
"""


@pytest.fixture
def odd(tmp_path):
    (tmp_path / "hub.yaml").write_text("rules: [rules.yaml]\npublish_prefix: my/hub\n", "utf-8")
    (tmp_path / "rules.yaml").write_text(ODD, "utf-8")
    return tmp_path


def schema(folder, *arguments):
    """Run `hub schema` there; return (exit code, stdout, stderr)."""
    env = os.environ | {"PASSWORD": "x", "NO_COLOR": "1", "COLUMNS": "200"}
    return prefork.run("schema", *arguments, cwd=folder, env=env)


def printed(folder, *arguments):
    """Return the document that `hub schema` prints there."""
    code, out, err = schema(folder, *arguments)
    assert code == 0, err
    return json.loads(out)


def valid(document):
    errors = Draft7Validator(SPECIFICATION).iter_errors(document)
    assert not [f"{list(each.absolute_path)}: {each.message}" for each in errors]
    for name, channel in document["channels"].items():
        parameters = re.findall(r"\{([A-Za-z0-9_-]+)\}", channel["address"] or "")
        assert parameters == list(channel.get("parameters", {})), name
    for operation in document["operations"].values():
        assert operation["channel"]["$ref"].removeprefix("#/channels/") in document["channels"]


def test_topics_of_rules_and_receivers_are_channels_with_their_names(odd):
    found = printed(odd, "--asyncapi", "-c", "hub.yaml")
    valid(found)
    addresses = {name: each["address"] for name, each in found["channels"].items()}
    wanted = {
        "events_a_site_b": "a/{site}/b",
        "events_a_site_b_2": "a/site/b",
        "events_z_site": "z/{site}/{level3}",
        "events_c_level3_rest": "c/{level3}/{level3_}/{rest}",
        "events_f": "f/{level2}",
        "alerts_A": "my/hub/alerts/A/{site}/{serial}",
        "alerts_B": "my/hub/alerts/B",
        "notifications_plain": "notify/{part2}-{alertname}/{site}",
        "own_rule": "$hub/rule/{name}",
        "commandAck": "my/hub/command/ack",
    }
    assert {name: addresses[name] for name in wanted} == wanted
    assert not {"events", "notifications", "notifications_kept", "alerts_F", "events_hub_disk"} & set(addresses)
    assert found["channels"]["events_z_site"]["x-mqtt-filter"] == "z/+/#"
    read = found["channels"]["events_a_site_b"]["messages"]["message"]["payload"]["properties"]
    assert read["x"] == {"description": "Read by A."}
    assert set(read) == {"serial", "x", "y"}
    mqtt = found["operations"]["sendNotifications_plain"]["bindings"]["mqtt"]
    assert (mqtt["qos"], mqtt["retain"]) == (0, True)


def test_every_topic_that_a_hub_subscribes_to_for_its_rules_is_received_and_none_of_its_own_is(odd):
    rules = load_files(load_settings(odd / "hub.yaml"), Problems()).rules
    found = asyncapi("my/hub", rules)
    received = [
        found["channels"][each["channel"]["$ref"].removeprefix("#/channels/")]
        for each in found["operations"].values()
        if each["action"] == "receive"
    ]
    filters = {each.get("x-mqtt-filter") or each["address"] for each in received}
    assert {"spBv1.0/+/NBIRTH/+", "spBv1.0/+/DDEATH/+/+", "homie/+/$state", "c/+/+/#"} <= filters
    assert set(rules.filters()) <= filters
    assert not [each for each in filters if each.startswith("$hub/")]
    pointed = {each["channel"]["$ref"].removeprefix("#/channels/") for each in found["operations"].values()}
    assert {name for name in found["channels"] if name.startswith("own_")} <= set(found["channels"]) - pointed


def test_the_document_of_the_shipped_rules_is_valid(monkeypatch):
    monkeypatch.chdir(ROOT)
    found = printed(ROOT, "--asyncapi", "rules")
    valid(found)
    assert "site/{site}/freezer/{freezer}/telemetry" in {each["address"] for each in found["channels"].values()}


RULES = """
  - {alert: Hot, topic: "t/{site}/{device}", when: celsius > 30, severity: critical, summary: "{device} has {celsius}"}
  - {event: Came, topic: "c/{device}", notify: [bus, words], summary: "{device} came"}
"""
WORDS = 'words: {mqtt: {topic: "notify/{device}/words", payload: "{summary}"}}'


async def test_a_hub_talks_on_the_topics_that_the_document_of_its_rules_has(tmp_path, broker):
    async with (
        watching(broker, "#", name="all") as heard,
        scene(tmp_path, broker, RULES, WORDS, settings="discovery: homeassistant\n") as made,
    ):
        found = printed(made.hub.folder, "--asyncapi", "-c", "hub.yaml")
        await made.send("t/a/1", {"celsius": 31})
        await made.send("c/1", {"any": "thing"})
        await made.notified("Hot", "firing")
        await made.notified("Came", "event")
        await heard.first(lambda m: m.topic == "notify/1/words", 10, "words")
        await heard.first(lambda m: m.topic.startswith("homeassistant/button/"), 10, "announced")
        await made.send("t/a/1", {"celsius": 1})
        await made.notified("Hot", "resolved")
        await made.hub.stop()
    seen = {name for message in heard for name in spoken(found, message)}
    assert {
        "status",
        "alerts",
        "alerts_Hot",
        "notifications_bus",
        "notifications_words",
        "homeAssistant",
        "events_c_device",
    } <= seen


def spoken(found, message):
    """Return the channels of a message, each of which it fits."""
    names = []
    for name, channel in found["channels"].items():
        address = (channel["address"] or "").replace("{discovery}", "homeassistant")
        wild = channel.get("x-mqtt-filter") or (re.sub(r"\{[^}]*\}", "+", address) if address else None)
        if not wild or not matches(wild, message.topic):
            continue
        names.append(name)
        said = next(iter(channel["messages"].values()))
        if not message.payload:
            assert channel["address"].startswith(("hub/alerts/", "{discovery}/"))
        elif name.startswith("events_"):
            Draft7Validator(said["payload"]).validate(json.loads(message.payload))
        else:
            text = said["contentType"] != "application/json"
            fits(message.payload.decode() if text else json.loads(message.payload), said["payload"])
    assert names, f"{message.topic} is not in the document"
    return names


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--asyncapi", "--openapi"], 2, "at a time"),
        (["--openapi", "wrong.yaml"], 2, "go with --asyncapi"),
        (["--asyncapi", "wrong.yaml"], 1, "wrong.yaml:1:"),
    ],
)
def test_what_cannot_be_printed_is_told_with_why(tmp_path, arguments, code, says):
    (tmp_path / "wrong.yaml").write_text("rules: [{alert: A, topic: a/b, when: 'x >'}]\n", "utf-8")
    ended, out, err = schema(tmp_path, *arguments)
    assert ended == code
    assert says in out + err
    assert "Traceback" not in err
