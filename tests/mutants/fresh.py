"""Asks a mutant again in a process of its own, which imports it from the beginning.

So nothing that was remembered at import (a cache, a table) speaks for it, and properties are tried with all examples.
"""

import os
import signal
import subprocess
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
MUTANT = "HUB_MUTANT"  # in the environment: module=file of the mutant that this process imports


def ask(mutant, names, folder, limit):
    """Run tests, by their names, with the mutant; return how it ended, and by what."""
    text = folder / "mutant.py"
    text.write_bytes(mutant.text)
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "tests.mutants.plugin", "-p", "no:cacheprovider"]
    command += ["--basetemp", str(folder / "fresh"), *names]
    surroundings = os.environ | {MUTANT: f"{mutant.module}={text}"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, cwd=ROOT, env=surroundings, start_new_session=True, **pipes) as run:
        try:
            out, _ = run.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)
            return "timeout", "in a fresh process"
    failed = [line for line in out.decode(errors="replace").splitlines() if line.startswith(("FAILED", "ERROR"))]
    return ("killed", f"in a fresh process: {failed[:1]}") if run.returncode else ("survived", "")


def install():
    """Let this process import the mutant, if it is such a process."""
    if MUTANT in os.environ:
        sys.meta_path.insert(0, _Finder(*os.environ[MUTANT].split("=")))


class _Finder(MetaPathFinder):
    def __init__(self, module, file):
        self._module, self._file = module, file

    def find_spec(self, fullname, path=None, target=None):  # noqa: ARG002 - as the import system calls it
        if fullname.replace(".", "/") + ".py" != self._module:
            return None
        where = str(ROOT / self._module)
        return spec_from_file_location(fullname, where, loader=_Loader(fullname, where, self._file))


class _Loader(SourceFileLoader):
    def __init__(self, fullname, path, file):
        super().__init__(fullname, path)
        self._file = file

    def get_code(self, fullname):  # noqa: ARG002 - as the import system calls it
        return compile(Path(self._file).read_bytes(), self.path, "exec")
