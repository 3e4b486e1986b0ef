"""docs/check.md: every example is told as shown, and every finding that there is has one."""

import ast
import re
import sys
from pathlib import Path

import pytest

from hub.documents.document import Node
from hub.project.files import check

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "check.md").read_text("utf-8")
LINT = ROOT / "hub" / "rules" / "lint"
BLOCK = re.compile(r"^```(yaml|text)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def examples():
    """Yield (files, what is told of them): blocks up to the text that follows them."""
    files = {}
    for language, body in BLOCK.findall(TEXT):
        if language == "yaml":
            name = re.match(r"# (\S+\.yaml)\n", body)
            files[name[1] if name else "rules/room.yaml"] = body
        else:
            yield files, body
            files = {}


def told(files, folder, text=""):
    """Return what is told; of notes, only those of the kinds that the text is about."""
    for name, body in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(body, "utf-8")
    found = check(None, [], notes=": note: " in text)
    return "".join(
        f"{each}\n" for each in found if not each.note or "nobody is told of rule" in text or f"{each}" in text
    )


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("files", "text"), list(examples()))
def test_every_example_is_told_as_shown_and_nothing_else(files, text, tmp_path):
    assert told(files, tmp_path, text) == text


def test_every_finding_there_is_has_an_example(monkeypatch, tmp_path):
    seen = set()
    for name in ("problem", "key_problem"):
        made = getattr(Node, name)

        def recorded(*given, made=made, **options):
            frame = sys._getframe(1)
            seen.add((Path(frame.f_code.co_filename).name, frame.f_lineno))
            return made(*given, **options)

        monkeypatch.setattr(Node, name, recorded)
    for number, (files, _) in enumerate(examples()):
        (tmp_path / str(number)).mkdir()
        monkeypatch.chdir(tmp_path / str(number))
        told(files, tmp_path / str(number))
    missing = {
        f"{path.name}:{call.lineno}"
        for path in LINT.glob("*.py")
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call) and getattr(call.func, "attr", "") in ("problem", "key_problem")
        and not any((path.name, line) in seen for line in range(call.lineno, call.end_lineno + 1))
    }  # fmt: skip
    assert not missing


def test_every_part_is_in_the_table_and_every_link_leads_somewhere():
    headings = {line.lower().replace(" ", "-") for line in re.findall(r"^## (.*)", TEXT, re.MULTILINE)}
    linked = set(re.findall(r"\]\(#([\w-]+)\)", TEXT))
    assert linked == headings - {"cost", "in-an-editor"}


TRAPS = [line for line in re.findall(r"^\| `([^`]+)` \|", TEXT, re.MULTILINE) if re.match(r"\w+: ", line)]


@pytest.mark.parametrize("line", TRAPS)
def test_every_trap_shown_is_told_of(line, tmp_path):
    rule = {"topic": "site/{door}", "when": "value > 3"} | dict([line.split(": ", 1)])
    body = "rules:\n  - alert: A\n" + "".join(f"    {key}: {value}\n" for key, value in rule.items())
    assert told({"rules/room.yaml": body}, tmp_path)
