"""docs/embedding.md: the names that plug-ins and programs may use are there, typed, and the examples work."""

import importlib
import importlib.util
import inspect
import json
import re
import typing
from pathlib import Path

import pytest

from hub import plugin
from tests.support.mqtt import client

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "embedding.md").read_text("utf-8")
EXAMPLE = ROOT / "docs" / "examples" / "embedder" / "fridge.py"
PLUGIN, PROGRAM = TEXT.split("## A hub inside a program")
FOR_PLUGINS = [
    name for row in re.findall(r"^\| (`.+?) \| ", PLUGIN, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
]
FOR_PROGRAMS = re.findall(r"^\| `(hub[\w.]*)` \| `(\w+)` \| ", PROGRAM, re.MULTILINE)
PUBLIC = [("hub.plugin", name) for name in FOR_PLUGINS] + FOR_PROGRAMS


def test_the_names_for_plug_ins_are_those_of_the_list():
    assert sorted(FOR_PLUGINS) == sorted(plugin.__all__)


@pytest.mark.parametrize(("module", "name"), PUBLIC)
def test_a_name_of_the_list_is_there_and_all_that_it_takes_and_gives_is_typed(module, name):
    it = getattr(importlib.import_module(module), name)
    assert name in importlib.import_module(module).__all__
    functions = [it] if inspect.isfunction(it) else []
    if inspect.isclass(it):
        own = {
            key: value for each in it.__mro__ if each.__module__.startswith("hub") for key, value in vars(each).items()
        }
        functions = [value for key, value in own.items() if inspect.isfunction(value) and not key.startswith("_")]
        functions += [value.__func__ for value in own.values() if isinstance(value, classmethod)]
        begin = own.get("__init__")  # a protocol that says nothing of it has one of typing
        functions += [begin] if getattr(begin, "__module__", "").startswith("hub") else []
    for function in functions:
        hints = function.__annotations__
        wanted = [each for each in inspect.signature(function).parameters if each not in ("self", "cls")]
        assert set(wanted) | {"return"} <= set(hints), f"{name}.{function.__name__}"


def test_the_package_says_that_it_is_typed_where_the_wheel_takes_it():
    assert (ROOT / "hub" / "py.typed").read_bytes() == b""
    assert 'packages = ["hub"]' in (ROOT / "pyproject.toml").read_text("utf-8")


def test_outcome_is_one_of_the_three_that_are_listed():
    assert set(typing.get_args(plugin.Outcome)) == {plugin.Delivered, plugin.Retry, plugin.Rejected}


def test_the_program_shown_is_the_example():
    assert re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL) == [EXAMPLE.read_text("utf-8")]


async def test_a_program_runs_a_hub_and_hears_of_the_first_alert(tmp_path, broker, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spec = importlib.util.spec_from_file_location("fridge", EXAMPLE)
    fridge = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fridge)
    rules = tmp_path / "rules.yaml"
    rules.write_text('rules:\n  - {alert: Warm, topic: "fridge/{id}", when: t > 8}\n', "utf-8")
    password = broker.settings("hub").password.reveal()
    async with client(broker.settings("device"), "fridge") as device:
        await device.publish("fridge/1", json.dumps({"t": 9}), retain=True)
        url = f"mqtt://hub:{password}@127.0.0.1:{broker.port}"
        assert await fridge.watch(url, rules, tmp_path / "hub.db") == {"Warm"}
