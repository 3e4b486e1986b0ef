"""Retry-After holds back the receiver, then it is sent what it takes: models of services, and a real one."""

import asyncio
import heapq
import math
from dataclasses import replace

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from hub.clock import ManualClock, SystemClock
from hub.limits import ALLOWANCE_CALM_SECONDS, RETRY_AFTER_SECONDS
from hub.model import Retry
from hub.notify.dispatcher import Dispatcher
from hub.notify.lanes.allowance import Allowance
from hub.notify.lanes.lane import Lane
from hub.notify.outbox_port import Queued
from hub.notify.outward.http import http_client
from hub.notify.receiver_settings import build_receiver
from tests.notify.fakes import MemoryOutbox, Remembering, Scripted, notification, toolbox
from tests.notify.listener import Listener
from tests.notify.queues import read
from tests.notify.test_delivery import said, settle, stand


class Bucket:
    """Holds `most`, is filled by `rate` a second, names one wait to whom it refuses."""

    def __init__(self, most, rate, asks):
        self.most, self.rate, self.asks = most, rate, asks
        self.has, self.at, self.refused = most, None, 0

    def take(self, now):
        """Return None, or for how long to wait."""
        self.has = min(self.most, self.has + (now - (now if self.at is None else self.at)) * self.rate)
        self.at = now
        if self.has >= 1:
            self.has -= 1
            return None
        self.refused += 1
        return self.asks


class Window(Bucket):
    """Takes `most` in each window of `asks` seconds, names its end to whom it refuses."""

    def take(self, now):
        begins = now - now % self.asks
        if begins != self.at:
            self.at, self.has = begins, self.most
        if self.has >= 1:
            self.has -= 1
            return None
        self.refused += 1
        return math.ceil(begins + self.asks - now)


def play(service, count, latency=0.02):
    """Send so many messages of as many alerts by a lane; return how long that took."""
    clock = ManualClock(1_000_000.0)
    lane, begun, under_way, sent = Lane(clock), clock.monotonic(), [], 0
    lane.load([], 1, 0)
    for row in range(1, count + 1):
        lane.offer(Queued(row, notification(row, order=str(row), created=clock.now())))
    while sent < count:
        while (queued := lane.take()) is not None:
            heapq.heappush(under_way, (clock.monotonic() + latency, queued.row, queued))
        times = [under_way[0][0]] if under_way else []
        if len(lane.lines.busy) < lane.concurrency and (due := lane.due()) is not None:
            times.append(due)
        clock.advance(max(0.0, min(times) - clock.monotonic()) + 1e-6)
        now = clock.monotonic()
        while under_way and under_way[0][0] <= now:
            queued = heapq.heappop(under_way)[2]
            asked = service.take(now)
            if asked is None:
                lane.breaker.worked()
                if lane.allowance is not None:
                    lane.allowance.worked(now)
                lane.finish(queued)
                sent += 1
            else:
                lane.breaker.failed(queued.row, queued.notification.order, now, asked)
                lane.hold_back(asked)
                lane.again(replace(queued, attempts=queued.attempts + 1, next_at=clock.now() + max(asked, 0.5)))
    return clock.monotonic() - begun


def test_a_bucket_of_five_and_one_a_second_refuses_few_and_is_used_in_full():
    service = Bucket(5, 1.0, 2.0)
    assert 55.0 <= play(service, 60) <= 70.0
    assert service.refused < 15


@pytest.mark.parametrize(
    ("service", "count", "refused", "seconds"),
    [
        (Bucket(1, 1.0, 1.0), 60, 20, 90.0),
        (Bucket(30, 30.0, 1.0), 2000, 20, 85.0),
        (Bucket(5, 1.0, 30.0), 60, 10, 270.0),
        (Window(60, 0, 60.0), 200, 20, 330.0),
        (Window(5, 0, 2.0), 200, 30, 110.0),
    ],
    ids=["one a second", "thirty a second", "asks too much", "sixty a minute", "five in two seconds"],
)
def test_other_services_refuse_few_too_and_all_arrives(service, count, refused, seconds):
    assert play(service, count) <= seconds
    assert service.refused <= refused


@given(st.integers(1, 40), st.floats(0.05, 50.0), st.floats(0.0, 120.0), st.floats(0.001, 3.0))
def test_whatever_the_service_is_all_arrives_and_no_message_is_refused_often(most, rate, asks, latency):
    service = Bucket(most, rate, asks)
    play(service, 100, latency)
    assert service.refused <= 200


def test_nothing_begins_before_the_receiver_wants_it_and_then_one_at_a_time():
    it = Allowance(100.0, 2.0)
    it.refused(100.5, 3.0)
    assert it.opens() == 103.5
    it.began(103.5)
    assert it.opens() > 103.5


