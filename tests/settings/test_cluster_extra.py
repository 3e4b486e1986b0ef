"""Without the extra `cluster` the hub runs as ever, and what wants a cluster says what to install."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WITHOUT = """
import importlib.util, sys
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name in {gone!r} else found(name, package)
for name in {gone!r}:
    sys.modules[name] = None
from hub.operate.cli import main
sys.argv = ["hub", *{words!r}]
main()
"""
EXTRA = "pip install 'mqtt-notification-hub[cluster]'"


def without(gone, *words, cwd):
    code = WITHOUT.format(gone=gone, words=words)
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, cwd=cwd, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(("module", "package"), [("nats", "nats-py"), ("cryptography", "cryptography")])
def test_without_a_package_of_the_extra_hub_cluster_and_the_demo_say_what_to_install(tmp_path, module, package):
    said = f"hub: a cluster needs {package}, which is not installed: {EXTRA}\n"
    for words in (("cluster", "create", "-c", "hub.yaml"), ("cluster",), ("demo", "--cluster")):
        done = without([module], *words, cwd=tmp_path)
        assert (done.returncode, done.stderr) == (1, said)


def test_without_the_extra_the_help_lists_all_commands(tmp_path):
    done = without(["nats", "cryptography"], "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert "cluster" in done.stdout


def test_without_nats_py_a_hub_yaml_with_a_cluster_is_a_problem_with_its_place(tmp_path):
    (tmp_path / "hub.yaml").write_text("cluster: {nats: ['nats://127.0.0.1:4222'], node: a}\n", "utf-8")
    (tmp_path / "rules").mkdir()
    done = without(["nats"], "run", "-c", "hub.yaml", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == f"hub.yaml:1:10: a cluster needs nats-py, which is not installed ({EXTRA})\n"
