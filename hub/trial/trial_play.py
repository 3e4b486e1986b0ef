"""Plays a Case in a World of its own and says which expectations did not come true, with what was there instead."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from typing import Any

import orjson

from hub.alerts.alert import Alert
from hub.alerts.suppression.silences import Silence
from hub.devices.known.settings import FiledDevices
from hub.errors import ConfigError, RequestError
from hub.ingest.decode import Undecodable, decode
from hub.limits import SILENCE_SECONDS
from hub.model import Delivery, Notification, Phase
from hub.rules.reading.loader import RuleSet
from hub.store.changes import TraceRow
from hub.trial.case import Case, Deed, Expectation, TrialMessage
from hub.trial.heard_lines import Heard
from hub.trial.reasons import reasons
from hub.trial.world import World

__all__ = ["Failure", "play"]


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that did not come true.

    `story` is the trace of the alerts that are meant, in order; `reasons` say why no more came than it shows.
    """

    case: Case
    expectation: Expectation
    expected: str
    got: str
    story: Sequence[TraceRow]
    reasons: Sequence[str] = ()


def play(case: Case, rules: RuleSet, registry: FiledDevices | None) -> list[Failure]:
    """Play a test to its end. At one moment messages come first, then deeds, then what is due, then expectations."""
    return _Play(case, rules, registry).run()


