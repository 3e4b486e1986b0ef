"""surroundings: rules that are named by path are looked at with the devices that belong to them."""

from pathlib import Path

import pytest

from hub.config import Settings
from hub.devices.fleet import read_fleet
from hub.documents.document import Problems, parse_document
from hub.project.files import check, load_trial
from hub.project.surroundings import settings_around
from hub.trial.trial_play import play

FLEET = """\
fleet: rooms
topic: site/{site}/room/{device}
devices: {count: 2, site: berlin, limit: 25}
"""
RULES = """\
rules:
  - {alert: Warm, topic: "site/{site}/room/{room}", when: temperature > device.limit, notify: []}
tests:
  - name: the limit of the registry decides
    send: [{at: 0m, topic: site/berlin/room/rooms-1, payload: {temperature: 26}}]
    expect: [{at: 0m, alert: Warm, state: firing}]
"""


def fleet(folder, name="devices"):
    (folder / name).mkdir(parents=True)
    (folder / name / "rooms.yaml").write_text(FLEET)


def rules(folder, name="rules/rooms.yaml"):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(RULES.replace("rooms-1", next(iter(topics())).rpartition("/")[2]))
    return path


def topics():
    return [device.topic for device in read_fleet(parse_document(FLEET, "f", Problems()), Problems()).devices]


def failures(paths, config=None):
    files, cases = load_trial(config, paths, ())
    assert cases
    return [each for case in cases for each in play(case, files.rules, files.registry)]


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Start somewhere else; return the folder of the hub."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "house"


@pytest.mark.parametrize("name", ["rules/rooms.yaml", "rules/deep/rooms.yaml", "rooms.yaml"])
def test_devices_beside_or_above_the_rules_are_found_from_any_folder(elsewhere, name):
    fleet(elsewhere)
    path = rules(elsewhere, name)
    assert failures([path]) == []
    assert failures([path.parent if path.parent != elsewhere else path]) == []
    assert check(None, [path]) == []


def test_devices_that_the_hub_yaml_above_the_rules_names_are_found(elsewhere):
    fleet(elsewhere, "things")
    path = rules(elsewhere)
    (elsewhere / "hub.yaml").write_text("devices: things\n")
    assert failures([path]) == []
    assert failures([path], elsewhere / "hub.yaml") == []


def test_a_folder_with_rules_and_devices_is_a_hub(elsewhere):
    fleet(elsewhere)
    rules(elsewhere)
    assert failures([elsewhere]) == []


def test_devices_of_the_folder_where_the_command_starts_do_not_belong_to_rules_elsewhere(elsewhere):
    fleet(Path.cwd())
    (failure,) = failures([rules(elsewhere)])
    assert any("no device of the registry belongs to site/berlin/room/" in each for each in failure.reasons)
    assert any("none is known here: `hub test --devices PATH`" in each for each in failure.reasons)


def test_devices_of_the_folder_where_the_command_starts_belong_to_rules_below_it(elsewhere, monkeypatch):
    fleet(elsewhere)
    path = rules(elsewhere)
    monkeypatch.chdir(elsewhere)
    assert failures([Path("rules/rooms.yaml")]) == failures([path]) == failures([]) == []


def test_a_folder_named_devices_of_something_else_is_left_alone(elsewhere):
    (elsewhere / "devices").mkdir(parents=True)
    (elsewhere / "devices" / "esp.yaml").write_text("esphome: {name: kitchen}\n")
    path = rules(elsewhere)
    assert settings_around(Settings(), [path]).fleets() == []
    assert check(None, [path]) == []
