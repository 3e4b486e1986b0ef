"""listing: which YAML files there are; what cannot be looked at is told, never left out and never raised."""

import os
import subprocess
import sys

import pytest

from hub.documents import listing as module
from hub.documents.document import Problems, yaml_files
from hub.documents.listing import list_yaml


def names(found, top):
    return [str(path.relative_to(top)) for path in found]


def put(folder, *files):
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("rules: []\n")


def test_a_folder_that_is_mounted_from_a_configmap_gives_each_file_once(tmp_path):
    put(tmp_path, "..2024_1/a.yaml", "..2024_1/b.yaml")
    (tmp_path / "..data").symlink_to("..2024_1")
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).symlink_to(f"..data/{name}")
    found = list_yaml([tmp_path])
    assert names(found.files, tmp_path) == ["a.yaml", "b.yaml"]
    assert not found.wrong


def test_links_to_folders_are_followed_each_folder_once_also_in_a_circle(tmp_path):
    put(tmp_path, "outside/c.yaml", "rules/sub/a.yaml")
    (tmp_path / "rules" / "out").symlink_to("../outside")
    (tmp_path / "rules" / "again").symlink_to("../outside")
    (tmp_path / "rules" / "sub" / "up").symlink_to("..")
    found = list_yaml([tmp_path / "rules"])
    assert len(found.files) == 2
    assert {path.name for path in found.files} == {"a.yaml", "c.yaml"}
    assert not found.wrong


def test_links_in_a_circle_and_names_that_are_too_long_are_problems(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    problems = Problems()
    assert yaml_files([tmp_path / "a", tmp_path / ("x" * 300)], problems) == []
    assert [each.message for each in problems] == [
        "cannot be read: Too many levels of symbolic links",
        "cannot be read: File name too long",
    ]


def test_a_tree_that_nobody_means_is_refused_before_it_is_listed_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "FOLDER_ENTRIES", 5)
    put(tmp_path, *(f"{n}.yaml" for n in range(4)))
    assert not list_yaml([tmp_path]).wrong
    put(tmp_path, "5.yaml", "6.yaml")
    problems = Problems()
    yaml_files([tmp_path], problems)
    assert "more than 5 files and folders below it" in str(problems[0])


def test_the_other_ending_is_read_alike_and_a_folder_of_that_name_is_a_folder(tmp_path):
    put(tmp_path, "b.yaml", "a.yml", "c.yml/d.yaml")
    assert names(list_yaml([tmp_path]).files, tmp_path) == ["a.yml", "b.yaml", "c.yml/d.yaml"]


def test_what_may_be_a_document_by_its_name_is_known_as_not_read(tmp_path):
    put(tmp_path, "a.yaml", "b.yaml.bak", "c.txt", "d.YAML", ".e.yaml")
    put(tmp_path, "README.md", ".#a.yaml", "a.yaml~", ".a.yaml.swp")
    found = list_yaml([tmp_path])
    assert names(found.files, tmp_path) == ["a.yaml"]
    assert sorted(names(found.strays, tmp_path)) == [".e.yaml", "b.yaml.bak", "c.txt", "d.YAML"]
    assert names(list_yaml([tmp_path / "c.txt"]).files, tmp_path) == ["c.txt"], "one that is named is read"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can ask as somebody else")
@pytest.mark.parametrize("closed", ["rules", "rules/sub", "rules/a.yaml", "."])
def test_what_the_hubs_user_may_not_read_is_a_problem_with_its_remedy(tmp_path, closed):
    put(tmp_path, "rules/a.yaml", "rules/sub/b.yaml", "first.yaml")
    for folder in (tmp_path, *list(tmp_path.parents)[:-2]):  # pytest's own are for root alone
        folder.chmod(0o755)
    (tmp_path / closed).chmod(0)
    code = (
        "import os, sys; from pathlib import Path; from hub.documents.document import *; p = Problems()\n"
        "read_document(Path(sys.argv[2]), p); os.setuid(65534)  # where Python lies may be root's alone\n"
        "for file in yaml_files([Path(sys.argv[1])], p): read_document(file, p)\n"
        "print(*p, sep='\\n')"
    )
    said = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "rules"), str(tmp_path / "first.yaml")],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    (tmp_path / closed).chmod(0o755)
    at = tmp_path / ("rules" if closed == "." else closed)
    assert said == f"{at}: cannot be read: Permission denied (let the user that the hub runs as read it)\n"
