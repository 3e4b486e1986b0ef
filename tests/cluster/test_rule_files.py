"""rule_files: what a standby keeps ready, and the hash by which nodes compare."""

import asyncio

import pytest

from hub.cluster.rule_files import RuleFiles
from hub.config import load_settings
from hub.errors import ConfigError
from tests.support.record import Record

RULE = "rules:\n  - {{event: {name}, topic: a/b}}\n"


def node(folder, **files):
    """Write a node's folder, with these rule files, and return its settings."""
    (folder / "rules").mkdir(parents=True)
    for name, rule in files.items():
        (folder / "rules" / f"{name}.yaml").write_text(RULE.format(name=rule))
    (folder / "hub.yaml").write_text("rules: [rules]\nhttp: false\nbroker: {url: 'mqtt://x'}\n")
    return load_settings(folder / "hub.yaml")


def own(rules):
    """Return what is ready, without the rules that every hub has."""
    return {name for name in rules.files[0].rules.rules if not name.startswith("Hub")}


def test_nodes_with_the_same_files_have_the_same_hash_wherever_these_are(tmp_path):
    same = [RuleFiles(node(tmp_path / name, one="A", two="B"), print).hash for name in ("a", "elsewhere")]
    assert same[0] == same[1]
    others = [
        RuleFiles(node(tmp_path / "text", one="A", two="C"), print).hash,
        RuleFiles(node(tmp_path / "name", one="A", three="B"), print).hash,
        RuleFiles(node(tmp_path / "more", one="A", two="B", four="D"), print).hash,
    ]
    assert len({same[0], *others}) == 4


async def test_files_that_changed_are_ready_and_ones_that_cannot_be_used_change_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("hub.node.file_watch.RELOAD_LOOK_SECONDS", 0.02)
    said = Record()
    rules = RuleFiles(node(tmp_path / "a", one="A"), said.add)
    before, path = rules.hash, tmp_path / "a" / "rules" / "one.yaml"
    watching = asyncio.create_task(rules.run())
    try:
        path.write_text("rules: [{event: ]")
        await said.first(lambda said: "the old rules go on" in said and "one.yaml" in said, 10)
        assert (rules.hash, own(rules)) == (before, {"A"})
        path.write_text(RULE.format(name="B"))
        async with asyncio.timeout(10):
            while rules.hash == before:
                await asyncio.sleep(0.01)
        assert own(rules) == {"B"}
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


def test_a_node_does_not_start_with_rules_that_cannot_be_used(tmp_path):
    settings = node(tmp_path / "a", one="A")
    (tmp_path / "a" / "rules" / "one.yaml").write_text("rules: [{event: A}]")
    with pytest.raises(ConfigError):
        RuleFiles(settings, print)
