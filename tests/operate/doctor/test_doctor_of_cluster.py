"""`hub doctor` on a node of a real cluster: two hubs, three servers, one broker."""

import json

from tests.support.cluster import Cluster

RULES = """
rules:
  - alert: Hot
    topic: t/{device}
    when: value > 30
    notify: []
"""


async def test_the_doctor_of_a_running_cluster_says_who_owns_who_is_gone_and_what_is_weakest(tmp_path, broker):
    async with Cluster(tmp_path, broker, RULES) as cluster:
        gone = await cluster.owner()
        await cluster.nodes[gone].kill()
        owner = await cluster.owner()
        code, said = await cluster.run("doctor", "--listen", "0", "--json", node=owner)
        found = json.loads(said)
        bad = [each for each in found if each["level"] == "bad"]
        assert (code, bad) == (0, [])
        assert ("owner", f"{owner} owns main") in {(each["subject"], each["text"]) for each in found}
        warnings = {each["subject"]: each["text"] for each in found if each["level"] == "warning"}
        assert "it is now the weakest part" in warnings["broker"]
        assert warnings["nodes"] == f"only {owner} runs: nobody takes over from it"
        assert warnings[f"node {gone}"].startswith("belongs to the cluster, and is not heard")
