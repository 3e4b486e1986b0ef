"""The recipes: each family's folder is right, its tests come true, and its page says what is in it."""

import re
from pathlib import Path

import pytest
import yaml

from hub.documents.document import Problems
from hub.notify.receiver_settings import read_receivers
from hub.operate.cli.init import Family
from hub.project.files import check
from hub.rules.reading.loader import load_rules
from hub.trial.trial_play import play
from hub.trial.trial_reading import read_cases
from tests.operate.test_cli import ROOT, hub

RECIPES = ROOT / "hub" / "operate" / "recipes"
STARTER = ROOT / "hub" / "operate" / "starter"
PAGES = ROOT / "docs" / "devices"


def page(family):
    return (PAGES / f"{family}.md").read_text("utf-8")


def rules_of(family):
    return yaml.safe_load((RECIPES / f"{family}.yaml").read_text("utf-8"))["rules"]


def filters(family):
    """Return the filters of all rules as regular expressions."""
    return [as_pattern(rule["topic"]) for rule in rules_of(family)]


def as_pattern(topic):
    parts = re.split(r"(\{\w+\.\.\.\}|\{\w+\}|\+|#)", topic)
    wild = {"#": ".*", "+": "[^/]*"}
    return "".join(
        ".+" if part.endswith("...}") else "[^/]*" if part.startswith("{") else wild.get(part, re.escape(part))
        for part in parts
    )


def fits(pattern, topic):
    return re.fullmatch(pattern, topic)


def failures(folder):
    """Return what does not come true of the tests in a folder, and how many tests it has."""
    problems = Problems()
    rules = load_rules([folder], problems, read_receivers, "hub", keep=True)
    cases = read_cases(rules, problems)
    assert not problems
    failed = [
        (failure.expectation.at, failure.expected, failure.got) for c in cases for failure in play(c, rules, None)
    ]
    return failed, len(cases)


def test_there_is_a_file_and_a_page_for_each_family():
    names = {str(family) for family in Family}
    assert {path.stem for path in RECIPES.glob("*.yaml")} == names
    assert {path.stem for path in PAGES.glob("*.md")} == names


@pytest.mark.parametrize("family", Family)
def test_the_folder_that_is_written_has_no_finding_and_its_tests_come_true(family, tmp_path, monkeypatch):
    code, out, err = hub("init", "mine", "--for", family, cwd=tmp_path)
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "next: cd mine, and read README.md"
    monkeypatch.chdir(tmp_path / "mine")
    assert not check(Path("hub.yaml"), [])
    failed, count = failures(Path("rules"))
    assert not failed
    assert count
    assert (tmp_path / "mine" / "rules" / f"{family}.yaml").read_bytes() == (RECIPES / f"{family}.yaml").read_bytes()
    assert str(family) in Path("README.md").read_text("utf-8")


def test_all_families_go_together_in_one_folder(tmp_path, monkeypatch):
    (tmp_path / "rules").mkdir()
    for path in [*RECIPES.glob("*.yaml"), STARTER / "rules" / "receivers.yaml"]:
        (tmp_path / "rules" / path.name).write_bytes(path.read_bytes())
    monkeypatch.chdir(tmp_path)
    assert not check(None, [Path("rules")])
    assert not failures(Path("rules"))[0]


@pytest.mark.parametrize("family", Family)
def test_each_rule_has_a_test_and_stands_on_the_page(family):
    document = yaml.safe_load((RECIPES / f"{family}.yaml").read_text("utf-8"))
    names = {rule.get("alert") or rule["event"]: rule for rule in document["rules"]}
    told = {
        expected.get("alert") or expected.get("event")
        for test in document["tests"]
        for expected in test["expect"]
        if expected.get("state") in ("firing", "resolved") or expected.get("notified")
    }
    assert told == names.keys()
    rules_shown = page(family).partition("## The rules")[2].partition("\n## ")[0]
    shown = dict(re.findall(r"^- `(\w+)`: (.*)$", rules_shown, re.MULTILINE))
    assert shown.keys() == names.keys()
    for name, rule in names.items():
        assert "when" not in rule or f"`{rule['when']}`" in shown[name]
        assert "where" not in rule or f"hears only `{rule['where']}`" in shown[name]
        assert "for" not in rule or f"for {rule['for']}" in shown[name]
        assert rule.get("absent", "auto") == "auto" or f"silent for {rule['absent']}" in shown[name]


@pytest.mark.parametrize("family", Family)
def test_the_topics_on_the_page_are_those_that_the_rules_hear(family):
    samples = re.findall(r"^\| `([^`]+)` \| `", page(family), re.MULTILINE)
    assert samples
    known = filters(family)
    assert not [topic for topic in samples if not any(fits(each, topic) for each in known)]
    assert not [each for each in known if not any(fits(each, topic) for topic in samples)]


@pytest.mark.parametrize("family", Family)
def test_the_page_says_how_to_get_the_file_and_where_the_facts_are_from(family):
    assert f"hub init my-hub --for {family}\n" in page(family)
    assert f"](../../hub/operate/recipes/{family}.yaml)" in page(family)
    assert re.search(r"^Source: .*\(https://", page(family), re.MULTILINE)


def test_a_family_that_is_not_known_is_told_with_those_that_are(tmp_path):
    code, _, err = hub("init", "mine", "--for", "zigbee", cwd=tmp_path)
    assert code == 2
    assert "zigbee2mqtt" in err
    assert not (tmp_path / "mine").exists()
