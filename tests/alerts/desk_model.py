"""The desk as docs/rules.md and docs/desk.md have it, second by second: who is told what and when, exactly.

It knows nothing of ticks, agendas, rows and conversations; it looks at everything once a second and says what is due.
What flaps is left out (test_flapping has it), and so are groups (test_telling_model). All times are whole seconds.
"""

from dataclasses import dataclass, field
from math import inf

FLAPS, LINGERS = 60, 10


@dataclass
class Limit:
    """At most `count` within `seconds`."""

    count: int
    seconds: int
    sent: list = field(default_factory=list)

    def has_room(self, now):
        return len([at for at in self.sent if at + self.seconds > now]) < self.count


@dataclass
class Watched:
    """One alert; `ran` are the seconds for which somebody was told, and nobody cared."""

    rule: str
    labels: dict
    hold: int
    notify: list
    repeats: list
    steps: list
    limit: Limit | None = None
    word: str = "inactive"
    began: int = 0
    fired: float = -inf
    ended: float = -inf
    episode: int = 0
    muted: bool = False
    ack: float | None = None
    told: list = field(default_factory=list)
    called: list = field(default_factory=list)
    tellings: int = 0
    last: int = 0
    ran: int = 0
    taken: int = 0


def hot(site, device):
    labels = {"alertname": "Hot", "severity": "warning", "site": site, "device": device}
    return Watched("Hot", labels, 20, ["chat"], [60, 300], [(240, ["boss"])])


def off(site):
    labels = {"alertname": "Off", "severity": "warning", "site": site}
    return Watched("Off", labels, 0, ["chat", "mail"], [], [], Limit(3, 600))


def seen(site):
    return {"alertname": "Seen", "severity": "warning", "site": site}


class DeskModel:
    """All alerts of two sites, and the events of each."""

    def __init__(self, now):
        self.now, self.said = int(now), []
        self.alerts = {f"t/{site}/{device}": hot(site, device) for site, device in ("a1", "a2", "b1")}
        self.alerts |= {f"s/{site}": off(site) for site in "ab"}
        self.events = {f"s/{site}": (Limit(2, 300), []) for site in "ab"}
        self.silences = []

    # what happens

    def may_hear(self, topic, value):
        """Tell whether a message makes nothing flap: nothing fires within a minute of when it fired last."""
        it = self.alerts[topic]
        return value <= 5 or it.word != "inactive" or self.now + it.hold - it.fired >= FLAPS

    def hears(self, topic, value, *, service):
        it = self.alerts[topic]
        it.muted = service and it.rule == "Hot"
        if value > 5 and it.word == "inactive":
            it.word, it.began = "pending", self.now
        elif value <= 5 and it.word == "pending":
            it.word = "inactive"
        elif value <= 5 and it.word == "firing":
            it.word, it.ended = "inactive", self.now
            self._say(it, "resolved", it.told)
        if value > 5 and it.rule == "Off":
            self._event(topic)
        self.look()

    def _event(self, topic):
        limit, waits = self.events[topic]
        if self._silenced(seen(topic[2:])):
            return
        if limit.has_room(self.now):
            self._seen(topic, len(waits))
            return
        waits.append(self.now)

    def _seen(self, topic, held):
        limit, waits = self.events[topic]
        limit.sent.append(self.now)
        waits.clear()
        self.said.append((self.now, "Seen", topic[2:], "", f"event, {held} held back", "mail"))

    def acknowledge(self, matches, until):
        """Somebody cares about what fires, until then; nobody any more where that is None."""
        for it in self.alerts.values():
            if it.word == "firing" and matches(it.labels):
                it.ack = until
        self.look()

    def silence(self, matches, until):
        self.silences.append((matches, until))
        self.look()

    def unsilence(self):
        self.silences.clear()
        self.look()

    def pass_to(self, now):
        while self.now < now:
            for it in self.alerts.values():
                it.ran += it.word == "firing" and it.tellings > 0 and not self._cared(it) and not self._held(it)
            self.now += 1
            self.look()

    # what is told

    def look(self):
        for it in self.alerts.values():
            if it.word == "pending" and self.now >= it.began + it.hold:
                self._fires(it)
        for topic, (limit, waits) in self.events.items():
            if waits and limit.has_room(self.now):
                if self._silenced(seen(topic[2:])):
                    waits.clear()  # what waited for room is told by what holds now
                else:
                    self._seen(topic, len(waits) - 1)
        for it in self.alerts.values():
            if it.word == "firing" and not self._held(it):
                self._tell(it)

    def _fires(self, it):
        it.word, it.fired, it.episode = "firing", self.now, it.episode + 1
        it.ack, it.told, it.called = None, [], []
        it.tellings = it.ran = it.taken = 0

    def _silenced(self, labels):
        return any(self.now < until and matches(labels) for matches, until in self.silences)

    def _held(self, it):
        cause = self.alerts[f"s/{it.labels['site']}"]
        explained = it.rule == "Hot" and (cause.word == "firing" or self.now < cause.ended + LINGERS)
        return it.muted or explained or self._silenced(it.labels)

    def _cared(self, it):
        return it.ack is not None and self.now < it.ack

    def _tell(self, it):
        if not it.tellings:
            if it.limit is None or it.limit.has_room(self.now):
                self._count(it, "firing", it.notify)
            return
        if self._cared(it):
            return
        if it.repeats and self.now >= it.last + it.repeats[min(it.tellings, len(it.repeats)) - 1]:
            self._count(it, f"repeat {it.tellings}", it.notify + it.called)
        for number, (after, to) in enumerate(it.steps):
            if number >= it.taken and it.ran >= after:
                it.taken, it.called = number + 1, it.called + to
                self._say(it, f"step {number + 1}", to)

    def _count(self, it, what, to):
        it.tellings, it.last = it.tellings + 1, self.now
        if it.limit is not None:
            it.limit.sent.append(self.now)
        self._say(it, what, to)

    def _say(self, it, what, to):
        it.told += [name for name in to if name not in it.told and what != "resolved"]
        where = it.labels["site"] + it.labels.get("device", "")
        self.said += [(self.now, it.rule, where, str(it.episode), what, name) for name in to]
