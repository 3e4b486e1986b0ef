"""Circuits for each host that events name: one that fails is left alone, and nobody else."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.limits import BREAKER_FAILURES, BREAKER_SECONDS, HOST_CIRCUITS, HOST_STRANGERS_SECONDS, RETRY_AFTER_SECONDS
from hub.notify.lanes.hosts import Hosts
from hub.notify.outbox_port import Queued
from tests.notify.fakes import notification


def to(host, number=0):
    return notification(number, order=f"{host}{number}", host=host)


@pytest.fixture
def hosts():
    return Hosts(lambda each: each.body["host"])


def fail(hosts, host, times=BREAKER_FAILURES, now=0.0, asked=None):
    for number in range(times):
        hosts.failed(number, to(host, number), now, asked)


def test_a_host_that_fails_is_left_alone_and_no_other(hosts):
    assert hosts.opens(to("a"), 0.0) == -inf
    fail(hosts, "a")
    assert hosts.opens(to("a"), 0.0) == BREAKER_SECONDS[0]
    assert hosts.opens(to("b"), 0.0) == -inf


def test_one_probes_while_the_others_look_again_soon_and_an_answer_ends_it(hosts):
    fail(hosts, "a")
    hosts.began(100, to("a"))
    assert hosts.opens(to("a"), 5.0) == 5.0 + BREAKER_SECONDS[0]
    hosts.failed(100, to("a"), 5.0, None)
    assert hosts.opens(to("a"), 5.0) == 5.0 + 2 * BREAKER_SECONDS[0]
    hosts.worked(to("a"))
    assert hosts.opens(to("a"), 5.0) == -inf


def test_a_host_that_asks_to_wait_holds_back_itself_from_the_first_time_on(hosts):
    fail(hosts, "a", 1, asked=30.0)
    assert hosts.opens(to("a", 9), 1.0) == 30.0
    fail(hosts, "a", 1, asked=1e9)
    assert hosts.opens(to("a", 9), 1.0) == RETRY_AFTER_SECONDS
    assert hosts.opens(to("b"), 1.0) == -inf


def test_what_names_no_host_counts_for_nobody(hosts):
    fail(hosts, "", 100)
    assert hosts.opens(to(""), 0.0) == -inf


def test_as_many_as_may_be_are_remembered(hosts):
    for number in range(HOST_CIRCUITS + 50):
        fail(hosts, f"h{number}")
    assert len(hosts._circuits) == HOST_CIRCUITS
    assert hosts.opens(to("h0"), 0.0) == -inf
    assert hosts.opens(to(f"h{HOST_CIRCUITS + 49}"), 0.0) == BREAKER_SECONDS[0]


def waiting(*counts, tried=1):
    """Make what waits: so many for each host, in turn."""
    whole = [host for n in range(max(counts)) for host, count in enumerate(counts) if n < count]
    return [Queued(row, to(f"h{host}", row), tried) for row, host in enumerate(whole, start=1)]


def test_of_what_waits_for_hosts_that_fail_the_oldest_of_the_largest_is_too_much(hosts):
    line = waiting(100, 3, 2)
    gone = hosts.surplus(line, 20, 0.0)
    left = [each for each in line if each.row not in gone]
    assert [sum(each.notification.body["host"] == f"h{n}" for each in left) for n in range(3)] == [15, 3, 2]
    assert [each.row for each in left if each.notification.body["host"] == "h0"] == list(range(91, 106))
    assert hosts.surplus(line, 105, 0.0) == set()


def test_what_was_never_tried_at_a_host_that_does_not_fail_is_never_too_much(hosts):
    line = waiting(100, tried=0)
    assert hosts.surplus(line, 10, 0.0) == set()
    fail(hosts, "h0", 1)
    assert len(hosts.surplus(line, 10, 0.0)) == 90


@given(st.lists(st.integers(1, 40), min_size=1, max_size=30), st.integers(0, 200))
def test_never_more_is_left_than_may_be(counts, most):
    line = waiting(*counts)
    gone = Hosts(lambda each: each.body["host"]).surplus(line, most, 0.0)
    assert gone <= {each.row for each in line}
    assert len(line) - len(gone) <= max(most, 0)


def test_a_host_is_a_stranger_until_it_has_taken_something_and_after_it_fails(hosts):
    assert hosts.is_stranger(to("a"))
    hosts.worked(to("a"))  # it refused, or does not exist
    assert hosts.is_stranger(to("a"))
    hosts.delivered(to("a"))
    assert not hosts.is_stranger(to("a"))
    fail(hosts, "a", 1)
    assert hosts.is_stranger(to("a"))
    assert not hosts.is_stranger(to(""))
    for number in range(HOST_CIRCUITS + 1):
        hosts.delivered(to(f"h{number}"))
    assert hosts.is_stranger(to("h0"))
    assert not hosts.is_stranger(to("h1"))


def test_what_waits_untried_for_hosts_that_never_answered_is_given_up_where_it_was_much_for_long_and_not_before(hosts):
    hosts.delivered(to("good"))
    line = [Queued(row, to("good" if row < 10 else f"new{row}", row), 0, 0.0) for row in range(100)]
    assert hosts.surplus(line, 20, 0.0) == set()
    assert hosts.surplus(line, 20, HOST_STRANGERS_SECONDS - 1) == set()
    hosts.calm()
    assert hosts.surplus(line, 20, HOST_STRANGERS_SECONDS) == set()
    gone = hosts.surplus(line, 20, 2 * HOST_STRANGERS_SECONDS)
    assert len(gone) >= 70
    assert min(gone) >= 10
