"""lease: it holds from when the record was sent that was confirmed, however late the confirmation is read."""

import pytest

from hub.cluster.log.lease import Lease


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 100.0

    monkeypatch.setattr(Lease, "now", staticmethod(lambda: Clock.now))
    return Clock


def test_a_lease_counts_from_the_sending_of_a_record_and_not_from_its_answer(clock):
    lease = Lease(5.0)
    assert not lease.holds(), "it begins without one"
    clock.now = 104.0
    lease.renew(100.0)
    assert lease.holds()
    clock.now = 104.99
    assert lease.holds()
    clock.now = 105.0
    assert not lease.holds()
    lease.renew(99.0)
    assert not lease.holds(), "who was frozen reads an old answer"


def test_an_older_answer_does_not_shorten_it_and_its_end_does(clock):
    lease = Lease(5.0)
    lease.renew(100.0)
    lease.renew(97.0)
    clock.now = 104.0
    assert lease.holds()
    lease.end()
    assert not lease.holds()
    lease.renew(103.0)
    assert not lease.holds(), "the record was sent before the connection was lost, and confirmed behind that"
    lease.renew(104.0)
    assert lease.holds()


def test_a_record_is_wanted_only_where_somebody_asks_and_it_is_over(clock):
    wanted = []
    lease = Lease(5.0, lambda: wanted.append(clock.now))
    lease.renew(100.0)
    assert lease.holds()
    assert wanted == []
    clock.now = 106.0
    lease.holds()
    assert wanted == [106.0]
