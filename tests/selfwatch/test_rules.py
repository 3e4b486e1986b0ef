"""The hub's own rules: their tests come true, the linter is content, users replace them, the docs have them all."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from hub.config import Settings, load_settings
from hub.contracts.own_voice import OF_CLUSTER, OWN_FIELDS
from hub.documents.document import Problems
from hub.errors import ConfigError
from hub.ingest.topics import overlaps
from hub.model import OWN_TOPICS
from hub.project.files import check, load_files, load_trial
from hub.rules.lint import Moment, lint
from hub.selfwatch.heartbeat_settings import CLUSTER_RULES, RULES, SelfWatchSettings
from hub.trial.trial_play import play

DOCS = (Path(__file__).parents[2] / "docs" / "selfwatch.md").read_text("utf-8")
RECEIVERS = "receivers: {chat: {file: {path: out}}, log: {file: {path: log}}}\n"
HOT = "rules:\n  - {alert: Hot, topic: 't/{d}', when: value > 30}\n"


@pytest.fixture(scope="module", params=[RULES, CLUSTER_RULES], ids=["single", "cluster"])
def shipped(request):
    """The file as it is linted and tested where it is named like a user's."""
    return load_trial(None, [request.param], ())


def beside(rule_or_case):
    """Return the fields beside those of a topic: in a cluster every payload has the node."""
    return {"node"} if Path(rule_or_case).name == CLUSTER_RULES.name else set()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").mkdir()
    return tmp_path / "rules"


def load(settings=None):
    problems = Problems()
    found = load_files(settings or Settings(devices=()), problems, keep=True)
    assert not problems, ConfigError(problems)
    return found.rules


def test_every_test_comes_true_and_each_rule_has_one(shipped):
    files, cases = shipped
    failures = [failure for case in cases for failure in play(case, files.rules, files.registry)]
    assert not failures, [(each.case.name, each.expectation.at, each.expected, each.got) for each in failures]
    assert {each.rule for case in cases for each in case.expectations} == set(files.rules.rules) - files.rules.shipped


def test_no_test_would_come_true_without_what_it_sends(shipped):
    files, cases = shipped
    for case in cases:
        assert play(replace(case, messages=()), files.rules, files.registry), case.name


def test_the_linter_has_nothing_to_say(shipped):
    files, _ = shipped
    found = lint(files.rules, files.registry, Moment(0.0), whole=True)
    assert not [each for each in found if not each.note]  # alone, they know no receivers


def test_conditions_and_texts_name_only_fields_that_the_hub_sends(shipped):
    files, cases = shipped
    more = beside(cases[0].node.path)
    for rule in files.rules.rules.values():
        (pattern,) = rule.patterns
        (topic,) = (each for each in OWN_FIELDS if overlaps(each, pattern.filter))
        asked = {name for each in (*rule.conditions, *rule.texts.templates) for name in each.fields}
        assert asked <= set(OWN_FIELDS[topic]) | more, rule.name
        assert asked, rule.name


def test_the_tests_send_just_what_the_hub_does(shipped):
    _, cases = shipped
    for case in cases:
        for message in case.messages:
            (topic,) = (each for each in OWN_FIELDS if overlaps(each, message.topics[0]))
            assert set(message.payload) == set(OWN_FIELDS[topic]) | beside(case.node.path), case.name


def test_they_stand_beside_the_users_rules_tell_the_defaults_and_are_subscribed_to_nowhere(folder):
    (folder / "all.yaml").write_text(RECEIVERS + "defaults: {notify: [chat]}\n")
    (folder / "hot.yaml").write_text(HOT)
    found = load()
    assert found.shipped
    assert all(name.startswith("Hub") and found.rules[name].notify == ("chat",) for name in found.shipped)
    assert found.written == 1
    assert found.filters() == ["t/+"]


def test_a_cluster_has_rules_of_its_own_and_a_single_hub_none_of_them(folder):
    (folder / "hot.yaml").write_text(HOT)
    alone = load().rules
    (folder.parent / "hub.yaml").write_text("cluster: {nats: [nats://127.0.0.1:4222], name: t, node: a}\n")
    found = load(load_settings(None)).rules
    assert found.keys() - alone.keys() == {
        "HubLogForked", "HubLogFull", "HubNoStandby", "HubNodeBehind", "HubNodeGone", "HubRulesDiffer"
    }  # fmt: skip
    of_nodes = {name for name, rule in found.items() if rule.by == ("node",) and name in alone}
    assert of_nodes == {"HubClockStep", "HubDiskLow", "HubRulesRefused", "HubStateLost"}
    assert not any(alone[name].by for name in of_nodes)
    for name in alone.keys() - of_nodes:
        assert found[name].path == alone[name].path, name
        assert (found[name].by, found[name].captures) == (alone[name].by, alone[name].captures), name
    told = {rule.patterns[0].filter for rule in found.values()}
    assert set(OF_CLUSTER) <= told


def test_only_whom_the_defaults_tell_is_taken_from_them_and_only_where_they_are_the_only_ones(folder):
    (folder / "hot.yaml").write_text(RECEIVERS + "defaults: {notify: [chat], severity: info, repeat: 1h}\n" + HOT)
    found = load()
    assert {found.rules[name].notify for name in found.shipped} == {("chat",)}
    assert {found.rules[name].repeat for name in found.shipped} == {None}
    assert found.rules["HubDiskLow"].severity == "critical"
    (folder / "cold.yaml").write_text("defaults: {notify: [log]}\n" + HOT.replace("Hot", "Cold"))
    found = load()
    assert {found.rules[name].notify for name in found.shipped} == {()}


