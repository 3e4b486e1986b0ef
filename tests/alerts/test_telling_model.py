"""Who is told what, when, and who of the end, whatever devices, people, reloads, restarts and the clock do.

Two hubs live the same story, one of them without its restarts: they must tell the same. The model of telling_model.py
hears every message as a receiver does.
"""

from itertools import groupby, zip_longest

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from hub.alerts.alert import alert_fingerprint
from hub.alerts.matchers import parse_matchers
from hub.alerts.suppression.silences import Silence
from hub.model import Phase
from hub.trial.world import World
from tests.alerts.telling_model import Model, instance_of
from tests.alerts.telling_rules import CAPTURES, FIRST, KEYS, in_force, load, receivers_there
from tests.rules.making import event

START = 1000.0
WAITS = [0.0, 1.0, 5.0, 10.0, 10.0, 59.0, 60.0, 61.0, 120.0, 299.0, 300.0, 301.0, 600.0, 3600.0]
TOPICS = ["t/a/1", "t/a/1", "t/a/2", "t/b/1", "s/a", "s/b"]
MATCHERS = [{"site": "a"}, {"device": "1"}, {"alertname": "Hot"}, {"severity": "warning"}, {"team": "a"}, {}]
LONG = 4 * 3600.0


class Story:
    """Two hubs and the model, and what happens to all of them."""

    def __init__(self, keys=None, gone=(), *, backwards=False):
        self.keys, self.gone, self.backwards = keys or FIRST, frozenset(gone), backwards
        rules = self._rules()
        self.restarted, self.steady = World(rules, None, START), World(rules, None, START)
        self.worlds = (self.restarted, self.steady)
        self.model = Model(in_force(self.keys, self.gone), receivers_there(self.gone))
        self.model.now = START
        self.settle()

    def _rules(self):
        return load(in_force(self.keys, self.gone), self.gone, backwards=self.backwards)

    @property
    def now(self):
        return self.model.now

    # deeds

    def send(self, topic, value, *, service=False):
        for world in self.worlds:
            world.send([event(topic, {"v": value, "service": service}, world.now)])
            world.collect()
        names = ["Off"] if topic.startswith("s") else ["Hot", "Warm", "Many"]
        for name in names:
            if self.model.written[name].there:
                instance = instance_of(name, topic)
                number, _ = self._alert(name, instance)
                self.model.hears(name, instance, value, service=service, now=self.now, episode=number)
        for (name, instance), alert in self.model.alerts.items():
            _, fires = self._alert(name, instance)
            assert fires is alert.firing, f"{name} {instance} fires: {fires}"
        self.settle()

    def _alert(self, name, instance):
        found = self.steady.core.book.alerts.get(alert_fingerprint(name, instance))
        return (0, False) if found is None else (found.episode, found.state is Phase.FIRING)

    def acknowledge(self, matchers, seconds=None):
        until = None if seconds is None else self.now + seconds
        for world in self.worlds:
            book = world.core.book
            for fingerprint, alert in book.find(parse_matchers(_text(matchers))):
                if book.acknowledge(fingerprint, "ann", "", until, world.now) is not None:
                    found = self.model.alerts[alert.alertname, alert.instance]
                    self.model.acknowledged(found, float("inf") if until is None else until)
            world.collect()
        self.settle()

    def unacknowledge(self, matchers):
        for world in self.worlds:
            book = world.core.book
            for fingerprint, alert in book.find(parse_matchers(_text(matchers))):
                if book.unacknowledge(fingerprint, "ann", world.now) is not None:
                    self.model.acknowledged(self.model.alerts[alert.alertname, alert.instance], None)
            world.collect()
        self.settle()

    def silence(self, matchers, seconds, after=0.0):
        start, end = self.now + after, self.now + after + seconds
        for world in self.worlds:
            world.core.book.silence(
                Silence("", tuple(parse_matchers(_text(matchers))), start, end, "ann", "", world.now)
            )
            world.collect()
        self.model.silences.append((matchers, start, end))
        self.settle()

    def unsilence(self):
        for world in self.worlds:
            for identity in sorted(world.core.book.silences):  # a restart reads them in another order
                world.core.book.unsilence(identity, "ann", world.now)
            world.collect()
        self.model.silences = []
        self.settle()

    def reload(self, name=None, key=None, value=None, *, gone=None, backwards=None):
        if name is not None:
            self.keys = self.keys | {name: self.keys[name] | {key: value}}
        self.gone = self.gone if gone is None else frozenset(gone)
        self.backwards = self.backwards if backwards is None else backwards
        self.model.rules_are(in_force(self.keys, self.gone), receivers_there(self.gone), self.now)
        for world in self.worlds:
            world.rules = self._rules()
            world.reload()
        self.settle()

    def restart(self):
        self.restarted.restart()
        self.settle()

    def wait(self, seconds):
        until = self.now + seconds
        while (at := next((at for at in self.model.boundaries() if at < until), None)) is not None:
            self._pass(at)
        self._pass(until)

    # what comes of it

    def settle(self):
        """Do what is due at this very moment."""
        self._pass(self.now)

    def _pass(self, at):
        for world in self.worlds:
            world.pass_time(at)
        told = [self._told(world) for world in self.worlds]
        self._same(*told)
        self.model.hear(told[0])
        self.model.pass_to(at)
        self.model.settle()
        self.model.check()

    def _told(self, world):
        """Return what was told since the last call, each message once, as (id, receivers, body, time)."""
        notes, world.told = world.told, []
        found = []
        for identity, same in groupby(notes, key=lambda note: note.id):
            each = list(same)
            body = {name: value for name, value in each[0].body.items() if name != "first"}
            assert all({**note.body, "first": 0} == {**body, "first": 0} for note in each)
            found.append((identity, [note.receiver for note in each], body, each[0].created))
        return found

    def _same(self, with_restarts, without):
        in_order = [sorted(told, key=lambda each: (each[3], each[0])) for told in (with_restarts, without)]
        apart = next((each for each in zip_longest(*in_order) if each[0] != each[1]), None)
        assert apart is None, f"a restart has changed what is told: {apart[0]} in the place of {apart[1]}"

    def end(self):
        """Let enough time pass for all that is due."""
        self.wait(LONG)
        self.restart()
        self.wait(LONG)


