"""A world with one device that says 9 (too hot) or 1, for tests of who is told what."""

from hub.alerts.matchers import parse_matchers
from hub.alerts.suppression.silences import Silence
from hub.documents.document import Problems, parse_document
from hub.notify.receiver_settings import read_receivers
from hub.rules.reading.loader import RuleSet
from hub.rules.reading.rule_reader import NO_DEFAULTS, read_rule
from hub.rules.reading.rule_values import KnownNames
from hub.trial.world import World
from tests.rules.making import event

RECEIVERS = "{chat: json://localhost/a, mail: json://localhost/b, boss: json://localhost/c}"
HOT = '- {alert: Hot, topic: "t/{device}", when: v > 5, notify: [chat], summary: "{device} is {v}"'


def rule_set(text):
    problems = Problems()
    receivers = read_receivers(parse_document(RECEIVERS, "x", problems), problems)
    found = [
        read_rule(item, problems, NO_DEFAULTS, KnownNames(receivers))
        for item in parse_document(text, "r", problems).value
    ]
    assert not problems, problems
    return RuleSet({rule.name: rule for rule in found}, receivers)


class Flapper:
    """A world in which a device says 9 (too hot) or 1."""

    def __init__(self, text=HOT + "}"):
        self.world = World(rule_set(text), None, 1000.0)

    def send(self, value, topic="t/1"):
        self.world.send([event(topic, {"v": value}, self.world.now)])
        self.world.collect()

    def wait(self, seconds):
        self.world.pass_time(self.world.now + seconds)

    def flap(self, times, period=0.2):
        for _ in range(times):
            self.send(9)
            self.wait(period / 2)
            self.send(1)
            self.wait(period / 2)

    def told(self):
        """Return what was told since the last call: receiver and step."""
        told, self.world.told = self.world.told, []
        return [(each.receiver, each.id.split("-", 1)[1], each.body.get("flapping")) for each in told]

    @property
    def alert(self):
        (alert,) = [each for each in self.world.core.book.alerts.values() if each.alertname == "Hot"]
        return alert


class Site(Flapper):
    """A world whose devices stand at sites; what is told of them is looked at message by message."""

    def __init__(self, text):
        super().__init__(text)
        self.begun = self.world.now

    def send(self, value, topic="t/a/1", **more):
        self.world.send([event(topic, {"v": value} | more, self.world.now)])
        self.world.collect()

    def reload(self, text):
        self.world.rules = rule_set(text)
        self.world.reload()
        self.wait(0)

    def silence(self, matchers, seconds):
        now = self.world.now
        self.world.core.book.silence(Silence("", tuple(parse_matchers(matchers)), now, now + seconds, "ann", "", now))
        self.world.collect()

    def set_clock(self, seconds):
        """Set the wall clock by so much; what was heard goes by what has passed."""
        self.world.now += seconds
        self.begun += seconds
        self.world.core.shift(seconds, self.world.now)
        self.world.collect()

    def acknowledge(self, matchers):
        for fingerprint, _ in self.world.core.book.find(parse_matchers(matchers)):
            self.world.core.book.acknowledge(fingerprint, "ann", "", None, self.world.now)
        self.world.collect()

    def unacknowledge(self, matchers):
        for fingerprint, _ in self.world.core.book.find(parse_matchers(matchers)):
            self.world.core.book.unacknowledge(fingerprint, "ann", self.world.now)
        self.world.collect()

    def heard(self):
        """Return what was told since the last call, as `at receiver: alert state, …`."""
        told, self.world.told = self.world.told, []
        return [f"{note.created - self.begun:.0f} {note.receiver}: {_shown(note.body)}" for note in told]


def _shown(body):
    each = body.get("alerts", [body])
    return ", ".join(f"{one['labels'].get('device', body['alertname'])} {one['state']}" for one in each)
