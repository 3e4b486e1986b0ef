"""`hub simulate` as its users meet it: a process with arguments, an exit code, and a real broker."""

import asyncio
import json
import os
import signal

import pytest

from tests.devices.ears import ears
from tests.support import prefork

FLEET = """
fleet: t
topic: site/{device}/t
devices: 10
every: 100ms
payload: {x: {counter: 0}}
will: {}
"""


@pytest.fixture
def fleet(tmp_path):
    path = tmp_path / "t.yaml"
    path.write_text(FLEET)
    return path


async def begin(*arguments, broker=None, user="device"):
    who = {}
    if broker is not None:
        settings = broker.settings(user)
        arguments = (*arguments, "--broker", str(settings))
        who = {"HUB_SIMULATE_USERNAME": user, "HUB_SIMULATE_PASSWORD": settings.password.reveal()}
    return await prefork.start("simulate", *arguments, cwd=prefork.ROOT, env=os.environ | who)


async def simulate(*arguments, **options):
    process = await begin(*arguments, **options)
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, out.decode(), err.decode()


async def test_it_plays_for_its_time_and_sums_up_as_json(broker, fleet):
    code, out, err = await simulate(
        fleet, "--seconds", "0.5", "--rate", "200", "--devices", "40", "--json", broker=broker
    )
    assert (code, err) == (0, "")
    summary = json.loads(out)
    assert summary["devices"] == 40
    assert summary["sent"] == summary["acknowledged"] > 5
    assert summary["refused"] == summary["qos0"] == summary["reconnects"] == 0
    assert 0.4 < summary["seconds"] < 20
    assert summary["rate"] == pytest.approx(summary["sent"] / summary["seconds"], rel=0.1)


async def test_the_shipped_fleets_are_played_where_none_is_named(broker):
    code, out, _ = await simulate("--seconds", "0.5", "--demo", broker=broker)
    assert code == 0
    assert "freezers 12" in out
    assert " sent" in out.splitlines()[-1]


async def test_a_signal_ends_it_in_order(broker, fleet):
    process = await begin(fleet, broker=broker)
    assert b"10 devices (t 10), about 100 events/s" in await asyncio.wait_for(process.stdout.readline(), 30)
    process.send_signal(signal.SIGTERM)
    out, err = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, err) == (0, b"")
    assert b"acknowledged" in out


async def test_when_it_is_killed_the_broker_publishes_the_will(broker, fleet):
    async with ears(broker) as those:
        process = await begin(fleet, broker=broker)
        await those.until(lambda _: those.on("site/7/t"))
        assert those.on("fleet/t/status") == [b"online"]
        process.kill()
        await process.communicate()
        await those.until(lambda _: len(those.on("fleet/t/status")) == 2)
        assert those.on("fleet/t/status") == [b"online", b"offline"]


async def test_a_broker_that_is_not_there_is_exit_code_3_and_one_line(fleet, unused_tcp_port_factory):
    code, out, err = await simulate(fleet, "--broker", f"mqtt://127.0.0.1:{unused_tcp_port_factory()}")
    assert (code, out) == (3, "")
    assert err.count("\n") == 1
    assert "cannot be reached" in err


async def test_a_wrong_password_is_exit_code_3_and_does_not_show_it(broker, fleet):
    url = f"mqtt://device:hunter2@127.0.0.1:{broker.port}"
    code, out, err = await simulate(fleet, "--broker", url)
    assert (code, out) == (3, "")
    assert "not authorized" in err
    assert "hunter2" not in err


async def test_refused_messages_are_exit_code_1_with_the_reason(broker, tmp_path):
    path = tmp_path / "t.yaml"
    # one message at a time: behind a refused one Mosquitto ends the connection, and its answer can be lost with it
    path.write_text(FLEET.replace("site/", "hub/alerts/").replace("devices: 10", "devices: 1").replace("100ms", "1s"))
    code, _, err = await simulate(path, "--seconds", "1.5", broker=broker)
    assert code == 1
    assert "messages of device were refused: not authorized; see the broker's ACL" in err


async def test_problems_of_fleet_files_are_exit_code_1_with_their_places(tmp_path):
    path = tmp_path / "t.yaml"
    path.write_text(FLEET.replace("every", "evry").replace("10", "0"))
    code, out, err = await simulate(path)
    assert (code, out) == (1, "")
    assert f"{path}:4:10: must be from 1 to" in err
    assert f"{path}:5:1: unknown key 'evry' in the fleet (did you mean 'every'?)" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--broker", "ftp://x"), "a broker's URL begins with mqtt://"),
        (("--rate", "nan"), "--rate"),
        (("--devices", "0"), "--devices"),
        (("--ca", __file__), "certificates need TLS"),
        (("nowhere.yaml",), "nowhere.yaml"),
    ],
)
async def test_wrong_usage_is_exit_code_2(arguments, said):
    code, out, err = await simulate(*arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert "Traceback" not in err


async def test_a_registry_without_payload_is_nothing_to_play(tmp_path):
    path = tmp_path / "t.yaml"
    path.write_text("fleet: t\ntopic: site/{device}/t\ndevices: 10\n")
    code, _, err = await simulate(path)
    assert code == 1
    assert "there is nothing to play" in err
