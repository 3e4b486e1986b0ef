"""schema: the keys of a rule, each read as rules.md says, each mistake with its place and a way out."""

from textwrap import dedent

import pytest

from hub.documents.document import Problems, parse_document
from hub.rules.reading.rule_reader import NO_DEFAULTS, read_rule
from hub.rules.reading.rule_values import KnownNames
from tests.rules.making import rule


def problems(text, receivers=("chat", "mail"), defaults=NO_DEFAULTS):
    found = Problems()
    node = parse_document(dedent(text), "r.yaml", found)
    assert read_rule(node, found, defaults, KnownNames(receivers)) is None
    return [str(problem) for problem in found]


def problem(text):
    (found,) = problems(text)
    return found


def test_every_key_of_an_alert_rule_is_read():
    made = rule(
        """
        - alert: Freezer too warm
          topic: ["site/{site}/freezer/{device}/telemetry", "f/{device}/{site}"]
          by: [device, probe]
          when: temperature > -15
          for: 5m
          clear: temperature < -18
          clear_for: 90s
          absent: 10m
          notify: [chat, mail, chat]
          severity: critical
          labels: {room: "{room}", floor: 2}
          summary: "{device} at {site}"
          details: "{summary}!"
          enabled: false
        """
    )
    assert (made.name, made.alert, made.severity, made.enabled) == ("Freezer too warm", True, "critical", False)
    assert [pattern.filter for pattern in made.patterns] == ["site/+/freezer/+/telemetry", "f/+/+"]
    assert made.captures == ("site", "device")
    assert made.patterns[1].values(["f", "7", "a"]) == ("a", "7")
    assert made.by == ("device", "probe")
    assert (made.hold, made.clear_hold, made.absent) == (300.0, 90.0, 600.0)
    assert (made.when.text, made.clear.text) == ("temperature > -15", "temperature < -18")
    assert made.notify == ("chat", "mail")
    assert [name for name, _ in made.texts.labels] == ["room", "floor"]
    assert (made.texts.summary.text, made.texts.details.text) == ("{device} at {site}", "{summary}!")
    assert made.place == "rules.yaml:2"


def test_a_rule_of_two_keys_has_the_defaults():
    made = rule("- event: Door\n  topic: door/{id}/open")
    assert (made.alert, made.by, made.when, made.hold, made.absent) == (False, ("id",), None, 0.0, None)
    assert (made.notify, made.severity, made.enabled, made.texts.details) == ((), "warning", True, None)
    assert made.texts.summary.text == "Door (id={id})"


