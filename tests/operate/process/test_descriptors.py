"""descriptors: the hub takes all files that the system gives, and some are never for HTTP connections."""

import resource
import subprocess
import sys

import pytest

from hub.limits import FILES, HTTP_CONNECTIONS, HTTP_RESERVED_FILES
from hub.operate.process.descriptors import http_room

SHOW = "from hub.operate.process.descriptors import raise_limit; print(raise_limit())"


@pytest.mark.parametrize(("soft", "hard", "then"), [(64, 200, 200), (200, 200, 200), (64, 1 << 17, FILES)])
def test_the_soft_limit_is_raised_to_the_hard_one_and_not_beyond_reason(soft, hard, then):
    mine = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if mine != resource.RLIM_INFINITY and mine < hard:
        pytest.skip("the hard limit here is lower")
    change = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard})); {SHOW}"
    done = subprocess.run((sys.executable, "-c", change), capture_output=True, text=True, check=True)
    assert int(done.stdout) == then


def test_connections_never_take_the_files_that_are_in_reserve():
    assert http_room(1 << 20) == HTTP_CONNECTIONS
    assert http_room(1024) == 1024 - HTTP_RESERVED_FILES
    assert http_room(200) == 50
    assert http_room(1) == 1
    assert all(http_room(files) <= max(1, files * 3 // 4) for files in range(1, 1025))
