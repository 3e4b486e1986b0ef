"""The linter on rules as people write them: no false alarms, no cost that grows with pairs of rules."""

from importlib import import_module

import pytest

from hub.devices.registry import Registry, load_fleets
from hub.documents.document import Problems
from hub.notify.receiver_settings import read_receivers
from hub.project.files import check
from hub.rules.lint import Moment, lint
from hub.rules.reading.loader import load_rules

NOW = 1_800_000_000.0  # January 2027
CHAT = "receivers: {chat: 'json://localhost/chat'}\ndefaults: {notify: [chat]}\n"
FLEET = """
fleet: rooms
topic: site/{site}/room/{device}/climate
every: 60s
devices: {count: 3, site: berlin, max_co2: 1000}
payload: {_hidden: 1, temperature: {walk: [18, 24]}, co2: {walk: [400, 900]}}
"""


@pytest.fixture
def found(tmp_path):
    """Lint rule files and a fleet; return what is told, without the hints."""

    def found(text, fleet=FLEET, *, whole=True):
        (tmp_path / "rules.yaml").write_text(text, "utf-8")
        (tmp_path / "fleet").write_text(fleet, "utf-8")
        problems = Problems()
        rules = load_rules([tmp_path / "rules.yaml"], problems, read_receivers, "hub", keep=True)
        registry = Registry(load_fleets([tmp_path / "fleet"], problems)) if fleet else Registry()
        assert not problems, "\n".join(map(str, problems))
        return [problem.message for problem in lint(rules, registry, Moment(NOW), whole=whole)]

    return found


def rules(*texts):
    return CHAT + "rules:\n" + "".join(f"  - {{{text}}}\n" for text in texts)


STEP = "[{after: 1h, to: chat}]"
ROOM = "topic: 'site/{site}/room/{room}/climate'"


@pytest.mark.parametrize(
    "texts",
    [
        # a warning and an alarm on one value
        [f"alert: A, {ROOM}, when: co2 > 800", f"alert: B, {ROOM}, when: co2 > 900, severity: critical"],
        # the same value for longer, told to the same people
        [f"alert: A, {ROOM}, when: co2 > 800", f"alert: B, {ROOM}, when: co2 > 800, for: 1h"],
        # ordinary different conditions
        [f"alert: A, {ROOM}, when: co2 > 800", f"alert: B, {ROOM}, when: temperature > 800"],
        # other labels, other people, another instance
        [f"alert: A, {ROOM}, when: co2 > 800", f"alert: B, {ROOM}, when: co2 > 800, labels: {{team: b}}"],
        [f"alert: A, {ROOM}, when: co2 > 800", f"alert: B, {ROOM}, when: co2 > 800, notify: [], escalate: {STEP}"],
        [f"alert: A, {ROOM}, when: co2 > 800", f"alert: B, {ROOM}, when: co2 > 800, by: site, summary: '{{room}}'"],
        # one holds the other back
        [f"alert: A, {ROOM}, when: co2 > 800", f"alert: B, {ROOM}, when: co2 > 900, unless: A"],
        # one is only tried out
        [f"alert: A, {ROOM}, when: co2 > 800", f"alert: B, {ROOM}, when: co2 > 800, shadow: true"],
        # what the wider one hears beside ends a silence, or a `for`, or is a sample
        [f"alert: A, {ROOM}, absent: 1h", "alert: B, topic: 'site/{site}/room/{room}/#', absent: 1h"],
        [
            f"alert: A, {ROOM}, when: v > 1, for: 1m",
            "alert: B, topic: 'site/{site}/room/{room}/#', when: v > 1, for: 1m",
        ],
        # a field that the other one asks for may be missing
        [f"alert: A, {ROOM}, when: a > 8", f"alert: B, {ROOM}, when: a > 1 && (b > 1 || b < 2)"],
        # topics that do not meet
        ["alert: A, topic: 'a/{x}', when: v > 8", "alert: B, topic: 'b/{x}', when: v > 8"],
        ["alert: A, topic: 'a/{x}/+', when: v > 8", "alert: B, topic: 'a/+/{x}', when: v > 8"],
    ],
)
def test_rules_that_tell_different_things_are_left_alone(found, texts):
    assert found(rules(*texts)) == []


