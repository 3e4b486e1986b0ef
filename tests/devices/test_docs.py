"""docs/devices.md tells the truth: its fleet loads, and every word of the language and every option stands in it."""

import inspect
import re
from pathlib import Path

import pytest

from hub.devices import faults, payload
from hub.documents.shipped_files import shared
from hub.operate.cli.simulate import simulate
from tests.devices.fleets import fleet_of, problems_of

TEXT = (Path(__file__).parents[2] / "docs" / "devices.md").read_text("utf-8")


def known_keys(text):
    """Return the keys that the reader names when it meets one that it does not know."""
    [told] = [each for each in problems_of(text) if "known keys" in each]
    return re.search(r"known keys: ([^)]*)\)", told)[1].split(", ")


def test_its_fleets_load():
    blocks = re.findall(r"```yaml\n(fleet:.*?)```", TEXT, re.DOTALL)
    assert [fleet_of(block).name for block in blocks] == ["freezers", "vaccines"]


@pytest.mark.parametrize("kind", [*payload._KINDS, *faults._KINDS])
def test_every_signal_and_fault_is_explained(kind):
    assert re.search(rf"^\| `{kind}[:`]", TEXT, re.MULTILINE)


def test_every_key_of_a_fleet_is_explained():
    for key in known_keys("fleet: t\ntopic: t\nqqqqqq: 1"):
        assert re.search(rf"^\| .*`{key}`.* \|", TEXT, re.MULTILINE), key


def test_every_option_is_explained():
    for name in inspect.signature(simulate).parameters:
        option = {"paths": "PATH…", "as_json": "--json"}.get(name, f"--{name}")
        assert re.search(rf"^\| .*`{option}`", TEXT, re.MULTILINE), option


def test_every_shipped_fleet_is_listed_with_its_topic():
    for path in shared("devices").glob("*.yaml"):
        topic = re.search(r"^topic: (.*)$", path.read_text("utf-8"), re.MULTILINE)[1]
        assert f"| `{path.name}` | `{topic}`" in TEXT
