"""`python -m tests.bench.growth`: what a message costs a rule that has as many instances as it may, and below that.

The engine alone, as in tests.bench.rules. `below` is a message of a new instance while there is room, `past` one when
there is none: all kept for their samples alone, and all firing. Quote ratios of one run.
"""

import timeit

from hub.limits import HISTORY_INSTANCES
from hub.rules.running.engine import Engine
from tests.rules.making import event, rules

RULES = {
    "samples": '- {alert: A, topic: "d/{x}", when: "avg(t, 10m) > 30"}',
    "for": '- {alert: A, topic: "d/{x}", when: "avg(t, 10m) > 30", for: 10m}',
}


def fill(text, value):
    """Return an engine with a full rule, and what filling it cost: µs a message."""
    engine = Engine(rules(text))
    events = [event(f"d/{n}", {"t": value}, 1e9 + n * 1e-3) for n in range(HISTORY_INSTANCES)]
    begun = timeit.default_timer()
    for each in events:
        engine.process([each], each.time)
    spent = timeit.default_timer() - begun
    commit(engine)
    return engine, spent / len(events) * 1e6


def commit(engine):
    engine.take_transitions()
    engine.take_changes()
    engine.take_samples()


def past(engine, value, count=200):
    """Return the microseconds that a message of one more instance costs."""
    now = 1e9 + HISTORY_INSTANCES * 1e-3
    events = [event(f"d/new{n}", {"t": value}, now) for n in range(count)]
    for each in events:
        engine.plan(each.topic)
    begun = timeit.default_timer()
    for each in events:
        engine.process([each], now)
    return (timeit.default_timer() - begun) / count * 1e6


def main():
    """Print the figures."""
    for name, text in RULES.items():
        for state, value in (("quiet", 20.0), ("active", 40.0)):
            engine, below = fill(text, value)
            print(f"{name}, {state}: below {below:.1f} µs, past {past(engine, 20.0):.1f} µs a message", flush=True)


if __name__ == "__main__":
    main()
