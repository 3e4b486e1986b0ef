"""`python -m tests.bench.hearing`: what `where`, `each` and a map of topics cost, beside a plain rule in one run.

Quote the differences; absolute times vary with the machine and its load.
"""

import time

from hub.rules.running.engine import Engine
from tests.rules.making import event, rules

LIST = {"v": [{"id": f"i{number}", "v": 1} for number in range(100)]}
MAP = {"v": {f"i{number}": 1 for number in range(100)}}
PLAIN = {"t": 1, "kind": "b"}
LOADS = {  # name: rules, events (topic, payload), parts of a message
    "no rule hears it": ('- {alert: A, topic: "x/{x}", when: t > 5}', [("s/1", PLAIN)], 1),
    "a plain rule": ('- {alert: A, topic: "s/{x}", when: t > 5}', [("s/1", PLAIN)], 1),
    "where is false": ('- {alert: A, topic: "s/{x}", where: t > 3, when: t > 5}', [("s/1", PLAIN)], 1),
    "where demands": ('- {alert: A, topic: "s/{x}", where: kind == "a", when: t > 5}', [("s/1", PLAIN)], 1),
    "where has no value": ('- {alert: A, topic: "s/{x}", where: q > 3, when: t > 5}', [("s/1", PLAIN)], 1),
    "each of a list": (
        '- {alert: A, topic: "s/{x}", each: payload.v, by: {x: x, id: id}, when: v > 5}',
        [("s/1", LIST)],
        100,
    ),
    "each of a map": (
        '- {alert: A, topic: "s/{x}", each: payload.v, by: {x: x, id: event.key}, when: value > 5}',
        [("s/1", MAP)],
        100,
    ),
    "two plain rules": (
        '- {alert: A, topic: "s/{x}/t", when: value > 5}\n- {alert: B, topic: "s/{x}/u", when: value > 5}',
        [("s/1/t", 1), ("s/1/u", 1)],
        1,
    ),
    "a map of topics": (
        '- {alert: A, topic: {t: "s/{x}/t", u: "s/{x}/u"}, when: t > 5 && u > 5}',
        [("s/1/t", 1), ("s/1/u", 1)],
        1,
    ),
}


def cost(text, sent, parts, messages=20_000):
    """Return the microseconds of a message, or of an element of it."""
    engine = Engine(rules(text))
    engine.restore([], {}, 1000.0)
    many = max(1, messages // parts // 100)
    batch = [event(topic, payload, 1000.0) for topic, payload in sent * (100 // len(sent))]
    took = []
    for _ in range(5):
        begun = time.process_time()
        for _ in range(many):
            engine.process(batch, 1000.0)
        took.append(time.process_time() - begun)
    return min(took) / many / len(batch) / parts * 1e6


def main():
    print("microseconds a message, or an element of it")
    for name, load in LOADS.items():
        print(f"{name:20} {cost(*load):6.2f}", flush=True)


if __name__ == "__main__":
    main()
