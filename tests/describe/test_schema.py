"""hub.describe: the schemas take what the readers take, key by key, and describe all of it."""

import json
import os
import re
import sys
from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from hub.config import read_settings
from hub.describe import fleet_schema, json_schema, settings_schema
from hub.devices.registry import load_fleets
from hub.documents.declared import Key, KeyTable
from hub.documents.document import Problems, read_document
from hub.documents.secret import Secret
from hub.fields import Section, text
from hub.notify.receiver_settings import read_receivers
from hub.rules.reading.loader import load_rules
from hub.trial.trial_reading import read_cases
from tests.support import prefork

ROOT = Path(__file__).parents[2]
SCHEMAS = {"rules": json_schema, "fleet": fleet_schema, "settings": settings_schema}
BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)

# every kind of mapping that a rule file can hold
EVERYTHING = """
receivers:
  a: {mqtt: {topic: a/b}, retry: {attempts: 3}, fallback: {to: b}}
  b: {webhook: {url: 'http://localhost/'}}
  c: {smtp: {host: h, from: a@b.example, to: a@b.example}}
  d: {file: {path: p}}
  e: json://localhost
  f: {kafka: {servers: 'h:1', topic: t}}
  g: {amqp: {url: 'amqp://h', queue: q}}
  h: {nats: {url: 'nats://h', subject: s}}
  i: {redis: {url: 'redis://h', list: l}}
  j: {zeromq: {bind: 'tcp://*:5556', topic: t}}
  k: {webpush: {contact: ops@example.org, allow_private: true}}
defaults: {severity: info}
schedules:
  s: {daily: 02:00-03:00}
  c: {cron: 0 2 * * *, for: 1h}
  f: {from: 2026-01-01, to: 2026-01-02}
rules:
  - {alert: P, topic: t, when: x, notify: a, decode: [base64, {packed: "<hB", fields: [x, y]}]}
  - {alert: A, topic: t, when: x, notify: a, escalate: {after: 1m, to: b}, unless: {alert: B, after: 1m}}
  - {alert: B, topic: t, when: x, timestamp: {at: ts, tz: Europe/Berlin, late: 15m}}
  - {alert: C, topic: t, offline: {topic: l, when: value == 0}}
  - {event: E, topic: t}
tests:
  - name: n
    send: [{at: 1m, topic: t, payload: {}}, {every: 1m, from: 1m, to: 2m, topic: t}]
    ack: {at: 1m, alert: A}
    unack: {at: 1m, alert: A}
    silence: {at: 1m, alert: A}
    unsilence: {at: 1m}
    set: {at: 1m, device: a, limit: 1}
    restart: {at: 1m}
    reload: 2m
    expect: {at: 1m, alert: A, state: inactive}
  - {name: e, expect: {at: 1m, event: E, times: 0}}
"""
SIGNALS = {
    "sine": "{sine: [1, 2]}",
    "walk": "{walk: [1, 2]}",
    "noise": "{noise: 1, spread: 1}",
    "between": "{between: [1, 2]}",
    "counter": "{counter: 0}",
    "total": "{total: sine}",
    "of": "{of: sine}",
    "part": "{of: object, key: a}",
    "sum": "{sum: list}",
    "drain": "{drain: 90d}",
    "on": "{on: 1s, every: 1m}",
    "choice": "{choice: [a]}",
    **{
        f"{kind}_drawn": f"{{{signal}, while: switch, toward: 1, within: 1m}}"
        for kind, signal in {
            "sine": "sine: [1, 2]",
            "walk": "walk: [1, 2]",
            "noise": "noise: 1, spread: 1",
            "between": "between: [1, 2]",
            "counter": "counter: 0",
            "total": "total: sine",
            "of": "of: sine",
            "sum": "sum: list",
            "drain": "drain: 90d",
        }.items()
    },
}
FLEET = (
    "fleet: f\ntopic: a/{b}\nevery: 1s\ndevices: [{b: 1}]\nwill: {}\ndemo: {faults: []}\n"
    "faults: [{fault: silence, every: 1d, for: 1m}, {fault: spike, field: sine, to: 1, every: 1d}]\n"
    "payload:\n  list: [1, 2]\n  switch: {on: 1s, every: 1m}\n"
    "  object: {choice: [{a: 1}]}\n  nested: {object: {b: 1}}\n"
    + "".join(f"  {name}: {signal}\n" for name, signal in SIGNALS.items())
)
SETTINGS = """
broker: {}
discovery: {homeassistant: {}}
sparkplug: {rebirth: true}
self_watch: {enabled: true}
heartbeat: {url: 'http://h/x'}
tracing: {sample: 0.1}
cluster: {nats: ['nats://h:4222'], node: a}
http: {tokens: [{name: n, role: viewer, token: a-token-for-the-schema}]}
sources:
  a: {amqp: {url: 'amqp://h', queue: q}, topic: t/a}
  b: {kafka: {servers: 'h:1', topic: t}, topic: t/b}
  c: {nats: {url: 'nats://h', subject: s}, topic: t/c}
  d: {redis: {url: 'redis://h', stream: s}, topic: t/d}
  e: {zeromq: {connect: 'tcp://h:5556'}, topic: t/e}
"""


