"""Last values and intervals are sampled within bounds, beside the path of the events."""

from hypothesis import given
from hypothesis import strategies as st

from hub.limits import RECENT_FIELDS, RECENT_POINTS, RECENT_RAW_BYTES, RECENT_TOPICS
from hub.operate.api.gathered.recent import Recent, RecentValues
from hub.rules.instances.lasts import Lasts


class FakeAsk(Lasts):
    def __init__(self, *found):
        super().__init__()
        self.found = found

    def last_messages(self):
        return iter(self.found)


async def test_numbers_are_returned_by_field_with_their_times():
    recent = Recent()
    await recent.look(FakeAsk(("f/7", b'{"t": 1.5, "ok": true, "name": "x"}', 10.0), ("n/1", b"21", 10.0)))
    await recent.look(FakeAsk(("f/7", b'{"t": 2}', 12.0), ("n/1", b"21", 10.0)))
    assert recent.fields("f/7") == {"t": [(10.0, 1.5), (12.0, 2.0)]}
    assert recent.fields("n/1") == {"value": [(10.0, 21.0)]}
    assert recent.topics() == ["f/7", "n/1"]


async def test_a_message_that_was_seen_is_no_second_value_and_no_interval():
    recent = Recent()
    for at in (10.0, 10.0, 10.0, 70.0):
        await recent.look(FakeAsk(("f/7", b"1", at)))
    assert recent.of("f/7").interval == 60.0
    assert len(recent.fields("f/7")["value"]) == 2


async def test_so_many_topics_are_kept_and_no_more():
    recent = Recent()
    await recent.look(FakeAsk(*[(f"t/{number}", b"1", 1.0) for number in range(RECENT_TOPICS + 10)]))
    assert len(recent.topics()) == RECENT_TOPICS


def test_a_payload_that_is_no_measurement_is_heard_and_not_kept():
    series = RecentValues()
    series.take(1.0, b'"' + b"x" * RECENT_RAW_BYTES + b'"')
    assert (series.at, series.points) == (1.0, [])


def test_so_many_fields_are_charted_and_no_more():
    series = RecentValues()
    series.take(1.0, b"{" + b",".join(b'"f%d": 1' % number for number in range(20)) + b"}")
    assert len(series.fields("t")) == RECENT_FIELDS


@given(st.lists(st.floats(0.5, 100_000), min_size=1, max_size=1000))
def test_points_are_bounded_in_order_and_reach_back(steps):
    series, at = RecentValues(), 0.0
    for step in steps:
        at += step
        series.take(at, b"1")
    times = [each for each, _ in series.points]
    assert len(times) <= RECENT_POINTS
    assert times == sorted(set(times))
    if len(steps) > 2 and at < 43_200:
        assert times[0] == steps[0], "half a day fits in"