def test_a_rule_of_the_same_name_takes_its_place_and_a_disabled_one_leaves_none(folder):
    (folder / "hub.yaml").write_text(
        RECEIVERS + "rules:\n"
        "  - {alert: HubDiskLow, topic: $hub/disk, when: free_percent < 10, notify: chat}\n"
        "  - {alert: HubClockStep, topic: $hub/clock, when: steps > 0, enabled: false, notify: log}\n"
    )
    found = load()
    assert found.rules["HubDiskLow"].when.text == "free_percent < 10"
    assert "HubClockStep" not in found.rules
    assert not {"HubDiskLow", "HubClockStep"} & found.shipped
    assert "HubDeadLetters" in found.shipped


def test_a_users_unless_may_name_one(folder):
    (folder / "hot.yaml").write_text(HOT.replace("value > 30", "value > 30, unless: HubBrokerAway"))
    assert load().rules["Hot"].unless == ("HubBrokerAway",)


def test_the_settings_switch_them_off_or_say_whom_they_tell(folder):
    (folder / "hot.yaml").write_text(RECEIVERS + HOT)
    (folder.parent / "hub.yaml").write_text("self_watch: {enabled: false}\n")
    assert not load(load_settings(None)).shipped
    (folder.parent / "hub.yaml").write_text("self_watch: {notify: [log, chat]}\n")
    found = load(load_settings(None))
    assert found.rules["HubDiskLow"].notify == ("log", "chat")
    assert not check(None, ())  # who is named there only is told


def test_a_receiver_that_is_none_is_told_where_it_is_written(folder):
    (folder / "hot.yaml").write_text(RECEIVERS + HOT)
    (folder.parent / "hub.yaml").write_text("self_watch:\n  notify: [chatt]\n")
    (problem,) = [str(each) for each in check(None, ()) if each.path == "hub.yaml"]
    assert problem == "hub.yaml:2:12: no receiver 'chatt' (did you mean 'chat'?)"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("self_watch: {enabled: maybe}", "hub.yaml:1:23: must be true or false, not 'maybe'"),
        ("self_watch: {on: true}", "hub.yaml:1:14: unknown key 'on' in self_watch"),
        ("heartbeat: {every: 1m}", "hub.yaml:1:12: heartbeat needs the key 'url'"),
        ("heartbeat: {url: 'ftp://x/secret'}", "hub.yaml:1:19: is no HTTP URL"),
        ("heartbeat: {url: 'http://x/', every: 1s}", "hub.yaml:1:38: must be from 10s to 1d"),
        ("heartbeat: {url: 'http://x/', method: PUT}", "hub.yaml:1:39: must be one of GET, HEAD, POST, not 'PUT'"),
    ],
)
def test_wrong_settings_are_told_with_their_place_and_no_secret(folder, text, problem):
    (folder.parent / "hub.yaml").write_text(text + "\n")
    with pytest.raises(ConfigError) as caught:
        load_settings(None)
    assert str(caught.value).startswith(problem)
    assert "secret" not in str(caught.value)


def test_receivers_alone_in_a_folder_are_not_complained_about(folder):
    (folder / "all.yaml").write_text(RECEIVERS + "rules: []\n")
    assert not check(None, ())


def test_a_users_rule_and_test_may_use_these_topics(folder):
    (folder / "mine.yaml").write_text(
        RECEIVERS + "rules:\n"
        "  - {alert: Busy, topic: '$hub/receiver/{receiver}', when: queued > 100, notify: [chat]}\n"
        "tests:\n"
        "  - name: busy\n"
        "    send: [{at: 1m, topic: $hub/receiver/chat, payload: {queued: 101}}]\n"
        "    expect: [{at: 1m, alert: Busy, labels: {receiver: chat}, state: firing, notified: [chat]}]\n"
    )
    files, (case,) = load_trial(None, (), ())
    assert not play(case, files.rules, files.registry)
    wrong = folder / "wrong.yaml"
    wrong.write_text("rules: [{alert: W, topic: $hub/receivr/x, when: queued > 0}]\n")
    (found,) = check(None, [wrong])
    assert "the hub says nothing there" in str(found)


def test_every_rule_topic_and_field_is_documented(shipped):
    files, _ = shipped
    for rule in files.rules.rules.values():
        assert re.search(rf"^\| `{rule.name}` \| {rule.severity} \|", DOCS, re.MULTILINE), rule.name
    told = re.findall(r"^\| `(\$hub/[^`]+)` \| `(\w+)` \| (.*) \|$", DOCS, re.MULTILINE)
    said = {(topic, name): says for topic, fields in OWN_FIELDS.items() for name, says in fields.items()}
    assert {(re.sub(r"\{\w+\}", "+", topic), name): says for topic, name, says in told} == said
    assert all(topic.startswith(OWN_TOPICS) for topic in OWN_FIELDS)


def test_nobody_needs_to_write_anything():
    assert Settings().self_watch == SelfWatchSettings(enabled=True)
