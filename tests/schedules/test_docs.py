"""docs/schedules.md: every file that it shows is loaded, and its conditions go by the clock as it says."""

import re
from pathlib import Path

import pytest

from hub.documents.document import Problems
from hub.notify.receiver_settings import read_receivers
from hub.rules.reading.loader import load_rules
from hub.trial.world import World
from tests.rules.making import event

TEXT = (Path(__file__).parents[2] / "docs" / "schedules.md").read_text("utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
NOON = 1_780_308_000.0
"""2026-06-01T12:00+02:00."""
HOUR = 3600.0


def load(text, folder):
    (folder / "rules.yaml").write_text(text, "utf-8")
    problems = Problems()
    found = load_rules([folder / "rules.yaml"], problems, read_receivers, "hub")
    assert not problems, [str(each) for each in problems]
    return found


@pytest.mark.parametrize("text", BLOCKS)
def test_every_file_shown_is_loaded_without_a_problem(text, tmp_path):
    assert load(text, tmp_path).schedules


def test_what_was_left_open_at_noon_and_what_vibrates_all_night_are_told_when_the_page_says(tmp_path):
    (text,) = [block for block in BLOCKS if "WindowOpen" in block]
    world = World(load(text, tmp_path), None, NOON)
    world.send([event("building/a/window/1", {"open": True}, NOON)])
    world.pass_time(NOON + 11 * HOUR)
    world.send([event("plant/a/compressor/1", {"vibration": 9}, world.now)])
    world.pass_time(NOON + 24 * HOUR)
    happened = [(each.body["alertname"], each.body["state"], each.body["summary"]) for each in world.told]
    assert happened[:1] == [("WindowOpen", "firing", "1 of a is open at night")]
    assert sorted(happened[1:]) == [  # at one moment, of two alerts: no order is promised
        ("CompressorVibrates", "firing", "CompressorVibrates (plant=a, compressor=1)"),
        ("WindowOpen", "resolved", "1 of a is open at night"),
    ]
    told = [(row[0] - NOON, row[1]) for row in world.trace if row[1] in ("transition", "held", "notified")]
    assert {at for at, _ in told} == {10 * HOUR, 11 * HOUR, 19 * HOUR}
    assert (11 * HOUR, "held") in told
