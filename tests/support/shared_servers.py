"""Three NATS servers for all tests of a run that leave them as they are, whichever worker these run on.

    the first worker that asks ── starts ──▶ this program ── starts ──▶ three servers, and writes where they listen
    the run ends, however it ends ──▶ this program gets the lock on `alive`, ends its servers, removes the folder

They do not wait for their disks: no test takes the power away. A test has a cluster name of its own, and deletes its
streams at its end. Who kills a server has servers of its own (NatsCluster).
"""

import itertools
import json
import os
import shutil
import sys
from pathlib import Path

from tests.support import whole_run
from tests.support.nats_cluster import NatsCluster, Reached

_NUMBERS = itertools.count(1)


def shared_servers():
    """Return where they listen; they are started where nobody has asked before."""
    path = whole_run.served("tests.support.shared_servers", "nats.json")
    return Reached(json.loads(path.read_text("utf-8")))


def new_name(prefix="t"):
    """Return a cluster name that no other test of the run has."""
    return f"{prefix}-{os.getpid()}-{next(_NUMBERS)}"


def serve(folder):
    """Run them until the run ends."""
    serves = whole_run.locked(folder / "serves")
    with NatsCluster(folder / "nats", sync="2m", shared=True) as servers:
        (folder / "nats.new").write_text(json.dumps(servers.ports), "utf-8")
        (folder / "nats.new").rename(folder / "nats.json")
        os.close(whole_run.locked(folder / "alive"))
    shutil.rmtree(folder, ignore_errors=True)
    os.close(serves)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
