"""doctor, a cluster: three real NATS servers that are good; each fault of servers, streams and nodes by its name."""

import asyncio
import contextlib
import re
import subprocess
import sys
import time
from dataclasses import replace
from types import SimpleNamespace

import pytest

from hub.cluster.log.state_log import LogNames
from hub.cluster.members import Members
from hub.cluster.servers.jetstream import JetStream
from hub.cluster.servers.streams import create
from hub.ingest.mqtt.session import BrokerAddress, BrokerSettings
from hub.operate.doctor.cluster_checks import disk_probe
from hub.operate.doctor.cluster_checks.cluster_check import look_at_cluster
from hub.operate.doctor.cluster_checks.server_check import look_at_servers, reached
from hub.operate.doctor.finding import Level
from tests.support import nats_cluster
from tests.support.nats_cluster import NatsCluster, forget, linked
from tests.support.servers import PLAIN_PASSWORD
from tests.support.shared_servers import new_name

CLUSTERED = BrokerSettings(others=(BrokerAddress("b", 1883),))
ONE_MACHINE = (Level.WARNING, "machines")


def settings_of(servers, name):
    return replace(nats_cluster.settings_of(servers, name), replicas=3)


@pytest.fixture
async def settings(log_servers):
    """Settings of a cluster with streams of its own; they are deleted at the end."""
    made = settings_of(log_servers, new_name("d"))
    async with linked(made) as link:
        stream, names = JetStream(link), LogNames(made.name)
        await create(stream, names, 3)
        yield made
        await forget(link, made.name)


@contextlib.asynccontextmanager
async def nodes(settings, *said):
    """Let nodes beat that say this of themselves, as real ones do."""
    async with linked(settings) as link:
        names, tasks = LogNames(settings.name), []
        for number, each in enumerate(said):
            usual = {"version": "1", "rules": "r", "applied": 0, "seen": 0, "owns": False, "left": False, "trouble": ""}
            about = usual | {"node": f"n{number}"} | each
            members = Members(link, names, about["node"], f"{about['node']}.{number}", lambda about=about: about)
            tasks.append(asyncio.create_task(members.run()))
        yield link
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def grave(findings):
    return {(each.level, each.subject): each.text for each in findings if each.level is not Level.GOOD}


def texts(findings, subject):
    return [each.text for each in findings if each.subject == subject]


async def test_a_sound_cluster_is_found_good_but_for_its_one_machine(tmp_path):
    with NatsCluster(tmp_path) as servers:  # which wait for their disks
        await _is_sound(settings_of(servers, "sound"))


async def _is_sound(settings):
    async with nodes(settings, {"owns": True}, {}) as link:
        names = LogNames(settings.name)
        await create(JetStream(link), names, 3)
        await JetStream(link).append(
            names.subject, b"", {"Hub-Kind": "claim", "Hub-Format": "1", "Hub-Owner": "n0.0"}, 0
        )
        found = await look_at_cluster(settings, CLUSTERED)
        left = await JetStream(link).api("STREAM.NAMES", {})
    assert set(grave(found)) == {ONE_MACHINE}, grave(found)
    assert grave(found)[ONE_MACHINE].startswith("n0, n1, n2 run on one machine (127.0.0.1)")
    assert texts(found, "servers")[0] == "3 reached: n0, n1, n2"
    assert texts(found, "owner") == ["n0 owns main"]
    assert texts(found, "nodes")[:2] == ["2 run: n0, n1", "version 1, rules r"]
    assert texts(found, f"stream {names.stream}") == ["3 replicas, all current, 0% of its room used"]
    durable = texts(found, "durable publish")
    assert [each[:2] for each in durable] == ["n0", "n1", "n2"]
    assert all(re.fullmatch(r"n\d has a record on its disk in \d+\.\d ms", each) for each in durable)
    assert texts(found, "clocks") == ["n0, n1, n2: as this machine's"]
    assert texts(found, "log")[0].endswith("no snapshot yet")
    assert not [each for each in left["streams"] if "DOCTOR" in each], "the doctor leaves nothing behind"


async def test_one_broker_behind_a_cluster_is_its_weakest_part(settings):
    found = grave(await look_at_cluster(settings, BrokerSettings()))
    assert "it is now the weakest part" in found[Level.WARNING, "broker"]


async def test_streams_that_are_not_there_are_named_with_the_command_that_makes_them(settings):
    found = await look_at_cluster(replace(settings, name="nobody"), CLUSTERED)
    missing = [each for each in found if each.level is Level.BAD]
    assert [each.subject for each in missing] == ["stream HUB_nobody_STATE", "stream HUB_nobody_SNAP"]
    assert [each.remedy for each in missing] == ["`hub cluster create` makes it"] * 2
    assert not texts(found, "nodes")


