"""A small model of who is to be told what, made from docs/rules.md and docs/desk.md, for test_telling_model.py.

It knows what each device said last, what people asked for and which rules stand in the file, and hears every message as
a receiver does. It decides nothing; it holds each message, and each silence, against what the documents promise. Where
they leave something open (labels of a cause that ended before a reload, an alert that flaps) both ways are right.
"""

from dataclasses import dataclass, field
from math import inf

from hub.alerts.alert import alert_fingerprint
from hub.alerts.telling.conversation import group_fingerprint
from hub.limits import NEWCOMERS_WAIT_SECONDS
from tests.alerts.telling_rules import CAPTURES, CAUSE, FALLBACK, RENAMED, SILENT_ABOUT_ENDS, THRESHOLD

FLAPS = 60.0


@dataclass
class Episode:
    """One firing: who was told of it, who of its end; `told_at` is when it was last told as firing, `over` its end."""

    number: int
    began: float
    told: set = field(default_factory=set)
    ended: set = field(default_factory=set)
    either: set = field(default_factory=set)
    counted: float = -inf
    over: float | None = None
    lingers: float = 0.0
    """For how long its end may wait: its group waits, or it flaps."""


@dataclass
class Conversation:
    """What was said of an alert alone, or in a group: `known` are the episodes that it has told of as firing."""

    known: dict = field(default_factory=dict)
    told: set = field(default_factory=set)
    taken: list = field(default_factory=list)
    last: dict = field(default_factory=dict)
    counted: float = -inf
    tellings: int = 0
    most: float = 0.0
    least: float = 0.0
    """For how long somebody was told and nobody cared, at most and at least: what steps count."""
    mixed: bool = False
    """A reload has changed what belongs to it, so that not all of it is known here."""


@dataclass
class Watched:
    """One alert: a rule and an instance."""

    rule: str
    instance: tuple
    value: int = 0
    heard: float = -inf
    service: bool = False
    service_sure: bool = True
    firing: bool = False
    changed: float = -inf
    fired: list = field(default_factory=list)
    ended: float = -inf
    ended_sure: bool = True
    ack: float | None = None
    acked_in: int = 0
    clear_since: float | None = None
    episodes: dict = field(default_factory=dict)

    @property
    def fingerprint(self):
        return alert_fingerprint(self.rule, self.instance)

    @property
    def now(self):
        return max(self.episodes.values(), key=lambda each: each.number, default=None)

    def may_flap(self):
        """Tell whether it has fired twice within a minute, so that its end may wait."""
        return len(self.fired) > 1 and self.fired[-1] - self.fired[-2] < FLAPS


