"""loader: many rule files become one set of rules; all that is wrong in any of them is known at once."""

from dataclasses import dataclass

import pytest

from hub.documents.document import Problems
from hub.errors import ConfigError
from hub.rules.reading.loader import load_rules


@dataclass
class Receiver:
    topic: str | None
    fallback: None = None

    def publishes(self):
        return self.topic


def read_receivers(node, problems):
    return {name: Receiver(child.value or None) for name, child in node.value.items()}


@pytest.fixture
def load(tmp_path):
    def load(*texts, prefix="hub"):
        for number, text in enumerate(texts):
            (tmp_path / f"{number}.yaml").write_text(text, "utf-8")
        problems = Problems()
        found = load_rules([tmp_path], problems, read_receivers, prefix)
        lines = [str(problem).replace(f"{tmp_path}/", "") for problem in ConfigError(problems).problems]
        return found, lines

    return load


def a_rule(name="X", topic="t", more=""):
    topic = topic if topic[0] in "['" else f"'{topic}'"
    return f"rules:\n  - {{alert: {name}, topic: {topic}, when: a > 1{more}}}\n"


def test_rules_and_receivers_of_all_files_come_together(load):
    found, problems = load("receivers: {chat: ''}\n", a_rule(more=", notify: chat"), a_rule("Y"))
    assert not problems
    assert list(found.rules) == ["X", "Y"]
    assert found.rules["X"].notify == ("chat",)
    assert list(found.receivers) == ["chat"]


def test_a_rule_that_is_not_enabled_is_checked_and_left_out(load):
    found, problems = load(a_rule(more=", enabled: false"))
    assert (dict(found.rules), problems) == ({}, [])
    assert load(a_rule(more=", enabled: false, notify: nobody"))[1]


def test_empty_files_and_folders_are_no_problem(load):
    assert load("", "# nothing\n", "rules:\n", "rules: []\n")[1] == []


def test_all_problems_of_all_files_come_at_once_in_the_order_of_their_places(load):
    _, problems = load(
        "rules:\n  - {alert: X, topic: t, when: a >}\n  - {alert: Y, topic: t/#/u, absent: 5}\n",
        "a: [",
        a_rule("Z", more=", repeat: soon") + "zzz: 1\n",
    )
    places = ["0.yaml:2:35", "0.yaml:3:23", "0.yaml:3:38", "1.yaml:2:1", "2.yaml:2:49", "2.yaml:3:1"]
    assert [problem.split(": ")[0] for problem in problems] == places


def test_names_of_rules_are_global(load):
    _, problems = load(a_rule(), a_rule(topic="u"))
    (problem,) = problems
    assert problem.startswith("1.yaml:2:5: a rule 'X' is already at ")
    assert problem.endswith("0.yaml:2 (names are global)")


def test_names_of_receivers_are_global(load):
    assert load("receivers: {chat: ''}\n", "receivers: {mail: '', chat: ''}\n")[1] == [
        "1.yaml:1:23: a receiver 'chat' is already in another file (names are global)"
    ]


def test_an_unknown_section_is_refused_with_what_was_meant(load):
    assert load("rule: []\n")[1] == ["0.yaml:1:1: unknown key 'rule' in a rule file (did you mean 'rules'?)"]


def test_rules_must_be_a_list_and_a_file_a_mapping(load):
    assert load("rules: {alert: x}\n", "- alert: x\n")[1] == [
        "0.yaml:1:8: 'rules' must be a list (each rule begins with - alert: or - event:)",
        "1.yaml:1:1: a rule file must be a mapping (key: value), not a list (write rules: above the list)",
    ]


# defaults


def test_defaults_are_those_of_the_file_and_of_files_without_rules(load):
    found, problems = load(
        "defaults: {notify: chat, severity: info, labels: {team: a}}\nreceivers: {chat: '', mail: ''}\n",
        a_rule("A"),
        "defaults: {notify: [mail, mail]}\n" + a_rule("B") + a_rule("C", more=", notify: [], severity: critical")[7:],
    )
    assert not problems
    assert [(rule.notify, rule.severity) for rule in found.rules.values()] == [
        (("chat",), "info"),
        (("mail",), "info"),
        ((), "critical"),
    ]
    assert [[name for name, _ in rule.texts.labels] for rule in found.rules.values()] == [["team"]] * 3