async def test_a_stream_that_somebody_has_changed_is_bad(settings):
    names = LogNames(settings.name)
    async with linked(settings) as link:
        stream = JetStream(link)
        info = await stream.info(names.stream)
        await stream.api(f"STREAM.UPDATE.{names.stream}", {**info["config"], "discard": "old"})
    found = grave(await look_at_cluster(settings, CLUSTERED))
    assert found[Level.BAD, f"stream {names.stream}"] == "discard is old, not new"


async def test_a_stream_that_is_nearly_full_is_told_before_it_is_full(settings):
    names = LogNames(settings.name)
    async with linked(settings) as link:
        stream = JetStream(link)
        info = await stream.info(names.stream)
        await stream.api(f"STREAM.UPDATE.{names.stream}", {**info["config"], "max_bytes": 2 << 20})
        await stream.append(names.subject, b"x" * (1_700 << 10), {}, None)
    found = grave(await look_at_cluster(settings, CLUSTERED))
    assert found[Level.WARNING, f"stream {names.stream}"].startswith("83% of its 2 MB are used")


async def test_a_cluster_without_a_node_is_bad(settings):
    found = await look_at_cluster(settings, CLUSTERED)
    assert grave(found)[Level.BAD, "nodes"] == "none runs"


async def test_a_node_alone_that_owns_nothing_is_bad_and_a_warning(settings):
    async with nodes(settings, {}):
        found = grave(await look_at_cluster(settings, CLUSTERED))
    assert found[Level.BAD, "owner"].startswith("nobody owns main")
    assert found[Level.WARNING, "nodes"].startswith("only n0 runs")


async def test_nodes_that_differ_lag_or_cannot_follow_are_named(settings):
    said = ({"rules": "q"}, {"version": "2"}, {"applied": -5000}, {"trouble": "the log was forked"})
    async with nodes(settings, *said):
        found = await look_at_cluster(settings, CLUSTERED)
    differ = [each.text for each in found if each.subject == "nodes" and each.level is Level.WARNING]
    assert differ == [
        "differ in their version: n0 has 1, n1 has 2, n2 has 1, n3 has 1",
        "differ in their rules: n0 has q, n1 has r, n2 has r, n3 has r",
    ]
    assert grave(found)[Level.WARNING, "node n2"].startswith("is 5000 records behind")
    assert grave(found)[Level.BAD, "node n3"] == "does not follow the log: the log was forked"
    assert all(each.remedy for each in found if each.level in (Level.WARNING, Level.BAD))


async def test_a_node_that_is_missed_is_told_and_not_compared(settings):
    async with nodes(settings, {"known": {"n0": None, "gone": 1.0}}, {}):
        found = grave(await look_at_cluster(settings, CLUSTERED))
    assert found[Level.WARNING, "node gone"].endswith("1970-01-01T00:00:01.000Z")
    assert (Level.WARNING, "nodes") not in found


async def test_a_node_whose_clock_is_five_minutes_wrong_is_told(settings):
    async with nodes(settings, {}, {"clock": time.time() - 300}):
        found = [each for each in await look_at_cluster(settings, CLUSTERED) if "its clock is" in each.text]
    assert [(each.level, each.subject) for each in found] == [(Level.WARNING, "node n1")]
    assert "s behind this machine's" in found[0].text


async def test_two_processes_of_one_name_are_told(settings):
    async with nodes(settings, {"node": "a"}, {"node": "a"}):
        found = grave(await look_at_cluster(settings, CLUSTERED))
    assert found[Level.WARNING, "nodes"] == "several processes are called a"


async def test_servers_whose_clock_is_another_than_ours_are_bad(settings, monkeypatch):
    ours = SimpleNamespace(time=lambda: time.time() + 5, perf_counter=time.perf_counter, monotonic=time.monotonic)
    monkeypatch.setattr(disk_probe, "time", ours)
    found = await look_at_cluster(settings, CLUSTERED)
    told = [(each.level, each.text[2:]) for each in found if each.subject == "clocks"]
    assert told
    assert all(level is Level.BAD and text.startswith(" is 5.0 s behind this machine") for level, text in told)