def _text(matchers):
    return ", ".join(f"{name}={value}" for name, value in matchers.items()) or "alertname=~.*"


CHANGE = st.sampled_from(sorted(KEYS)).flatmap(lambda key: st.tuples(st.just(key), st.sampled_from(KEYS[key])))
NAME = st.sampled_from(sorted(CAPTURES))
BEGIN = st.lists(st.tuples(NAME, CHANGE), max_size=8)


class Telling(RuleBasedStateMachine):
    """A story of any kind; what goes wrong in it is said by the model."""

    @initialize(begin=BEGIN, backwards=st.booleans())
    def begin(self, begin, backwards):
        keys = dict(FIRST)
        for name, (key, value) in begin:
            keys[name] = keys[name] | {key: value}
        self.story = Story(keys, backwards=backwards)

    @rule(
        topic=st.sampled_from(TOPICS),
        value=st.sampled_from([9, 9, 7, 1]),
        service=st.sampled_from([False, False, True]),
    )
    def send(self, topic, value, service):
        self.story.send(topic, value, service=service)

    @rule(topic=st.sampled_from(TOPICS), value=st.sampled_from([9, 7, 1]))
    def send_more(self, topic, value):
        self.story.send(topic, value)

    @rule(seconds=st.sampled_from(WAITS))
    def wait(self, seconds):
        self.story.wait(seconds)

    @rule(seconds=st.sampled_from(WAITS))
    def wait_more(self, seconds):
        self.story.wait(seconds)

    @rule(matchers=st.sampled_from(MATCHERS), seconds=st.sampled_from([None, None, 90.0, 400.0]))
    def acknowledge(self, matchers, seconds):
        self.story.acknowledge(matchers, seconds)

    @rule(matchers=st.sampled_from(MATCHERS))
    def unacknowledge(self, matchers):
        self.story.unacknowledge(matchers)

    @rule(
        matchers=st.sampled_from(MATCHERS),
        seconds=st.sampled_from([30.0, 400.0, 7200.0]),
        after=st.sampled_from([0.0, 0.0, 5.0]),
    )
    def silence(self, matchers, seconds, after):
        self.story.silence(matchers, seconds, after)

    @rule()
    def unsilence(self):
        self.story.unsilence()

    @rule()
    def restart(self):
        self.story.restart()

    @rule(name=NAME, change=CHANGE)
    def reload(self, name, change):
        self.story.reload(name, *change)

    @rule(gone=st.sets(st.sampled_from(["chat", "mail", "boss"])), backwards=st.booleans())
    def reload_receivers(self, gone, backwards):
        self.story.reload(gone=gone, backwards=backwards)

    def teardown(self):
        if hasattr(self, "story"):
            self.story.end()


def test_who_is_told_what_and_when_and_of_the_end_whatever_happens(long):
    examples, steps = (10_000, 40) if long else (250, 25)
    kept = settings(
        max_examples=examples,
        stateful_step_count=steps,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    run_state_machine_as_test(Telling, settings=kept)
