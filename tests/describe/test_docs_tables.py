"""The tables of keys in the documents are held against the keys by which files are read: all of them, none else."""

import re
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from hub.documents.duration import parse_duration
from hub.notify.receiver_options import COMMON
from tests.describe.test_schema import tables

DOCS = Path(__file__).parents[2] / "docs"
KINDS = tuple(point.name for point in entry_points(group="hub.receivers"))
TITLES = {
    **{("receivers.md", f"## `{kind}`"): kind for kind in KINDS},
    **{("sources.md", f"## `{kind}`"): f"{kind} source" for kind in ("kafka", "amqp", "nats", "redis", "zeromq")},
    ("rules.md", "## A rule"): "a rule",
    ("devices.md", "## A fleet"): "fleet file",
    ("testing.md", "## A test"): "a test",
}
DECLARED = {table.title: table.keys for table in tables()}


def rows(page, heading):
    """Return the rows of the first table below a heading, each as its cells."""
    part = (DOCS / page).read_text("utf-8").split(f"\n{heading}\n")[1].split("\n## ")[0]
    table = re.findall(r"(?:^\|.*\n)+", part, re.MULTILINE)[0]
    lines = [re.split(r"(?<!\\)\|", line.strip().strip("|")) for line in table.splitlines()[2:]]
    return [[cell.strip() for cell in line] for line in lines]


def named(cells):
    return re.findall(r"`(\w+)`", cells[0])


@pytest.mark.parametrize(("page", "heading"), TITLES)
def test_a_table_has_every_key_and_no_other(page, heading):
    found = [key for cells in rows(page, heading) for key in named(cells)]
    assert sorted(found) == sorted(DECLARED[TITLES[page, heading]])


def test_the_common_keys_of_receivers_are_in_their_table_and_those_of_retry_in_the_next():
    text = "# Receivers: who is told, and how surely"
    part = (DOCS / "receivers.md").read_text("utf-8").split(text)[1].split("\n## ")[0]
    common, retry = re.findall(r"^\| key \|.*\n(?:^\|.*\n)+", part, re.MULTILINE)
    assert sorted(re.findall(r"^\| `(\w+)`", common, re.MULTILINE)) == sorted(key.name for key in COMMON)
    keys = [key for line in retry.splitlines() for key in re.findall(r"`(\w+)`", line.split("|")[1])]
    assert sorted(keys) == sorted(DECLARED["retry"])


def told(key, cell):
    """Tell whether a cell says the default of a key; where it is no literal it says what happens without one."""
    literal = re.fullmatch(r"`([^`{]+)`", cell)
    if key.required:
        return cell.startswith("required")
    if key.usual is not None:
        return str(key.usual).lower() in cell.lower()
    if isinstance(key.default, float) and literal:
        return parse_duration(literal[1]) == key.default
    return literal is None or not isinstance(key.default, str | int) or literal[1] in str(key.default)


@pytest.mark.parametrize(("page", "heading"), [each for each in TITLES if each[0] != "testing.md"])
def test_the_default_that_a_table_shows_is_the_one_that_is_used(page, heading):
    keys = DECLARED[TITLES[page, heading]]
    single = [(keys[names[0]], cells[2]) for cells in rows(page, heading) if len(names := named(cells)) == 1]
    assert [(key.name, key.default, cell) for key, cell in single if not told(key, cell)] == []


@pytest.mark.parametrize("title", ["hub.yaml", "broker", "http", "a token", "self_watch", "heartbeat", "tracing"])
def test_every_key_of_the_settings_stands_in_a_yaml_block_of_the_documents(title):
    blocks = "\n".join(
        block
        for page in DOCS.glob("*.md")
        for block in re.findall(r"^```yaml.*?\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    )
    assert not [key for key in DECLARED[title] if not re.search(rf"(^|[\s{{,#]){key}:", blocks, re.MULTILINE)]
