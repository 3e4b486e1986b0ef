"""The shipped rules' own tests, and that each rule has one."""

import pytest

from hub.config import Settings
from hub.documents.document import Problems
from hub.documents.shipped_files import shared
from hub.project.files import load_files
from hub.trial.trial_play import play
from hub.trial.trial_reading import read_cases


@pytest.fixture(scope="module")
def shipped():
    problems = Problems()
    settings = Settings(rules=(shared("rules"),), devices=(shared("devices"),))
    files = load_files(settings, problems, keep=True)
    cases = read_cases(files.rules, problems)
    assert not problems
    return files, cases


def test_every_test_of_the_shipped_rules_comes_true(shipped):
    files, cases = shipped
    failures = [failure for case in cases for failure in play(case, files.rules, files.registry)]
    assert not failures, [(each.case.name, each.expectation.at, each.expected, each.got) for each in failures]


def test_every_shipped_rule_has_a_test_that_expects_something_of_it(shipped):
    files, cases = shipped
    tested = {each.rule for case in cases for each in case.expectations}
    assert set(files.rules.rules) - files.rules.shipped == tested


def test_no_shipped_test_would_come_true_without_what_it_sends(shipped):
    files, cases = shipped
    for case in cases:
        silent = type(case)(case.name, case.start, case.zone, (), case.deeds, case.expectations, case.node)
        assert play(silent, files.rules, files.registry), case.name
