import asyncio
import json
import os
import signal
import socket
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt
import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 60
RULES = """\
receivers: {log: {file: {path: %s/out.ndjson}}}
rules:
  - alert: Hot
    topic: t/{device}
    when: value > 30
    notify: [log]
    summary: "{device} has {value} °C"
"""


class Hub:
    """`hub run` as a process of its own; its lines are kept and can be waited for."""

    def __init__(self, process):
        self.process = process
        self.lines = []
        self._heard = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    async def _read(self):
        while line := await self.process.stdout.readline():
            self.lines.append(line.decode().rstrip("\n"))
            self._heard.set()
        self._heard.set()

    async def says(self, *words):
        """Wait for a line with all these words and return it."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for line in self.lines:
                    if all(word in line for word in words):
                        return line
                if self._reader.done():
                    raise AssertionError(f"ended without {words}: {self.lines} {await self.process.stderr.read()}")
                self._heard.clear()
                await self._heard.wait()

    def signal(self, which):
        self.process.send_signal(which)

    async def end(self):
        async with asyncio.timeout(PATIENCE):
            await asyncio.shield(self._reader)
            err = (await self.process.stderr.read()).decode()
            return await self.process.wait(), err


@pytest.fixture
async def start(tmp_path):
    """Start `hub run` in the test's folder; whatever still runs at the end is ended."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "hot.yaml").write_text(RULES % tmp_path)
    started = []

    async def make(*arguments, broker=None, user="hub"):
        settings = broker.settings(user) if broker else None
        environment = os.environ | ({"PASSWORD": settings.password.reveal()} if settings else {})
        url = str(settings) if settings else "mqtt://127.0.0.1:1"
        who = f", username: {user}, password: !env PASSWORD" if settings else ""
        (tmp_path / "hub.yaml").write_text(f"broker: {{url: {url}{who}, client_id: hub-{len(started)}}}\n")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "hub", "run", *arguments),
            cwd=tmp_path,
            env=environment | {"PYTHONPATH": str(ROOT)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        started.append(Hub(process))
        return started[-1]

    yield make
    for hub in started:
        if hub.process.returncode is None:
            hub.process.kill()
        await hub.end()


async def delivered(folder, count):
    """Wait until the file receiver has written so many notifications and return them."""
    file = folder / "out.ndjson"
    async with asyncio.timeout(PATIENCE):
        while not file.exists() or file.read_bytes().count(b"\n") < count:
            await asyncio.sleep(0.02)
    return [json.loads(line) for line in file.read_text().splitlines()]


@asynccontextmanager
async def device(broker):
    settings = broker.settings("device")
    async with aiomqtt.Client(
        settings.host, settings.port, username=settings.username, password=settings.password.reveal()
    ) as client:
        yield lambda topic, payload: client.publish(topic, payload, qos=1)


async def test_a_rule_of_ones_own_against_an_outside_broker_just_works(start, broker, tmp_path):
    hub = await start(broker=broker)
    await hub.says(" start ", f"broker mqtt://127.0.0.1:{broker.port}")
    await hub.says(" connected new session")
    async with device(broker) as publish:
        await publish("t/7", "31")
        firing = await hub.says(" firing warning Hot device=7: 7 has 31 °C")
        await publish("t/7", "29")
        await hub.says(" resolved warning Hot device=7: 7 has 29 °C")
    told = await delivered(tmp_path, 2)
    hub.signal(signal.SIGTERM)
    code, err = await hub.end()
    assert (code, err) == (0, "")
    assert any(" summary EGR         2," in line for line in hub.lines)
    assert hub.lines[-1].endswith(" stop drained and stopped")
    assert [each["state"] for each in told] == ["firing", "resolved"]
    assert firing.endswith(f"id={told[0]['id']}")


async def test_the_log_as_json_is_one_object_a_line(start, broker):
    hub = await start("--json", broker=broker)
    await hub.says('"connected"')
    async with device(broker) as publish:
        await publish("t/7", "31")
        await hub.says('"firing"')
    hub.signal(signal.SIGINT)
    assert await hub.end() == (0, "")
    lines = [json.loads(line) for line in hub.lines]
    assert all({"time", "kind", "text"} <= line.keys() for line in lines)
    by_kind = {line["kind"]: line for line in lines}
    assert by_kind["firing"]["labels"]["device"] == "7"
    assert by_kind["summary"]["egr"]["total"] == 1


async def test_bad_rules_on_sighup_leave_the_old_ones_at_work_and_good_ones_replace_them(start, broker, tmp_path):
    hub = await start(broker=broker)
    await hub.says(" connected ")
    file = tmp_path / "rules" / "hot.yaml"
    file.write_text((RULES % tmp_path).replace("when:", "wen:"))
    hub.signal(signal.SIGHUP)
    await hub.says(" trouble ", "hot.yaml:5:5: unknown key 'wen'")
    async with device(broker) as publish:
        await publish("t/7", "31")
        await hub.says(" firing ", "Hot device=7")
        file.write_text((RULES % tmp_path).replace("Hot", "Hotter"))
        hub.signal(signal.SIGHUP)
        await hub.says(" reloaded ")
        await publish("t/8", "31")
        await hub.says(" firing ", "Hotter device=8")
    await hub.says(" resolved ", "Hot device=7")
    hub.signal(signal.SIGTERM)
    assert (await hub.end())[0] == 0


async def test_wrong_credentials_end_it_with_3_and_say_so(start, broker, tmp_path):
    hub = await start("--broker", f"mqtt://hub:wrong@127.0.0.1:{broker.port}", broker=broker)
    code, err = await hub.end()
    assert code == 3
    assert "wrong" not in err
    assert err.startswith("hub: ")
    assert err.count("\n") == 1


async def test_a_second_hub_on_the_same_state_ends_and_says_why(start, broker):
    first = await start(broker=broker)
    await first.says(" connected ")
    second = await start(broker=broker)
    code, err = await second.end()
    assert code == 1
    assert "hub.db" in err
    first.signal(signal.SIGTERM)
    assert (await first.end())[0] == 0


async def test_a_broker_that_is_not_there_is_told_and_tried_again(start):
    hub = await start()
    await hub.says(" disconnected ")
    hub.signal(signal.SIGTERM)
    assert await hub.end() == (0, "")


async def test_nobody_reading_the_log_any_more_does_not_end_the_hub(start, broker, tmp_path):
    hub = await start(broker=broker)
    await hub.says(" connected ")
    hub.process._transport.get_pipe_transport(1).close()
    async with device(broker) as publish:
        for number in range(50):
            await publish(f"t/{number}", "31")
    await delivered(tmp_path, 50)
    hub.signal(signal.SIGTERM)
    assert await hub.end() == (0, "")


async def test_an_address_for_http_that_is_taken_is_an_error_where_it_was_asked_for(start, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        hub = await start("--http", where)
        code, errors = await hub.end()
        assert code == 1
        assert f"hub: http: cannot listen on {where}: Address already in use; name another with --http" in errors
