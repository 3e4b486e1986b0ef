"""The desk under whatever people and devices do: it tells what a model of its documents says, whenever it restarts.

What the model leaves out (flapping, groups) is told the same with and without restarts, and what was promised of the
told holds.
"""

from collections import Counter
from math import inf

from hypothesis import example, given, settings
from hypothesis import strategies as st

from hub.alerts.matchers import parse_matchers
from hub.alerts.suppression.silences import Silence
from hub.model import Phase
from hub.rules.reading.loader import RuleSet
from hub.trial.world import World
from tests.alerts.desk_model import DeskModel
from tests.alerts.flapper import rule_set
from tests.rules.making import event

TEXT = """
- alert: Hot
  topic: t/{site}/{device}
  when: v > 5
  for: 20s
  mute: service
  unless: Off
  repeat: 1m, 5m until ack
  escalate: [{after: 4m, to: [boss]}]
  notify: [chat]
- alert: Off
  topic: s/{site}
  when: v > 5
  notify: [chat, mail]
  limit: 3/10m
- alert: Many
  topic: t/{site}/{device}
  when: v > 5
  clear_for: 30s
  group_by: [site]
  repeat: 10m
  notify: [mail]
- event: Seen
  topic: s/{site}
  when: v > 5
  limit: 2/5m
  notify: [mail]
"""


RULES = rule_set(TEXT)
EXACT = RuleSet({name: rule for name, rule in RULES.rules.items() if name != "Many"}, RULES.receivers)
WAIT = st.sampled_from([0.0, 1.0, 10.0, 20.0, 59.0, 60.0, 240.0, 299.0, 601.0, 1000.0])
TOPICS = st.sampled_from(["t/a/1", "t/a/2", "t/b/1", "s/a", "s/b"])
DEED = st.one_of(
    st.tuples(st.just("send"), TOPICS, st.sampled_from([9, 9, 1]), st.booleans()),
    st.tuples(st.just("ack"), st.sampled_from(["site=a", "device=1"]), st.none() | st.just(90.0)),
    st.tuples(st.just("unack"), st.sampled_from(["site=a", "device=1"])),
    st.tuples(
        st.just("silence"), st.sampled_from(["site=a", "alertname=Off", "site=~.*"]), st.sampled_from([30.0, 400.0])
    ),
    st.tuples(st.just("unsilence")),
)
STORY = st.lists(st.tuples(WAIT, DEED), min_size=1, max_size=25)
SHORT = st.sampled_from([0.0, 0.0, 1.0, 9.0, 10.0, 11.0, 20.0, 60.0, 61.0, 240.0])
SENT = st.tuples(
    st.just("send"), st.sampled_from(["t/a/1", "t/a/1", "t/b/1", "s/a", "s/a"]), st.sampled_from([9, 1]), st.booleans()
)
CROWDED = st.lists(st.tuples(SHORT, SENT | SENT | DEED), min_size=15, max_size=40)  # much happens to few


def do(world, deed):
    kind, *more = deed
    book = world.core.book
    if kind == "send":
        topic, value, service = more
        world.send([event(topic, {"v": value, "service": service}, world.now)])
    elif kind == "silence":
        book.silence(Silence("", tuple(parse_matchers(more[0])), world.now, world.now + more[1], "ann", "", world.now))
    elif kind == "unsilence":
        for each in list(book.silences.values()):
            book.unsilence(each.id, "ann", world.now)
    else:
        for fingerprint, _ in book.find(parse_matchers(more[0])):
            if kind == "ack":
                book.acknowledge(fingerprint, "ann", "", None if more[1] is None else world.now + more[1], world.now)
            else:
                book.unacknowledge(fingerprint, "ann", world.now)
    world.collect()


def fits(text):
    """Return the matcher as the model needs it: the two forms that stories have."""
    name, value = text.split("=")
    return (lambda labels: name in labels) if value == "~.*" else (lambda labels: labels.get(name) == value)


