"""docs/rules.md: every key that a rule file may have is documented, and every file that it shows is loaded."""

import re
from pathlib import Path

import pytest

from hub.documents.document import Problems
from hub.errors import ConfigError
from hub.fields import Section
from hub.notify.receiver_settings import read_receivers
from hub.rules.reading import loader, rule_reader, vocabulary
from hub.rules.reading.loader import load_rules

TEXT = (Path(__file__).parents[1] / "docs" / "rules.md").read_text("utf-8")
PARTS = dict(re.findall(r"^### `(\w+)`\n(.*?)(?=^##)", TEXT, re.MULTILINE | re.DOTALL))


def blocks(text, language="yaml"):
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def load(text, folder, name="room.yaml"):
    (folder / "rules").mkdir(exist_ok=True)
    (folder / "rules" / name).write_text(text, "utf-8")
    problems = Problems()
    return load_rules([Path("rules")], problems, read_receivers, "hub"), ConfigError(problems)


def keys_of(monkeypatch, tmp_path):
    """Return the keys that each kind of mapping knows, as the loader asks for them."""
    known = {}

    class Watched(Section):
        def finish(self):
            known.setdefault(self.what.split(" '")[0], set()).update(self.known)
            super().finish()

    monkeypatch.setattr(rule_reader, "Section", Watched)
    monkeypatch.setattr(loader, "Section", Watched)
    load("defaults: {}\nrules:\n  - {alert: A, topic: t, when: a}\n  - {event: E, topic: t}\n", tmp_path)
    return known


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("text", blocks(TEXT))
def test_every_file_shown_is_loaded_without_a_problem(text, tmp_path):
    found, problems = load(text, tmp_path)
    assert not problems.problems, problems
    assert found.rules or "enabled: false" in text


def test_every_key_of_a_rule_has_a_part_with_an_example_that_uses_it(monkeypatch, tmp_path):
    known = keys_of(monkeypatch, tmp_path)["rule"]
    assert set(PARTS) == known | {"defaults"}
    for key in known:
        examples = blocks(PARTS[key])
        assert any(re.search(rf"^    {key}:|^  - {key}:", example, re.MULTILINE) for example in examples), key
        assert f"| [`{key}`](#{key}) |" in TEXT, key


def test_every_section_and_default_is_documented(monkeypatch, tmp_path):
    known = keys_of(monkeypatch, tmp_path)
    for section in known["a rule file"]:
        assert re.search(rf"^\| \[`{section}`\]\(\S+\) \|", TEXT, re.MULTILINE), section
    for key in known["defaults"]:
        assert f"`{key}`" in PARTS["defaults"]
        assert re.search(rf"^  {key}:", blocks(PARTS["defaults"])[0], re.MULTILINE), key


def test_the_mistakes_shown_are_told_as_shown(tmp_path):
    (wrong,) = blocks(TEXT, "yaml wrong")
    (told,) = blocks(TEXT, "text")
    _, problems = load(wrong, tmp_path)
    assert f"{problems}\n" == told


def test_severities_and_links_are_right():
    assert all(f"`{severity}`" in PARTS["severity"] for severity in vocabulary.SEVERITIES)
    headings = {
        re.sub(r"[^\w -]", "", line).strip().lower().replace(" ", "-")
        for line in re.findall(r"^#+ (.*)", TEXT, re.MULTILINE)
    }
    for target in re.findall(r"\]\(#([\w-]+)\)", TEXT):
        assert target in headings, target
    for file in re.findall(r"\]\((\w+\.md)", TEXT):
        assert (Path(__file__).parents[1] / "docs" / file).exists(), file
