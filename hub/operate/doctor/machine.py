"""Checks the machine: the disk of the state file, the clock, and the versions of the libraries."""

import os
import platform
import shutil
import sqlite3
import ssl
import statistics
import subprocess
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from hub import __version__
from hub.operate.doctor.finding import Finding, bad, good, unknown, warning

__all__ = ["look_at_machine"]

FREE_BYTES = 1 << 30  # with less, one night of trouble can fill the disk
FREE_BYTES_LEAST = 64 << 20  # with less, SQLite may fail with the next commits
SLOW_SYNC_SECONDS = 0.05  # each alert waits for one flush of the disk
SYNCS = 20  # enough for a median
EPOCH = 1_767_225_600.0  # 2026-01-01: a clock that shows an earlier time has not been set
_CLOCK_REMEDY = "let chrony or systemd-timesyncd set it (timedatectl set-ntp true)"


def look_at_machine(state: Path) -> list[Finding]:
    """Check the disk that holds the file `state`, and the clock; name the versions."""
    return [*_disk(Path(os.path.realpath(state)).parent), *_clock(time.time()), _versions()]


def _disk(folder: Path) -> list[Finding]:
    if not folder.is_dir():
        return [bad("disk", f"{folder}: no such folder", "make it, or name another state file")]
    free = shutil.disk_usage(folder).free
    text = f"{free / (1 << 30):.1f} GB free in {folder}"
    findings = [good("disk", text)]
    if free < FREE_BYTES_LEAST:
        findings = [bad("disk", text, "make room: without it nothing is acknowledged, and events wait in the broker")]
    elif free < FREE_BYTES:
        findings = [warning("disk", text, "make room")]
    try:
        seconds = _sync_seconds(folder)
    except OSError as error:
        return [
            *findings,
            bad("disk", f"{folder} cannot be written: {error.strerror}", "give the hub's user the folder"),
        ]
    text = f"a commit waits {seconds * 1000:.1f} ms for the disk"
    if seconds > SLOW_SYNC_SECONDS:
        return [*findings, warning("disk", text, "put the state file on an SSD: each alert waits for the disk")]
    return [*findings, good("disk", text)]


def _sync_seconds(folder: Path) -> float:
    """Write and flush SYNCS times as a commit does; return the median in seconds."""
    times = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(SYNCS):
            begun = time.perf_counter()
            os.pwrite(file.fileno(), b"x" * 4096, 0)
            os.fsync(file.fileno())
            times.append(time.perf_counter() - begun)
    return statistics.median(times)


def _clock(now: float) -> list[Finding]:
    if now < EPOCH:
        text = f"it says {time.strftime('%Y-%m-%d %H:%M', time.gmtime(now))}, which is in the past"
        return [bad("clock", text, _CLOCK_REMEDY)]
    program = shutil.which("timedatectl")
    answer = _ask([program, "show", "--property=NTPSynchronized", "--value"]) if program else ""
    if answer == "yes":
        return [good("clock", "set by the network")]
    if answer == "no":
        remedy = f"{_CLOCK_REMEDY}; schedules and `absent` go by it"
        return [warning("clock", "nobody sets it", remedy)]
    return [unknown("clock", "whether the network sets it cannot be asked here", "schedules and `absent` go by it")]


def _ask(command: list[str]) -> str:
    """Return what a command prints, "" if it cannot be run or hangs."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)  # noqa: S603 - a fixed program
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def _versions() -> Finding:
    parts = [f"hub {__version__}", f"Python {platform.python_version()}", f"SQLite {sqlite3.sqlite_version}"]
    return good("versions", ", ".join([*parts, f"mqtt5 {version('mqtt5')}", ssl.OPENSSL_VERSION]))
