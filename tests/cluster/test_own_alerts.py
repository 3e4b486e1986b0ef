"""A cluster that tells of itself, with real parts: other rules on a node, nodes that are gone, who owns, how far."""

import asyncio
import json
import re
from pathlib import Path

import aiohttp
import pytest

from tests.cluster.test_take_over import other
from tests.support.cluster import Cluster
from tests.support.ends import watching
from tests.support.hub import QUICK
from tests.support.servers import program

METRICS = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text("utf-8")
# the shipped rules, without their minute of patience
RULES = """\
receivers:
  bus: {mqtt: {topic: "alerts/{alertname}/{state}"}}
defaults: {notify: [bus]}
rules:
  - {alert: HubRulesDiffer, topic: "$hub/node/{node}", when: rules_differ}
  - {alert: HubNodeGone, topic: "$hub/node/{node}", when: gone_seconds > 0.0, clear: gone_seconds == 0.0}
  - alert: HubNoStandby
    topic: $hub/cluster
    when: standbys == 0 && gone != ""
    clear: standbys > 0
    summary: "{gone}"
"""
EAGER = QUICK | {"SNAPSHOT_LOOK_SECONDS": 0.3}


async def hears(told, topic, **labels):
    """Return the body of a notification with these labels."""

    def found(told):
        bodies = [json.loads(each.payload) for each in told if each.topic == f"alerts/{topic}"]
        return next((each for each in bodies if labels.items() <= each["labels"].items()), None)

    await told.until(lambda told: found(told) is not None, 60)
    return found(told)


async def asked(url, path):
    async with aiohttp.ClientSession() as session, session.get(url + path) as answer:
        assert answer.status == 200
        return await answer.text()


@pytest.mark.time_limit(180, "three processes, two of which are killed one after another")
async def test_a_cluster_tells_who_has_other_rules_who_is_gone_and_that_nobody_could_take_over(tmp_path, broker):
    http = "{listen: '127.0.0.1:0'}"
    async with (
        watching(broker, "alerts/#") as told,
        Cluster(tmp_path, broker, RULES, "abc", limits=EAGER, http=http) as cluster,
    ):
        first = await cluster.owner()
        second = other(cluster, first)
        third = next(name for name in cluster.nodes if name not in (first, second))
        owner = cluster.nodes[first]
        url = await owner.url()

        cluster.nodes[second].rules.write_text(RULES + "# another file\n", "utf-8")
        await hears(told, "HubRulesDiffer/firing", node=second)
        code, said = await cluster.run("cluster", "status")
        assert (code, "the nodes have different rules" in said) == (0, True)
        assert re.search(rf"^  {second} +standby +\S+ \S+ +[\d,]+ ", said, re.MULTILINE), said
        cluster.nodes[second].rules.write_text(RULES, "utf-8")
        await hears(told, "HubRulesDiffer/resolved", node=second)

        code, shell = await cluster.status()
        assert code == 0
        web = json.loads(await asked(url, "/api/hub/status"))
        assert (web["node"], web["cluster"].keys(), web["cluster"]["name"]) == (first, shell.keys(), shell["name"])
        for found in (shell, web["cluster"]):
            assert [(each["unit"], each["owner"]) for each in found["units"]] == [("main", first)]
            assert found["units"][0]["lag_seconds"] < 5
            assert [(each["node"], each["alive"]) for each in found["nodes"]] == [("a", True), ("b", True), ("c", True)]
            assert len({each["rules"] for each in found["nodes"]}) == 1
            assert all(each["lag_seconds"] < 5 for each in found["nodes"])
            assert 0 < found["log"]["bytes"] < found["log"]["max_bytes"]
        peers = json.loads(await asked(url, "/api/v2/status"))["cluster"]
        assert (peers["name"], peers["status"], len(peers["peers"])) == (first, "ready", 3)
        process = await asyncio.create_subprocess_exec(
            program("amtool"), f"--alertmanager.url={url}", "cluster", "show", stdout=asyncio.subprocess.PIPE
        )
        shown = (await process.communicate())[0].decode()
        assert (process.returncode, "ready" in shown, first in shown) == (0, True, True), shown
        series = await asked(url, "/metrics")
        documented = re.findall(r"^\| `(\w+)` \| \w+ \|[^|]*\| in a cluster:", METRICS, re.MULTILINE)
        assert documented
        assert all(re.search(rf"^{name}(\{{| )", series, re.MULTILINE) for name in documented)
        assert 'hub_unit_owned{unit="main"} 1.0' in series
        assert "hub_takeovers_total 1.0" in series

        await cluster.nodes[third].kill()
        await hears(told, "HubNodeGone/firing", node=third)
        _, found = await cluster.status()
        assert {each["node"]: each["alive"] for each in found["nodes"]}[third] is False
        code, said = await cluster.run("cluster", "leave", third, node=first)
        assert (code, "does not belong to the cluster any more" in said) == (0, True), said
        await hears(told, "HubNodeGone/resolved", node=third)

        await owner.kill()
        await cluster.nodes[second].says(" owner ", f"{first} is silent; no device was heard for ")
        # the one before had noted who belongs to the cluster
        assert (await hears(told, "HubNoStandby/firing"))["summary"] == first
        code, found = await cluster.status()
        assert (code, found["units"][0]["owner"]) == (0, second)
        assert {each["node"]: each["role"] for each in found["nodes"]} == {first: "gone", second: "owner"}
        await owner.start(connected=False)
        await owner.says(" standby ", f"follows main, which {second} owns")
        await hears(told, "HubNoStandby/resolved")
        at = len(cluster.nodes[second].lines)
        assert await cluster.nodes[second].stop() == 0
        assert [line.split()[1] for line in cluster.nodes[second].lines[at:]].count("release") == 2
        assert await cluster.owner() == first
        assert not any("eof_received" in line for each in cluster.nodes.values() for line in each.errors)
        await asyncio.gather(*(each.stop() for each in (owner,)))
