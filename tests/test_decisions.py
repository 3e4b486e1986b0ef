"""docs/decisions/: each page has its three parts and its line in the index; the files that it names are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "decisions"
PAGES = sorted(FOLDER.glob("[0-9]*.md"))
INDEX = re.findall(r"^\| (\d+) \| \[(.+)\]\((.+)\) \|$", (FOLDER / "README.md").read_text("utf-8"), re.MULTILINE)


def test_the_index_names_every_decision_once_by_its_number_and_title():
    titles = [(page, page.read_text("utf-8").splitlines()[0]) for page in PAGES]
    assert [(f"# {number}. {title}", name) for number, title, name in INDEX] == [(t, page.name) for page, t in titles]
    assert [int(number) for number, _, _ in INDEX] == [int(page.name[:4]) for page in PAGES]
    assert len({page.name[:4] for page in PAGES}) == len(PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_decision_is_one_page_with_context_decision_and_consequences(page):
    text = page.read_text("utf-8")
    parts = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert parts == ["Context", "Decision", "Consequences"]
    assert len(text.splitlines()) <= 60


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_files_that_a_decision_names_are_there(page):
    named = re.findall(r"`((?:hub|tests|docs)/[\w/.-]+)`", page.read_text("utf-8"))
    assert not [name for name in named if not (ROOT / name).exists()]
