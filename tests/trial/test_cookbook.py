"""The cookbook: each recipe is a file without a finding, whose tests come true."""

import re
from pathlib import Path

import pytest

from hub.documents.document import Problems
from hub.notify.receiver_settings import read_receivers
from hub.project.files import check
from hub.rules.reading.loader import load_rules
from hub.trial.trial_play import play
from hub.trial.trial_reading import read_cases

DOCS = Path(__file__).parents[2] / "docs"
RECIPES = {
    match[1]: match[2]
    for match in re.finditer(
        r"^## \d+\. (.+?)\n.*?```yaml\n(.*?)```", (DOCS / "cookbook.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
}


def test_there_are_twenty():
    assert len(RECIPES) == 20


@pytest.mark.parametrize("title", RECIPES)
def test_a_recipe_has_no_finding_and_its_tests_come_true(title, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("rules").mkdir()
    Path("rules/recipe.yaml").write_text(RECIPES[title], "utf-8")
    assert not check(None, [Path("rules")])
    problems = Problems()
    rules = load_rules([Path("rules")], problems, read_receivers, "hub", keep=True)
    cases = read_cases(rules, problems)
    assert not problems
    assert cases
    failures = [failure for case in cases for failure in play(case, rules, None)]
    assert not failures, [(each.expectation.at, each.expected, each.got) for each in failures]


def test_the_example_of_the_testing_page_comes_true(tmp_path):
    (text,) = re.findall(r"```yaml\n(.*?)```", (DOCS / "testing.md").read_text("utf-8"), re.DOTALL)
    (tmp_path / "r.yaml").write_text(text, "utf-8")
    problems = Problems()
    rules = load_rules([tmp_path / "r.yaml"], problems, read_receivers, "hub", keep=True)
    (case,) = read_cases(rules, problems)
    assert not problems
    assert not play(case, rules, None)
