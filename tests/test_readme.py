"""README and docs say only what is so: every block is run or read, every option, key and log line is there."""

import configparser
import inspect
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import typer

from hub.config import load_settings
from hub.documents.document import Problems, parse_document
from hub.documents.shipped_files import shared
from hub.notify.receiver_settings import read_receivers
from hub.operate.cli import COMMANDS, make_app
from hub.operate.terminal import attention
from hub.operate.terminal import log as log_module
from hub.operate.terminal.phrases import __file__ as phrases_file
from hub.rules.reading import rule_reader
from hub.rules.reading.loader import load_rules
from hub.rules.reading.rule_values import KnownNames
from tests.support import prefork

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
OPERATIONS = ROOT / "docs" / "operations.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TOP = typer.main.get_command(make_app())


def blocks(page, language):
    return [text for kind, text in BLOCK.findall(page.read_text("utf-8")) if kind == language]


def named(page, name):
    """Return the YAML blocks whose first line is `# name`."""
    return [text for text in blocks(page, "yaml") if text.startswith(f"# {name}\n")]


def hub(*arguments, cwd):
    code, out, err = prefork.run(*arguments, cwd=cwd, env=os.environ)
    return subprocess.CompletedProcess(arguments, code, out, err)


def options(command):
    parts = [TOP.commands[command], *getattr(TOP.commands[command], "commands", {}).values()]
    found = {option for part in parts for each in part.params for option in each.opts if option[0] == "-"}
    return found - {"--install-completion", "--show-completion"} | {"--help"}


def lines_of_hub():
    """Yield every `hub …` that a page tells the reader to type."""
    for page in PAGES:
        for block in blocks(page, "sh"):
            for line in block.replace("\\\n", " ").splitlines():
                words = shlex.split(line, comments=True)
                at = next((i for i, word in enumerate(words) if word.endswith("/bin/hub")), 0)
                if words and words[at].rpartition("/")[2] == "hub":
                    yield pytest.param(words[at + 1 :], id=f"{page.name}: {line}")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "freezer.yaml").write_text(named(README, "freezer.yaml")[0], "utf-8")
    return tmp_path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_is_there(page):
    text = page.read_text("utf-8")
    linked = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    mentioned = re.findall(r"`((?:docs|rules|devices|hub|tests)/[\w./-]*)`", text)
    missing = [name for name in linked if not (page.parent / name).exists()]
    # `hub/…` may be a topic as well as a folder of ours
    missing += [name for name in mentioned if not (ROOT / name).exists() and not name.startswith("hub/")]
    assert not missing


def test_the_rule_of_the_readme_is_clean_and_means_what_the_text_says(folder):
    problems = Problems()
    rules = load_rules([folder / "freezer.yaml"], problems, read_receivers, "hub").rules
    assert not problems
    (rule,) = rules.values()
    assert (rule.name, rule.captures, rule.hold) == ("FreezerTooWarm", ("site", "freezer"), 300.0)
    assert rule.notify == ("phone",)


def test_the_mistakes_of_the_readme_are_told_as_it_shows(folder):
    text = (folder / "freezer.yaml").read_text("utf-8")
    wrong = text.replace("> -15", "> > -15").replace("for: 5m", "for: 5 minutes") + "    sumary: too warm\n"
    (folder / "wrong.yaml").write_text(wrong, "utf-8")
    (shown,) = blocks(README, "console")
    command, _, expected = shown.partition("\n")
    assert command == "$ hub check wrong.yaml"
    done = hub("check", "wrong.yaml", cwd=folder)
    assert done.stdout == expected
    assert done.returncode == 1


def test_hub_check_of_the_readmes_rule_is_clean(folder):
    assert hub("check", "freezer.yaml", cwd=folder).stdout == "no problems\n"


@pytest.mark.parametrize("words", list(lines_of_hub()))
def test_a_command_that_a_page_tells_to_type_has_such_options(words):
    command, *arguments = words
    assert command in TOP.commands
    given = {word.partition("=")[0] for word in arguments if word.startswith("-")}
    assert given <= options(command)


def test_the_make_targets_of_the_readme_exist():
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"\bmake (\w+)", "\n".join(blocks(README, "sh"))))
    assert targets == {"demo", "test"}
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_every_hub_yaml_of_the_docs_loads(tmp_path, monkeypatch):
    monkeypatch.setenv("HUB_PASSWORD", "x")
    texts = named(OPERATIONS, "hub.yaml")
    assert len(texts) == 4
    for name in ("ca.crt", "hub.crt", "hub.key"):
        (tmp_path / name).touch()
    for text in texts:
        (tmp_path / "hub.yaml").write_text(text.replace("/etc/hub", str(tmp_path)), "utf-8")
        load_settings(tmp_path / "hub.yaml")


