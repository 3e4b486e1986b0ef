"""What beginners and people from other tools write: each is told at its place, with what to write instead."""

import string
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.errors import ConfigError
from hub.project.files import check, load_trial

RULE = {"alert": "X", "topic": '"a/{x}"', "when": "value > 1", "notify": "phone"}
TESTED = """
tests:
  - name: y
    topic: a/1
    send: {0m: {known-one: 1, ON: 1, used: 1, total: 2, maintenance: true}}
    expect: [{at: 0m, alert: X, state: inactive}]
"""


@pytest.fixture
def told(tmp_path, monkeypatch):
    """Check a rule with one line of one's own; return each problem, and the place of what it stands at."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").mkdir()

    def told(line, more=""):
        key = line.partition(":")[0].strip()
        lines = [f"{name}: {value}" for name, value in RULE.items() if name != key] + [line]
        text = "receivers: {phone: json://localhost/x}\nrules:\n  - " + "\n    ".join(lines) + "\n" + more
        (tmp_path / "rules" / "r.yaml").write_text(text, "utf-8")
        return text, [each for each in check(None, (), notes=True) if "nobody is told" not in each.message]

    return told


TABLE = [
    # words of the language as fields, fields with blanks and dashes
    ("when: package > 3", "package", "reserved word", "payload.package"),
    ("when: in > 3", "in >", "'in' where a value", 'payload["in"]'),
    ("when: payload.in > 3", "in >", "no name", 'payload["in"]'),
    ("when: soil moisture > 3", "moisture", "where an operator", 'payload["soil moisture"]'),
    ('summary: "{soil moisture} %"', "moisture", "where an operator", 'payload["soil moisture"]'),
    ("when: soil-moisture > 3", "soil", "a subtraction", 'payload["soil-moisture"]'),
    ("when: payload.soil-moisture > 3", "payload.soil", "a subtraction", 'payload["soil-moisture"]'),
    ('summary: "now {soil-moisture}"', "soil", "a subtraction", 'payload["soil-moisture"]'),
    ("when: température > 3", "é", "not part", 'payload["température"]'),
    # lists and mappings in one line
    ("topic: [a/{x}/t, a/{x}/h]", "{x}/t", "not YAML", 'quote each topic: ["a/{x}/t", "a/{x}/h"]'),
    ("topic: [a/{x}/t, 'b/{x}']  # both", "{x}/t", "not YAML", "quote each topic: [\"a/{x}/t\", 'b/{x}']"),
    ("notify: [{x}, phone]", "{x}", "must be text", 'quote text that begins with a brace: "{x}"'),
    # operators of others
    ("when: not x", "not", "no operator", "write !x"),
    ("when: not x > 3", "not", "no operator", "write !(x > 3)"),
    ("when: not(x)", "not", "no operator", "write !(x)"),
    ("when: open && not closing", "not", "no operator", "write !closing"),
    ("when: value not in [1, 2]", "value", "no operator", "write !(value in …)"),
    ('when: state like "a%"', "like", "no operator", 'write state.startsWith("a")'),
    ('when: state like "%a%"', "like", "no operator", 'write state.contains("a")'),
    ("when: value in 10..20", ".20", "looks into a list", "value >= 10 && value <= 20"),
    ("when: value in (10, 20)", "in (", "square brackets", "in [10, 20]"),
    ("when: value > +5", "+5", "no number", "write 5"),
    ("when: value > 1,000", "1,000", "no number", "a thousand has no mark: 1000; a fraction has a point: 1.000"),
    ("when: a ?? 3", "? 3", "'??' is no operator", "payload.?a.orValue(0)"),
    ("when: a?.b > 3", "a?.b", "'?.' is no operator", "a.?b.orValue(0)"),
    ("when: if value > 3", "if", "no part of a condition", "it stands alone"),
    ("when: value > 3 then", "then", "no part of a condition", "it stands alone"),
    ('when: "{value} > 3"', "{value}", "a text's way", "a name stands alone: value"),
    ("when: $.value > 3", "$.value", "no part of a name", "a name stands alone: value"),
    ("when: payload.soil moisture > 3", "moisture", "where an operator", 'payload["soil moisture"]'),
    ("when: value > 22:00", "22:00", "22:00 is no value", "daily 22:00-24:00"),
    ("when: len(items) > 3", "len", "unknown function", "write size(x)"),
    ("when: abs(value) > 3", "abs", "unknown function", "write math.abs(x)"),
    ('summary: "{value.1f}"', "value.1f", "behind a colon", "write {value:.1f}"),
    ('summary: "{value °C}"', "value °C", "no part of a name", "a unit stands behind the brace: {value} °C"),
    ('summary: "{value: .1f}"', " .1f", "no format", "write .1f"),
    # schedules as people say them
    ("mute: every day 22:00-06:00", "every", "not a schedule", "daily 22:00-06:00"),
    ("mute: between 22:00 and 06:00", "between", "not a schedule", "daily 22:00-06:00"),
    ("pause: 10pm - 6am", "10pm", "not a schedule", "daily 22:00-06:00"),
    ("pause: from 22:00 to 6:30", "from", "not a schedule", "daily 22:00-06:30"),
    ("mute: daily 22–7", "daily", "not a range", "write it as 22:00-07:00"),  # noqa: RUF001 - as it is pasted
    # names
    ("topic: 'a/{room-name}/{x}'", "a/{room", "begins with no digit", "{room_name}"),
    ("topic: 'a/{{x}}'", "a/{{", "no level", "one pair of braces"),
    ("topic: a/{x}, b/{x}", "a/{x}, b", "no level", "a list, each quoted"),
    ("notify: phone, mail", "phone, mail", "no receiver", "several are a list: [phone, mail]"),
    ("notify: ntfy://x", "ntfy", "no receiver", "an address stands under receivers"),
    ("by: {x}", "{x}", "must be names", "without braces: [x]"),
    ("absent: yes", "yes", "no time", "auto, which learns"),
    ("escalate: phone", "phone", "must be a mapping", ""),
    ("mute: yes", "yes", "a payload field", "write true"),
    ("when: x and y", "and", "where an operator", "write && for and"),
    ("when: x OR y", "OR", "where an operator", "|| for or"),
    ("when: x is not null", "is", "no operator", "write !="),
    ("when: value = 3", "= 3", "not part", "compare with =="),
    ("when: value === 3", "===", "no operator", "write =="),
    ("when: value <> 3", "<>", "no operator", "write !="),
    ("when: value => 3", "=>", "no operator", "write >="),
    ('when: value contains "a"', "contains", "no operator", 'write value.contains("a")'),
    ("when: value between 3 and 5", "between", "no operator", "value >= 3 && value <= 5"),
    ("when: 1 < value < 5", "< 5", "cannot be compared", "compare twice: … < value && value < …"),
    ("when: -5 <= t <= 5 && open", "<= 5", "cannot be compared", "<= t && t <= …"),
    ("when: value > 5 || < 3", "< 3", "where a value", "name the value again: … || value < …"),
    ("when: value > 10 || 20", "20", "neither true nor false", "name the value again: … || value > 20"),
    ("when: value > 30 for 5m", "for", "no part of a condition", "for: 5m"),
    ("when: payload->t > 3", "->", "no operator", "payload.x"),
    # numbers of people
    ("when: value > -15,5", "-15,5", "no number", "a number has a point: -15.5"),
    ("when: value > 1.000,5", "1.000,5", "no number", "1000.5"),
    ("when: value > 20%", "20%", "no number", "write 20,"),
    ("when: value > 20 % && open", "20 %", "no number", "write 20,"),
    ("when: value > -15°C", "-15°C", "no number", "write -15, without a unit"),
    ("when: value > 20 °C", "20 °C", "no number", "write 20,"),
    ("when: value > 20kWh", "20kWh", "no number", "write 20,"),
    ("when: value > 10 min", "10 min", "no duration", "write 10m"),
    # Jinja
    ('when: "{{ value }} > 3"', "{{", "Jinja", "here a name stands alone: value > 3"),
    ("when: {{ value }} > 3", "{ value", "a key must be a word", "here a name stands alone: value > 3"),
    ("summary: {{ value }} hot", "{ value", "a key must be a word", 'write "{value} hot"'),
    ('summary: "{{ value }} hot"', "{{", "double braces are shown", "write {value}"),
    ('summary: "{{value}} hot"', "{{", "double braces are shown", "write {value}"),
    ('summary: "{{ value_json.t | round(1) }}"', "{{", "double braces are shown", "write {t}"),
    ('summary: "{% if x %}a{% endif %}"', "% if", "Jinja", '{x > 3 ? "warm" : "cold"}'),
    ('when: "value|float > 3"', "value", "a filter of Jinja", "write double(value)"),
    ("when: value_json.t > 3", "value_json", "Home Assistant", "bare names"),
    ("when: msg.payload.t > 3", "msg", "Node-RED", "bare names"),
    # keys of others
    ("if: value > 3", "if", "unknown key", "'when'"),
    ("expr: value > 3", "expr", "unknown key", "'when'"),
    ("message: hot", "message", "unknown key", "'summary'"),
    # words that are no text, and names of no schedule
    ("when: state == ON", "ON", "the name of a payload field", 'text is quoted: "ON"; for the field, payload.ON'),
    ("when: state in [OPEN, 3]", "OPEN", "the name of a payload field", '"OPEN"'),
    ("when: open == True", "True", "the name of a payload field", "write true; for the field, payload.True"),
    ("when: state != None", "None", "the name of a payload field", "write null"),
    ("mute: office", "office", "no schedule 'office'", "write it under schedules; for the field, payload.office"),
    ("pause: not office", "not office", "no schedule 'office'", "known schedules: none"),
    # schedules without their word
    ("mute: 22:00-07:00", "22:00", "not a schedule", "daily 22:00-07:00"),
    ("pause: mon-fri 08:00-18:00", "mon", "not a schedule", "weekly mon-fri 08:00-18:00"),
    ("pause: 0 2 * * sun", "0 2", "not a schedule", "cron 0 2 * * sun for 1h"),
    # formats
    ('summary: "{t:.1}"', ".1", "writes 21.5 as 2e+01", "write .1f"),
    ('summary: "{t:%.1f}"', "%.1f", "no format", "write .1f"),
    ('summary: "{t:.1f°C}"', ".1f", "no format", "write .1f, and °C behind the brace"),
    ('summary: "{t:0.0}"', "0.0", "no format", "write .1f"),
    # what nobody sees
    ("when: value\u00a0> 3", "\u00a0", "a no-break space (U+00A0)", "delete it and type one"),
    ("when:\u00a0value > 3", "\u00a0", "a no-break space (U+00A0)", "delete it and type one"),
    ("\u00a0severity: info", "\u00a0", "unknown key", "it holds a no-break space (U+00A0): write 'severity'"),
    ("when: val\u200bue > 3", "\u200b", "a zero width space (U+200B)", "delete it"),
    ('when: value == "on\u00a0"', "\u00a0", "'when' holds a no-break space", "delete it and type one"),
    ("topic: a/{x}/b\u200b", "\u200b", "'topic' holds a zero width space", "delete it"),
    ("topic: a/{x}\u200b", "a/{x}", "no level of a topic", "write a/{x}"),
    ("when: value == “on”", "“", "not part", 'use straight quotes: "'),
    ("when: value > \u221215", "\u2212", "not part", "write -"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "place", "message", "hint"), TABLE, ids=[ascii(row[0]) for row in TABLE])
def test_it_is_told_at_its_place_with_what_to_write_instead(told, line, place, message, hint):
    text, problems = told(line)
    (found,) = [each for each in problems if message in str(each).partition("\n")[0]]
    assert hint in str(found).partition("\n")[0]
    assert text.splitlines()[found.line - 1][found.column - 1 :].startswith(place)


@pytest.mark.parametrize(
    "line",
    [
        "when: total - used > 3",
        "when: total-used > 3",  # a test sends both
        "when: value-1 > 3",
        'when: payload["soil-moisture"] > 3',
        "when: value == ON",  # a test sends it
        "mute: maintenance",
        "mute: payload.office",
        "when: state == other",
        'when: state == "True"',
        'summary: "{{{value}}}"',
        'summary: "{{ not a name }}"',
        'summary: "{{curly}}"',  # nothing that the rule knows: braces that are to be shown
        "when: (value > 3) == true",
        'summary: "{value:.1f} {value:5.1f} {value:.0%} {value:,}"',
        "when: value % 20 == 1",
    ],
)
def test_what_may_be_meant_is_left_alone(told, line):
    assert told(line, TESTED)[1] == []


PASTED = """\
alias: Fridge
triggers:
  - trigger: mqtt
    topic: fridge/t
