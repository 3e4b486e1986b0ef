"""Runs `make test` on each Python that pyproject.toml names and this machine has: `make pythons`.

Each has an environment of its own, `.venv-3.12`; which are missing is said, and is no failure. One that cannot run at
all (pyenv puts a stand-in for each version that any of its users has) counts as missing.
"""

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
NAMED = re.compile(r"Programming Language :: Python :: (3\.\d+)")


def named(root: Path = ROOT) -> list[str]:
    """Return the versions that the classifiers name, the oldest first."""
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    found = [match[1] for line in project["classifiers"] if (match := NAMED.fullmatch(line))]
    return sorted(found, key=lambda version: int(version.partition(".")[2]))


def runs(program: str, version: str) -> bool:
    """Tell whether this program is there, and is this version of Python."""
    asked = [program, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
    except OSError:
        return False
    return done.returncode == 0 and done.stdout.strip() == version


def found(version: str) -> str | None:
    """Return the program that is this Python: of the PATH, of pyenv, or the one that runs this."""
    kept = sorted(Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob(f"versions/{version}.*/bin/python"))
    for program in [f"python{version}", *map(str, reversed(kept)), sys.executable]:
        if runs(program, version):
            return program
    return None


def run(version: str, program: str, arguments: Sequence[str]) -> int:
    """Run the whole check in an environment for this version; return the exit code of make."""
    print(f"\n== Python {version}: {program}", flush=True)
    variables = [f"PYTHON={program}", f"VENV=.venv-{version}", f"ARGS={' '.join(arguments)}"]
    return subprocess.run(["make", "test", *variables], cwd=ROOT, check=False).returncode


def main() -> int:
    """Run all that are there; return 1 if one failed or none is there."""
    programs = {version: found(version) for version in named()}
    here = {version: program for version, program in programs.items() if program}
    codes = {version: run(version, program, sys.argv[1:]) for version, program in here.items()}
    print()
    for version in programs:
        said = "not on this machine" if version not in codes else "passed" if codes[version] == 0 else "FAILED"
        print(f"Python {version}: {said}")
    return int(not codes or any(codes.values()))


if __name__ == "__main__":
    sys.exit(main())