@pytest.mark.parametrize(
    "texts",
    [
        [f"alert: A, {ROOM}, when: co2 > 800", f"alert: B, {ROOM}, when: 800 < co2"],
        [f"event: A, {ROOM}, when: co2 > 800", f"event: B, {ROOM}, when: co2 > 900"],
        [f"alert: A, {ROOM}, absent: 1h", f"alert: B, {ROOM}, absent: 1h"],
        ['alert: A, topic: "t/+/{x}", when: a == "b"', 'alert: B, topic: "t/a/{x}", when: \'a == "b" && c > 3\''],
    ],
)
def test_rules_that_tell_the_same_people_twice_are_told_of_once(found, texts):
    (message,) = found(rules(*texts))
    assert "people are told twice" in message


@pytest.mark.parametrize(
    "text",
    [
        # `for` and `absent` that are long enough, or where several devices are one instance
        f"alert: A, {ROOM}, when: co2 > 800, for: 60s, absent: 61s",
        f"alert: A, {ROOM}, when: co2 > 800, for: 55s",
        f"alert: A, {ROOM}, when: co2 > 800, for: 10s, by: site, summary: '{{room}}'",
        "alert: A, topic: 'site/{site}/room/+/climate', when: co2 > 800, for: 10s",
        "alert: A, topic: ['site/{site}/room/{room}/climate', 'old/{site}/{room}'], when: co2 > 800, for: 10s",
        f"alert: A, {ROOM}, absent: auto",
        # devices that the registry does not know
        "alert: A, topic: 'plant/{site}/{pump}', when: temprature > 800, for: 1s",
        # names that nobody has any like of, and those that are asked for
        f"alert: A, {ROOM}, when: pressure > 800",
        f"alert: A, {ROOM}, when: has(payload.temprature) && temprature > 800",
        f"alert: A, {ROOM}, when: has(device.max_co) && co2 > device.max_co",
        # hysteresis, also where end and beginning meet, or look at other things
        f"alert: A, {ROOM}, when: co2 > 800, clear: co2 <= 800",
        f"alert: A, {ROOM}, when: co2 > 800, clear: temperature < 20",
        f"alert: A, {ROOM}, when: co2 > 800, clear: co2 < 700 || temperature < 10",
        f"alert: A, {ROOM}, when: co2 > device.max_co2, clear: co2 < device.max_co2 - 200",
        f"alert: A, {ROOM}, when: co2 != 800, clear: co2 == 800",
        # pauses with room between them
        f"alert: A, {ROOM}, when: co2 > 800, for: 23h, pause: daily 02:00-02:30",
        f"alert: A, {ROOM}, when: co2 > 800, for: 60h, pause: 'weekly mon-fri 08:00-18:00'",
        f"alert: A, {ROOM}, when: co2 > 800, for: 6d, pause: cron 0 2 * * sun for 2h",
        f"alert: A, {ROOM}, when: co2 > 800, pause: temperature > 20, mute: from 2027-05-01 to 2027-05-03",
        # a death is reported at once, however long the time
        "alert: A, topic: 'homie/{device}/+/+', by: device, absent: 2d, pause: daily 02:00-02:30",
        # fields that are called like a word of YAML 1.1
        f"alert: A, {ROOM}, when: 'on'",
        f"event: A, {ROOM}, when: true",
        # an event for everything, a topic that it listens to, a capture of several levels
        'event: A, topic: \'a/{x...}\', when: x == "b/c" && topic == "a/b/c"',
    ],
)
def test_a_rule_as_it_should_be_is_left_alone(found, text):
    assert found(rules(text)) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"alert: A, {ROOM}, when: co2 > 1, for: 15h, pause: 'weekly mon-sun 08:00-18:00'", "'for' is longer"),
        (f"alert: A, {ROOM}, when: co2 > 1, for: 7d, pause: cron 0 2 * * sun for 2h", "'for' is longer"),
        (f"alert: A, {ROOM}, when: co2 > 1, for: 11h, pause: 'not office'", "'for' is longer"),
        (f"alert: A, {ROOM}, when: 1 > 2", "can never be true"),
        (f"alert: A, {ROOM}, when: co2 > 1, clear: false", "never clears"),
        (f"alert: A, {ROOM}, when: true", "never clears"),
        (f"alert: A, {ROOM}, when: co2 > 1, for: 53s", "is shorter than the 1m"),
        (f"alert: A, {ROOM}, when: payload.co > 1", "sends a field 'co'"),
        (f"alert: A, {ROOM}, when: co2 > 1 && _hiden > 1, absent: 60s", "is not longer than the 1m"),
    ],
)
def test_what_cannot_be_meant_is_told(found, text, message):
    office = "schedules: {office: weekly mon-fri 08:00-18:00}\n"
    (told,) = found((office if "office" in text else "") + rules(text))
    assert message in told


