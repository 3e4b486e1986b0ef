"""written: what has vanished without anybody saying so, and what was removed on purpose."""

import os

import pytest

from hub.config import Settings
from hub.documents.document import Problems
from hub.documents.written import Written, vanished
from hub.project.files import load_files

RULE = "rules:\n  - {alert: NAME, topic: 't/{d}', when: value > 30}\n"
RECEIVERS = "receivers: {log: {file: {path: out}}}\n"
FLEET = "fleet: NAME\ntopic: NAME/{device}\ndevices: {count: 2}\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("rules", "more", "devices"):
        (tmp_path / name).mkdir()
    put(tmp_path / "rules", a=RULE, b=RULE, receivers=RECEIVERS)
    put(tmp_path / "more", c=RULE)
    put(tmp_path / "devices", fleet=FLEET)
    return tmp_path


def put(folder, **files):
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text.replace("NAME", name))


def read(folder):
    problems = Problems()
    settings = Settings(rules=(folder / "rules", folder / "more"), devices=(folder / "devices",))
    found = load_files(settings, problems).written
    assert not problems, [str(each) for each in problems]
    return found


def lost(folder, before):
    """Compare with before; also after what was before was written down and read again."""
    now = read(folder)
    found = vanished(before, now)
    assert vanished(Written.loads(before.dumps()), now) == found
    return [str(each) for each in found]


REMOVED = {
    "one file of several": lambda at: (at / "rules/a.yaml").unlink(),
    "a rule of a file that stands": lambda at: put(at / "more", c="rules: []\n"),
    "all but comments of a file": lambda at: put(at / "more", c="# rules: later\n"),
    "all, and a file says so": lambda at: ((at / "more/c.yaml").unlink(), put(at / "more", none="rules: []\n")),
    "a file, for another": lambda at: (at / "more/c.yaml").rename(at / "more/d.yaml"),
    "a file, to another folder": lambda at: (at / "more/c.yaml").rename(at / "rules/c.yaml"),
    "nothing": lambda _: None,
}


@pytest.mark.parametrize("change", REMOVED.values(), ids=REMOVED.keys())
def test_what_somebody_did_on_purpose_is_taken(folder, change):
    before = read(folder)
    change(folder)
    assert lost(folder, before) == []


def emptied(folder):
    for file in list(folder.iterdir()):
        file.unlink()


VANISHED = {
    "a folder is emptied": (lambda at: emptied(at / "more"), "{}/more: had 1 rule in 1 file, and has none now"),
    "only receivers are left": (
        lambda at: ((at / "rules/a.yaml").unlink(), (at / "rules/b.yaml").unlink()),
        "{}/rules: had 2 rules in 2 files, and has none now",
    ),
    "a file is empty": (lambda at: put(at / "rules", a=""), "rules/a.yaml: is empty, and was not before"),
    "a file is blank": (lambda at: put(at / "rules", a=" \n\n"), "rules/a.yaml: is empty, and was not before"),
    "the only file is empty": (lambda at: put(at / "more", c=""), "more/c.yaml: is empty, and was not before"),
    "fleets are gone": (lambda at: emptied(at / "devices"), "{}/devices: had 1 fleet in 1 file, and has none now"),
    "a folder is mounted over": (
        lambda at: ((at / "more").rename(at / "less"), (at / "more").mkdir()),
        "{}/more: had 1 rule in 1 file, and has none now",
    ),
}


@pytest.mark.parametrize(("change", "says"), VANISHED.values(), ids=VANISHED.keys())
def test_what_nobody_can_have_meant_is_told_with_what_to_do(folder, change, says):
    before = read(folder)
    change(folder)
    (said,) = lost(folder, before)
    assert said.startswith(says.format(folder))
    assert said.endswith(")")


def test_a_link_that_leads_elsewhere_is_the_same_place(folder):
    (folder / "more").rename(folder / "v1")
    (folder / "more").symlink_to("v1")
    before = read(folder)
    (folder / "v2").mkdir()
    put(folder / "v2", other=RULE)
    (folder / "more").unlink()
    (folder / "more").symlink_to("v2")
    assert lost(folder, before) == []
    emptied(folder / "v2")
    assert len(lost(folder, before)) == 1


def test_where_nothing_was_known_nothing_has_vanished(folder):
    emptied(folder / "more")
    assert vanished(Written.loads(""), read(folder)) == []


def test_a_pipe_a_folder_and_a_link_to_nowhere_are_problems_and_nobody_waits(folder):
    os.mkfifo(folder / "rules/pipe.yaml")
    (folder / "rules/folder.yaml").mkdir()
    (folder / "rules/nowhere.yaml").symlink_to("none")
    problems = Problems()
    load_files(Settings(rules=(folder / "rules",), devices=()), problems)
    nowhere = "it is a link to what is not there: mend it, or remove it"
    assert sorted(str(each).rpartition("/")[2] for each in problems) == [
        "folder.yaml: cannot be read: Is a directory (a folder has the name of a file: give it another, or remove it)",
        f"nowhere.yaml: cannot be read: No such file or directory ({nowhere})",
        "pipe.yaml: cannot be read: it is a pipe, no file (put a file in its place)",
    ]


def test_a_name_that_is_no_text_can_be_written_down(folder):
    (folder / "rules" / os.fsdecode(b"\xff.yaml")).write_text(RULE)
    assert "\N{REPLACEMENT CHARACTER}.yaml" in read(folder).dumps()
    (folder / "rules" / os.fsdecode(b"\xff.yaml")).write_text("rules: [{")
    problems = Problems()
    load_files(Settings(rules=(folder / "rules",), devices=()), problems)
    assert all(str(each).encode() for each in problems)
    assert problems
