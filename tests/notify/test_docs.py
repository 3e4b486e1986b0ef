"""docs/receivers.md: what it shows is read and run, and every key of every kind is in it."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from hub.documents.document import Node, Problems, parse_document
from hub.fields import Section
from hub.model import Delivered, Retry
from hub.notify import receiver_settings
from tests.notify.fakes import notification, toolbox

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "hub-pigeon"
TEXT = (ROOT / "docs" / "receivers.md").read_text("utf-8")
KINDS = {point.name: point for point in receiver_settings.entry_points(group="hub.receivers")}


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def test_the_receivers_shown_are_read_without_a_problem(monkeypatch):
    for name in ("OPS_TOKEN", "OPS_SECRET", "MAIL_PASSWORD", "NTFY_TOKEN"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("CHAT_HOOK", "https://chat.example.org/services/x")
    monkeypatch.setenv("CHAT_URL", "json://localhost/")
    monkeypatch.setenv("SMS_URL", "smseagle://token@localhost/15551231234")
    for name, scheme in (("AMQP_URL", "amqp"), ("NATS_URL", "nats"), ("REDIS_URL", "redis")):
        monkeypatch.setenv(name, f"{scheme}://hub:secret@localhost")
    found = {}
    for yaml in blocks("yaml"):
        problems = Problems()
        found |= receiver_settings.read_receivers(parse_document(yaml, "docs", problems).value["receivers"], problems)
        assert problems == []
    assert {each.kind for each in found.values()} == set(KINDS)


def test_every_common_key_is_documented():
    part = TEXT.split("## What you can rely on")[0]
    keys = {*receiver_settings._COMMON, "attempts", "age", "first", "longest", "to", "after"}
    assert not {key for key in keys if f"`{key}" not in part and f"{key}:" not in part}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_key_of_a_kind_is_documented_in_its_section(kind):
    section = Section(Node({}, "x", 1, 1), Problems(), kind)
    KINDS[kind].load().read(section)
    part = TEXT.split(f"## `{kind}`")[1].split("\n## ")[0]
    assert not {key for key in section.known if f"`{key}`" not in part}


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Install the example as pip would: the module, and beside it what its pyproject.toml says of it."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text("utf-8"))["project"]
    place = tmp_path / "site"
    about = place / f"hub_pigeon-{project['version']}.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    points = [f"{name} = {value}" for name, value in project["entry-points"]["hub.receivers"].items()]
    (about / "entry_points.txt").write_text("\n".join(["[hub.receivers]", *points, ""]))
    shutil.copy(EXAMPLE / "hub_pigeon.py", place)
    monkeypatch.syspath_prepend(place)
    monkeypatch.delitem(sys.modules, "hub_pigeon", raising=False)
    yield place
    sys.modules.pop("hub_pigeon", None)


def test_the_plugin_shown_is_the_example():
    assert blocks("python") == [(EXAMPLE / "hub_pigeon.py").read_text("utf-8")]
    assert blocks("toml") == [(EXAMPLE / "pyproject.toml").read_text("utf-8")]


async def test_the_plugin_is_found_by_its_entry_point_and_works(plugin, tmp_path):
    problems = Problems()
    text = f"a: {{pigeon: {{loft: {tmp_path}}}}}\nb: {{pigeon: {{loft: /nowhere}}}}\nc: {{pigeon: {{lofd: x}}}}\n"
    found = receiver_settings.read_receivers(parse_document(text, "r.yaml", problems), problems)
    assert [(problem.line, problem.column) for problem in problems] == [(3, 13), (3, 14)]
    assert found["a"].concurrency == 1
    assert await receiver_settings.build_receiver(found["a"], toolbox()).send(notification()) == Delivered()
    assert (tmp_path / "a-1.txt").read_text("utf-8") == "7 at a is -9.0 °C"
    assert await receiver_settings.build_receiver(found["b"], toolbox()).send(notification()) == Retry(
        "there is no loft /nowhere", 600.0
    )


def test_the_schema_describes_the_plugin_by_its_keys(plugin):
    kinds = receiver_settings.receivers_schema()["additionalProperties"]["anyOf"][1]["properties"]
    assert kinds["pigeon"]["description"] == "Lays each message into a loft."
    assert kinds["pigeon"]["required"] == ["loft"]
    assert kinds["pigeon"]["properties"]["loft"]["type"] == ["string", "number", "boolean"]


def test_a_plugin_that_takes_its_keys_by_name_works_and_is_described_as_any_mapping(plugin):
    module = plugin / "hub_pigeon.py"
    text = module.read_text("utf-8")
    text = re.sub(r"^LOFT = .*\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"^    keys = .*\n", "", text, flags=re.MULTILINE)
    module.write_text(text.replace("section.take(LOFT)", 'section.require("loft", text, "")'))
    sys.modules.pop("hub_pigeon", None)
    problems = Problems()
    found = receiver_settings.read_receivers(
        parse_document("a: {pigeon: {loft: x}}\nb: {pigeon: {}}", "r.yaml", problems), problems
    )
    assert [problem.message for problem in problems] == ["'pigeon' of receiver 'b' needs the key 'loft'"]
    assert found["a"].options.loft == "x"
    kinds = receiver_settings.receivers_schema()["additionalProperties"]["anyOf"][1]["properties"]
    assert kinds["pigeon"] == {
        "title": "pigeon",
        "description": "A kind of another package.",
        "type": ["object", "null"],
    }


def test_hub_check_knows_the_plugin_and_places_a_mistake_in_it(plugin, tmp_path):
    rules = tmp_path / "rules.yaml"
    rules.write_text("receivers:\n  loft: {pigeon: {loft: /srv/loft, feed: corn}}\n", "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "hub", "check", str(rules)],
        env=os.environ | {"PYTHONPATH": f"{plugin}{os.pathsep}{ROOT}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "rules.yaml:2:36: unknown key 'feed' in 'pigeon' of receiver 'loft'" in done.stdout + done.stderr
