"""instance: what is remembered of one instance, on disk and in memory."""

import gc
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.model import Phase
from hub.rules.instances.instance import Instance, dump_key, load_key
from hub.rules.running.engine import Engine
from tests.rules.making import event, rules

TIME = st.floats(0, 4e9)


@given(
    st.sampled_from([Phase.INACTIVE, Phase.PENDING, Phase.FIRING]),
    st.tuples(TIME, TIME, TIME, TIME, TIME),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.none()
    | st.text(st.characters(exclude_categories=["Cs"])).map(str.encode)
    | st.binary()
    | st.just("\ufdd0aGk=".encode()),
)
def test_an_instance_comes_back_from_the_store_as_it_went_in(phase, times, topic, raw):
    instance = Instance(("a", "b"))
    instance.phase, instance.came, instance.raw = phase, topic, raw
    instance.since, instance.clearing_since, instance.seen, instance.absent_since, instance.time = times
    again = Instance.load(("a", "b"), instance.dump())
    for name in Instance.__slots__:
        assert getattr(again, name) == getattr(instance, name), name


def test_the_trace_of_the_last_event_comes_back_with_its_topic():
    instance = Instance(("a",))
    instance.came, instance.raw = "t/a\0trace", b"1"
    again = Instance.load(("a",), instance.dump())
    assert (again.topic, again.trace) == ("t/a", "trace")
    again.came = "t/b"
    assert (again.topic, again.trace) == ("t/b", "")


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=4).map(tuple))
def test_a_key_comes_back_as_it_went_in_and_is_never_the_empty_text_of_the_rules_own_row(key):
    assert load_key(dump_key(key)) == key
    assert dump_key(key)


def grown(engine, events, now):
    """Return the bytes by which memory grew while these were processed, commits taken."""
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    engine.process(events, now)
    engine.take_transitions()
    engine.take_changes()
    gc.collect()
    after = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return after - before


def rounds(engine, events, now):
    """Return the growth for each COUNT of events, of some. Each needs what it costs; what counts covered lines, not."""
    pieces = [events[first : first + COUNT] for first in range(0, len(events), COUNT)]
    return [grown(engine, piece, now) for piece in pieces]


COUNT = 2000


@pytest.mark.parametrize(
    ("more", "value", "limit"),
    [("", 0, 1), ("", 5, 400), ("for: 5m", 0, 1), ("for: 5m", 5, 500), ("for: 5m\n  clear_for: 1m", 5, 500)],
)
def test_an_inactive_instance_costs_nothing_and_a_pending_one_a_few_hundred_bytes(monkeypatch, more, value, limit):
    monkeypatch.setattr("hub.rules.running.engine.PLAN_CACHE_TOPICS", 1)
    engine = Engine(rules(f'- alert: A\n  topic: "d/{{device}}"\n  when: v > 3\n  {more}'))
    events = [event(f"d/{number:06}", {"v": value}) for number in range(4 * COUNT)]
    assert len(engine.states["A"].instances) == 0
    assert min(rounds(engine, events, 1000.0)) / COUNT < limit


def test_a_pending_instance_itself_is_at_most_300_bytes():
    """The object, its key and its own numbers; the topic, the payload and the tables that hold it come on top."""
    engine = Engine(rules('- {alert: A, topic: "d/{device}", when: v > 3, for: 5m}'))
    engine.process([event("d/000007", {"v": 5})], 1000.0)
    (instance,) = engine.states["A"].instances.values()
    parts = {id(part): part for name in Instance.__slots__ if (part := getattr(instance, name)) is not instance.raw}
    shared = (Phase.PENDING, "", None, instance.topic)
    size = instance.__sizeof__() + 16 + sum(part.__sizeof__() for part in parts.values() if part not in shared)
    assert size + instance.key[0].__sizeof__() <= 300


def test_a_flapping_device_leaves_no_heap_of_deadlines_behind():
    engine = Engine(rules('- {alert: A, topic: "d/{device}", when: v > 3, for: 1h}'))
    for number in range(20_000):
        engine.process([event("d/1", {"v": 5 * (number % 2)})], 1000.0 + number / 100)
        engine.take_transitions()
    assert len(engine.work.deadlines) < 5000
