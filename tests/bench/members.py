"""`python -m tests.bench.members`: what a message costs in a rule with `across`, and the bytes of a member.

Figures are of one run beside a plain rule; quote the differences, absolute times vary with the machine and its load.
"""

import random
import time
import tracemalloc
from math import nan

from hub.rules.members.census import census_of
from hub.rules.running.engine import Engine
from tests.rules.making import event, rules

MANY = 100_000
WHEN = {
    "a plain rule": "",
    "count": "count(t > -15.0) < 0",
    "count, avg, absent": "count(t > -15.0) < 0 || avg(t) > 1000.0 || count(absent) > 5000000",
    "max": "max(t) > 1000.0",
    "percentile": "percentile(t, 95) > 1000.0",
}
PLAIN = '- {alert: A, topic: "s/{site}/{d}", when: t > 1000.0}'
ACROSS = '- {alert: A, topic: "s/{site}/{d}", across: d, stale: 1d, when: "WHEN", summary: "{names(t > 1000.0)}"}'


def engine_of(when):
    """Return an engine with the rule; a plain one without `when`."""
    made = Engine(rules(ACROSS.replace("WHEN", when) if when else PLAIN))
    made.restore([], {}, 1000.0)
    return made


def cost(when, members, messages=20_000):
    """Return the microseconds of a message from any of so many members."""
    chance, engine = random.Random(1), engine_of(when)
    engine.process([event(f"s/a/{n:06d}", {"t": -20.0}) for n in range(members)], 1000.0)
    took = []
    for _ in range(3):
        sent = [event(f"s/a/{chance.randrange(members):06d}", {"t": chance.uniform(-30, -16)}) for _ in range(messages)]
        for each in sent:
            assert each.fields  # decoding is not measured
        begun = time.process_time()
        engine.process(sent, 1001.0)
        took.append(time.process_time() - begun)
    return min(took) / messages * 1e6


def size():
    """Return the bytes of a member that has a number, a condition, `absent` and a name."""
    census = census_of(engine_of(WHEN["count, avg, absent"]).states["A"].rule)
    tracemalloc.start()
    crowd, chance = census.new(), random.Random(1)
    before = tracemalloc.get_traced_memory()[0]
    for number in range(MANY):
        row = crowd.join((f"freezer-{number}",), 1000.0 + number)
        values = [(key, 0.0 if hasattr(slot, "held") else chance.random(), nan) for key, slot in crowd.slots.items()]
        crowd.hear(row, values, 1000.0 + number, lives=True)
    return (tracemalloc.get_traced_memory()[0] - before) / MANY


def main():
    print(f"microseconds a message, of 10 members and of {MANY:,}")
    for name, when in WHEN.items():
        few, many = cost(when, 10), cost(when, MANY)
        print(f"{name:20} {few:6.2f} {many:6.2f}  {many - few:+.2f}", flush=True)
    print(f"{size():.0f} bytes a member")


if __name__ == "__main__":
    main()