class _Play:
    def __init__(self, case: Case, rules: RuleSet, registry: FiledDevices | None) -> None:
        self.case = case
        self.world = World(rules, registry, case.start, case.zone)
        self.looked: dict[tuple[str, tuple[tuple[str, str], ...]], tuple[int, int]] = {}
        self.failures: list[Failure] = []
        self.heard = Heard()

    def run(self) -> list[Failure]:
        messages = merge(*[_times(each) for each in self.case.messages], key=lambda entry: entry[0])
        deeds = ((deed.at, 1, deed) for deed in sorted(self.case.deeds, key=lambda each: each.at))
        looks = ((each.at, 2, each) for each in sorted(self.case.expectations, key=lambda each: each.at))
        everything: Iterator[tuple[float, int, Any]] = merge(messages, deeds, looks, key=lambda entry: entry[:2])
        for at, order, what in everything:
            now = self.case.start + at
            self.world.pass_time(now, before=order < 2)
            if isinstance(what, Deed):
                self.do(what, now)
            elif isinstance(what, Expectation):
                self.look(what)
            else:
                self.send(what, now)
        return self.failures

    def send(self, sent: Delivery, now: float) -> None:
        """Send a message as a broker would hand it over; one that cannot be read is still a sign of life."""
        event = decode(sent, now, is_encoded=self.world.core.engine.is_encoded)
        unread = event if isinstance(event, Undecodable) else None
        self.heard.note(sent.topic, now, retain=sent.retain, unread=unread)
        if isinstance(event, Undecodable):
            self.world.send((), [event])
        else:
            self.world.send([event])

    # deeds

    def do(self, deed: Deed, now: float) -> None:
        world, book = self.world, self.world.core.book
        end = None if deed.lasting is None else now + deed.lasting
        if deed.kind == "restart":
            world.restart()
        elif deed.kind == "reload":
            world.reload()
        elif deed.kind == "set":
            self.put(deed, now)
        elif deed.kind == "silence":
            book.silence(Silence("", tuple(deed.matchers), now, end or now + SILENCE_SECONDS, deed.by, "", now))
        elif deed.kind == "unsilence":
            for each in list(book.silences.values()):
                if not deed.matchers or each.matchers == deed.matchers:
                    book.unsilence(each.id, deed.by, now)
        else:
            for fingerprint, _ in book.find(deed.matchers):
                if deed.kind == "ack":
                    book.acknowledge(fingerprint, deed.by, "", end, now)
                else:
                    book.unacknowledge(fingerprint, deed.by, now)
        world.collect()

    def put(self, deed: Deed, now: float) -> None:
        """Set attributes of a device; what a running hub would refuse is a mistake in the test."""
        try:
            self.world.core.set(deed.device, deed.attributes, deed.by, now)
        except RequestError as error:
            node = deed.node or self.case.node
            raise ConfigError([node.problem(str(error))]) from None

    # expectations

    def look(self, wanted: Expectation) -> None:
        place = wanted.rule, tuple(sorted(wanted.labels.items()))
        told_from, trace_from = self.looked.get(place, (0, 0))
        told = [each for each in self.world.told[told_from:] if self.concerns(wanted, each)]
        fingerprints = self.fingerprints(wanted)
        trace = [row for row in self.world.trace[trace_from:] if row[2] in fingerprints]
        for expected, got in self.compare(wanted, told, trace, fingerprints):
            story = [row for row in self.world.trace if row[2] in fingerprints]
            why = reasons(self.world, self.heard, self.case.start, wanted, briefly=bool(story))
            self.failures.append(Failure(self.case, wanted, expected, got, story, why))
        if wanted.notified is not None or wanted.not_notified is not None or wanted.times is not None:
            self.looked[place] = len(self.world.told), len(self.world.trace)

    def concerns(self, wanted: Expectation, told: Notification) -> bool:
        if told.body["alertname"] != wanted.rule:
            return False
        members = told.body.get("alerts")
        bodies = [told.body] if members is None else members
        return any(_has(wanted.labels, each["labels"]) for each in bodies)

    def fingerprints(self, wanted: Expectation) -> set[str]:
        """Return the fingerprints that are meant; those of events are only in the trace."""
        known = {
            row[2]
            for row in self.world.trace
            if row[3] == wanted.rule and row[1] == "transition" and _has(wanted.labels, orjson.loads(row[5])["labels"])
        }
        return known | {fingerprint for fingerprint, _ in self.alerts(wanted)}

    def alerts(self, wanted: Expectation) -> list[tuple[str, Alert]]:
        book = self.world.core.book
        return [
            (fingerprint, each)
            for fingerprint, each in book.alerts.items()
            if each.alertname == wanted.rule and (_has(wanted.labels, each.labels) or _has(wanted.labels, _own(each)))
        ]

    def compare(
        self, wanted: Expectation, told: Sequence[Notification], trace: Sequence[TraceRow], fingerprints: set[str]
    ) -> Iterator[tuple[str, str]]:
        """Yield what was expected and what was there instead."""
        yield from self.compare_states(wanted)
        yield from self.compare_texts(wanted, told)
        names = tuple(sorted({each.receiver for each in told}))
        if wanted.notified is not None and names != wanted.notified:
            yield (
                f"notified {_list(wanted.notified)}",
                f"notified {_list(names)}{self.why_not(wanted, trace, fingerprints)}",
            )
        if wanted.not_notified is not None:
            stage = self.stage(wanted, trace, fingerprints)
            if names:
                yield f"nobody notified ({wanted.not_notified})", f"notified {_list(names)}"
            elif stage != wanted.not_notified:
                yield f"nobody notified because of {wanted.not_notified}", f"nobody notified because of {stage}"

    def compare_states(self, wanted: Expectation) -> Iterator[tuple[str, str]]:
        alerts = [each for _, each in self.alerts(wanted)]
        if wanted.state is not None:
            states = {each.state.value for each in alerts} or {Phase.INACTIVE.value}
            agree = states == {wanted.state} if wanted.state == "inactive" else wanted.state in states
            if not agree:
                yield f"{wanted.rule} is {wanted.state}", f"{wanted.rule} is {' and '.join(sorted(states))}"
        acked = any(each.ack is not None for each in alerts)
        if wanted.acknowledged is not None and acked is not wanted.acknowledged:
            yield (_acked(wanted.acknowledged), _acked(acked))

    def compare_texts(self, wanted: Expectation, told: Sequence[Notification]) -> Iterator[tuple[str, str]]:
        ids = {each.id for each in told}
        if wanted.times is not None and len(ids) != wanted.times:
            yield f"notified {wanted.times} times", f"notified {len(ids)} times"
        summaries = list(dict.fromkeys(each.body["summary"] for each in told))
        if wanted.text is not None and not any(wanted.text in each for each in summaries):
            yield f"a text with {wanted.text!r}", f"the texts {summaries}" if summaries else "no text at all"

    def stage(self, wanted: Expectation, trace: Sequence[TraceRow], fingerprints: set[str]) -> str:
        """Return what kept everybody from being told: a pause, the last suppressor of the trace, else the condition."""
        if self.is_paused(wanted):
            return "pause"
        found = [str(orjson.loads(row[5])["stage"]) for row in trace if row[1] == "held"]
        alerts = self.world.core.book.alerts
        found += [
            alert.held.by
            for fingerprint in fingerprints
            if (alert := alerts.get(fingerprint)) is not None and alert.held is not None
        ]
        return found[-1] if found else "condition"

    def is_paused(self, wanted: Expectation) -> bool:
        engine = self.world.core.engine
        state = engine.states[wanted.rule]
        keys = [key for key in state.instances if _has(wanted.labels, dict(state.instances.labels(key)))] or [()]
        return any(engine.is_paused(wanted.rule, key, self.world.now) for key in keys)

    def why_not(self, wanted: Expectation, trace: Sequence[TraceRow], fingerprints: set[str]) -> str:
        stage = self.stage(wanted, trace, fingerprints)
        return f" (held back: {stage})" if stage != "condition" else ""


def _times(message: TrialMessage) -> Iterator[tuple[float, int, Delivery]]:
    raw = _bytes(message.payload)
    for number in range(message.count):
        at = message.at + number * message.every
        for topic in message.topics:
            yield at, 0, Delivery(topic, raw, retain=message.retain, content_type=message.content_type)


def _bytes(payload: Any) -> bytes:
    """Return what a device would send: bytes and text as they are, with half a surrogate pair too; else JSON."""
    if isinstance(payload, bytes):
        return payload
    if isinstance(payload, str):
        return payload.encode("utf-8", "surrogatepass")
    try:
        return orjson.dumps(payload)
    except TypeError:  # a number of more than 64 bits, or half a surrogate pair
        return json.dumps(payload, ensure_ascii=False, default=str).encode("utf-8", "surrogatepass")


def _has(labels: Mapping[str, str], of: Mapping[str, str]) -> bool:
    return all(of.get(name) == value for name, value in labels.items())


def _own(alert: Alert) -> Mapping[str, str]:
    return dict(alert.instance)


def _acked(is_so: bool) -> str:
    return "acknowledged" if is_so else "not acknowledged"


def _list(names: Sequence[str]) -> str:
    return ", ".join(names) or "nobody"
