"""`python -m tests.bench.rules`: what the rule engine costs, and what loading many rules does.

The engine alone, with events that are decoded already: no broker, no store. Figures are the best of several short runs;
quote ratios of one run, absolute times vary with the machine and its load.
"""

import gc
import tempfile
import time
import timeit
from pathlib import Path

from hub.documents.document import Problems
from hub.rules.reading.loader import load_rules
from hub.rules.running.engine import Engine
from hub.store.changes import Changes
from hub.store.sqlite.database import Database
from tests.rules.making import event, rules

EVENTS = 500
FUNCTIONS = (
    "avg(t, 10m)",
    "min(t, 10m)",
    "max(t, 10m)",
    "sum(t, 10m)",
    "rate(t, 10m)",
    "delta(t, 10m)",
    "changes(t, 10m)",
    "count(t, 10m)",
    "distinct(t, 10m)",
    "stddev(t, 10m)",
    "percentile(t, 95, 10m)",
    "last(t)",
    "mean(t, 10m)",
    "slope(t, 10m)",
    "ewma(t, 10m)",
    "predict(t, 10m, 1h)",
    "baseline(t, 4w)",
    "cusum(t, 10m)",
    "held(t > 25.0, 10m)",
)
_LEAST = {"held(t > 25.0, 10m)": "0s"}


def readings(count, device="d7"):
    """Return events of one device, a second apart; the time is set where they are used."""
    return [event(f"d/{device}", {"t": 20 + (n * 7919 % 1000) / 137, "b": 50, "device": device}) for n in range(count)]


def cost(engine, events, runs=60):
    """Return the microseconds that an event costs, at one a second, commits taken but not counted."""
    best, now = 1e9, 1e9
    for _ in range(runs):
        for each in events:
            each.time = now = now + 1.0
        begun = timeit.default_timer()
        engine.process(events, now)
        best = min(best, timeit.default_timer() - begun)
        engine.take_transitions()
        engine.take_changes()
        engine.take_samples()
    return best / len(events) * 1e6


def of(text):
    return cost(Engine(rules(text)), readings(EVENTS))


def on_one_topic():
    """Return the cost for 1, 10 and 100 rules that all hear of each event."""
    return {
        count: of("".join(f'- {{alert: A{n}, topic: "d/{{x}}", when: t > 30.0 && b < {n}}}\n' for n in range(count)))
        for count in (1, 10, 100)
    }


def history():
    """Return the cost of one rule for each history function."""
    found = {"t": of('- {alert: A, topic: "d/{x}", when: t > 99.0}')}
    return found | {
        name: of(f'- {{alert: A, topic: "d/{{x}}", when: "{name} < {_LEAST.get(name, "-99.0")}"}}')
        for name in FUNCTIONS
    }


def moving(every, instances=500, seconds=3600):
    """Return what a message costs in a window of 10 minutes, with all that the clock makes due: one each so many s."""
    times = []
    for when in ("t > 99.0", "avg(t, 10m) > 99.0"):
        engine, now, spent, sent = Engine(rules(f'- {{alert: A, topic: "d/{{x}}", when: "{when}"}}')), 1e9, 0.0, 0
        for second in range(seconds):
            now += 1.0
            batch = [event(f"d/{n}", {"t": 21.37}, now) for n in range(second % every, instances, every)]
            begun = time.process_time()
            engine.tick(now)
            engine.process(batch, now)
            spent, sent = spent + time.process_time() - begun, sent + len(batch)
            engine.take_changes()
            engine.take_samples()
        times.append(spent / sent * 1e6)
    return times


def checkpoints(instances=5000, seconds=60):
    """Return what a commit costs when so many instances had a sample since the last: ms to make, ms, bytes each."""
    engine, now, spent, last = Engine(rules('- {alert: A, topic: "d/{x}", when: "avg(t, 10m) > 99.0"}')), 1e9, 0.0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder) / "hub.db")
        wal = Path(folder) / "hub.db-wal"
        database.connection.execute("PRAGMA wal_autocheckpoint = 0")
        for _ in range(seconds):
            now += 1.0
            engine.process([event(f"d/{n}", {"t": 21.37}, now) for n in range(instances)], now)
            begun = timeit.default_timer()
            changes = Changes(instances=engine.take_changes(), samples=engine.take_samples())
            made = timeit.default_timer()
            database.apply([changes])
            spent, last = spent + timeit.default_timer() - made, last + made - begun
        written = wal.stat().st_size / seconds
        database.close()
    return last / seconds * 1e3, spent / seconds * 1e3, written / instances


def many(count=8000):
    """Compare one rule with so many on one filter; the device once as a capture, once as a field of the payload."""
    for where, topic, name in (("capture", "d/{device}", "device"), ("field", "d/+", "payload.device")):
        text = "".join(
            f'  - alert: "A{n}"\n    topic: {topic}\n    by: device\n    when: {name} == "d{n}" && t > {n / 7 + 30}\n'
            for n in range(count)
        )
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "rules.yaml"
            path.write_text(f"rules:\n{text}")
            problems = Problems()
            begun = timeit.default_timer()
            found = load_rules([path], problems, lambda *_: {}, "hub").rules
            loaded = timeit.default_timer()
            assert not problems
            assert len(found) == count
            engine = Engine(found.values())
            made = timeit.default_timer()
            one = Engine([found["A7"]])
            costs = cost(one, readings(EVENTS)), cost(engine, readings(EVENTS))
        print(
            f"{count} rules, device as {where}: loaded in {loaded - begun:.2f} s, engine made in {made - loaded:.2f} s;"
        )
        print(f"  an event costs {costs[1]:.2f} µs, with one rule {costs[0]:.2f} µs: {costs[1] / costs[0]:.2f} x")


def main():
    gc.disable()
    print("µs an event, by rules that all hear of it:")
    for count, each in on_one_topic().items():
        print(f"  {count:3} rules {each:8.2f}   {each / count:.3f} a rule")
    print("µs an event of a rule that looks back, 600 samples in the window:")
    for name, each in history().items():
        print(f"  {name:24} {each:7.2f}")
    print("µs a message of 500 instances, with what the clock judges: without a window, avg(t, 10m):")
    for every in (5, 15, 60):
        print("  one each {:3} s {:8.2f} {:8.2f}".format(every, *moving(every)))
    print(
        "a commit behind one sample of 5,000 instances: {:.0f} ms, {:.0f} ms in the store, {:.0f} bytes each".format(
            *checkpoints()
        )
    )
    gc.enable()
    many()


if __name__ == "__main__":
    main()
