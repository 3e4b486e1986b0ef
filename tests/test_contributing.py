"""CONTRIBUTING.md: each recipe is followed in a copy of the tree, or at least what it names is there."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.measured import WANTED

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
RECIPES = dict(re.findall(r"^## (Add an? [\w ]+)\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL))
STEP = re.compile(r"^\d+\. (.*?)(?=^\d+\. |^\S(?<!\d)|\Z)", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^   (`{3,})\w+\n(.*?)^   \1$", re.MULTILINE | re.DOTALL)
PLACE = re.compile(r", (after|before) (?:``(.+?)``|`(.+?)`)$", re.MULTILINE)
NAMED = re.compile(r"`((?:hub|tests|docs)/[\w./-]+|\w+\.(?:toml|md))`")
SHOWN = {"Add a command", "Add a receiver", "Add a history function"}  # whose steps show all that is written
COPIED = ["hub", "tests", "docs", "rules", "devices", "pyproject.toml", "README.md", "CHANGELOG.md", "mosquitto.conf"]


def steps(recipe):
    return STEP.findall(RECIPES[recipe].partition("\nThen this is right")[0])


def follow(step, tree):
    """Do what a step shows; return the file that it is about, or None where it shows nothing."""
    path, found = tree / NAMED.search(step)[1], BLOCK.search(step)
    if found is None:
        return None
    text = "".join(line.removeprefix("   ") for line in found[2].splitlines(keepends=True))
    if step.startswith("New "):
        assert not path.exists(), f"{path} is there already"
        path.write_text(text, "utf-8")
        return path
    where, *anchors = PLACE.search(step.partition("   ```")[0]).groups()
    anchor = next(filter(None, anchors)).strip()
    before, line, behind = re.split(rf"(^ *{re.escape(anchor)}.*\n)", path.read_text("utf-8"), flags=re.MULTILINE)
    path.write_text(before + (line + text if where == "after" else text + line) + behind, "utf-8")
    return path


@pytest.fixture
def tree(tmp_path):
    """Copy what the recipes touch and what runs it."""
    for name in COPIED:
        source, target = ROOT / name, tmp_path / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    return tmp_path


def installed(tree):
    """Say what is installed from this tree, as pip does: the entry points of its pyproject.toml."""
    project = tomllib.loads((tree / "pyproject.toml").read_text("utf-8"))["project"]
    about = tree / "mqtt_notification_hub-0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 0\n")
    lines = []
    for group, points in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
    (about / "entry_points.txt").write_text("\n".join([*lines, ""]))


def test_the_six_recipes_are_there():
    things = ["command", "receiver", "rule key", "history function", "endpoint", "durable thing"]
    assert {name.removeprefix("Add ").partition(" ")[2] for name in RECIPES} == set(things)


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_file_and_name_of_a_recipe_is_there(recipe):
    for step in steps(recipe):
        said = step.partition("   ```")[0]
        paths = NAMED.findall(said)
        assert paths, f"a step of {recipe!r} names no file: {said}"
        if step.startswith("New "):
            continue
        text = "".join((ROOT / path).read_text("utf-8") for path in paths)
        words = re.findall(r"`([A-Za-z_]\w+)`", PLACE.sub("", said))
        assert not [word for word in words if word not in text], f"{recipe}: {said}"


@pytest.mark.time_limit(300, "a recipe's checks are runs of pytest, ruff and mypy")
@pytest.mark.parametrize("recipe", sorted(SHOWN))
def test_who_follows_a_recipe_gets_what_it_promises(recipe, tree):
    touched = [path for step in steps(recipe) if (path := follow(step, tree))]
    assert len(set(touched)) > 3
    installed(tree)
    shown = re.search(
        r"^```sh\n(.*?)^```", RECIPES[recipe].partition("\nThen this is right")[2], re.MULTILINE | re.DOTALL
    )
    folder = Path(sys.executable).parent
    env = os.environ | {"PYTHONPATH": str(tree), "PATH": f"{folder}:{os.environ['PATH']}"}
    env.pop(WANTED, None)  # what this run measures is not what a part of the tests in the copy covers
    for line in shown[1].splitlines():
        done = subprocess.run(shlex.split(line), cwd=tree, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