conditions: []
actions:
  - action: notify.me
mode: single
"""
AUTOMATION = """\
- alias: Fridge
  trigger:
    - platform: mqtt
      topic: fridge/t
  condition: []
  action:
    - service: notify.phone
"""


@pytest.mark.parametrize(
    ("text", "place", "message", "hint"),
    [
        (PASTED, "r.yaml:1:1:", "an automation of Home Assistant, no rule file", "trigger's topic"),
        (AUTOMATION, "r.yaml:1:1:", "must be a mapping", "automations of Home Assistant"),
        ("rules:\n" + AUTOMATION, "r.yaml:2:3:", "an automation of Home Assistant", "trigger's topic"),
        ("automation:\n" + AUTOMATION, "r.yaml:1:1:", "unknown key 'automation'", "automations of Home Assistant"),
        ("groups:\n- name: a\n  rules: []\n", "r.yaml:1:1:", "unknown key 'groups'", "hub import prometheus FILE"),
        ("- alert: X\n  topic: a\n  when: value > 1\n", "r.yaml:1:1:", "must be a mapping", "write rules: above"),
        ("alert: X\n", "r.yaml:1:1:", "unknown key 'alert'", "below rules:"),
        ("rules: [{alert: X, topic: a/{x}/t, when: value > 1}]\n", "r.yaml:1:", "not YAML", '"a/{x}/t"'),
    ],
)
def test_a_file_of_another_tool_says_what_becomes_of_it(tmp_path, monkeypatch, text, place, message, hint):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "r.yaml").write_text(text)
    (found,) = map(str, check(None, [tmp_path / "r.yaml"]))
    assert place in found
    assert message in found
    assert hint in found


WHOLE = """\
defaults: {notify: [phone], tz: Europe/Berlin}
schedules: {night: {daily: 22:00-06:00}}
receivers: {phone: "json://localhost/x", hook: {webhook: {url: !env NO_HOOK, body: "{summary}"}}}
rules:
  - alert: Hot
    topic: [a/b, "a/c"]
    when: temperature > 30 && state == "on"
    for: 5m
    clear: temperature < 25
    absent: 10m
    mute: night && severity != "critical"
    repeat: 1h until ack
    escalate: [{after: 15m, to: [hook]}]
    summary: "it is {temperature:.1f} °C"
