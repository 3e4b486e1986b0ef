"""A broker that hangs: the connection stands, nothing comes. When that is noticed, over the real limits."""

import asyncio
from heapq import heappop, heappush

from hypothesis import given
from hypothesis import strategies as st

from hub.ingest.transport import pulse
from hub.limits import KEEP_ALIVE_SECONDS

NOTICED_SECONDS = 45.0  # what limits.py and the docs promise


class Loop:
    """A loop whose time is told; `late` is how much later than due it calls."""

    def __init__(self):
        self.now, self.late, self._calls = 0.0, 0.0, []

    def time(self):
        return self.now

    def call_at(self, due, call):
        handle = asyncio.TimerHandle(due, call, (), self)
        heappush(self._calls, (due, id(handle), handle))
        return handle

    def _timer_handle_cancelled(self, handle):
        pass

    def get_debug(self):
        return False

    def run_until(self, end):
        """Do what is due until `end`."""
        while self._calls and self._calls[0][0] + self.late <= end:
            due, _, handle = heappop(self._calls)
            if not handle.cancelled():
                self.now = max(self.now, due + self.late)
                handle._callback()
        self.now = max(self.now, end)


class Broker:
    """Answers each question after `latency`, until it hangs."""

    def __init__(self, monkeypatch_loop, latency=0.0):
        self.loop, self.latency, self.hangs = monkeypatch_loop, latency, False
        self.heard, self.asked, self.over, self.deaf = 0.0, [], [], False
        original = pulse.asyncio.get_running_loop
        pulse.asyncio.get_running_loop = lambda: self.loop
        try:
            self.pulse = pulse.Pulse(KEEP_ALIVE_SECONDS, lambda: self.heard, self.ask, self.end, lambda: self.deaf)
        finally:
            pulse.asyncio.get_running_loop = original

    def ask(self):
        self.asked.append(self.loop.time())
        if not self.hangs:
            self.loop.call_at(self.loop.time() + self.latency, self.answer)

    def answer(self):
        if not self.hangs:
            self.heard = self.loop.time()

    def end(self, error):
        self.over.append((self.loop.time(), str(error)))


@given(st.floats(0, 200), st.floats(0, 10), st.lists(st.floats(0, 200), max_size=20))
def test_a_broker_that_hangs_at_any_moment_is_noticed_within_45_seconds_and_none_before(hangs_at, latency, events):
    loop = Loop()
    broker = Broker(loop, latency)
    for moment in sorted(events):
        if moment < hangs_at:
            loop.call_at(moment, broker.answer)  # an event is a sign of life as well
    loop.run_until(hangs_at)
    assert not broker.over
    broker.hangs = True
    loop.run_until(hangs_at + NOTICED_SECONDS)
    ((moment, why),) = broker.over
    assert moment >= broker.heard + NOTICED_SECONDS - 1e-6
    assert "nothing heard from the broker for 45 s" in why
    loop.run_until(1000)
    assert len(broker.over) == 1


def test_a_question_goes_out_each_half_keep_alive():
    loop = Loop()
    broker = Broker(loop)
    loop.run_until(100)
    assert broker.asked == [15, 30, 45, 60, 75, 90]
    broker.pulse.stop()
    loop.run_until(1000)
    assert len(broker.asked) == 6


def test_while_we_do_not_read_silence_says_nothing_and_from_then_on_it_counts_anew():
    loop = Loop()
    broker = Broker(loop)
    broker.hangs = broker.deaf = True
    loop.run_until(600)
    assert not broker.over
    broker.deaf = False
    loop.run_until(600 + NOTICED_SECONDS)
    assert len(broker.over) == 1


def test_a_loop_that_was_held_up_takes_its_own_absence_for_nobodys_silence():
    loop = Loop()
    broker = Broker(loop)
    loop.run_until(16)
    loop.late = 300.0  # a suspended machine
    loop.run_until(331)
    assert not broker.over
    loop.late = 0.0
    loop.run_until(900)
    assert not broker.over
