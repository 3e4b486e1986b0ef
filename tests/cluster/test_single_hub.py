"""What a hub without `cluster:` must not notice, and the files that go from one kind of hub to the other."""

import sqlite3
import subprocess
import sys

from tests.support.hub import Hub

RULES = """\
rules:
  - {alert: Hot, topic: "load/{device}", when: v > 900}
"""
LOADED = """
import sys
from pathlib import Path
import hub.operate.cli.run, hub.app
from hub.config import load_settings
from hub.operate.api.front import server
load_settings(None)
print(sorted(name for name in sys.modules if name.split(".")[0] == "nats" or name.startswith("hub.cluster")))
"""


def test_a_single_hub_loads_nothing_of_a_cluster(tmp_path):
    said = subprocess.run([sys.executable, "-c", LOADED], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"


async def test_a_single_hub_does_not_write_into_a_nodes_copy(tmp_path, broker):
    async with Hub(tmp_path, broker, RULES) as hub:
        assert await hub.stop() == 0
        with sqlite3.connect(hub.state) as connection:
            connection.execute("INSERT INTO meta VALUES ('log:cluster', 'x')")
        connection.close()
        await hub.start(connected=False)
        assert await hub.ended() == 1
        assert "is a node's copy of a cluster's log" in "\n".join(hub.errors)
