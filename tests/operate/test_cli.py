import json
import os
import re
from pathlib import Path

import pytest

from hub import __version__
from hub.operate.cli import COMMANDS
from tests.support import prefork

ROOT = Path(__file__).parents[2]


def hub(*arguments, cwd=ROOT, **environment):
    """Run a command to its end as a pipe would have it; return (exit code, stdout, stderr)."""
    env = os.environ | {"COLUMNS": "100", "NO_COLOR": "1"} | environment
    code, out, err = prefork.run(*arguments, cwd=cwd, env=env)
    assert "Traceback" not in err, err
    return code, out, err


@pytest.fixture
def folder(tmp_path):
    """A folder with one good and one bad rule file."""
    (tmp_path / "good.yaml").write_text(
        "receivers: {log: {file: {path: out.ndjson}}}\n"
        "rules:\n  - alert: Hot\n    topic: t/{d}\n    when: value > 30\n    notify: [log]\n"
    )
    (tmp_path / "bad.yaml").write_text("rules:\n  - alert: Bad\n    topic: t/{d}\n    wen: value > 30\n")
    return tmp_path


def test_the_version_is_printed():
    assert hub("--version") == (0, f"hub {__version__}\n", "")


def test_help_lists_every_command_that_works_and_none_that_does_not():
    code, out, _ = hub("--help")
    assert code == 0
    listed = set(re.findall(r"^  (\S+)", out.partition("Commands:")[2], re.MULTILINE))
    assert listed == set(COMMANDS)


def test_no_command_at_all_shows_the_help():
    code, out, err = hub()
    assert code == 2
    assert "Usage: hub" in out + err


def test_a_word_that_is_no_command_is_a_usage_error():
    code, _, err = hub("rnu")
    assert code == 2
    assert "No such command 'rnu'" in err
    assert "run" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--nonsense"], "No such option: --nonsense"),
        (["run", "extra"], "unexpected extra argument"),
        (["check", "--format", "xml"], "xml"),
        (["check", "no-such-place"], "no-such-place' does not exist"),
        (["demo", "--seconds", "0"], "--seconds"),
        (["demo", "--seconds", "soon"], "--seconds': Input should be a valid number"),
        (["demo", "--svg", "."], "directory"),
        (["simulate", "no-such-place"], "no-such-place' does not exist"),
        (["simulate", "--broker", "http://x"], "mqtt://"),
        (["simulate", "--rate", "-1"], "--rate"),
    ],
)
def test_wrong_usage_says_what_is_wrong_and_ends_with_2(arguments, message):
    code, out, err = hub(*arguments)
    assert (code, out) == (2, "")
    assert message in " ".join(err.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--broker", "http://x"],
            "--broker: a broker's URL begins with mqtt://, mqtts://, ws:// or wss://, not http://",
        ),
        (["--config", "nowhere.yaml"], "nowhere.yaml: no such file"),
        (["--rules", "nowhere"], "nowhere: no such file or folder"),
        (["--devices", "nowhere"], "nowhere: no such file or folder"),
        (["--http", "8080"], "--http: '8080' is not HOST:PORT"),
        (["--http", "0.0.0.0:8080"], "--http: 0.0.0.0 can be reached from other machines"),
        (["--rules", "bad.yaml"], "bad.yaml:4:5: unknown key 'wen' in rule 'Bad' (did you mean 'when'?)"),
    ],
)
def test_run_refuses_what_cannot_work_with_the_place_and_the_remedy(folder, arguments, message):
    code, out, err = hub("run", "--state", "hub.db", *arguments, cwd=folder)
    assert code == 1
    assert message in err
    assert "Traceback" not in out
    assert not (folder / "hub.db").exists()


def test_run_with_every_rule_file_bad_tells_all_problems_at_once(folder):
    (folder / "worse.yaml").write_text("rules:\n  - alert: A\n    topic: t/+/{d\n    when: (1\n")
    code, _, err = hub("run", "--rules", ".", cwd=folder)
    assert code == 1
    assert re.search(r"^bad\.yaml:4:5: ", err, re.MULTILINE)
    assert re.search(r"^worse\.yaml:3:\d+: ", err, re.MULTILINE)
    assert re.search(r"^worse\.yaml:4:\d+: ", err, re.MULTILINE)


def test_a_state_file_that_is_none_is_refused(folder):
    (folder / "hub.db").write_text("this is not a database, however much one would like it to be" * 100)
    code, _, err = hub("run", "--rules", "good.yaml", "--state", "hub.db", "--broker", "127.0.0.1:1", cwd=folder)
    assert code == 1
    assert "hub.db" in err


def test_check_of_good_rules_says_so_and_ends_with_0(folder):
    assert hub("check", "good.yaml", cwd=folder) == (0, "no problems\n", "")


