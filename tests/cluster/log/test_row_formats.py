"""row_formats: a hub reads its own rows and those of the hubs before it, and says which rows it does not read."""

import pytest

from hub.cluster.log.row_formats import our_formats, unread
from hub.store.formats import FORMATS


def test_a_hub_reads_what_it_writes_and_what_hubs_before_it_wrote(monkeypatch):
    older = our_formats()
    assert unread(older) == ""
    monkeypatch.setitem(FORMATS, "alerts", FORMATS["alerts"] + 1)
    monkeypatch.setitem(FORMATS, "of tomorrow", 1)
    assert unread(older) == ""


def test_a_hub_does_not_read_what_a_later_one_writes_and_says_what_that_is(monkeypatch):
    with monkeypatch.context() as tomorrow:
        tomorrow.setitem(FORMATS, "alerts", FORMATS["alerts"] + 1)
        changed = our_formats()
    with monkeypatch.context() as tomorrow:
        tomorrow.setitem(FORMATS, "of tomorrow", 1)
        more = our_formats()
    assert unread(changed) == f"format {FORMATS['alerts'] + 1} of 'alerts', it knows {FORMATS['alerts']}"
    assert "'of tomorrow'" in unread(more)


@pytest.mark.parametrize("text", ["7", "alerts", "alerts=", "alerts=x", "=1", "alerts=1,"])
def test_what_no_hub_writes_is_not_taken_for_readable(text):
    assert unread(text)