def test_a_refusal_of_what_was_under_way_before_tells_nothing_new():
    it = Allowance(100.0, 2.0)
    rate = it.rate
    it.refused(101.0, 2.0)
    assert (it.rate, it.until) == (rate, 103.0)


def test_while_it_works_it_goes_gently_faster_and_after_a_refusal_slower():
    it = Allowance(100.0, 2.0)
    rates = []
    for _ in range(10):
        it.began(now := it.opens())
        it.worked(now)
        rates.append(it.rate)
    assert rates == sorted(rates)
    assert rates[-1] > rates[0]
    it.refused(now, 2.0)
    assert it.rate == pytest.approx(10 / (now + 2.0 - 100.0)), (
        "so many it took, from one refusal to the end of the next wait"
    )


def test_time_in_which_nothing_was_to_be_sent_says_nothing_of_what_it_takes():
    it, now = Allowance(100.0, 1.0), 101.0
    for _ in range(10):
        it.began(now)
        it.worked(now)
        now += 50.0
    it.began(now)
    it.refused(now, 1.0)
    assert it.rate > 0.5


def test_what_was_learned_is_forgotten_when_nothing_was_to_be_sent_for_long():
    clock = ManualClock(1000.0)
    lane = Lane(clock)
    lane.load([], 1, 0)
    lane.hold_back(2.0)
    clock.advance(2.0 + ALLOWANCE_CALM_SECONDS)
    for row in range(1, 9):
        lane.offer(Queued(row, notification(row, order=str(row))))
    assert len([lane.take() for _ in range(8)]) == 8
    assert lane.allowance is None


def test_a_receiver_cannot_be_silenced_for_longer_than_the_longest_wait():
    clock = ManualClock(1000.0)
    lane = Lane(clock)
    lane.load([], 1, 0)
    lane.hold_back(1e9)
    lane.offer(Queued(1, notification(1)))
    assert lane.due() == clock.monotonic() + RETRY_AFTER_SECONDS


async def test_who_asks_to_wait_gets_nothing_else_meanwhile_and_other_receivers_do():
    rig = stand(chat=({"concurrency": 1}, [Retry("429", 30.0)]), mail=({}, ()))
    async with rig.running():
        rig.offer(said("firing"), said("firing", order="b"), said("firing", receiver="mail"))
        await settle()
        rig.clock.advance(29.0)
        rig.dispatcher.look()
        await settle()
        assert (rig.sent["chat"], rig.sent["mail"]) == (["a-1-firing"], ["a-1-firing"])
        rig.clock.advance(1.1)
        rig.dispatcher.look()
        await settle()
        assert len(rig.sent["chat"]) == 2
        rig.clock.advance(60.0)
        rig.dispatcher.look()
        await rig.idle()
    assert rig.outbox.states() == ["delivered"] * 3


async def test_another_receiver_by_the_same_name_did_not_ask_to_wait():
    rig = stand(chat=({"concurrency": 1}, [Retry("429", 3000.0)]))
    new = Scripted()
    async with rig.running():
        rig.offer(said("firing"), said("firing", order="b"))
        await settle()
        rig.dispatcher.reload({"chat": (rig.dispatcher._channels["chat"].settings, new)})
        await settle()
        assert new.sent == ["b-1-firing"]


async def test_a_plain_failure_holds_back_only_its_own_message():
    rig = stand(chat=({"concurrency": 1}, [Retry("500")]))
    async with rig.running():
        rig.offer(said("firing"), said("firing", order="b"))
        await settle()
        assert rig.sent["chat"] == ["a-1-firing", "b-1-firing"]


async def test_a_real_service_that_answers_429_refuses_few_and_gets_all():
    service, loop = Bucket(5, 8.0, 1.0), asyncio.get_running_loop()

    class Limited(Listener):
        async def handle(self, _request):
            asked = service.take(loop.time())
            headers = {} if asked is None else {"Retry-After": str(round(asked))}
            return web.Response(status=204 if asked is None else 429, headers=headers)

    async with Limited().listening() as listener, http_client() as http:
        made, problems = read(f"chat: {{webhook: {{url: 'http://127.0.0.1:{listener.port}/{{alertname}}'}}}}")
        assert problems == []
        receivers = {"chat": (made["chat"], build_receiver(made["chat"], toolbox(http)))}
        outbox = MemoryOutbox()
        dispatcher = Dispatcher(receivers, outbox, SystemClock(), Remembering())
        task = asyncio.create_task(dispatcher.run())
        await asyncio.sleep(0)
        dispatcher.offer(outbox.put(*(notification(n, order=str(n), alertname=f"a{n}") for n in range(10))))
        async with asyncio.timeout(20):
            await dispatcher.idle()
        await dispatcher.drain(1.0)
        await task
    assert outbox.states() == ["delivered"] * 10
    assert service.refused < 8