def write(folder, name, text):
    (folder / name).write_text(text, "utf-8")
    return folder / name


def plain(path):
    """Return a file's values as an editor sees them."""

    def shown(value):
        if isinstance(value, dict):
            return {key: shown(item) for key, item in value.items()}
        if isinstance(value, list):
            return [shown(item) for item in value]
        return value.reveal() if isinstance(value, Secret) else value

    node = read_document(path, Problems())
    return shown(node.plain()) if node else {}


def wrong(path, kind="rules"):
    return [error.message for error in Draft7Validator(SCHEMAS[kind]()).iter_errors(plain(path))]


def tables():
    """Return every table of keys that the hub declares."""
    json_schema()  # which loads the receivers
    modules = [module for name, module in sys.modules.items() if name.startswith("hub.")]
    values = [value for module in modules for value in vars(module).values()]
    values += [kind.keys for kind in values if isinstance(kind, type) and hasattr(kind, "keys")]
    values += [each for value in values if isinstance(value, dict) for each in value.values()]
    return list({id(value): value for value in values if isinstance(value, KeyTable)}.values())


@pytest.fixture
def taken(tmp_path, monkeypatch):
    """Return what keys of each table are taken, as the readers ask for them."""
    known = {}
    finish = Section.finish

    def watched(section):
        assert section.table is not None, f"{section.what} is read without a table of its keys"
        known.setdefault(id(section.table), set()).update(section.known)
        finish(section)

    monkeypatch.setattr(Section, "finish", watched)
    problems = Problems()
    found = load_rules([write(tmp_path, "rules.yaml", EVERYTHING)], problems, read_receivers, "hub", keep=True)
    read_cases(found, problems)
    load_fleets([write(tmp_path, "fleet.yaml", FLEET)], problems)
    read_settings(write(tmp_path, "hub.yaml", SETTINGS), problems)
    assert not problems, "\n".join(map(str, problems))
    return known


def test_every_key_that_is_declared_is_taken(taken):
    declared = {table.title: sorted(table.keys) for table in tables()}
    assert {table.title: sorted(taken.get(id(table), ())) for table in tables()} == declared
    assert len(declared) > 40


def test_a_key_that_its_table_does_not_declare_cannot_be_taken(tmp_path):
    here, other = Key("here", text, "", "It is here."), Key("other", text, "", "It is not.")
    section = Section(
        read_document(write(tmp_path, "a.yaml", "other: x"), Problems()), Problems(), "it", KeyTable("it", here)
    )
    assert section.take(here) == ""
    with pytest.raises(KeyError, match="'other' is not declared in the table 'it'"):
        section.take(other)


@pytest.mark.parametrize("kind", SCHEMAS)
def test_a_schema_is_one_and_every_key_of_it_says_what_it_means(kind):
    Draft7Validator.check_schema(SCHEMAS[kind]())

    def walk(schema, path):
        for name, inner in schema.get("properties", {}).items():
            assert inner.get("title"), (*path, name)
            assert inner.get("description"), (*path, name)
        for key, inner in schema.items():
            for part in inner if isinstance(inner, list) else [inner]:
                if isinstance(part, dict):
                    walk(part, (*path, key)) if key != "properties" else [
                        walk(each, (*path, name)) for name, each in part.items()
                    ]

    walk(SCHEMAS[kind](), ())


def test_every_example_fits_the_key_that_it_stands_at():
    def walk(schema, definitions):
        for example in schema.get("examples", []) if isinstance(schema.get("examples"), list) else []:
            whole = {**schema, "definitions": definitions}
            errors = [error.message for error in Draft7Validator(whole).iter_errors(example)]
            assert not errors, (example, errors)
        for inner in schema.values():
            for part in inner if isinstance(inner, list) else [inner]:
                if isinstance(part, dict):
                    walk(part, definitions)

    for made in SCHEMAS.values():
        walk(made(), made().get("definitions", {}))


@pytest.mark.parametrize("path", sorted((ROOT / "rules").glob("*.yaml")), ids=lambda path: path.name)
def test_the_shipped_rules_fit_and_name_their_schema(path):
    assert wrong(path) == []
    assert path.read_text("utf-8").startswith("# yaml-language-server: $schema=../docs/schema/rules.json\n")


@pytest.mark.parametrize("path", sorted((ROOT / "devices").glob("*.yaml")), ids=lambda path: path.name)
def test_the_shipped_fleets_fit(path):
    assert wrong(path, "fleet") == []


def test_everything_that_the_readers_take_fits(tmp_path):
    assert wrong(write(tmp_path, "rules.yaml", EVERYTHING)) == []
    assert wrong(write(tmp_path, "fleet.yaml", FLEET), "fleet") == []
    assert wrong(write(tmp_path, "hub.yaml", SETTINGS), "settings") == []


