"""What no importer can carry over: it is told, it is no rule that speaks, and `hub check` finds it at its place."""

import pytest

from hub.importers import IMPORTERS
from tests.importers.support import SAMPLES, sample, tried

FILES = {
    "mqttwarn": "mqttwarn.ini",
    "homeassistant": "configuration.yaml",
    "prometheus": "prometheus.yml",
    "awsiotevents": "detectors.yaml",
}


def test_every_importer_has_a_sample():
    assert FILES.keys() == IMPORTERS.keys()
    assert all((SAMPLES / name).exists() for name in FILES.values())


@pytest.mark.parametrize("form", FILES)
def test_hub_check_finds_at_its_place_whatever_was_told(form, tmp_path, monkeypatch):
    made = tried(form, sample(FILES[form]), tmp_path, monkeypatch)
    lines = made.text.split("\n")
    found = [note for note in made.notes if "an import has" in note.message]
    assert all(lines[note.line - 1][note.column - 1 :].startswith("# ") for note in found)
    assert all("not carried over: " in lines[note.line - 1] for note in found)
    said = " ".join(" ".join(note.message.split()) for note in found)
    told = {" ".join(remark.split(": ", 1)[1].split()) for remark in made.remarks}
    assert not [each for each in told if each not in said]


@pytest.mark.parametrize("form", FILES)
def test_nothing_that_looks_like_a_rule_waits_for_its_condition(form, tmp_path, monkeypatch):
    made = tried(form, sample(FILES[form]), tmp_path, monkeypatch)
    waiting = [rule for rule in made.rules.values() if "not-carried-over" in str(rule["topic"]) or "TODO" in str(rule)]
    assert all(rule["enabled"] is False for rule in waiting)
    assert "TODO" not in made.text
    disabled = [note for note in made.notes if "disabled a rule" in note.message]
    assert len(disabled) >= sum(rule.get("enabled") is False for rule in made.rules.values())
