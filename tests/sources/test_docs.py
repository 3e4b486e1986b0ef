"""docs/sources.md: what it shows is read, and every key of every kind is in its section."""

import re
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from hub.documents.document import Node, Problems, parse_document
from hub.fields import Section
from hub.sources.source_settings import read_sources

TEXT = (Path(__file__).parents[2] / "docs" / "sources.md").read_text("utf-8")
KINDS = {point.name: point for point in entry_points(group="hub.sources")}


def test_the_sources_shown_are_read_without_a_problem(monkeypatch):
    for name, scheme in (("AMQP_URL", "amqp"), ("NATS_URL", "nats"), ("REDIS_URL", "redis")):
        monkeypatch.setenv(name, f"{scheme}://hub:secret@localhost")
    (yaml,) = re.findall(r"^```yaml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    problems = Problems()
    found = read_sources(parse_document(yaml, "docs", problems).value["sources"], problems)
    assert problems == []
    assert {each.kind for each in found} == set(KINDS)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_key_and_name_of_a_kind_is_documented_in_its_section(kind):
    section = Section(Node({}, "x", 1, 1), Problems(), kind)
    loaded = KINDS[kind].load()
    loaded.read(section)
    part = TEXT.split(f"## `{kind}`")[1].split("\n## ")[0]
    assert not {key for key in section.known if f"`{key}`" not in part}
    assert not {name for name in loaded.names if f"`{{{name}}}`" not in part}
