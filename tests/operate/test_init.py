"""`hub init`: the folder that it makes is right, complete, and never written over anything."""

import re
import shlex

import pytest
import typer

from hub.devices.registry import load_fleets
from hub.documents.document import Problems
from hub.documents.shipped_files import shared
from hub.operate.cli import make_app
from tests.operate.test_cli import hub

FILES = {
    *("README.md", "hub.yaml", "mosquitto.conf", "mosquitto.acl"),
    *("rules/freezers.yaml", "rules/receivers.yaml", "devices/freezers.yaml"),
}


@pytest.fixture
def folder(tmp_path):
    code, out, err = hub("init", "first", cwd=tmp_path)
    assert (code, err) == (0, "")
    assert set(out.splitlines()[:-1]) == {f"first/{name}" for name in FILES}
    return tmp_path / "first"


def files(folder):
    return {str(path.relative_to(folder)): path.read_text("utf-8") for path in folder.rglob("*") if path.is_file()}


def test_the_folder_holds_what_a_hub_needs_and_passes_its_own_check_and_test(folder):
    assert files(folder).keys() == FILES
    code, out, err = hub("check", cwd=folder)
    assert (code, out) == (0, "no problems\n")
    assert err.startswith("times are told in ")
    assert hub("test", cwd=folder) == (0, "1 passed, 0 failed\n", "")


def test_the_brokers_files_are_those_that_are_shipped(folder):
    for name in ("mosquitto.conf", "mosquitto.acl"):
        assert (folder / name).read_bytes() == shared(name).read_bytes()


def test_a_folder_that_has_one_of_the_files_is_left_as_it_is(folder, tmp_path):
    (tmp_path / "second").mkdir()
    (tmp_path / "second" / "hub.yaml").write_text("mine\n")
    code, out, err = hub("init", "second", cwd=tmp_path)
    assert (code, out) == (1, "")
    assert "second/hub.yaml: is there already" in err
    assert files(tmp_path / "second") == {"hub.yaml": "mine\n"}


def test_a_folder_with_other_files_is_taken(tmp_path):
    (tmp_path / "notes.txt").write_text("mine\n")
    assert hub("init", ".", cwd=tmp_path)[0] == 0
    assert files(tmp_path).keys() == FILES | {"notes.txt"}


def test_a_file_in_the_way_is_told(tmp_path):
    (tmp_path / "first").write_text("mine\n")
    code, _, err = hub("init", "first", cwd=tmp_path)
    assert code == 1
    assert "first" in err
    assert "cannot be written" in err


def test_the_readme_tells_five_commands_that_exist_in_their_order(folder):
    (block,) = re.findall(r"```sh\n(.*?)```", (folder / "README.md").read_text("utf-8"), re.DOTALL)
    lines = [shlex.split(line, comments=True) for line in block.splitlines()]
    assert [words[0] for words in lines] == ["hub", "hub", "hub", "hub", "mosquitto_sub"]
    commands = [words[1] for words in lines if words[0] == "hub"]
    assert commands == ["check", "test", "run", "simulate"]
    assert set(commands) <= typer.main.get_command(make_app()).commands.keys()


def test_the_fleet_can_be_played(folder):
    problems = Problems()
    (fleet,) = load_fleets([folder / "devices"], problems)
    assert not problems
    assert fleet.payload is not None
    assert len(fleet.devices) == 3
