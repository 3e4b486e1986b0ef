"""rule_key: what a key of a rule declares beside its reader, and the signature that stored instances depend on."""

import pytest

from hub.fields import duration
from hub.rules.posted.posted import Posted
from hub.rules.posted.posting import Posting
from hub.rules.reading.rule import FIELDS, KEYS, RULE
from hub.rules.reading.rule_key import RuleKey
from hub.rules.reading.rule_reader import DEFAULTS, NO_DEFAULTS
from tests.rules.making import rule

STORED = {
    '{alert: A, topic: "f/{x}", when: t > 1}': "4e4104f62ead6689",
    """{alert: Freezer too warm, topic: ["site/{s}/f/{d}", "f/{d}/{s}"], by: [d, after.id],
        when: "t > -15 && s == 'a'", for: 5m, clear: t < -18, clear_for: 1m, absent: auto, pause: daily 02:00-03:00,
        mute: night == true, unless: A, repeat: 1h, group_by: [d], limit: 3/h, shadow: true, severity: critical,
        summary: x, timestamp: payload.ts}""": "cf89f8d62a8714b8",
    '{alert: Silent, topic: "a/{x...}", absent: 10m}': "23906f6a196ed7dd",
    '{event: Parcel, topic: a/b, when: "open"}': "2bc8db6a1130ecc2",
    "{event: Ä, topic: a/+}": "fa04b6033f0e207f",
}
"""Rules with the signatures that hubs before 0.1.0 have written into their state files."""


@pytest.mark.parametrize("text", STORED)
def test_the_signature_of_a_rule_is_that_in_state_files_so_that_an_upgrade_keeps_its_instances(text):
    assert rule(f"- {text}").signature == STORED[text]


FULL = {
    "alert": "A",
    "topic": '"f/{x}"',
    "where": "kind == 1",
    "each": "payload.list",
    "by": "x",
    "across": "u",
    "stale": "15m",
    "when": "t > 1",
    "for": "5m",
    "clear": "t < 0",
    "clear_for": "1m",
    "absent": "10m",
    "offline": '{topic: "l/{x}", when: gone}',
    "pause": "daily 02:00-03:00",
    "mute": "daily 04:00-05:00",
    "unless": "B",
    "notify": "chat",
    "repeat": "1h",
    "escalate": "[{after: 15m, to: mail}]",
    "group_by": "x",
    "group_wait": "30s",
    "group_interval": "10m",
    "limit": "3/h",
    "timestamp": "payload.ts",
    "decode": "cbor",
    "shadow": "true",
    "severity": "critical",
    "labels": "{team: a}",
    "summary": "s",
    "details": "d",
    "runbook": "r",
    "enabled": "true",
}
OTHER = {
    "alert": "C",
    "topic": '"g/{x}"',
    "where": "kind == 2",
    "each": "payload.map",
    "by": "[x, t]",
    "across": "w",
    "stale": "20m",
    "when": "t > 2",
    "for": "6m",
    "clear": "t < -1",
    "clear_for": "2m",
    "absent": "auto",
    "offline": '{topic: "m/{x}", when: gone}',
    "pause": "daily 12:00-13:00",
    "mute": "t > 7",
    "unless": "[]",
    "notify": "mail",
    "repeat": "2h",
    "escalate": "[{after: 16m, to: mail}]",
    "group_by": "[]",
    "group_wait": "31s",
    "group_interval": "11m",
    "limit": "4/h",
    "timestamp": "payload.at",
    "decode": "msgpack",
    "shadow": "false",
    "severity": "info",
    "labels": "{team: b}",
    "summary": "other",
    "details": "other",
    "runbook": "other",
    "enabled": "false",
}


def written(keys):
    return rule("- {" + ", ".join(f"{key}: {value}" for key, value in keys.items()) + "}")


def test_every_key_is_changed_here():
    assert set(FULL) == set(OTHER) == set(RULE.keys) - {"event"}


@pytest.mark.parametrize("key", [key for key in KEYS if key.name in FULL], ids=lambda key: key.name)
def test_a_change_of_a_key_begins_the_instances_anew_where_its_declaration_says_so(key):
    before, after = written(FULL), written(FULL | {key.name: OTHER[key.name]})
    assert (before.signature != after.signature) is bool(key.restarts)


def test_a_new_key_is_in_the_signature_only_of_rules_that_have_it():
    made = RuleKey("new", duration, 0.0, "It is new.", restarts=True)
    assert list(made.spelled(rule("- {event: E, topic: t}"), 0.0)) == []
    assert list(made.spelled(rule("- {event: E, topic: t}"), 5.0)) == ["new=5.0"]
    told = RuleKey("told", duration, 0.0, "It is told.", restarts=False)
    assert list(told.spelled(rule("- {event: E, topic: t}"), 5.0)) == []


def test_a_key_must_say_whether_it_begins_instances_anew():
    with pytest.raises(TypeError, match="restarts"):
        RuleKey("new", duration, 0.0, "It is new.")


def test_every_key_of_defaults_is_one_of_a_rule_but_for_the_zone():
    assert {key for key in DEFAULTS.keys.values() if key not in RULE} == {DEFAULTS.keys["tz"]}


def test_a_posted_alert_is_told_by_a_rule_with_the_defaults_of_one_that_says_nothing():
    posted, rules = Posted(), {}
    posted.follow(rules, NO_DEFAULTS)
    posted.post(Posting({"alertname": "P"}, {}), 1000.0)
    read, made = rule("- {alert: P, topic: t, when: t > 1}"), rules["P"]
    others = FIELDS.keys() - {"when"}
    assert {name: getattr(made, name) for name in others} == {name: getattr(read, name) for name in others}
    assert made.texts.summary.text == "P"
