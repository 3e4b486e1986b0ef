"""A connection that Hypercorn has forgotten is cut off; one whose request has just begun is not."""

from types import SimpleNamespace

import pytest

from hub.limits import HTTP_CLOSE_SECONDS
from hub.operate.api.front.http_connection import HttpConnection


class Loop:
    """A clock that is moved, and what waits for it."""

    def __init__(self):
        self.now, self.waiting = 100.0, []

    def time(self):
        return self.now

    def call_later(self, seconds, call):
        self.waiting.append((self.now + seconds, call))


@pytest.mark.parametrize(
    ("began", "is_cut"), [(0.0, True), (HTTP_CLOSE_SECONDS - 0.001, False), (HTTP_CLOSE_SECONDS, False)]
)
def test_a_request_that_begins_as_the_one_before_is_looked_for_is_not_cut_off(began, is_cut):
    loop, cut = Loop(), []
    connection = object.__new__(HttpConnection)
    connection.loop, connection.protocol = loop, SimpleNamespace(protocol=SimpleNamespace(stream=None))
    connection._idle, connection._under_way, connection._since = False, 0, loop.now
    connection.cut = lambda: cut.append(loop.now)
    connection._look_later()
    connection._since = loop.now + began
    ((loop.now, look),) = loop.waiting
    look()
    assert bool(cut) is is_cut