def test_check_prints_each_problem_as_editors_read_it_and_a_count(folder):
    (folder / "bad.yaml").write_text("rules:\n  - alert: Bad\n    topic: t/{d}\n    wen: value > 30\n    for: soon\n")
    code, out, _ = hub("check", "bad.yaml", cwd=folder)
    assert code == 1
    lines = out.splitlines()
    assert lines[0].startswith("bad.yaml:2:5: ")
    assert any(line.startswith("bad.yaml:4:5: unknown key 'wen'") for line in lines)
    assert any(line.startswith("bad.yaml:5:10: 'soon' is not a duration") for line in lines)
    assert re.fullmatch(r"\d problems in 1 file", lines[-1])


def test_check_shows_an_expression_with_a_caret(folder):
    (folder / "bad.yaml").write_text("rules:\n  - alert: Bad\n    topic: t/{d}\n    when: value > > 30\n")
    code, out, _ = hub("check", "bad.yaml", cwd=folder)
    assert code == 1
    assert "bad.yaml:4:19: " in out
    assert re.search(r"value > > 30\n +\^", out)


def test_check_as_json_is_a_list_of_problems(folder):
    code, out, _ = hub("check", "--format", "json", "bad.yaml", cwd=folder)
    problems = json.loads(out)
    assert code == 1
    assert {"path", "line", "column", "message", "hint"} <= problems[0].keys()
    assert any((each["line"], each["column"]) == (4, 5) for each in problems)
    assert hub("check", "--format", "json", "good.yaml", cwd=folder) == (0, "[]\n", "")


def test_check_for_github_writes_annotations_that_stay_on_their_line(folder):
    (folder / "bad.yaml").write_text("rules:\n  - alert: Bad\n    topic: t/{d}\n    when: value > > 30 % 2\n")
    code, out, _ = hub("check", "--format", "github", "bad.yaml", cwd=folder)
    assert code == 1
    assert all(line.startswith("::error file=bad.yaml,line=4,col=") for line in out.splitlines())
    assert "%0A" in out
    assert "%25" in out


def test_check_of_a_folder_takes_all_its_files(folder):
    code, out, _ = hub("check", ".", cwd=folder)
    assert code == 1
    assert "bad.yaml" in out
    assert "good.yaml" not in out


def test_check_of_a_configuration_finds_its_problems(folder):
    (folder / "hub.yaml").write_text("broker: {url: mqtt://x, pasword: y}\nrules: [good.yaml]\n")
    code, out, _ = hub("check", "-c", "hub.yaml", cwd=folder)
    assert code == 1
    assert "unknown key 'pasword' in broker (did you mean 'password'?)" in out


def test_secrets_are_never_printed(folder):
    (folder / "bad.yaml").write_text(
        "receivers:\n"
        "  a: {webhook: {url: !env HOOK, wat: 1}}\n"
        "  b: nonsense://TOKENTOKEN@host\n"
        "rules:\n  - alert: Bad\n    topic: t/{d}\n    when: value > 30\n    notify: [a, b, c]\n"
    )
    code, out, err = hub("check", "bad.yaml", cwd=folder, HOOK="https://user:hunter2@host/hook")
    assert code == 1
    assert "hunter2" not in out + err
    assert "TOKENTOKEN" not in out + err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completion_knows_the_commands(shell):
    variable = {"_HUB_COMPLETE": f"complete_{shell}"}
    words = {
        "COMP_WORDS": "hub ",
        "COMP_CWORD": "1",
        "_TYPER_COMPLETE_ARGS": "hub ",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    code, out, _ = hub(**variable, **words)
    assert code == 0
    assert "check" in out
    assert "simulate" in out


SECRET = """\
receivers: {phone: !env HUB_TEST_NOT_SET, mail: !env HUB_TEST_NOT_SET_EITHER}
defaults: {notify: [phone, mail]}
rules:
  - {alert: Volt, topic: "e/{dev}", when: voltage > 210}
tests:
  - name: numbers as text
    send: [{at: 0m, topic: e/a, payload: {voltage: "219"}}]
    expect: [{at: 0m, alert: Volt, state: firing}]
"""


def test_check_names_all_that_is_not_set_and_without_secrets_none_of_it(tmp_path):
    (tmp_path / "r.yaml").write_text(SECRET)
    code, out, _ = hub("check", "r.yaml", cwd=tmp_path)
    assert code == 1
    assert [line.split(" (")[0] for line in out.splitlines()] == [
        "r.yaml:1:20: environment variable HUB_TEST_NOT_SET is not set",
        "r.yaml:1:49: environment variable HUB_TEST_NOT_SET_EITHER is not set",
        "2 problems in 1 file",
    ]
    assert hub("check", "--without-secrets", "r.yaml", cwd=tmp_path) == (0, "no problems\n", "")


def test_a_test_needs_no_secrets_and_says_why_nothing_happened(tmp_path):
    (tmp_path / "r.yaml").write_text(SECRET)
    code, out, err = hub("test", "r.yaml", cwd=tmp_path)
    assert (code, err) == (1, "")
    assert "what led there:" in out
    why = "`voltage > 210` had no value: no such overload: string > int; voltage was '219' (write double(voltage))"
    assert why in out
    assert why in json.loads(hub("test", "--json", "r.yaml", cwd=tmp_path)[1])["failures"][0]["reasons"]
