"""Links between the pages: each leads somewhere, and where a page is named, its name is a link."""

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob(".github/**/*.md")]
    if path.name != "CHANGELOG.md"  # what was true then
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
PAGE_NAMES = {path.name for path in (ROOT / "docs").rglob("*.md")} - {"README.md"}


def prose(page):
    """Return the text without its blocks of code."""
    return re.sub(r"^( *)(`{3,}).*?^\1\2$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)


@cache
def anchors(page):
    """Return the anchors of a page's headings, as GitHub makes them."""
    found = {}
    for title in re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).lower()
        anchor = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        found[anchor] = found.get(anchor, -1) + 1
    return {name if not n else f"{name}-{n}" for name, last in found.items() for n in range(last + 1)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_page_or_a_place_in_one_leads_there(page):
    wrong = []
    for link in LINK.findall(prose(page)):
        if re.match(r"https?:|mailto:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists():
            wrong.append(f"{link}: no such file")
        elif anchor and target.suffix == ".md" and anchor not in anchors(target):
            wrong.append(f"{link}: no such heading")
    assert not wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_where_a_page_is_named_its_name_is_a_link(page):
    text = LINK.sub("", prose(page).partition("\n# Recipes\n")[0])  # a recipe names files to edit, not pages to read
    named = re.findall(r"`?(?:docs/)?(?:[\w-]+/)*([\w-]+\.md)\b`?", text)
    assert not [name for name in named if name in PAGE_NAMES]
