"""On 32-bit ARM there is neither uvloop nor the C part of PyYAML: the hub runs without, and says the same."""

import subprocess
import sys

import pytest
import yaml

from hub.documents import document
from hub.documents.document import Problems, parse_document
from hub.importers import yaml_source
from tests.support.ends import watching
from tests.support.hub import ROOT, Hub
from tests.support.mqtt import client
from tests.support.record import PATIENCE

FILES = sorted(each for folder in ("rules", "devices", "docs") for each in (ROOT / folder).rglob("*.yaml"))
BROKEN = [
    "a: [1\nb: 2",
    'a: é\nb: "é\x07"',
    "a: 'x\n",
    "a: b: c\n",
    "a: {x: 1\n",
    "\ta: 1\n",
    "a: &b 1\nc: *b\n",
    "a: @x\n",
    "a: !!int 3\n",
    "- a\nb: 1\n",
    "a: 1\na: 2\n",
    "a: |\n x\ny",
]
IMPORTS = """
import asyncio, sys
sys.modules["uvloop"] = sys.modules["yaml._yaml"] = None
from hub.documents import document
from hub.operate.process.runner import run_loop
async def kind():
    return type(asyncio.get_running_loop()).__module__
print(run_loop(kind()), document._LOADER.__module__)
"""
WITHOUT = """
import yaml
from hub.documents import document
from hub.operate.process import runner
document._LOADER = yaml.SafeLoader
del runner.uvloop
"""
RULES = """
receivers: {out: {mqtt: {topic: notify/told}}}
rules: [{alert: Hot, topic: "t/{device}", when: value > 5, notify: [out]}]
"""


def read(text, path):
    problems = Problems()
    return parse_document(text, path, problems), [(each.line, each.message) for each in problems]


@pytest.fixture
def pure(monkeypatch):
    """Switch to the loader that is written in Python."""

    def switch():
        monkeypatch.setattr(document, "_LOADER", yaml.SafeLoader)
        monkeypatch.setattr(yaml_source, "_LOADER", yaml.SafeLoader)

    return switch


@pytest.mark.parametrize("path", FILES, ids=[str(each.relative_to(ROOT)) for each in FILES])
def test_both_yaml_loaders_read_the_same_from_a_file(path, pure):
    text = path.read_text("utf-8")
    compiled = read(text, "a.yaml")
    pure()
    assert read(text, "a.yaml") == compiled  # nodes with all their places


@pytest.mark.parametrize("text", BROKEN)
def test_what_is_broken_is_refused_by_both(text, pure):
    compiled = read(text, "a.yaml")[1]
    pure()
    found = read(text, "a.yaml")[1]
    assert len(found) == len(compiled) == 1
    assert abs(found[0][0] - compiled[0][0]) <= 1  # of an end that is missing one names the last line, one the next


def test_a_control_character_is_found_at_its_place_by_both(pure):
    for _ in range(2):
        problems = Problems()
        parse_document('a: é\nb: "é\x07"', "a.yaml", problems)
        assert [(each.line, each.column) for each in problems] == [(2, 6)]
        pure()


def test_where_neither_can_be_imported_asyncios_own_loop_and_the_other_loader_are_used():
    said = subprocess.run([sys.executable, "-c", IMPORTS], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    loop, loader = said.split()
    assert loop.startswith("asyncio.")
    assert loader == "yaml.loader"


async def test_a_hub_without_both_hears_tells_and_stops(tmp_path, broker):
    async with (
        Hub(tmp_path, broker, RULES, before=WITHOUT) as hub,
        watching(broker, "notify/told", name="told") as told,
        client(broker.settings("device")) as device,
    ):
        await device.publish("t/a", "9")
        assert "Hot" in (await told.first(lambda _: True, PATIENCE, "a notification")).payload.decode()
        assert await hub.stop() == 0
