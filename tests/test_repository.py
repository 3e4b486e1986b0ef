"""What stands beside the code: release, templates, hooks and changelog say what is so."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

import hub

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
RELEASE = (ROOT / "RELEASE.md").read_text("utf-8")


def files():
    """Return the files that are in the repository, without binary ones."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a checkout")
    return [ROOT / line for line in listed.stdout.splitlines()]


def test_the_version_stands_once():
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "hub/__init__.py"
    stated = re.compile(rf'^\s*(?:__version__|version)\s*[=:]\s*"?{re.escape(hub.__version__)}"?\s*$', re.MULTILINE)
    own = [path for path in files() if path.suffix in (".py", ".toml", ".cfg") and path.is_file()]
    assert [path.name for path in own if stated.search(path.read_text("utf-8"))] == ["__init__.py"]


def test_the_release_recipe_names_targets_and_files_that_are_there():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"`make (\w+)`", RELEASE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    assert f"{hub.__version__} is the first" in RELEASE or "is the first" not in RELEASE


def test_the_changelog_has_the_sections_of_its_format_in_order():
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    titles = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert titles[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", title) for title in titles[1:])
    known = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.+)$", text, re.MULTILINE)) <= known


def test_the_hooks_run_what_the_tests_run():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"][0]["hooks"]
    (ruff,) = [each for each in PROJECT["project"]["optional-dependencies"]["test"] if each.startswith("ruff")]
    by_id = {each["id"]: each for each in hooks}
    assert set(by_id) == {"ruff", "ruff-format", "mypy"}
    assert by_id["ruff"]["additional_dependencies"] == by_id["ruff-format"]["additional_dependencies"] == [ruff]
    assert by_id["mypy"]["entry"] == ".venv/bin/mypy"  # what `make setup` installed by pyproject.toml


@pytest.mark.parametrize("name", ["bug", "idea"])
def test_a_form_for_issues_asks_with_ids_that_differ(name):
    form = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / f"{name}.yml").read_text("utf-8"))
    assert {"name", "description", "body"} <= set(form)
    ids = [each["id"] for each in form["body"] if each["type"] != "markdown"]
    assert len(ids) == len(set(ids)) > 0
