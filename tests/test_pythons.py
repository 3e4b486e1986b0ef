"""tools/pythons.py and the Pythons that pyproject.toml names."""

import sys

from tests import test_platforms
from tools import pythons


def test_the_wheels_are_looked_at_for_each_python_that_is_named():
    assert pythons.named() == test_platforms.PYTHONS


def test_a_python_is_found_by_its_version_and_one_that_is_not_there_is_missing(monkeypatch):
    version = f"3.{sys.version_info.minor}"
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("PYENV_ROOT", "/nowhere")
    assert pythons.found(version) == sys.executable
    assert pythons.found("3.99") is None


def test_a_stand_in_that_cannot_run_is_no_python(tmp_path):
    stand_in = tmp_path / "python3.11"
    stand_in.write_text("#!/bin/sh\nexit 127\n")
    stand_in.chmod(0o755)
    assert not pythons.runs(str(stand_in), "3.11")


def test_each_that_is_here_is_run_and_the_others_are_named(monkeypatch, capsys):
    calls = []
    monkeypatch.setattr(pythons, "found", {"3.11": "/a", "3.12": "/b"}.get)
    monkeypatch.setattr(pythons, "run", lambda *call: calls.append(call[:2]) or 0)
    monkeypatch.setattr(sys, "argv", ["pythons.py"])
    assert pythons.main() == 0
    assert calls == [("3.11", "/a"), ("3.12", "/b")]
    assert "Python 3.12: passed\nPython 3.13: not on this machine\n" in capsys.readouterr().out


def test_one_that_fails_fails_the_run(monkeypatch, capsys):
    monkeypatch.setattr(pythons, "found", {"3.11": "/a", "3.12": "/b"}.get)
    monkeypatch.setattr(pythons, "run", lambda version, *_: int(version == "3.12"))
    monkeypatch.setattr(sys, "argv", ["pythons.py"])
    assert pythons.main() == 1
    assert "Python 3.12: FAILED" in capsys.readouterr().out
