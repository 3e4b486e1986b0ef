"""docs/architecture.md: the picture is that of the imports, what it names is there, every package has its words."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tools import picture

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "architecture.md").read_text("utf-8")
PLACES = sorted(set(re.findall(r"`(hub/[\w/]+\.py):([\w.]+)`", TEXT)))


@cache
def names(path):
    """Return the classes and functions of a file, those of a class with its name before them."""
    found = set()
    for node in ast.parse((ROOT / path).read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
            inner = node.body if isinstance(node, ast.ClassDef) else []
            found |= {
                f"{node.name}.{each.name}" for each in inner if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
            }
    return found


def test_the_picture_is_the_one_that_the_imports_give():
    shown = picture.BETWEEN.search(TEXT)[0]
    assert picture.picture() in shown, "run `python -m tools.picture`"


@pytest.mark.parametrize(("path", "name"), PLACES)
def test_each_place_in_the_life_of_an_event_is_there(path, name):
    assert (ROOT / path).exists()
    assert name in names(path)


def test_the_life_of_an_event_goes_from_socket_to_receiver():
    assert len(PLACES) >= 15
    life = TEXT.partition("## The life of one event")[2].partition("\n## ")[0]
    steps = re.findall(r"^\d+\. .*?(?=^\d+\. |\Z)", life, re.MULTILINE | re.DOTALL)
    assert all(re.search(r"`hub/[\w/]+\.py:[\w.]+`", step) for step in steps)


def test_every_package_has_its_paragraph_and_no_other_has():
    packages = {path.parent.name for path in (ROOT / "hub").glob("*/__init__.py")}
    part = TEXT.partition("## The packages")[2].partition("\n## ")[0]
    assert set(re.findall(r"^- `hub/(\w+)/`: ", part, re.MULTILINE)) == packages


def test_the_words_stand_in_their_order_once():
    table = TEXT.partition("## Words")[2]
    words = re.findall(r"^\| ([a-z]+) \|", table, re.MULTILINE)[1:]
    assert words == sorted(set(words))
    wanted = {"episode", "instance", "fingerprint", "transition", "conversation", "suppression", "absence", "silence"}
    assert wanted | {"lane", "desk", "source", "unit", "keeper"} <= set(words)


def package(folder, files):
    for name, text in files.items():
        path = folder / "hub" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / "__init__.py").touch()
        path.write_text(text, "utf-8")
    return folder / "hub"


def test_an_arrow_that_others_imply_and_the_ground_are_left_out(tmp_path):
    hub = package(
        tmp_path,
        {
            "limits.py": "",
            "top/a.py": "from hub.middle.b import x\nfrom hub import limits\nimport hub.low.c",
            "middle/b.py": "from hub.low import c\nfrom hub.limits import y",
            "low/c.py": "",
            "wire.py": "from hub import top",
        },
    )
    drawn = picture.picture(hub)
    assert re.findall(r"(\w+) --> (\w+)", drawn) == [("middle", "low"), ("top", "middle"), ("wire", "top")]
    assert "limits" not in drawn
    assert "wire(wire)" in drawn


def test_where_two_packages_import_each_other_both_arrows_stay(tmp_path):
    hub = package(tmp_path, {"one/a.py": "from hub.two import b", "two/b.py": "from hub.one import c", "one/c.py": ""})
    assert re.findall(r"(\w+) --> (\w+)", picture.picture(hub)) == [("one", "two"), ("two", "one")]


def test_who_stands_on_a_circle_keeps_an_arrow_to_it(tmp_path):
    files = {
        "one/a.py": "from hub.two import b",
        "two/b.py": "from hub.one import c",
        "one/c.py": "",
        "top/d.py": "from hub.one import a\nfrom hub.two import b",
    }
    arrows = re.findall(r"(\w+) --> (\w+)", picture.picture(package(tmp_path, files)))
    assert arrows == [("one", "two"), ("top", "two"), ("two", "one")]
