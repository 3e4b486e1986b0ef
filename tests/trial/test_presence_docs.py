"""docs/presence.md: the rules that it shows have no finding, and their tests come true."""

import re
from pathlib import Path

import pytest

from hub.documents.document import Problems
from hub.ingest.sparkplug import read_metrics
from hub.limits import SPARKPLUG_METRICS, SPARKPLUG_NAMES
from hub.notify.receiver_settings import read_receivers
from hub.project.files import check
from hub.rules.presence.presence import STATES
from hub.rules.reading.loader import load_rules
from hub.trial.trial_play import play
from hub.trial.trial_reading import read_cases

TEXT = (Path(__file__).parents[2] / "docs" / "presence.md").read_text("utf-8")
FILES = re.findall(r"^```yaml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def test_there_is_one_of_each():
    assert [("homie/" in text, "spBv1.0/" in text) for text in FILES] == [(True, False), (False, True)]


@pytest.mark.parametrize("text", FILES)
def test_a_file_has_no_finding_and_its_tests_come_true(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("rules").mkdir()
    Path("rules/presence.yaml").write_text(text, "utf-8")
    assert not check(None, [Path("rules")])
    problems = Problems()
    rules = load_rules([Path("rules")], problems, read_receivers, "hub", keep=True)
    (case,) = read_cases(rules, problems)
    assert not problems
    failures = play(case, rules, None)
    assert not failures, [(each.expectation.at, each.expected, each.got) for each in failures]


def test_the_request_by_hand_is_the_command_that_it_should_be():
    (written,) = re.findall(r"printf '(.*)' \| mosquitto_pub -t (?:\S+) -s", TEXT)
    found = read_metrics("spBv1.0/plant/NCMD/line1", written.encode().decode("unicode_escape").encode(), 0.0, 0, False)
    assert found.fields == {"Node Control/Rebirth": True, "sparkplug": {}}


def test_every_state_and_bound_is_named():
    table = TEXT[TEXT.index("| `$state`") : TEXT.index("- Homie devices send")]
    assert set(re.findall(r"`(\w+)`", table)) >= set(STATES)
    metrics, names = f"{SPARKPLUG_METRICS:,}", f"{SPARKPLUG_NAMES:,}"
    assert f"A payload may have {metrics} metrics. The hub remembers {names} from births" in TEXT
