"""`python -m tests.bench.alerts`: what the alert book costs, for each transition, reminder and look at the clock.

The book alone, with transitions that the engine has made already: no broker, no store. Figures are CPU, the best of
several runs; quote ratios of one run, absolute times vary with the machine and its load.
"""

import gc
from time import process_time

from hub.alerts.book import Book
from hub.rules.running.engine import Engine
from hub.store.keeper import take_all
from tests.rules.making import event, rules

ALERTS = 10_000
RULES = {
    "alone": '- {alert: A, topic: "t/{site}/{device}", when: v > 5, notify: [chat], summary: "{device} is {v}"}',
    "with repeat": '- {alert: A, topic: "t/{site}/{device}", when: v > 5, notify: [chat], repeat: 1h, '
    "escalate: [{after: 2h, to: [mail]}]}",
    "in 100 groups": '- {alert: A, topic: "t/{site}/{device}", when: v > 5, notify: [chat], group_by: [site]}',
    "held back": '- {alert: C, topic: "s/{site}", when: v > 5, notify: [chat]}\n'
    '- {alert: A, topic: "t/{site}/{device}", when: v > 5, notify: [chat], unless: C}',
}
HUB = {"client_id": "hub", "version": "1"}


class Stand:
    """An engine and a book; counts only what the book takes."""

    def __init__(self, text):
        found = rules(text)
        self.engine, self.book = Engine(found), Book("hub", HUB, lambda *_: None)
        self.book.follow({rule.name: rule for rule in found}, frozenset())
        self.now = 1e9

    def send(self, topics, value):
        """Return the seconds that the book takes for what these topics' messages cause."""
        self.engine.process([event(topic, {"v": value}, self.now) for topic in topics], self.now)
        transitions = self.engine.take_transitions()
        begun = process_time()
        self.book.apply(transitions, self.now)
        return self.take(begun)

    def wait(self, seconds):
        """Return the seconds that the book takes for what the clock has made due."""
        self.now += seconds
        begun = process_time()
        self.book.tick(self.now)
        return self.take(begun)

    def take(self, begun):
        """Take what a commit takes of the book; return the seconds of CPU since `begun`."""
        take_all(self.book.keepers)
        self.book.take_notifications()
        self.book.take_changed()
        return process_time() - begun


def measure(text):
    """Return microseconds: an alert that fires, a group's or a reminder's tick, an alert that ends."""
    stand = Stand(text)
    topics = [f"t/{n % 100}/{n}" for n in range(ALERTS)]
    stand.send([f"s/{n}" for n in range(100)], 9)
    gc.collect()
    fires = stand.send(topics, 9)
    waits = stand.wait(10.0)
    repeats = stand.wait(3600.0)
    ends = stand.send(topics, 1)
    told = stand.wait(10.0)
    return [spent / ALERTS * 1e6 for spent in (fires, waits, repeats, ends, told)]


def idle(text):
    """Return the microseconds of a look at the clock that nothing is due at, while ALERTS fire."""
    stand = Stand(text)
    stand.send([f"t/{n % 100}/{n}" for n in range(ALERTS)], 9)
    stand.wait(10.0)
    begun = process_time()
    for _ in range(1000):
        stand.book.tick(stand.now)
    return (process_time() - begun) * 1e3


def main():
    print(f"the book, µs an alert, {ALERTS} alerts   fires  10 s later  1 h later   ends  10 s later   idle tick")
    for name, text in RULES.items():
        runs = [measure(text) for _ in range(5)]
        best = [min(column) for column in zip(*runs, strict=True)]
        print(f"  {name:<34}" + "".join(f"{each:11.1f}" for each in best) + f"{idle(text):12.1f}")


if __name__ == "__main__":
    main()