def test_a_rule_adds_to_default_labels_and_its_own_go_first(load):
    found, _ = load("defaults: {labels: {team: a, floor: 1}}\n" + a_rule(more=", labels: {floor: 2, room: b}"))
    assert [(name, template.text) for name, template in found.rules["X"].texts.labels] == [
        ("team", "a"), ("floor", "2"), ("room", "b")
    ]  # fmt: skip


def test_a_receiver_in_defaults_that_nobody_has_is_a_problem(load):
    assert load("defaults: {notify: [chat, nobdy]}\nreceivers: {nobody: ''}\n" + a_rule())[1] == [
        "0.yaml:1:21: no receiver 'chat' (known receivers: nobody)",
        "0.yaml:1:27: no receiver 'nobdy' (did you mean 'nobody'?)",
    ]


def test_a_misspelt_default_is_a_problem_said_once_however_many_rules_there_are(load):
    problems = load("defaults: {sevrity: info, labels: {a-b: x}}\n" + a_rule("A") + a_rule("B")[7:])[1]
    assert [problem.split(": ")[0] for problem in problems] == ["0.yaml:1:12", "0.yaml:1:36"]


# loops


@pytest.mark.parametrize("topic", ["hub/alerts/{x}", "hub/sensor/{x}", "'hub/#'", "hub"])
def test_a_rule_that_names_the_hubs_own_topics_is_refused(load, topic):
    (problem,) = load(a_rule(topic=topic))[1]
    assert "a loop (listen outside hub/; where devices publish below it, set another publish_prefix" in problem
    assert problem.startswith("0.yaml:2:1: rule 'X' listens to ")
    assert "hub/# (the hub's own topics)" in problem


def test_the_hubs_own_topics_follow_the_prefix(load):
    assert load(a_rule(topic="hub/x"), prefix="site/hub")[1] == []
    assert load(a_rule(topic="site/hub/{x}"), prefix="site/hub")[1]


@pytest.mark.parametrize(
    "topic",
    [
        "'#'",
        "'{x...}'",
        "+/alerts/#",
        "{node}/sensor/{name}/state",
        "{d}/events/rpc",
        "+/{d}/availability",
        "{n}/status",
    ],
)
def test_a_wildcard_in_place_of_the_hubs_prefix_is_an_ordinary_topic(load, topic):
    for prefix in ("hub", "home/hub"):
        assert load(a_rule(topic=topic), prefix=prefix)[1] == []
    assert load(a_rule(topic="site/{x}/y"), prefix="site/hub")[1] == []


@pytest.mark.parametrize(
    ("publishes", "topic", "loops"),
    [
        ("notify/#", "notify/{x}", True),
        ("notify/#", "+/a", True),
        ("notify/+/x", "notify/a/y", False),
        ("n/a", "n/{x}", True),
    ],
)
def test_a_rule_that_hears_what_a_receiver_publishes_is_refused(load, publishes, topic, loops):
    problems = load(f"receivers: {{board: {publishes}}}\n", a_rule(topic=topic))[1]
    assert bool(problems) == loops
    assert loops == any(f"which can match {publishes} (receiver 'board')" in problem for problem in problems)


def test_system_topics_are_no_loop_and_every_topic_of_a_list_is_looked_at(load):
    assert load(a_rule(topic="$SYS/#"))[1] == []
    assert len(load(a_rule(topic="[t, hub/x, 'hub/y']"))[1]) == 2


# what must be subscribed


def test_filters_are_subscribed_once_and_not_where_another_covers_them(load):
    found, _ = load(
        a_rule("A", "a/b"),
        a_rule("B", "a/{x}"),
        a_rule("C", "a/+"),
        a_rule("D", "a/{rest...}"),
        a_rule("E", "c/d"),
        a_rule("F", "+/d"),
        a_rule("G", "$SYS/x"),
    )
    assert sorted(found.filters()) == ["$SYS/x", "+/d", "a/#"]
