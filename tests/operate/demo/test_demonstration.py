import asyncio
import os
import re
import signal
import sys
from dataclasses import replace
from pathlib import Path

import aiomqtt
import pytest

from hub.documents.document import Problems, parse_document
from hub.documents.shipped_files import shared
from hub.errors import HubError
from hub.notify.receiver_settings import read_receivers
from hub.observer import Observer
from hub.operate import mosquitto
from hub.operate.demo.demonstration import RECEIVERS, Demo, missing
from hub.operate.figures.figures import Figures
from hub.rules.reading.loader import load_rules

ROOT = Path(__file__).parents[3]
PATIENCE = 120

pytestmark = pytest.mark.time_limit(300, "a demo is a broker, a hub and devices; its own patience is two minutes")


class Process:
    def __init__(self, process):
        self.process, self.lines = process, []

    async def says(self, pattern):
        async with asyncio.timeout(PATIENCE):
            while line := (await self.process.stdout.readline()).decode():
                self.lines.append(line)
                if found := re.search(pattern, line):
                    return found
        raise AssertionError(f"ended without {pattern}: {self.lines} {await self.process.stderr.read()}")

    async def end(self):
        async with asyncio.timeout(PATIENCE):
            out, err = await self.process.communicate()
        self.lines += out.decode().splitlines()
        return self.process.returncode, err.decode()