def test_a_schedule_counts_as_named_in_any_condition_or_text(found):
    schedules = "schedules: {a: daily 01:00-02:00, b: daily 02:00-03:00, c: daily 03:00-04:00, d: daily 04:00-05:00}\n"
    text = schedules + rules(
        f"alert: A, {ROOM}, when: co2 > 9 && a, mute: b || co2 < 10, notify: chat, summary: '{{c ? 1 : 2}}'",
        f"event: E, {ROOM}, when: co2 > 5, labels: {{when: '{{d}}'}}, notify: chat",
    )
    assert found(text, "") == []


def test_a_schedule_is_not_the_field_of_its_name_and_a_rules_severity_not_the_payloads(found):
    text = "schedules: {night: daily 22:00-07:00}\n" + rules(
        f"alert: A, {ROOM}, when: payload.night && !night && co2 > 1, notify: chat",
        f"alert: B, {ROOM}, when: severity == 'info', pause: severity == 'info' && night, notify: chat",
        f"alert: C, {ROOM}, when: co2 > 2, severity: critical, mute: night && severity != 'critical', notify: chat",
    )
    assert found(text, "") == []


def test_a_gate_that_no_rule_of_its_severity_can_open_is_told(found):
    text = rules(f"alert: C, {ROOM}, when: co2 > 2, mute: severity == 'critical', notify: chat")
    assert found(text, "") == ["'mute' of rule 'C' can never be true, so nothing is ever muted"]


def test_a_schedule_counts_as_named_also_behind_not_and_by_another_schedule(found):
    schedules = "schedules: {a: 'weekly mon-fri 08:00-18:00', b: not a, c: {not: b}, d: 'daily 02:00-03:00'}\n"
    text = schedules + rules(
        f"alert: A, {ROOM}, when: co2 > 1, mute: not c", f"alert: B, {ROOM}, when: co2 < 1, pause: d"
    )
    assert found(text) == []


def test_what_nothing_names_is_not_told_of_where_only_a_part_of_the_files_is_read(found):
    text = "receivers: {chat: 'json://localhost/chat'}\nrules:\n  - {event: A, topic: a, notify: []}\n"
    assert found(text, whole=False) == []
    assert found(text) == ["no rule names the receiver 'chat'", "nobody is told of rule 'A': its 'notify' is empty"]


def test_one_file_of_several_is_not_blamed_for_what_the_others_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "receivers.yaml").write_text(
        "receivers: {chat: 'json://localhost/chat'}\nrules: [{event: A, topic: a}]\n"
    )
    (tmp_path / "use.yaml").write_text("rules:\n  - {event: B, topic: b, notify: chat}\n")
    assert check(None, [tmp_path / "receivers.yaml"], notes=True) == []
    assert not any("chat" in str(each) for each in check(None, [tmp_path], notes=True))
    (tmp_path / "use.yaml").unlink()
    assert "no rule names the receiver" in str(check(None, [tmp_path / "receivers.yaml"], notes=True)[0])


@pytest.mark.parametrize(
    "when", ['unit == "d{n}" && v > {n}', "v{n} > 1", "v > {n} || w < {n}"], ids=["equality", "fields", "or"]
)
def test_each_rule_is_held_against_a_bounded_number_of_others(tmp_path, monkeypatch, when):
    asked, overlaps = [], import_module("hub.rules.lint.overlaps")
    entails = overlaps.entails
    monkeypatch.setattr(overlaps, "entails", lambda *pair: asked.append(pair) or entails(*pair))
    texts = [f"alert: A{n}, topic: 'a/{{x}}', when: '{when.format(n=n)}'" for n in range(300)]
    (tmp_path / "rules.yaml").write_text(rules(*texts), "utf-8")
    found = load_rules([tmp_path / "rules.yaml"], Problems(), read_receivers, "hub", keep=True)
    assert len(found.rules) == 300
    list(overlaps.overlaps(found.rules, found.nodes))
    assert len(asked) <= 16 * 300


def test_who_is_only_told_where_another_fails_is_told(found):
    text = "receivers: {chat: {file: {path: p}, fallback: mail}, mail: {file: {path: q}, fallback: {to: sms}}, "
    text += "sms: 'json://localhost/sms'}\nrules:\n  - {event: A, topic: a, notify: chat}\n"
    assert found(text) == []