def test_the_whole_hub_yaml_of_the_docs_is_the_defaults(tmp_path, monkeypatch):
    monkeypatch.setenv("HUB_PASSWORD", "x")
    (tmp_path / "devices").mkdir()
    (tmp_path / "hub.yaml").write_text("broker: {username: hub, password: !env HUB_PASSWORD}\n")
    plain = load_settings(tmp_path / "hub.yaml")
    (tmp_path / "hub.yaml").write_text(named(OPERATIONS, "hub.yaml")[-1], "utf-8")
    found = load_settings(tmp_path / "hub.yaml")
    assert replace(found, http=replace(found.http, asked=False)) == plain


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_a_command_is_documented(command):
    text = "\n".join(page.read_text("utf-8") for page in PAGES)
    undocumented = [option for option in options(command) - {"-h", "--help"} if f"`{option}" not in text]
    assert not undocumented


def test_the_options_of_hub_itself_are_documented():
    text = OPERATIONS.read_text("utf-8")
    own = {option for parameter in TOP.params for option in parameter.opts if option.startswith("--")}
    assert not [option for option in own - {"--help"} if f"`{option}" not in text]


def test_every_key_of_a_rule_that_works_is_in_the_readme_and_no_other():
    problems = Problems()
    node = parse_document("{alert: X, topic: t, when: 'true', nonsense: 1}", "x.yaml", problems)
    rule_reader.read_rule(node, problems, rule_reader.NO_DEFAULTS, KnownNames())
    hint = next(problem.hint for problem in problems if "nonsense" in problem.message)
    known = set(hint.removeprefix("known keys: ").split(", "))
    table = README.read_text("utf-8").partition("| key of a rule |")[2].partition("\n\n")[0]
    rows = [line.split("|")[1] for line in table.splitlines()[2:]]
    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == known


def test_every_kind_of_log_line_is_documented():
    source = Path(log_module.__file__).read_text("utf-8") + Path(phrases_file).read_text("utf-8")
    source += inspect.getsource(attention)
    noted = r'(?:self\.note\(\s*|_about\(notification, |yield )"([\w-]+)"'
    kinds = set(re.findall(noted, source)) | {"firing", "resolved", "connected", "disconnected"}
    kinds |= {kind.replace("_", "-") for kind in re.findall(r'^    "(\w+)": ', source, re.MULTILINE)}
    assert {"retry", "dead", "session-lost", "stopping", "held", "escalated"} <= kinds
    text = OPERATIONS.read_text("utf-8").partition("## What the log says")[2].partition("\n## ")[0]
    assert not [kind for kind in kinds if f"`{kind}`" not in text]


def test_nothing_that_is_not_there_yet_is_promised_as_a_command():
    for page in PAGES:
        for block in blocks(page, "sh"):
            assert set(re.findall(r"^hub ([a-z][\w-]*)", block, re.MULTILINE)) <= set(COMMANDS)


def test_the_shipped_files_are_counted_right():
    files = list(shared("rules").glob("*.yaml"))
    assert len(files) == 10
    assert "`rules/` has ten files" in README.read_text("utf-8")


def test_the_picture_is_of_this_demo_and_fetches_nothing():
    drawing = (ROOT / "docs" / "demo.svg").read_text("utf-8")
    assert "What&#160;this&#160;run&#160;came&#160;to" in drawing
    assert "SmokeDetected" in drawing
    assert not re.findall(r"(?:href|src|url)\s*[=(]\s*[\"']?https?://", drawing)
    assert len(drawing) < 150_000


def test_the_unit_file_runs_a_command_that_exists(tmp_path):
    text = (ROOT / "docs" / "hub.service").read_text("utf-8")
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read_string(text)
    program, command, *arguments = shlex.split(unit["Service"]["ExecStart"])
    assert program == "/opt/hub/bin/hub"
    assert "/opt/hub" in OPERATIONS.read_text("utf-8")
    assert {word for word in arguments if word.startswith("-")} <= options(command)
    if shutil.which("systemd-analyze"):
        (tmp_path / "hub.service").write_text(text.replace(program, "/bin/true"), "utf-8")
        done = subprocess.run(
            ["systemd-analyze", "verify", tmp_path / "hub.service"], capture_output=True, text=True, check=False
        )
        assert "hub.service" not in done.stderr, done.stderr
