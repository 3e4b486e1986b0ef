"""Rules and events for tests, from the texts that users and devices write."""

from textwrap import dedent

import orjson

from hub.documents.document import Problems, parse_document
from hub.ingest.decode import Undecodable, decode
from hub.rules.reading.rule_reader import NO_DEFAULTS, read_rule
from hub.rules.reading.rule_values import KnownNames
from hub.rules.running.engine import Engine
from hub.schedules import read_schedules
from hub.store.changes import Snapshot
from hub.store.keeper import restore_all, take_all


class Packet:
    """A delivery as a session hands it over."""

    def __init__(self, topic, payload=b"{}", packet_id=None, *, duplicate=False, retain=False, ids=()):
        self.topic = topic
        self.payload = payload if isinstance(payload, bytes) else orjson.dumps(payload)
        self.packet_id, self.qos = packet_id, int(packet_id is not None)
        self.duplicate, self.retain, self.subscription_ids = duplicate, retain, list(ids)
        self.time = self.content_type = None

    def __repr__(self):
        return f"Packet({self.topic!r}, {self.payload!r}, {self.packet_id}, {self.duplicate})"


def event(topic, payload=None, now=1000.0, *, retain=False):
    """Return what decode makes of a payload; a mapping is its own fields."""
    return decode(Packet(topic, {} if payload is None else payload, 1, retain=retain), now)


def schedules(text, problems):
    """Read schedules by name, as they stand in a rule file."""
    node = parse_document(dedent(text), "schedules.yaml", problems) if text else None
    return read_schedules([(node, None)], problems) if node else {}


def rules(text, receivers=("chat", "mail"), named=""):
    """Read a list of rules, which may name the schedules `named`; a problem is a failed test."""
    problems = Problems()
    known = KnownNames(receivers, schedules(named, problems))
    node = parse_document(dedent(text), "rules.yaml", problems)
    found = [read_rule(item, problems, NO_DEFAULTS, known) for item in node.value] if node else []
    assert not problems, "\n".join(map(str, problems))
    return found


def rule(text):
    """Read one rule."""
    (found,) = rules(text)
    return found


class Drive:
    """An engine under a clock of its own: every deadline that has passed is heard before an event."""

    def __init__(self, text, registry=None, start=1000.0, named=""):
        self.errors = []
        self.rules, self.now = rules(text, named=named), start
        self.engine = Engine(self.rules, registry, lambda *error: self.errors.append(error))
        self.engine.restore([], {}, start)

    def send(self, topic, payload=None, *, after=0.0, retain=False):
        """Let time pass, then an event come; return what happened as (rule, instance values, phase, reason)."""
        seen = self.wait(after)
        self.take(event(topic, payload, self.now, retain=retain))
        return seen + self.said()

    def take(self, found):
        """Let what decode has made of a message come."""
        if isinstance(found, Undecodable):
            self.engine.hear([found], self.now)
        else:
            self.engine.process([found], self.now)

    def wait(self, seconds):
        """Let time pass, deadline by deadline."""
        until, seen = self.now + seconds, []
        while (due := self.engine.next_due()) is not None and due <= until:
            self.now = max(self.now, due)
            self.engine.tick(self.now)
            seen += self.said()
        self.now = until
        return seen

    def said(self):
        return [
            (t.rule.name, "/".join(value for _, value in t.instance), t.phase.value, t.reason.value)
            for t in self.engine.take_transitions()
        ]


def desk_of(engine):
    """Take what an engine keeps beside its instances: kind, key, text."""
    return take_all(engine.beside.keepers).desk


def restore_desk(engine, rows):
    """Bring in what `desk_of` gave."""
    restore_all(engine.beside.keepers, Snapshot(desk=list(rows)))
