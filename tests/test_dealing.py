"""dealing: the order in which several workers get the tests."""

from collections import Counter
from types import SimpleNamespace

from tests.support.dealing import dealt

FILES = {
    "tests/alerts/test_a.py": 30,
    "tests/cluster/test_a.py": 4,
    "tests/cluster/test_b.py": 4,
    "tests/cluster/test_c.py": 4,
    "tests/faults/test_a.py": 5,
    "tests/faults/test_b.py": 5,
    "tests/rules/test_a.py": 47,
}


def order(workers):
    items = [SimpleNamespace(nodeid=f"{name}::test_{number}") for name, many in FILES.items() for number in range(many)]
    found = dealt(items, workers)
    assert Counter(each.nodeid for each in found) == Counter(each.nodeid for each in items)
    return [each.nodeid.partition("::")[0] for each in found]


def test_each_worker_begins_with_what_takes_longest_and_two_with_what_takes_turns():
    found = order(3)
    share = len(found) // 3
    slices = [found[:share], found[share : 2 * share], found[2 * share :]]
    assert [each[0] for each in slices] == [
        "tests/cluster/test_a.py",
        "tests/cluster/test_b.py",
        "tests/faults/test_a.py",
    ]
    assert [sum("cluster" in name for name in each) for each in slices] == [8, 4, 0]
    assert [sum("faults" in name for name in each) for each in slices] == [0, 5, 5]
    assert all(each[-1] in ("tests/alerts/test_a.py", "tests/rules/test_a.py") for each in slices)


def test_no_test_is_lost_where_a_slice_has_more_long_ones_than_its_share():
    assert order(40).count("tests/rules/test_a.py") == 47
