"""The hub installs where nobody compiles: what it requires is pure Python, or has wheels for 32-bit ARM and musl.

WHEELS was read off the index (`make wheels` reads it again); what is installed here says itself whether it is pure.
"""

import json
import os
import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
DEPENDENCIES = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
WHEELS = {
    "aiohttp": "3.14.5",
    "charset-normalizer": "3.5.3",
    "frozenlist": "1.8.0",
    "mqtt5": "0.8.0",
    "multidict": "7.2.1",
    "orjson": "3.11.9",
    "propcache": "0.5.4",
    "pydantic-core": "2.50.5",
    "yarl": "1.25.1",
}
"""What is compiled, and a version that has wheels for CPython 3.11 to 3.14 on each of PLATFORMS."""
MUSL_64 = {"pyyaml": "6.0.4", "uvloop": "0.23.0"}
"""What has wheels for 64-bit musl alone."""
WITHOUT_COMPILER = {"pyyaml"}
"""What pip makes of its source where there is no wheel, without a compiler; what that would make faster is left out."""
PLATFORMS = {
    "armv7l": ("armv7l", ["manylinux2014_armv7l", "manylinux_2_17_armv7l", "manylinux_2_31_armv7l"]),
    "musl on armv7l": ("armv7l", ["musllinux_1_2_armv7l", "musllinux_1_1_armv7l"]),
    "musl on x86_64": ("x86_64", ["musllinux_1_2_x86_64", "musllinux_1_1_x86_64"]),
    "musl on aarch64": ("aarch64", ["musllinux_1_2_aarch64", "musllinux_1_1_aarch64"]),
}
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]


def required(machine, python):
    """Name all that is installed with the hub on a Linux machine, itself and by others."""
    environment = default_environment() | {
        "platform_machine": machine,
        "sys_platform": "linux",
        "platform_system": "Linux",
        "python_version": python,
        "python_full_version": f"{python}.0",
        "extra": "",
    }
    found, wanted = set(), [(Requirement(text), "") for text in DEPENDENCIES]
    while wanted:
        requirement, extra = wanted.pop()
        if requirement.marker and not requirement.marker.evaluate(environment | {"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        for more in ["", *requirement.extras]:
            if (name, more) not in found:
                found.add((name, more))
                wanted += [(Requirement(text), more) for text in distribution(name).requires or ()]
    return {name for name, _ in found}


def is_pure(name):
    return "Root-Is-Purelib: true" in (distribution(name).read_text("WHEEL") or "")


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("platform", PLATFORMS)
def test_all_that_the_hub_requires_is_pure_or_has_wheels_there(platform, python):
    machine, _ = PLATFORMS[platform]
    wheels = set(WHEELS) | (set() if machine == "armv7l" else set(MUSL_64))
    compiled = {name for name in required(machine, python) if not is_pure(name)}
    assert compiled - wheels - WITHOUT_COMPILER == set()


def test_no_machine_needs_google_re2_and_32_bit_arm_no_uvloop():
    assert "google-re2" not in required("x86_64", "3.11")
    assert "uvloop" in required("x86_64", "3.11")
    assert "uvloop" not in required("armv7l", "3.11")


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_the_index_has_all_of_it(platform, python, long, tmp_path):
    if not long:
        pytest.skip("asks the package index; with --long")
    machine, tags = PLATFORMS[platform]
    built = WITHOUT_COMPILER if machine == "armv7l" else set()
    made, pip = tmp_path / "made", [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    for name in sorted(built):  # as a stand-in for what is made there: any machine can use it, so it has no tag
        source = ["wheel", "--no-deps", "--no-binary", name, "-w", made, name]
        subprocess.run([*pip, *source], check=True, env=os.environ | {"CC": "/bin/false", "CXX": "/bin/false"})
        for wheel in made.glob("*.whl"):
            wheel.rename(made / f"{'-'.join(wheel.name.split('-')[:2])}-py3-none-any.whl")
    wanted = [text.partition(";")[0] for text in DEPENDENCIES if applies(text, machine)]
    report = tmp_path / "report.json"
    asked = [arg for tag in tags for arg in ("--platform", tag)]
    how = ["--dry-run", "--ignore-installed", "--only-binary=:all:", "--python-version", python, "--report", report]
    subprocess.run(
        [*pip, "install", *how, *asked, "--target", tmp_path / "t", "--find-links", made, *wanted], check=True
    )
    found = json.loads(report.read_text())["install"]
    compiled = {
        canonicalize_name(each["metadata"]["name"])
        for each in found
        if not each["download_info"]["url"].endswith("any.whl")
    }
    assert compiled <= set(WHEELS) | set(MUSL_64)


def applies(text, machine):
    marker = Requirement(text).marker
    return marker is None or marker.evaluate({"platform_machine": machine, "sys_platform": "linux"})
