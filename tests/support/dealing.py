"""The order of a run over several workers: what waits long comes first, and each worker has a share of it.

xdist gives each worker a slice of the tests, in their order, and who has none left takes the last ones of another. So a
long test must not be among the last of its slice, and those that take turns (tests/support/whole_run.py) stand in as
few slices as may have one at a time: else workers would wait for each other.
"""

import itertools
import os

from tests.support.whole_run import OWN_SETS

IN_TURN = ("tests/cluster/",)
"""Where tests need NATS servers of their own: few of them at a time."""
LONG = (
    "tests/faults/",
    "tests/acceptance/",
    "tests/attacks/",
    "tests/operate/demo/",
    "tests/operate/doctor/",
    "tests/operate/bench/",
    "tests/operate/specs/test_openapi.py",
    "tests/mutants/",
    "tests/test_contributing.py",
    "tests/test_servers_end.py",
    "tests/ingest/",
    "tests/alerts/test_telling_model.py",
    "tests/rules/running/test_index.py",
)


def pytest_collection_modifyitems(items):
    """Put them into that order, where there are several workers."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if workers > 1:
        items[:] = dealt(items, workers)


def dealt(items, workers):
    """Return the same items, so that slices for so many workers begin with what takes longest; files stay together."""
    files = [[*each] for _, each in itertools.groupby(items, lambda item: item.nodeid.partition("::")[0])]
    slices = [[] for _ in range(workers)]
    for number, file in enumerate(_under(files, IN_TURN)):
        slices[number % OWN_SETS] += file
    for number, file in enumerate(_under(files, LONG)):
        slices[-1 - number % workers] += file
    rest = [item for file in files if not _under([file], IN_TURN + LONG) for item in file]
    left = len(items)
    for number, each in enumerate(slices):
        missing = max(0, left // (workers - number) - len(each))
        each.extend(rest[:missing])
        del rest[:missing]
        left -= len(each)
    return [item for each in slices for item in each] + rest


def _under(files, places):
    return [file for file in files if file[0].nodeid.startswith(places)]
