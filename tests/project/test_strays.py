"""Files that nobody reads, and a hub whose own alerts nobody hears."""

import json
import os

import pytest

from hub.project.files import check
from tests.support import prefork

CHAT = "receivers: {chat: 'json://localhost/chat'}\n"
HOT = "rules:\n  - {alert: Hot, topic: 'room/{room}', when: v > 30, notify: chat}\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "all.yaml").write_text(CHAT + HOT)
    (tmp_path / "hub.yaml").write_text("self_watch: {notify: chat}\n")
    return tmp_path


def notes(paths=()):
    return [str(each) for each in check(None, paths, notes=True)]


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("a.yaml.bak", HOT, "it does not end with .yaml or .yml"),
        ("a.yaml.txt", "# mine\n" + HOT, "it does not end with .yaml or .yml"),
        ("a.YAML", CHAT, "it does not end with .yaml or .yml"),
        ("a.json", json.dumps({"rules": []}), "it does not end with .yaml or .yml"),
        ("a", "\ufeffdefaults:\n  severity: info\nrules: []\n", "it does not end with .yaml or .yml"),
        (".a.yaml", HOT, "its name begins with a dot"),
    ],
)
def test_a_file_that_looks_like_ours_and_is_not_read_is_a_note(folder, name, text, why):
    (folder / "rules" / name).write_text(text)
    told = f"/{name}: note: is not read: {why} (rename it, or let it lie elsewhere)"
    assert notes() == [f"rules{told}"]
    assert notes([folder / "rules"]) == [f"{folder}/rules{told}"]


def test_what_is_something_else_is_left_alone(folder):
    others = {"NOTES.txt": "see rules: below", "a.yaml~": HOT, ".a.yaml.swp": HOT, "data.json": '{"x": 1}'}
    for name, text in others.items():
        (folder / "rules" / name).write_text(text)
    os.mkfifo(folder / "rules" / "pipe")
    (folder / "rules" / "gone.bak").symlink_to("nowhere")
    assert notes() == []


def test_yml_is_read_like_yaml(folder):
    (folder / "rules" / "more.yml").write_text("rules:\n  - {alert: Wet, topic: 'r/{r}', when: v > > 1}\n")
    (found,) = check(None, [])
    assert found.path == "rules/more.yml"


@pytest.mark.parametrize(
    ("settings", "rules", "deaf"),
    [
        ("", CHAT + HOT, True),
        ("self_watch: {notify: chat}", CHAT + HOT, False),
        ("self_watch: {notify: []}", CHAT + HOT, False),
        ("self_watch: {enabled: false}", CHAT + HOT, False),
        ("", CHAT + "defaults: {notify: chat}\n" + HOT, False),
        # there is nobody who could be told
        ("", "rules:\n  - {alert: Hot, topic: 'room/{room}', when: v > 30}\n", False),
    ],
)
def test_a_hub_whose_own_alerts_nobody_hears_is_a_note(folder, settings, rules, deaf):
    (folder / "hub.yaml").write_text(settings + "\n")
    (folder / "rules" / "all.yaml").write_text(rules)
    assert any("hub's own alerts" in each for each in notes()) == deaf


def run(folder, *arguments):
    code, out, _ = prefork.run("check", *arguments, cwd=folder, env=os.environ)
    return code, out


def test_notes_are_told_and_nothing_fails_for_them_unless_one_asks_for_it(folder):
    (folder / "rules" / "all.yaml").write_text(CHAT + HOT + "  - {alert: Wet, topic: 'r/{r}', when: v > 1}\n")
    code, out = run(folder)
    assert code == 0
    note = "rules/all.yaml:4:6: note: nobody is told of rule 'Wet': "
    assert out.startswith(note)
    assert out.endswith("\nno problems\n")
    assert run(folder, "--strict")[0] == 1
    (entry,) = json.loads(run(folder, "--format", "json")[1])
    assert (entry["note"], entry["line"]) == (True, 4)
    assert run(folder, "--format", "github")[1].startswith("::notice file=rules/all.yaml,line=4,col=6::nobody is told")