def children(pid):
    """Return the processes that `pid` has started."""
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
async def start(tmp_path):
    started = []

    async def make(*arguments):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "hub", "demo", "--headless", *arguments),
            cwd=ROOT,
            env=os.environ | {"TMPDIR": str(tmp_path)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        started.append(Process(process))
        return started[-1]

    yield make
    for process in started:
        if process.process.returncode is None:
            for pid in [*children(process.process.pid), process.process.pid]:
                os.kill(pid, signal.SIGKILL)
        await process.process.communicate()


async def test_the_demo_shows_alerts_fired_resolved_and_delivered_within_half_a_minute(start, tmp_path):
    demo = await start("--seconds", "30", "--svg", str(tmp_path / "demo.svg"))
    code, err = await demo.end()
    text = "\n".join(demo.lines)
    assert (code, err) == (0, ""), text
    for word in ("firing critical SmokeDetected", "resolved critical SmokeDetected"):
        assert word in text
    for received in ("chat: SmokeDetected firing", "email: [firing] SmokeDetected", "sms: [firing] SmokeDetected"):
        assert f" received {received}" in text
    assert " received shop: CartUpdated event" in text
    assert " received sms: [event] ParcelArrived" in text
    assert all(f" summary {name} " in text for name in ("EGR", "EPL", "NSR", "NPL"))
    drawing = (tmp_path / "demo.svg").read_text("utf-8")
    assert drawing.startswith("<svg")
    assert "SmokeDetected" in drawing
    assert "@font-face" not in drawing
    assert [path.name for path in tmp_path.iterdir()] == ["demo.svg"]


async def test_a_demo_too_short_to_show_anything_says_what_is_lacking_and_ends_with_1(start):
    demo = await start("--seconds", "1")
    code, err = await demo.end()
    assert (code, err) == (1, "")
    assert "no alert resolved" in demo.lines[-1]


async def test_ctrl_c_ends_the_demo_and_all_it_started(start, tmp_path):
    demo = await start()
    await demo.says(" firing ")
    started = children(demo.process.pid)
    demo.process.send_signal(signal.SIGINT)
    code, err = await demo.end()
    assert (code, err) == (1, "")  # nothing had resolved yet
    assert any("no alert resolved" in line for line in demo.lines)
    assert len(started) == 2
    assert not any(alive(pid) for pid in started)
    assert list(tmp_path.iterdir()) == []


async def test_ctrl_c_twice_ends_the_demo_at_once_and_all_it_started(start):
    demo = await start()
    await demo.says(" connected ")
    await demo.says(" received ")
    started = children(demo.process.pid)
    os.kill(started[-1], signal.SIGSTOP)  # so that the first one has something to wait for
    demo.process.send_signal(signal.SIGINT)
    await asyncio.sleep(0.2)
    demo.process.send_signal(signal.SIGINT)
    code, err = await demo.end()
    assert (code, err) == (130, "hub: ended at once: what was not acknowledged to the broker comes again\n")
    async with asyncio.timeout(PATIENCE):
        while any(alive(pid) for pid in started):
            await asyncio.sleep(0.02)


async def test_a_simulator_that_dies_ends_the_demo_and_is_named(start):
    demo = await start()
    await demo.says(" received ")
    os.kill(children(demo.process.pid)[-1], signal.SIGKILL)
    code, err = await demo.end()
    assert code == 1
    assert err.startswith("hub: the simulator ended")


async def test_nobody_reading_ends_the_demo(start):
    demo = await start()
    await demo.says(" connected ")
    started = children(demo.process.pid)
    demo.process._transport.get_pipe_transport(1).close()
    async with asyncio.timeout(PATIENCE):
        await demo.process.wait()
    assert not any(alive(pid) for pid in started)


async def test_the_commands_it_prints_for_other_terminals_are_right(start):
    demo = await start()
    broker_line = await demo.says(r"mosquitto_sub -h 127.0.0.1 -p (\d+) -u viewer -P (\S+)")
    device_line = await demo.says(r"mosquitto_pub -h 127.0.0.1 -p \d+ -u device -P (\S+) -t (\S+) -m '(.*)'$")
    await demo.says(" connected ")
    port = int(broker_line[1])
    viewer = aiomqtt.Client("127.0.0.1", port, username="viewer", password=broker_line[2])
    device = aiomqtt.Client("127.0.0.1", port, username="device", password=device_line[1])
    async with asyncio.timeout(PATIENCE), viewer, device:
        await viewer.subscribe([("hub/alerts/#", 1), ("notify/#", 1)])
        await device.publish(device_line[2], device_line[3], qos=1)
        async for message in viewer.messages:
            if str(message.topic) == "notify/critical/SmokeDetected" and b'"hall-1"' in message.payload:
                break
    demo.process.send_signal(signal.SIGINT)
    await demo.end()


async def test_without_mosquitto_the_demo_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(mosquitto, "_PLACES", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(HubError, match="apt-get install mosquitto"):
        await Demo(tmp_path, Observer(), print).run(1.0)


def test_the_demos_receivers_stand_in_for_all_the_shipped_ones():
    problems = Problems()
    shipped = load_rules([shared("rules")], problems, read_receivers, "hub")
    text = RECEIVERS.format(
        chat="http://127.0.0.1:1/chat",
        email="json://127.0.0.1:1/email",
        sms="json://127.0.0.1:1/sms",
        shop="http://127.0.0.1:1/shop",
    )
    ours = parse_document(text, "receivers.yaml", problems)
    theirs = parse_document((shared("rules") / "receivers.yaml").read_text("utf-8"), "receivers.yaml", problems)
    made = read_receivers(ours.value["receivers"], problems)
    assert not problems
    assert made.keys() == shipped.receivers.keys()
    assert made["board"] == shipped.receivers["board"]
    assert made["cart_owner"] == shipped.receivers["cart_owner"]
    assert ours.value["defaults"].plain() == theirs.value["defaults"].plain()


def test_what_a_demo_must_have_shown_is_named_when_it_did_not():
    nothing = Figures().summary()
    assert missing(nothing) == [
        "no event came in",
        "no alert fired",
        "no alert resolved",
        "no notification of a firing alert was delivered",
        "no notification of a resolved alert was delivered",
    ]
    figure = replace(nothing.egr, total=1)
    assert missing(replace(nothing, egr=figure, fired=1, resolved=1, sent_firing=1, sent_resolved=1)) == []
