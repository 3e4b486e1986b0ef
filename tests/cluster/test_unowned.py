"""A command that asks over MQTT while nobody owns the hub: it says so, since when, and what comes next."""

import asyncio
import os
import re

import pytest

from tests.cluster.test_take_over import RULES
from tests.support import prefork
from tests.support.cluster import Cluster

SINCE = r"nobody owns it since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d"


@pytest.mark.time_limit(120, "each command waits ten seconds for an answer")
async def test_a_command_that_no_owner_answers_says_since_when_nobody_owns_and_what_comes_next(tmp_path, broker):
    async with Cluster(tmp_path, broker, RULES, "ab") as cluster:
        await cluster.owner()
        alone, elsewhere = tmp_path / "alone", tmp_path / "elsewhere"
        yaml = (cluster.nodes["a"].folder / "hub.yaml").read_text("utf-8")
        _write(elsewhere, f"publish_prefix: hub/other\n{yaml}")
        _write(alone, "\n".join(line for line in yaml.splitlines() if not line.startswith("cluster:")))
        said = await _run(cluster, elsewhere, "alerts")
        assert f"of cluster {cluster.names.cluster} owns it: see there whether it reaches this broker" in said
        for name in cluster.nodes:
            assert (await cluster.run("cluster", "leave", name))[0] == 0
        folder = cluster.nodes["a"].folder
        words = (("alerts",), ("ack", "Hot"), ("silence", "Hot"))
        known = await asyncio.gather(*(_run(cluster, folder, *each) for each in words))
        for each in known:
            assert _has(each, rf"cluster \S+: {SINCE}; a has left: start it again; b has left: start it again; see")
        for node in cluster.nodes.values():
            await node.kill()
        gone, last_word = await asyncio.gather(_run(cluster, folder, "alerts"), _run(cluster, alone, "alerts"))
        assert _has(gone, rf"{SINCE}; no node runs that could: start `hub run` on one"), gone
        assert "hub/status says that it is offline; start `hub run`, or, if it is a cluster, see" in last_word
        code, shown = await cluster.run("cluster", "status")
        assert (code, _has(shown, rf" main: {SINCE}, record \d+; no node runs")) == (1, True), shown


def _has(text, pattern):
    return re.search(pattern, text) is not None


def _write(folder, text):
    folder.mkdir()
    (folder / "hub.yaml").write_text(text, "utf-8")


async def _run(cluster, folder, *words):
    """Run a command in a folder; it must get no answer; return what it said."""
    env = os.environ | {"PASSWORD": cluster.broker.settings("hub").password.reveal(), "NO_COLOR": "1"}
    process = await prefork.start(*words, cwd=folder, env=env)
    _, err = await process.communicate()
    assert (process.returncode, "no hub answered within 10 s" in err.decode()) == (3, True), err
    return err.decode()