def model(story):
    """Play a story in the model alone; return what it says, and the story without what would flap."""
    it, left = DeskModel(1000), []
    for wait, deed in story:
        it.pass_to(it.now + int(wait))
        kind, *more = deed
        if kind == "send" and not it.may_hear(more[0], more[1]):
            left.append((wait, None))
            continue
        left.append((wait, deed))
        if kind == "send":
            it.hears(more[0], more[1], service=more[2])
        elif kind == "silence":
            it.silence(fits(more[0]), it.now + more[1])
        elif kind == "unsilence":
            it.unsilence()
        else:
            seconds = inf if kind == "ack" and more[1] is None else more[1] if kind == "ack" else None
            it.acknowledge(fits(more[0]), None if seconds is None else it.now + seconds)
    it.pass_to(it.now + 2000)
    return it.said, left


def heard(world):
    """Return what a world told, as the model says it."""
    found = []
    for each in world.told:
        body, (_, episode, *step) = each.body, each.id.split("-", 2)
        labels = body["labels"]
        if body["alertname"] == "Seen":
            episode, what = "", f"event, {body.get('held_back', 0)} held back"
        else:
            what = step[0].replace("repeat-", "repeat ").replace("escalate-", "step ")
        where = labels["site"] + labels.get("device", "")
        found.append((int(each.created), body["alertname"], where, episode, what, each.receiver))
    return found


@settings(max_examples=200)
@given(STORY | CROWDED, st.sets(st.integers(0, 39), max_size=5))
def test_what_is_told_when_and_to_whom_is_what_the_documents_say_whenever_it_restarts(story, restarts):
    said, left = model(story)
    assert sorted(heard(play(left, restarts, EXACT))) == sorted(said)


def play(story, restarts, rules=RULES):
    world = World(rules, None, 1000.0)
    for number, (wait, deed) in enumerate(story):
        world.pass_time(world.now + wait)
        if number in restarts:
            world.restart()
        if deed is not None:
            do(world, deed)
    if restarts:
        world.restart()
    world.pass_time(world.now + 2000)
    return world


def told(world):
    """Return all that was told, in order; of several alerts at one moment no order is promised."""
    in_order = sorted(world.told, key=lambda each: (each.created, each.order))
    return [(each.id, each.receiver, each.created, each.body["summary"]) for each in in_order]


@settings(max_examples=150)
@given(STORY, st.sets(st.integers(0, 24)))
def test_restarts_at_any_time_change_nothing_of_who_is_told_what_and_when(story, restarts):
    assert told(play(story, restarts)) == told(play(story, set()))


@settings(max_examples=150)
@given(STORY)
@example([(0.0, ("send", "s/a", 9, False))] * 5)  # what is held back again and again waits once
def test_nobody_is_told_twice_and_resolved_goes_exactly_to_those_who_were_told(story):
    world = play(story, set())
    assert max(Counter((each.id, each.receiver) for each in world.told).values(), default=1) == 1
    firing, over = {}, {}
    for each in world.told:
        if each.body["alertname"] in ("Hot", "Off"):
            fingerprint, episode, step = each.id.split("-", 2)
            (over if step == "resolved" else firing).setdefault((fingerprint, episode), set()).add(each.receiver)
    alerts = world.core.book.alerts
    for (fingerprint, episode), receivers in over.items():
        assert receivers == firing.get((fingerprint, episode)), (fingerprint, episode)
    for (fingerprint, episode), receivers in firing.items():
        alert = alerts[fingerprint]
        still = alert.state is Phase.FIRING and alert.episode == int(episode)
        assert still or over.get((fingerprint, episode)) == receivers


@settings(max_examples=100)
@given(STORY)
def test_what_fires_and_is_held_back_by_nothing_has_been_told(story):
    world = play(story, set())
    for alert in world.core.book.alerts.values():
        if alert.state is Phase.FIRING and alert.held is None:
            assert alert.said.tellings, alert