EXAMPLES = [
    (path.name, text)
    for path in sorted((ROOT / "docs").glob("*.md"))
    for text in BLOCK.findall(path.read_text("utf-8"))
]


@pytest.mark.parametrize(("name", "text"), EXAMPLES, ids=[f"{name}-{at}" for at, (name, _) in enumerate(EXAMPLES)])
def test_the_examples_of_the_documents_fit(name, text, tmp_path, monkeypatch):
    for variable in re.findall(r"!env (\w+)", text):
        monkeypatch.setenv(variable, "json://localhost")
    path = write(tmp_path, name, re.sub(r"!file \S+", "secret", text))
    keys = plain(path)
    if not isinstance(keys, dict) or not keys or "when: !open" in text:
        return
    kind = "fleet" if {"fleet", "devices"} & {*keys} else "rules"
    kind = "settings" if {"broker", "http", "state"} & {*keys} else kind
    if kind != "rules" or {"rules", "receivers", "schedules", "defaults", "tests"} & {*keys}:
        assert wrong(path, kind) == []


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("rules", "rule: []"),
        ("rules", "rules: {alert: A}"),
        ("rules", "rules: [{alert: A, topic: t, whem: x}]"),
        ("rules", "rules: [{alert: A, topic: t}]"),
        ("rules", "rules: [{alert: A, when: x}]"),
        ("rules", "rules: [{topic: t, when: x}]"),
        ("rules", "rules: [{alert: A, event: A, topic: t, when: x}]"),
        ("rules", "rules: [{event: A, topic: t, for: 5m}]"),
        ("rules", "rules: [{alert: A, topic: [], when: x}]"),
        ("rules", "rules: [{alert: A, topic: t, when: {x}}]"),
        ("rules", "rules: [{alert: A, topic: t, when: x, for: 5}]"),
        ("rules", "rules: [{alert: A, topic: t, when: x, for: 5 minutes}]"),
        ("rules", "rules: [{alert: A, topic: t, absent: 0}]"),
        ("rules", "rules: [{alert: A, topic: t, when: x, severity: bad}]"),
        ("rules", "rules: [{alert: A, topic: t, when: x, repeat: hourly}]"),
        ("rules", "rules: [{alert: A, topic: t, when: x, escalate: [{to: [a]}]}]"),
        ("rules", "rules: [{alert: A, topic: t, when: x, enabled: 'yes'}]"),
        ("rules", "rules: [{alert: A, topic: t, when: x, by: [a-b]}]"),
        ("rules", "rules: [{alert: A, topic: t, when: x, limit: many}]"),
        ("rules", "receivers: {a: {}}"),
        ("rules", "receivers: {a: plain}"),
        ("rules", "receivers: {a: {mqtt: {topic: a}, file: {path: p}}}"),
        ("rules", "receivers: {a: {mqtt: {}}}"),
        ("rules", "receivers: {a: {mqtt: {topic: a, qos: 2}}}"),
        ("rules", "receivers: {a: {pigeon: {}}}"),
        ("rules", "receivers: {a: {amqp: {url: u}}}"),
        ("rules", "receivers: {a: {smtp: {host: h, from: a@b, to: []}}}"),
        ("rules", "schedules: {a: {daily: 02:00-03:00, weekly: mon}}"),
        ("rules", "schedules: {a: {cron: '* * * * *'}}"),
        ("rules", "schedules: {a: office}"),
        ("rules", "tests: [{name: a}]"),
        ("rules", "tests: [{name: a, expect: [{at: 1m, alert: A, state: on}]}]"),
        ("rules", "tests: [{name: a, expect: [], send: {now: 1}}]"),
        ("fleet", "topic: a"),
        ("fleet", "fleet: f\ntopic: a\npayload: {t: {walk: [1]}}"),
        ("fleet", "fleet: f\ntopic: a\npayload: {t: {wobble: [1, 2]}}"),
        ("settings", "brokers: {}"),
        ("settings", "http: {tokens: [{name: a, role: boss, token: a-token-for-the-schema}]}"),
    ],
)
def test_what_is_wrong_does_not_fit(kind, text, tmp_path):
    assert wrong(write(tmp_path, "file.yaml", text), kind)


@pytest.mark.parametrize("kind", SCHEMAS)
def test_what_is_committed_is_what_the_command_prints(kind):
    _, printed, _ = prefork.run("schema", f"--{kind}", cwd=ROOT, env=os.environ)
    assert json.loads(printed) == SCHEMAS[kind]()
    assert (ROOT / "docs" / "schema" / f"{kind}.json").read_text("utf-8") == printed, f"hub schema --{kind} > docs/…"


def test_rule_files_are_the_default_and_one_schema_is_printed_at_a_time():
    code, printed, _ = prefork.run("schema", cwd=ROOT, env=os.environ)
    assert (code, json.loads(printed)) == (0, json_schema())
    assert prefork.run("schema", "--fleet", "--rules", cwd=ROOT, env=os.environ)[0] == 2