async def test_what_a_server_is_told_to_be_decides_about_versions_and_the_like(log_servers):
    settings = settings_of(log_servers, "x")
    async with contextlib.AsyncExitStack() as stack:
        real = [await stack.enter_async_context(reached(settings, url)) for url in settings.nats]
    apart = [replace(each, machine=str(number)) for number, each in enumerate(real)]
    assert not grave(look_at_servers(settings, apart, []))
    old, *rest = apart
    found = grave(look_at_servers(settings, [replace(old, version="2.11.9"), *rest], []))
    assert found[Level.BAD, "server n0"] == "nats-server 2.11.9"
    assert found[Level.WARNING, "servers"].startswith("have different versions: n0 2.11.9, n1 2.1")
    off = [replace(each, jetstream=False) for each in apart]
    assert grave(look_at_servers(settings, off, []))[Level.BAD, "JetStream"] == "is off on n0, n1, n2"
    assert (Level.WARNING, "JetStream") in grave(look_at_servers(settings, [off[0], *rest], []))
    alone = grave(look_at_servers(settings, [replace(old, cluster="other"), *rest], []))
    assert alone[Level.BAD, "servers"].startswith("do not form one cluster: n0 is of other, n1 is of tests")
    small = grave(look_at_servers(settings, [replace(old, max_payload=1 << 20), *rest], []))
    assert small[Level.WARNING, "max_payload"].startswith("1 MB on n0")
    too_small = grave(look_at_servers(settings, [replace(old, max_payload=64 << 10), *rest], []))
    assert too_small[Level.BAD, "max_payload"].startswith("0.0625 MB on n0: no hub connects to a server that takes")
    named_twice = grave(look_at_servers(settings, [*apart, old], []))
    assert named_twice == {(Level.WARNING, "servers"): "n0 is named twice in `cluster.nats`"}
    lonely = grave(look_at_servers(replace(settings, replicas=1), [old], []))
    assert lonely[Level.WARNING, "servers"].startswith("the log has 1 replicas")


async def test_servers_that_are_away_are_named_and_without_a_majority_nothing_is_asked(tmp_path):
    with NatsCluster(tmp_path) as servers:
        settings = settings_of(servers, "gone")
        async with linked(settings) as link:
            await create(JetStream(link), LogNames("gone"), 3)
        await asyncio.to_thread(servers.servers[2].kill)
        async with asyncio.timeout(60):
            while True:
                found = await look_at_cluster(settings, CLUSTERED)
                away = texts(found, "stream HUB_gone_STATE")
                # not before a new leader was elected, where it was that one; and it counts as away only after a while
                if re.fullmatch(r"its replica on n2 (is away|is \d+ records behind|was not heard for \d+ s)", away[0]):
                    break
        silent = [each.text for each in found if each.subject == "servers" and each.level is Level.WARNING]
        assert silent[0].startswith(f"{servers.urls[2]} does not answer")
        assert silent[1].startswith("2 reached: n0, n1, for 3 replicas")
        await asyncio.to_thread(servers.servers[1].kill)
        found = await look_at_cluster(settings, CLUSTERED)
        assert "that is no majority of 3 replicas" in grave(found)[Level.BAD, "servers"]
        assert not texts(found, "durable publish")
        await asyncio.to_thread(servers.servers[0].kill)
        found = await look_at_cluster(settings, CLUSTERED)
        assert [each.level for each in found] == [Level.BAD] * 3
        assert PLAIN_PASSWORD not in str(found)


async def test_the_one_server_that_does_not_wait_for_its_disk_is_told(tmp_path):
    """Each is measured, also where the servers would give a small stream to another one every time."""
    with NatsCluster(tmp_path) as servers:
        settings, lazy = settings_of(servers, "lazy"), servers.servers[2]
        async with linked(settings) as link:
            await create(JetStream(link), LogNames("lazy"), 3)
        await asyncio.to_thread(lazy.kill)
        lazy.sync = "2m"
        await asyncio.to_thread(lazy.start)
        async with asyncio.timeout(60):
            while True:  # for a moment the others take it for away, and give it no stream
                found = await look_at_cluster(settings, CLUSTERED)
                if not [each for each in texts(found, "durable publish") if "tried out" in each]:
                    break
    told = [each for each in found if each.subject == "durable publish" and each.level is Level.WARNING]
    assert [each.text[:2] for each in told] == ["n2"], texts(found, "durable publish")
    assert "as quickly as if it did not wait for its disk" in told[0].text
    assert "sync_interval: always" in told[0].remedy


def test_without_a_cluster_nothing_of_it_is_imported(tmp_path):
    program = """
import sys
from hub.operate.cli import main
sys.argv = ["hub", "doctor", "--broker", "mqtt://127.0.0.1:1", "--json"]
try:
    main()
except SystemExit as end:
    assert end.code == 1, end.code
loaded = [name for name in sys.modules if name.split(".")[0] == "nats" or name.startswith("hub.cluster")]
loaded += [name for name in sys.modules if "cluster_checks" in name]
assert not loaded, loaded
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
