"""`hub bench` with a real broker and hub: its figures agree, as JSON and as lines, and it leaves nothing behind."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from hub.operate.bench.bench_wire import packet, utf8
from hub.operate.bench.load import HOT
from hub.operate.bench.scenario import SCENARIOS, Scenario, cpu_seconds, run_scenario
from tests.support import mqtt
from tests.support.hub import ROOT


async def test_what_a_load_came_to_holds_together(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    said = []
    came = await run_scenario(Scenario("a short one", 10, rate=500), events=1000, sent=said.append)
    assert (came.events, came.due, came.alerts) == (1000, 1000 // HOT, 1000 // HOT)
    assert 200 < came.events_per_second <= 520
    assert 0 < came.p50_ms <= came.p99_ms
    assert came.hub_us_per_event > 0
    assert said[-1] == 1000
    assert list(tmp_path.iterdir()) == []


def test_the_command_prints_a_line_for_each_load(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "hub", "bench", "--seconds", "0.5", "--json"],
        env=os.environ | {"TMPDIR": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["scenario"] for line in lines] == [each.name for each in SCENARIOS]
    assert all(line["alerts"] == line["due"] > 0 for line in lines)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("length", [0, 127, 128, 16_383, 16_384, 200_000])
def test_packets_are_as_an_independent_client_writes_them(length):
    assert packet(0x32, b"x" * length) == mqtt.packet(0x32, b"x" * length)
    assert utf8("site/ä") == mqtt.utf8("site/ä")


def test_the_cpu_time_of_a_process_grows_with_its_work():
    before = cpu_seconds(os.getpid())
    while cpu_seconds(os.getpid()) < before + 0.02:
        sum(range(10_000))
    assert Path(f"/proc/{os.getpid()}").exists()