def test_the_default_summary_holds_braces_of_a_name_as_they_are():
    made = rule("- event: a{b}\n  topic: x")
    assert made.texts.summary.constant == "a{b}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("alrt: X\nalert: Y\ntopic: t\nwhen: 'true'", "1:1: unknown key 'alrt' in rule 'Y' (did you mean 'alert'?)"),
        ("alert: X\ntopic: t\nwhem: a > 1\nabsent: 1m", "3:1: unknown key 'whem' in rule 'X' (did you mean 'when'?)"),
        ("topic: t", "1:1: a rule needs the key 'alert' or 'event' (alert: a condition that lasts; event: a moment)"),
        ("alert: X\nevent: X\ntopic: t\nwhen: a", "1:1: a rule is both 'alert' and 'event'"),
        ("alert: [x]\ntopic: t\nwhen: a", "1:8: must be text, not a list"),
        ("alert: a/b\ntopic: t\nwhen: a", "1:8: a rule's name is 1 to 128 printable characters without /"),
        ("alert: ''\ntopic: t\nwhen: a", "1:9: a rule's name is"),
        ("alert: X\nwhen: a", "1:1: rule 'X' needs the key 'topic'"),
        ("alert: X\ntopic:\nwhen: a", "1:1: rule 'X' needs the key 'topic'"),
        ("alert: X\ntopic: []\nwhen: a", "2:8: 'topic' names no topic"),
        ("alert: X\ntopic: a/#/b\nwhen: a", "2:8: not a topic: # stands alone in the last level"),
        ("alert: X\ntopic: [a, {b: c}]\nwhen: a", "2:12: must be text, not a mapping"),
        ('alert: X\ntopic: ["a/{x}", "b/{y}"]\nwhen: a', "2:8: the topics of one rule must have the same captures"),
        (
            "alert: X\ntopic: a/{in}\nwhen: a",
            "2:8: {in} is a word of the expression language (give the capture another",
        ),
        ("alert: X\ntopic: a/{true}\nwhen: a", "2:8: {true} is a word of the expression language"),
        ("alert: X\ntopic: a/{alertname}\nwhen: a", "2:1: 'alertname' is a label of the hub's own"),
        ("alert: X\ntopic: a/{x}\nby: [x, severity]\nwhen: a", "3:1: 'severity' is a label of the hub's own"),
        ("alert: X\ntopic: t\nby: [a, a]\nwhen: a", "3:5: a name stands twice"),
        ("alert: X\ntopic: t\nby: a-b\nwhen: a", "3:5: 'a-b' is not the name of a capture or payload field"),
        ("alert: X\ntopic: t\nby: a..b\nwhen: a", "3:5: 'a..b' is not the name of a capture or payload field"),
        ("alert: X\ntopic: t\nby: [a.id, b.id]\nwhen: a", "3:5: a.id and b.id would both be the label 'id'"),
        ("alert: X\ntopic: t/{id}\nby: [id, b.id]\nwhen: a", "3:5: id and b.id would both be the label 'id'"),
        ("alert: X\ntopic: t\nby: a.reason\nwhen: a", "3:1: 'reason' is a label of the hub's own"),
        ("alert: X\ntopic: t", "1:1: rule 'X' needs 'when' or 'absent'"),
        ("alert: X\ntopic: t\nwhen:", "1:1: rule 'X' needs 'when' or 'absent'"),
        ("alert: X\ntopic: t\nwhen:\nabsent:", "1:1: rule 'X' needs 'when' or 'absent'"),
        ("alert: X\ntopic: t\nabsent: 0", "3:9: 'absent' must be longer than 0"),
        ("alert: X\ntopic: t\nabsent: 5", "3:9: 5 of what?"),
        ("alert: X\ntopic: t\nabsent: 5m\nfor: 1m", "4:1: 'for' needs 'when' beside it"),
        ("alert: X\ntopic: t\nabsent: 5m\nclear: a", "4:1: 'clear' needs 'when' beside it"),
        ("alert: X\ntopic: t\nabsent: 5m\nclear_for: 1m", "4:1: 'clear_for' needs 'when' beside it"),
        ("alert: X\ntopic: t\nwhen: a\nnotify: cht", "4:9: no receiver 'cht' (did you mean 'chat'?)"),
        ("alert: X\ntopic: t\nwhen: a\nnotify: [zz]", "4:10: no receiver 'zz' (known receivers: chat, mail)"),
        ("alert: X\ntopic: t\nwhen: a\nseverity: hot", "4:11: must be one of info, warning, critical, not 'hot'"),
        ("alert: X\ntopic: t\nwhen: a\nenabled: yes", "4:10: must be true or false, not 'yes'"),
        ("alert: X\ntopic: t/{s}\nwhen: a\nlabels: {s: a}", "4:10: 's' is a capture, which is a label already"),
        ("alert: X\ntopic: t\nwhen: a\nlabels: {reason: a}", "4:10: 'reason' is no label to set (the hub's own)"),
        ("alert: X\ntopic: t\nwhen: a\nlabels: {a-b: a}", "4:10: 'a-b' is no name for a label (letters, digits and _)"),
        ("alert: X\ntopic: t\nwhen: [a]", "3:7: must be text, not a list"),
        ("- alert: X", "1:1: a rule must be a mapping (key: value), not a list"),
    ],
)
def test_a_mistake_is_said_with_its_place_and_a_way_out(text, said):
    assert problems(text)[0].startswith(f"r.yaml:{said}")


@pytest.mark.parametrize("key", ["for: 1m", "clear: a", "clear_for: 1m", "absent: 1m"])
def test_a_key_of_alert_rules_is_refused_beside_event(key):
    assert problem(f"event: X\ntopic: t\nwhen: a\n{key}") == (
        f"r.yaml:4:1: {key.split(':', 1)[0]!r} belongs to alert rules (an event is a moment; make it an alert)"
    )


def test_all_problems_of_a_rule_are_reported_at_once_also_those_of_one_list():
    found = problems("alert: X\ntopic: [a/#/b, +x]\nwhen: a >\nnotify: [chat, no, none]\nfor: 5\nzzz: 1")
    assert [each.split(": ")[0] for each in found] == [
        f"r.yaml:{place}" for place in ("2:9", "2:16", "3:10", "5:6", "4:16", "4:20", "6:1")
    ]