tests:
  - name: x
    topic: a/b
    send: {0m: {temperature: 31, state: "on"}, 10m: "nan"}
    expect: [{at: 6m, alert: Hot, state: firing, notified: [phone]}]
"""
PIECES = [
    *"{}[]:,-#!&*?|>%@`'\"\\/+ \t\n",
    *("{{", "}}", "{x}", "\u00a0", "\u200b", "“", "é", "\0", "\U0001f600", "not ", "!env X", "!x ", " && "),
    *("&a ", "*a", "---\n", "20%", "1e999", "nan", "~", "null", "true", "0m", "\n  - ", "\n    ", "rules:", "$hub/"),
]  # fmt: skip
edits = st.lists(
    st.tuples(
        st.integers(0, len(WHOLE)),
        st.integers(0, 12),
        st.sampled_from(PIECES) | st.text(st.sampled_from(string.printable), max_size=4),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=300, deadline=None)
@given(edits)
def test_a_rule_file_damaged_in_any_way_is_told_of_by_place_and_never_a_traceback(tmp_path_factory, edits):
    text = WHOLE
    for at, length, piece in edits:
        text = text[:at] + piece + text[at + length :]
    folder = tmp_path_factory.getbasetemp()
    path = folder / "damaged.yaml"
    path.write_text(text, "utf-8")
    for problem in check(None, [path], secrets=False):
        assert problem.path == str(path)
        assert problem.message
        lines = text.count("\n") + text.count("\r") + 2
        assert 0 < problem.line <= lines, problem
        assert problem.column > 0, problem
    with suppress(ConfigError):
        load_trial(None, [path], ())
