"""Groups speak: what was decided of a conversation is carried out, and each member notes who was told of it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from math import inf

from hub.alerts import lifecycle
from hub.alerts.alert import Alert, changed
from hub.alerts.outgoing import Outgoing
from hub.alerts.register import Register
from hub.alerts.telling.conversation import Conversation, News
from hub.alerts.telling.conversations import Conversations
from hub.alerts.telling.decision import Decision, Say, Situation, Untold, audience, decide, newcomers
from hub.alerts.telling.messages import group_body, member
from hub.alerts.telling.said import NOTHING_SAID
from hub.alerts.telling.suppressing import note_suppressed
from hub.alerts.telling.words import AlertWords
from hub.alerts.trace import Trace
from hub.ids import NotificationId, fingerprint_in
from hub.limits import GROUP_ALERTS
from hub.model import Suppressed, Suppressor
from hub.rules.reading.rule import Rule

__all__ = ["GroupTeller"]


_View = tuple[bool, bool, tuple[int, ...]]
"""What a receiver sees of a message: whether what fires, whether the rule names it, and which of the news."""


class GroupTeller:
    """Tells of conversations when their time has come; the book calls it with every tick."""

    def __init__(
        self, conversations: Conversations, register: Register, out: Outgoing, trace: Trace, words: AlertWords
    ) -> None:
        """Tell through `out`, and note in `trace` what was told to whom."""
        self._conversations, self._register = conversations, register
        self._out, self._trace, self._words = out, trace, words

    # conversations

    def speak(self, now: float) -> None:
        """Let each conversation speak whose time has come."""
        for group in self._conversations.take_due(now):
            rule = self._register.rules.get(group.rule)
            if rule is None or rule.group_by is None:  # a reload took it away: what is owed is told, and it is over
                self._finish(group, rule, now)
            else:
                self._converse(group, rule, now)

    def _converse(self, group: Conversation, rule: Rule, now: float) -> None:
        while (decision := decide(self._situation(group, rule, now), rule, now)).say is not None:
            self._carry_out(group, rule, decision, now)
        room = self._room(group.fresh, rule)
        if room > now:  # each new alert waits for room in its own `limit`, and does not delay the others
            self._limit(group.fresh, rule, now)
        if decision.untold is Untold.LIMIT:
            self._limit(group.active, rule, now)
        if not group.members and not group.news and group.said is not NOTHING_SAID:
            group.said = NOTHING_SAID  # all is over and told: what fires next is a new episode
            self._conversations.touch(group)
        over_at = group.spoke + rule.group_interval if group.spoke else now
        if group.idle and over_at <= now:
            self._conversations.forget(group)
        else:
            again = min(decision.again, room if room > now else inf)
            self._conversations.look(group, over_at if group.idle else again)

    def last_words(self, rules: Collection[str], now: float) -> None:
        """Tell the ends that groups still owe, for rules that are about to go."""
        for group in list(self._conversations.all.values()):
            if group.rule in rules and group.news:
                self._finish(group, self._register.rules.get(group.rule), now)

    def _finish(self, group: Conversation, rule: Rule | None, now: float) -> None:
        """Tell the ends that a group owes and end it: its rule is gone, or has no `group_by` any more."""
        self._send(group, rule, "group", self._concerned(group, rule), (), now, with_news=True)
        group.news, group.changed = [], 0.0
        if group.members:
            self._conversations.touch(group)
        else:
            self._conversations.forget(group)

    def _room(self, fingerprints: Iterable[str], rule: Rule) -> float:
        """Return from when on the `limit` of at least one of these alerts has room; 0: at once."""
        if rule.limit is None:
            return 0.0
        limit, alerts = rule.limit, self._register.alerts
        return min((alerts[fingerprint].tally.room_at(limit) for fingerprint in fingerprints), default=0.0)

    def _situation(self, group: Conversation, rule: Rule, now: float) -> Situation:
        fresh = bool(group.fresh) and self._room(group.fresh, rule) <= now
        return Situation(
            group.said,
            fresh=fresh,
            active=bool(group.active),
            grouped=True,
            news=bool(group.news),
            only=tuple(self._concerned(group, rule)) if group.news else (),
            owed=self._owed(group, rule),
            behind=min((self._register.alerts[fingerprint].said.behind for fingerprint in group.behind), default=0.0),
            changed=group.changed,
            spoke=group.spoke,
            room=0.0 if fresh else self._room(group.active, rule),
            why=Untold.SUPPRESSED if group.members else Untold.OVER,
        )

    def _has_told_members(self, group: Conversation) -> bool:
        """Tell whether an alert that was told in this episode still fires, even if suppressed or acknowledged."""
        return any(self._register.alerts[fingerprint].told_in == group.episode_id for fingerprint in group.members)

    def _owed(self, group: Conversation, rule: Rule) -> tuple[str, ...]:
        """Return the receivers that the rule names and that have not heard of every member that was told."""
        found = [newcomers(self._register.alerts[fingerprint].said, rule) for fingerprint in group.behind]
        return tuple(dict.fromkeys(name for names in found for name in names))

    def _carry_out(self, group: Conversation, rule: Rule, decision: Decision, now: float) -> None:
        """Send the message that was decided, and note in the group and in its members what was said to whom."""
        say, fresh = decision.say, list[str]()
        shown = self._in_order(group.active)
        if say is Say.NEWS:
            fresh = self._with_room(self._in_order(group.fresh), rule, now)
            shown = [*fresh, *shown]
            if not group.said.tellings and (fresh or any(each.told is None for each in group.news)):
                group.episode += 1
        elif say is Say.REPEAT:  # a step and a message to newcomers tell of all: `limit` does not count them
            shown = self._with_room(shown, rule, now)
        with_news = say in (Say.NEWS, Say.REPEAT)
        alerts = [self._words.of_now(self._register.alerts[fingerprint], now) for fingerprint in shown[:GROUP_ALERTS]]
        alerts += [self._register.alerts[fingerprint] for fingerprint in shown[GROUP_ALERTS:]]
        told = _who_hear_more(decision, group, rule)
        name = "escalate" if say is Say.STEP else "group"
        sent = self._send(group, rule, name, decision.receivers, alerts, now, hear_more=told, with_news=with_news)
        self._note_said(group, rule, decision, told, now, fresh=bool(fresh), shown=bool(shown))
        self._note_members(group, rule, decision, told, dict(zip(shown, alerts, strict=True)), set(fresh), now)
        for fingerprint in shown[:GROUP_ALERTS]:
            for identity, names in sent:
                self._trace.notified(now, fingerprint, rule.name, identity, name, names)
        if with_news:
            group.news, group.changed = [], 0.0
            if not shown and not self._has_told_members(group):
                group.said = NOTHING_SAID  # all are told that everything is over: what fires next is a new episode
        self._conversations.touch(group)

    def _note_said(
        self,
        group: Conversation,
        rule: Rule,
        decision: Decision,
        receivers: Sequence[str],
        now: float,
        *,
        fresh: bool,
        shown: bool,
    ) -> None:
        said = group.said
        if decision.step is not None:
            group.said = said.step(receivers, decision.step.after)
        elif fresh or decision.say is Say.REPEAT:
            group.said = said.message(receivers, now, anew=fresh)
        elif shown:
            # a message about an end that also shows all what still fires is a reminder, so the next repeat waits
            reminds = decision.say is Say.NEWS and set(audience(said, rule)) <= set(receivers)
            group.said = replace(said.heard_by(receivers), last=now if reminds else said.last)

    def _note_members(
        self,
        group: Conversation,
        rule: Rule,
        decision: Decision,
        receivers: Sequence[str],
        shown: dict[str, Alert],
        fresh: set[str],
        now: float,
    ) -> None:
        """Note in each alert of the message who was told of it, and count it against the alert's `limit`."""
        counts = decision.say is Say.REPEAT and rule.limit is not None
        for fingerprint, alert in shown.items():
            if fingerprint in fresh:
                # an alert that was told alone, or in an earlier episode, goes on counting: no id comes twice
                anew = not alert.said.tellings
                made = lifecycle.told(alert, alert.said.message(receivers, now, anew=anew), rule.limit, now)
                made = note_suppressed(self._trace, fingerprint, changed(made, told_in=group.episode_id), None, now)
            else:
                said = alert.said.heard_by(receivers)
                made = lifecycle.told(alert, said, rule.limit, now) if counts else alert
                said = said.owed(now, somebody=bool(newcomers(said, rule)))
                made = made if said is made.said else changed(made, said=said)
                made = (
                    note_suppressed(self._trace, fingerprint, made, None, now) if counts or rule.limit is None else made
                )
            if made is not self._register.alerts[fingerprint]:
                self._register.note(fingerprint, made, now)
                self._conversations.place(fingerprint, made, rule, now)

    def _in_order(self, fingerprints: Iterable[str]) -> list[str]:
        """Return the fingerprints in the order in which their alerts began to fire: the same after a restart."""
        alerts = self._register.alerts
        return sorted(fingerprints, key=lambda fingerprint: (alerts[fingerprint].since, alerts[fingerprint].instance))

    def _with_room(self, fingerprints: Iterable[str], rule: Rule, now: float) -> list[str]:
        limit, alerts = rule.limit, self._register.alerts
        return [
            fingerprint
            for fingerprint in fingerprints
            if limit is None or alerts[fingerprint].tally.room_at(limit) <= now
        ]

    def _limit(self, fingerprints: Iterable[str], rule: Rule, now: float) -> None:
        """Note that `limit` keeps these alerts from being told for now."""
        for fingerprint in list(fingerprints) if rule.limit is not None else ():
            before = self._register.alerts[fingerprint]
            after = note_suppressed(
                self._trace,
                fingerprint,
                before,
                Suppressed(Suppressor.LIMIT, rule.limit.text if rule.limit else ""),
                now,
            )
            if after is not before:
                self._register.note(fingerprint, after, now)

    # a message of a group

    def _send(
        self,
        group: Conversation,
        rule: Rule | None,
        name: str,
        receivers: Iterable[str],
        alerts: Sequence[Alert],
        now: float,
        *,
        hear_more: Collection[str] = (),
        with_news: bool,
    ) -> list[tuple[str, list[str]]]:
        """Queue the messages of a group.

        Receivers among `hear_more` are told what fires; each receiver is told of the ends of what it was told. So not
        all see the same. Each view has an id of its own, because one id must always mean one content.

        Return the ids of the messages, each with its receivers.
        """
        heard = group.said.told
        firing = [member(self._words.firing(each, each.id("firing"))) for each in alerts[:GROUP_ALERTS]]
        sent: list[tuple[str, list[str]]] = []
        for view, names in self._views(group, rule, receivers, hear_more, with_news=with_news).items():
            news, seen = [group.news[place] for place in view[2]], alerts if view[0] else ()
            if not news and not seen:
                continue  # nothing of this message is for them
            group.serial, group.spoke = group.serial + 1, now
            identity = str(NotificationId(group.fingerprint, group.episode, f"{name}-{group.serial}"))
            count = len(seen) + sum(each.count for each in news)
            over = [shown for each in news for shown in each.shown]
            body = group_body(group, identity, firing if seen else (), over, count, self._out.hub)
            for receiver in names:
                own = body if receiver in heard else body | {"first": True}
                self._out.tell([receiver], identity, group.fingerprint, own, now)
            sent.append((identity, names))
            self._trace_news(group, news, identity, names, now)
        return sent

    def _views(
        self,
        group: Conversation,
        rule: Rule | None,
        receivers: Iterable[str],
        hear_more: Collection[str],
        *,
        with_news: bool,
    ) -> dict[_View, list[str]]:
        """Return which receivers see what of a message.

        Those that the rule names stay apart from those that only a step has called, because an event goes to the first.
        """
        views: dict[_View, list[str]] = {}
        for name in receivers:
            places = range(len(group.news)) if with_news else ()
            seen = tuple(place for place in places if name in self._concerned_by(group.news[place], rule))
            view = name in hear_more, with_news and rule is not None and name in rule.notify, seen
            views.setdefault(view, []).append(name)
        return views

    def _trace_news(
        self, group: Conversation, news: Iterable[News], identity: str, names: Sequence[str], now: float
    ) -> None:
        for each in news:
            for shown in each.shown:
                self._trace.notified(now, fingerprint_in(shown["id"]), group.rule, identity, "group", names)

    def _concerned(self, group: Conversation, rule: Rule | None) -> list[str]:
        """Return the receivers that the ends and events of a group's next message concern."""
        return list(dict.fromkeys(name for news in group.news for name in self._concerned_by(news, rule)))

    def _concerned_by(self, news: News, rule: Rule | None) -> Sequence[str]:
        if news.told is None:  # events go to whom the rule names now, ends to whom it told
            return () if rule is None else rule.notify
        return self._out.who_hear_ends(news.told)


def _who_hear_more(decision: Decision, group: Conversation, rule: Rule) -> tuple[str, ...]:
    """Return the receivers that are shown what fires; one that the rule names no longer hears only of ends."""
    if decision.step is not None:
        return decision.receivers  # a step calls somebody because of what fires
    named = audience(group.said, rule)
    return tuple(name for name in decision.receivers if name in named)