@pytest.mark.parametrize(
    ("lines", "place", "shown"),
    [
        (["when: temperature >> 3"], "3:20", "temperature >> 3"),
        (["when: 'temperature >> 3'"], "3:21", "temperature >> 3"),
        ([r'when: "a == \"x\" && b >> 3"'], "3:25", 'a == "x" && b >> 3'),
        (["when: 'a == ''x'' && b >> 3'"], "3:25", "a == 'x' && b >> 3"),
        (["when: |", "  a > 1 &&", "  b >> 3"], "5:6", "b >> 3"),
        (["when: >-", "  a > 1 &&", "  b >> 3"], "5:6", "a > 1 && b >> 3"),
        (["when: a > 1 &&", "  b >> 3"], "4:6", "a > 1 && b >> 3"),
        (["when: a +"], "3:10", "a +"),
        (["clear: a >> 1", "when: a"], "3:11", "a >> 1"),
        (["when: a", "summary: 'it''s {a +} °C'"], "4:21", "it's {a +} °C"),
        (["when: a", 'details: "x {b"'], "4:13", "x {b"),
        (["when: a", "labels: {room: '{a b}'}"], "4:20", "{a b}"),
    ],
)  # fmt: skip
def test_an_expression_error_has_the_exact_place_of_the_character_and_a_caret_below_it(lines, place, shown):
    text = "\n".join(["alert: X", "topic: t", *lines])
    (said,) = problems(text)
    head, excerpt, caret = said.splitlines()
    assert head.startswith(f"r.yaml:{place}: ")
    assert excerpt == shown
    line, column = map(int, place.split(":"))
    pointed = text.splitlines()[line - 1][column - 1 :][:1]
    assert excerpt[len(caret) - 1 :][:1] == (pointed if len(caret) <= len(excerpt) else "")


def test_a_condition_that_is_known_to_be_no_condition_is_refused():
    assert problem("alert: X\ntopic: t\nwhen: 1 + 2").startswith("r.yaml:3:9: a condition must be true or false")
    assert rule("- alert: X\n  topic: t\n  when: true").when.text == "true"


def test_a_secret_has_no_place_in_a_text(monkeypatch):
    monkeypatch.setenv("HUB_TEST", "hunter2")
    assert problem("alert: X\ntopic: t\nwhen: a\nsummary: !env HUB_TEST") == "r.yaml:4:10: must be text, not a secret"


def test_the_signature_follows_what_an_instance_means_and_nothing_else():
    base = "- alert: X\n  topic: a/{x}\n  when: a > 1\n  for: 1m\n"
    same = [
        "  clear: a < 0\n",
        "  clear_for: 1m\n",
        "  absent: 1m\n",
        "  severity: info\n",
        "  summary: hi\n",
        "  notify: chat\n",
    ]
    for more in same:
        assert rule(base + more).signature == rule(base).signature
    for other in ("alert: Y", "topic: b/{x}", "topic: a/{y}", "when: a > 2", "for: 2m"):
        key = other.split(":")[0]
        changed = "\n".join(f"  {other}" if f"{key}:" in line else line for line in base.splitlines())
        assert rule("- " + changed.lstrip(" -")).signature != rule(base).signature
    assert rule(base + "  by: a.id").signature != rule(base + "  by: id").signature
    assert rule(base + "  by: []").signature != rule(base).signature


@pytest.mark.parametrize(
    ("lines", "place", "name"),
    [
        ("topic: site/{site}/{device}\nby: device\nsummary: hot", "2:13", "site"),
        ("topic: site/{site_id}/{site}\nby: site_id\nsummary: hot", "2:23", "site"),
        ("topic: ['a/{x}/{rest...}', 'b/{x}/{rest...}']\nby: x\nsummary: hot", "2:16", "rest"),
        ("topic: site/{site}\nby: []\nsummary: hot", "2:13", "site"),
    ],
)
def test_a_capture_that_nothing_uses_is_a_problem_at_its_place(lines, place, name):
    said = problem(f"alert: X\n{lines}\nwhen: v > 1").splitlines()
    hint = "write + in its place, or name it in `by` or a text"
    assert said[0] == f"r.yaml:{place}: nothing uses the capture {{{name}}} ({hint})"
    assert said[1][said[2].index("^") :].startswith("{" + name)


@pytest.mark.parametrize(
    "line",
    ["summary: '{site}'", "details: '{site}'", "labels: {n: '{site}'}", "when: site == 'a'", "clear: site == 'a'", ""],
)
def test_a_capture_beside_by_is_used_where_a_text_or_a_condition_names_it(line):
    more = [line] if line.startswith("when") else [line, "when: v > 1"]
    more += [] if "summary" in line or not line else ["summary: hot"]
    assert rule("\n  ".join(["- alert: X", "topic: s/{site}/{device}", "by: device", *more]))