class Model:
    """All alerts under the rules in force."""

    def __init__(self, written, receivers):
        self.written, self.receivers = written, receivers
        self.alerts, self.conversations, self.silences = {}, {}, []
        self.ids, self.now = set(), 0.0
        self._since, self._of = {}, {}
        """Since when a rule is as it is; the rule of a conversation."""

    # what is the matter

    def labels(self, alert):
        rule = self.written[alert.rule]
        labels = {"alertname": alert.rule, "severity": rule.severity} | dict(alert.instance)
        return labels | ({"team": rule.team} if rule.team else {})

    def muted(self, alert):
        """Return whether it surely is, and whether it may be."""
        if not self.written[alert.rule].mute:
            return False, False
        return alert.service and alert.service_sure, alert.service or not alert.service_sure

    def silenced(self, alert, at):
        labels = self.labels(alert)
        return any(
            start <= at < end and all(labels.get(name, "") == value for name, value in matchers.items())
            for matchers, start, end in self.silences
        )

    def explained(self, alert, at):
        """Return whether a cause surely holds it back, and whether one may."""
        rule, sure, may = self.written[alert.rule], False, False
        for cause in self.alerts.values() if rule.cause else ():
            if cause.rule != rule.cause:
                continue
            of_cause = self.written[cause.rule]
            both = rule.label_names & of_cause.label_names
            mine, its = self.labels(alert), self.labels(cause)
            same = all(mine[name] == its[name] for name in both)
            lingers = at < cause.ended + rule.lingers
            sure |= same and not of_cause.shadow and (cause.firing or (lingers and cause.ended_sure))
            flaps = cause.may_flap() and at < cause.changed + FLAPS + rule.lingers
            may |= (same and not of_cause.shadow and cause.firing) or flaps or lingers
        return sure, may

    def held(self, alert, at):
        """Return whether it is surely held back, and whether it may be; `limit` and groups aside."""
        if self.written[alert.rule].shadow or self.silenced(alert, at):
            return True, True
        muted, explained = self.muted(alert), self.explained(alert, at)
        return muted[0] or explained[0], muted[1] or explained[1]

    def cared_for(self, alert, at):
        return alert.ack is not None and at < alert.ack

    def key(self, alert):
        """Name the conversation that it belongs to, as the ids of its messages begin."""
        rule = self.written[alert.rule]
        if rule.group_by is None:
            return f"{alert.fingerprint}-{alert.now.number}"
        labels = self.labels(alert)
        return group_fingerprint(alert.rule, {name: labels.get(name, "") for name in rule.group_by})

    def conversation(self, key):
        return self.conversations.setdefault(key, Conversation())

    # what happens

    def hears(self, rule, instance, value, *, service, now, episode):
        """Take a message of a device; `episode` is the number that the hub gives the present firing."""
        alert = self.alerts.setdefault((rule, instance), Watched(rule, instance))
        fires = value > THRESHOLD[rule]
        alert.value, alert.heard = value, now
        alert.service, alert.service_sure = service, True
        if fires and not alert.firing:
            self._fires(alert, episode, now)
        elif alert.firing and not fires:
            self._ends(alert, now)

    def _fires(self, alert, episode, now):
        before = alert.now
        flaps = bool(alert.fired) and now - alert.fired[-1] < FLAPS
        chatters = flaps and alert.may_flap()
        if before is not None and episode == before.number:
            assert now - alert.changed < FLAPS, f"{alert.rule}: a new firing is no episode of its own"
            assert not before.ended, f"{alert.rule}: an episode whose end was told goes on"
            before.over = None
        else:
            assert before is None or episode > before.number
            alone = self.written[alert.rule].group_by is None
            assert not (chatters and alone and alert.fired[-2] > self._as_it_is_since(alert)), f"{alert.rule} flaps"
            alert.episodes[episode] = Episode(episode, now)
            alert.ack = None
        alert.firing, alert.changed = True, now
        alert.fired.append(now)

    def _as_it_is_since(self, alert):
        return self._since.get(alert.rule, -inf)

    def _ends(self, alert, now):
        rule, episode = self.written[alert.rule], alert.now
        alert.firing, alert.changed, alert.ended, alert.ended_sure = False, now, now, True
        alert.clear_since = None
        episode.over = now
        episode.lingers = rule.wait + rule.interval * (1 + len(rule.steps)) + (FLAPS if alert.may_flap() else 0.0)

    def rules_are(self, written, receivers, now):
        """Take the rules and receivers as they are now."""
        before, self.written, self.receivers = self.written, written, receivers
        gone = {alert.rule for alert in self.alerts.values() if not written[alert.rule].there}
        for alert in self.alerts.values():
            old, new = before[alert.rule], written[alert.rule]
            if alert.rule in gone and alert.firing:
                self._ends(alert, now)
                alert.now.lingers = 0.0
            if old != new or alert.rule in gone:
                self._since[alert.rule] = now
                alert.ended_sure = False
                alert.clear_since = None
                if alert.now is not None and alert.now.over is not None:
                    alert.now.lingers += new.wait + new.interval
            if CAUSE.get(alert.rule) and before[CAUSE[alert.rule]] != written[CAUSE[alert.rule]]:
                alert.clear_since = None
            if old.mute is not new.mute or alert.rule in gone:
                alert.service_sure = False
            if alert.rule in gone:
                alert.value = 0
            self._hand_over(alert, alert.rule in gone)
        for name, rule in written.items():
            if rule != before[name]:
                self._mix(name, before[name], rule)

    def _mix(self, name, old, new):
        """What was said in one conversation counts in another one now."""
        seconds = [0.0]
        found = [each for each in self.alerts.values() if each.rule == name and each.now is not None]
        alike = (old.group_by, old.team, old.there, old.interval) == (new.group_by, new.team, new.there, new.interval)
        for key, conversation in self.conversations.items():
            if self._of.get(key) == name:
                seconds.append(conversation.most)
                conversation.mixed = True
                if not alike:
                    conversation.last.clear()
        if not alike and new.there:
            for alert in found:
                made = self.conversation(self.key(alert))
                self._of[self.key(alert)] = name
                made.mixed, made.most = True, max(seconds)
                made.told |= alert.now.told
                made.taken += [
                    each
                    for key in list(self.conversations)
                    if self._of.get(key) == name
                    for each in self.conversations[key].taken
                    if each not in made.taken
                ]

    def _hand_over(self, alert, rule_gone):
        for episode in alert.episodes.values():
            for name in episode.told - episode.ended - self.receivers:
                heir = FALLBACK.get(name)
                heirs = {heir} if heir in self.receivers else set(self.written[alert.rule].notify)
                if rule_gone:  # its end is on its way already, to whom there was
                    episode.either |= {name} | heirs
                    episode.told.discard(name)
                    continue
                if heirs:  # where nobody takes over, it is told if it comes back, and is a dead letter if not
                    episode.told = episode.told - {name} | heirs

    def acknowledged(self, alert, until):
        alert.ack = until

    # time

    def boundaries(self):
        """Return the times at which the clock changes something."""
        times = [at for _, start, end in self.silences for at in (start, end)]
        times += [alert.ack for alert in self.alerts.values() if alert.ack is not None]
        for alert in self.alerts.values():
            rules = [rule for rule in self.written.values() if rule.cause == alert.rule]
            times += [at + rule.lingers for rule in rules for at in (alert.ended, alert.changed + FLAPS)]
        return sorted({at for at in times if self.now < at < inf})

    def pass_to(self, now):
        """Let time pass in which nothing changes; what counts seconds counts them."""
        seconds, at = now - self.now, self.now
        self.now = now
        most, least = {}, {}
        for alert in self.alerts.values():
            episode = alert.now
            if episode is None:
                continue
            flaps = alert.may_flap() and now - alert.changed <= FLAPS + seconds
            if not (alert.firing or flaps) or not self.written[alert.rule].there:
                continue
            key = self.key(alert)
            conversation = self.conversation(key)
            self._of[key] = alert.rule
            known = conversation.mixed or (alert.fingerprint, episode.number) in conversation.known
            if self.written[alert.rule].notify and not known:
                continue
            sure, may = self.held(alert, at)
            if flaps or (not sure and not self.cared_for(alert, at)):
                most[key] = conversation
            if alert.firing and not flaps and not may and not self.cared_for(alert, at):
                least[key] = conversation
        for conversation in most.values():
            conversation.most += seconds
        for conversation in least.values():
            conversation.least += seconds

    def settle(self):
        """Note since when each alert is to be told, as things are now."""
        for alert in self.alerts.values():
            told = alert.firing and self.written[alert.rule].there
            if not told or self.held(alert, self.now)[1] or self.cared_for(alert, self.now):
                alert.clear_since = None
            elif alert.clear_since is None:
                alert.clear_since = self.now

    # what is told

    def hear(self, messages):
        """Take messages, in order, each as (id, receivers, body, time)."""
        for identity, receivers, body, at in messages:
            if at > self.now:
                self.pass_to(at)
            for name in receivers:
                assert (identity, name) not in self.ids, f"{identity} to {name} came twice"
                self.ids.add((identity, name))
            self._message(identity, receivers, body, at)

    def _message(self, identity, receivers, body, at):
        rule = self.written[body["alertname"]]
        alone = "alerts" not in body
        shown = [body] if alone else body["alerts"]
        firing, over = [], []
        for each in shown:
            fingerprint, number, step = each["id"].split("-", 2)
            alert = next(alert for alert in self.alerts.values() if alert.fingerprint == fingerprint)
            episode = alert.episodes[int(number)]
            if each["state"] == "resolved":
                assert step == "resolved"
                over.append((alert, episode))
                for name in receivers:
                    self._end_is_told(alert, episode, name)
            else:
                firing.append((alert, episode, each))
        if firing:
            self._firing_is_told(rule, identity, receivers, firing, over, at, alone=alone)
        elif not alone:
            self._nothing_fires(identity.split("-")[0], receivers, at)

    def _end_is_told(self, alert, episode, name):
        assert episode.over is not None, f"the end of {alert.rule} is told and it fires"
        assert name in episode.told | episode.either, f"{name} hears the end of {alert.rule}, of which it was not told"
        assert name not in episode.ended, f"{name} hears the end of {alert.rule} twice"
        assert name not in SILENT_ABOUT_ENDS
        episode.ended.add(name)

    def _nothing_fires(self, key, receivers, at):
        conversation = self.conversation(key)
        self._apart(conversation, None, receivers, at)
        if any(
            alert.firing and (alert.fingerprint, alert.now.number) in conversation.known
            for alert in self.alerts.values()
        ):
            return  # who is held back, or somebody cares for, was told of all the same
        conversation.known.clear()
        conversation.told.clear()
        conversation.taken.clear()
        conversation.most = conversation.least = conversation.tellings = 0
        conversation.mixed = False

    def _firing_is_told(self, rule, identity, receivers, firing, over, at, *, alone):
        key = identity.rsplit("-", 1)[0] if alone else identity.split("-")[0]
        key = "-".join(identity.split("-")[:2]) if alone else key
        conversation = self.conversation(key)
        self._of[key] = rule.name
        shown = {(alert.fingerprint, episode.number) for alert, episode, _ in firing}
        fresh = {each for each in shown if conversation.known.get(each, at) == at}
        allowed = {*rule.notify, *rule.called}
        for alert, episode, body in firing:
            self._fires_as_told(rule, alert, episode, body, at, known=(alert.fingerprint, episode.number) not in fresh)
            assert self.key(alert) == key, f"{alert.rule} is told in a group to which it does not belong"
            for name in receivers:
                assert name in self.receivers, f"{name} is gone"
                assert name in allowed | episode.told, f"{name} is told of {alert.rule} and nobody names it"
        step = self._step(rule, conversation, receivers, identity)
        self._bounds(rule, conversation, receivers, identity, firing, fresh, over, step, at, alone=alone)
        for name in receivers:
            if name in rule.called and name not in rule.notify and name not in conversation.told:
                afters = [after for after, to in rule.steps if name in to]
                assert conversation.most >= min(afters) - 1e-6, f"{name} is called too soon"
        for _, episode, _ in firing:
            episode.told |= set(receivers)
            if step is None:
                episode.counted = at
        conversation.known |= dict.fromkeys(fresh, at)
        conversation.told |= set(receivers)
        if step is None and (alone or fresh or over or not rule.called.issuperset(receivers)):
            conversation.tellings = 1 if fresh else conversation.tellings + (not over)
            conversation.counted = at

    def _fires_as_told(self, rule, alert, episode, body, at, *, known):
        name = f"{alert.rule} {dict(alert.instance)}"
        assert (alert.firing, episode) == (True, alert.now), f"{name} is told as firing and has ended"
        assert rule.there, f"{name} is told and its rule is gone"
        assert not self.held(alert, at)[0], f"{name} is told as firing and is held back"
        assert not (known and self.cared_for(alert, at)), f"{name} is told again and somebody cares"
        assert body["labels"] == self.labels(alert), name
        if known and (rule.repeats or rule.steps) and alert.heard > self._as_it_is_since(alert):
            said = " ".join(value for _, value in alert.instance) + f" is {alert.value}"
            assert body["summary"].startswith(said), f"{name} is told with an old value: {body['summary']}"

    def _step(self, rule, conversation, receivers, identity):
        """Return the step of `escalate` that a message of an alert alone is, None where it is none."""
        if "-escalate-" not in identity:
            return None
        steps = [each for each in rule.steps if set(each[1]) == set(receivers) and each not in conversation.taken]
        assert steps, f"{identity} to {receivers} is no step, or was taken"
        due = [each for each in steps if each[0] <= conversation.most + 1e-6]
        assert due, f"the step {steps[0]} comes after {conversation.most} s"
        conversation.taken.append(due[0])
        return due[0]

    def _bounds(self, rule, conversation, receivers, identity, firing, fresh, over, step, at, *, alone):
        if step is not None or (not alone and rule.called.issuperset(receivers)):
            return  # a step of a group says of itself no more than this: it goes to whom steps name
        if not alone:
            self._apart(conversation, rule, receivers, at)
        again = "-repeat-" in identity if alone else not fresh and not over and bool(rule.repeats)
        if again and not conversation.mixed:
            told = int(identity.rsplit("-", 1)[1]) if alone else max(conversation.tellings, 1)
            due = conversation.counted + rule.repeats[min(told, len(rule.repeats)) - 1]
            assert at >= due - 1e-6, f"{identity} comes {due - at} s too soon"
        if not alone and not fresh and not over and not rule.repeats:
            for name in receivers:
                news = any(name not in episode.told for _, episode, _ in firing)
                assert news or conversation.mixed, f"{name} hears in {identity} what it has heard"

    def _apart(self, conversation, rule, receivers, at):
        for name in receivers:
            before = conversation.last.get(name)
            if rule is not None and before is not None and name not in rule.called:
                assert at - before >= rule.interval - 1e-6, f"{name} is told of a group after {at - before} s"
            conversation.last[name] = at

    # what is to be told by now

    def check(self):
        """Hold against the documents that nothing is missing."""
        for alert in self.alerts.values():
            for episode in alert.episodes.values():
                self._ends_were_told(alert, episode)
            if alert.clear_since is not None:
                self._was_told(alert)

    def _ends_were_told(self, alert, episode):
        if episode.over is None or self.now - episode.over <= episode.lingers:
            return
        missing = episode.told - episode.ended - SILENT_ABOUT_ENDS
        assert not missing, f"{missing} did not hear the end of {alert.rule} {dict(alert.instance)}"

    def _was_told(self, alert):
        rule, episode = self.written[alert.rule], alert.now
        name = f"{alert.rule} {dict(alert.instance)}"
        slack = rule.wait + rule.interval * (1 + len(rule.steps)) + rule.window
        waited = self.now - alert.clear_since
        key = self.key(alert)
        conversation = self.conversation(key)
        since = self._as_it_is_since(alert)
        settled = self.now - since > NEWCOMERS_WAIT_SECONDS  # whom a reload names anew hears a little later
        if (waited > slack and settled) or (waited == slack == 0.0 and settled):
            assert episode.told or not rule.notify, f"{name} was told to nobody"
        longest = max(rule.repeats, default=0.0)
        # whoever came while it was held back, and was told of others of its group, is not told of it when that ends
        if waited > slack + longest and settled and (not conversation.mixed or alert.clear_since <= since):
            missing = set(rule.notify) - episode.told
            assert not missing, f"{missing} did not hear of {name}"
        if rule.repeats and rule.notify and self.now - max(episode.counted, alert.clear_since) > slack + longest:
            raise AssertionError(f"{name} is not repeated")
        if conversation.mixed or not conversation.told or not rule.notify:
            return
        for after, to in rule.steps:
            if conversation.least >= after:
                assert set(to) <= conversation.told, f"{to} were not called for {name}"


def instance_of(rule, topic):
    """Return the instance of a rule that a topic names."""
    return tuple(zip(CAPTURES[rule], topic.split("/")[1:], strict=True))


def renamed(names, gone):
    """Return receivers under the names they have when these are gone."""
    return {RENAMED.get(name, name) if name in gone else name for name in names}
