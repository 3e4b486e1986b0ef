"""The alerts that others evaluate and post: a second source of transitions, beside the engine. Pure.

Their program posts each of them again and again while it lasts. Each posting says when the alert is over unless it is
posted again; that is a deadline in the state. The alert book treats them like all others: each alertname gets a rule,
made on the fly from `defaults` of the rule files.
"""

from collections.abc import Iterable
from dataclasses import replace
from math import inf

from hub.agenda import Agenda
from hub.errors import Code, RequestError
from hub.expressions import literal
from hub.limits import POSTED_ALERTS, POSTED_SECONDS
from hub.model import Phase, Reason
from hub.rules.posted.posting import Identity, PostedAlert, Posting, dump_identity, load_identity
from hub.rules.reading.rule import Rule, Texts
from hub.rules.reading.rule_reader import NO_DEFAULTS, Defaults
from hub.rules.reading.vocabulary import SEVERITIES
from hub.rules.running.transition import Transition
from hub.store.keeper import Keeper

__all__ = ["PLACE", "Posted"]

PLACE = "/api/v2/alerts"
"""The `path` of such a rule, which stands in no file."""


class Posted(Keeper):
    """All posted alerts by identity; those that are over stay for RESOLVED_KEPT_SECONDS, while pages show them."""

    kind = "posted"

    def __init__(self) -> None:
        """Begin with none."""
        self.alerts: dict[Identity, PostedAlert] = {}
        self._names: dict[str, int] = {}
        """How many alerts there are of each alertname."""
        self._rules: dict[str, Rule] = {}
        self._defaults = NO_DEFAULTS
        self._alive = 0
        self._agenda = Agenda[Identity]()
        self._transitions: list[Transition] = []
        self._dirty: set[Identity] = set()
        self.taken: dict[str, Reason] = {}
        """Names that a rule of a file took while the hub was down: the alert book ends their alerts."""

    # state in

    def follow(self, rules: dict[str, Rule], defaults: Defaults) -> dict[str, Reason]:
        """Take the rules of the files by name; this adds to that dict, now and later, the rules that it makes.

        Return the names that a rule of a file has taken: what was posted under such a name is forgotten here, and the
        alert book ends its alerts.
        """
        taken = {name: Reason.NAME_TAKEN for name in self._names if name in rules}
        for identity in [each for each in self.alerts if each[0] in taken]:
            self._forget(identity)
        self._rules, self._defaults = rules, defaults
        for name in self._names:
            rules[name] = _rule(name, defaults)
        return taken

    def restore(self, rows: Iterable[tuple[str, str]]) -> None:
        """Bring in the rows of the store, after `follow` was called; `taken` names what had to be left out."""
        for key, text in rows:
            identity = load_identity(key)
            if self._is_taken(identity[0]):  # the user's rule has the name now: the row goes with the next commit
                self.taken[identity[0]] = Reason.NAME_TAKEN
                self._dirty.add(identity)
            else:
                self._put(identity, PostedAlert.load(text))
        self._dirty -= self.alerts.keys()

    # what is posted

    def post(self, posting: Posting, now: float) -> None:
        """Take an alert as it is posted.

        Raises:
            RequestError: a rule has its name, or there are too many.

        """
        identity = posting.identity
        before = self.alerts.get(identity)
        lasting = before if before is not None and before.alive else None
        # one name, one owner: a rule's alert and a posted one would overwrite each other
        if self._is_taken(identity[0]):
            raise RequestError(
                f"{identity[0]!r} is the name of one of the hub's own rules; give the alert another name", Code.CONFLICT
            )
        ends = now + POSTED_SECONDS if posting.ends is None else posting.ends
        if ends > now:
            if lasting is None and self._alive >= POSTED_ALERTS:
                raise RequestError(f"{POSTED_ALERTS} posted alerts that are not over are there already", Code.CONFLICT)
            if before is None and len(self.alerts) >= 2 * POSTED_ALERTS:  # a label that differs in each posting
                raise RequestError(
                    f"{POSTED_ALERTS} posted alerts were over within a quarter of an hour", Code.CONFLICT
                )
            self._go_on(identity, posting, lasting, ends, now)
        elif lasting is not None:  # an end of what is not known is nobody's news
            self._end(identity, lasting, Reason.POSTED_OVER, now)

    def _is_taken(self, name: str) -> bool:
        return name in self._rules and name not in self._names

    def _go_on(self, identity: Identity, posting: Posting, known: PostedAlert | None, ends: float, now: float) -> None:
        """Let an alert begin, or last on until `ends`; `known` is what is kept of it, if it is not over."""
        before = Phase.INACTIVE if known is None else known.phase
        starts = posting.starts if posting.starts is not None else now
        if known is not None and (before is Phase.FIRING or posting.starts is None):
            starts = known.starts  # what fires keeps the start that people were told
        phase = Phase.PENDING if starts > now else Phase.FIRING
        alert = PostedAlert(posting.annotations, posting.url, starts, ends, now, phase)
        self._put(identity, alert)
        if phase is not before:
            self._say(identity, alert, before, Reason.POSTED, now)
        # other words for what fires: the alert takes them over
        elif known is not None and known.annotations != alert.annotations and phase is Phase.FIRING:
            self._say(identity, alert, before, Reason.POSTED_ANEW, now)

    # time

    def next_due(self) -> float:
        """Return when `tick` should be called next, inf for never; it may find nothing to do then."""
        due = self._agenda.next_due()
        return inf if due is None else due

    def tick(self, now: float) -> list[Identity]:
        """Do what the clock has made due; return the alerts that are forgotten now."""
        gone: list[Identity] = []
        while (identity := self._agenda.take(now)) is not None:
            alert = self.alerts.get(identity)
            if alert is None:
                continue
            if alert.due > now:  # it was posted again meanwhile
                self._agenda.wake(identity, alert.due)
            elif not alert.alive:  # it was over long enough: pages show it no longer
                self._forget(identity)
                gone.append(identity)
            elif alert.ends <= now:  # nobody has posted it again in time
                self._end(identity, alert, Reason.POSTED_NO_MORE, now)
            else:  # its start has come
                begun = replace(alert, phase=Phase.FIRING)
                self._put(identity, begun)
                self._say(identity, begun, Phase.PENDING, Reason.POSTED, now)
        return gone

    def excuse(self, seconds: float, now: float) -> None:
        """Push the ends: for `seconds` the hub could not be reached, so a missing posting says nothing yet."""
        for identity, alert in list(self.alerts.items()):
            ends = now + min(alert.ends - alert.heard, seconds, POSTED_SECONDS)
            if alert.alive and alert.ends < ends:
                self._put(identity, replace(alert, ends=ends))

    def shift(self, seconds: float) -> None:
        """Move all times: the wall clock was set by `seconds`, and no time has passed."""
        for identity, alert in list(self.alerts.items()):
            moved = {name: getattr(alert, name) + seconds for name in ("starts", "ends", "heard")}
            self._put(identity, replace(alert, **moved))

    # results

    def take_transitions(self) -> list[Transition]:
        """Take what happened since the last call."""
        transitions, self._transitions = self._transitions, []
        return transitions

    def take_rows(self) -> list[tuple[str, str | None]]:
        """Take the rows that changed since the last call."""
        dirty, self._dirty = self._dirty, set()
        return [(dump_identity(identity), self._row(identity)) for identity in dirty]

    def _row(self, identity: Identity) -> str | None:
        alert = self.alerts.get(identity)
        return None if alert is None else alert.dump()

    # within

    def _end(self, identity: Identity, alert: PostedAlert, reason: Reason, now: float) -> None:
        phase = Phase.RESOLVED if alert.phase is Phase.FIRING else Phase.INACTIVE  # nobody was told of a pending one
        over = replace(alert, phase=phase, ends=now)
        self._put(identity, over)
        self._say(identity, over, alert.phase, reason, now)

    def _say(self, identity: Identity, alert: PostedAlert, before: Phase, reason: Reason, now: float) -> None:
        name, labels = identity
        severity = dict(labels).get("severity", "")
        if severity not in SEVERITIES:
            severity = self._defaults.severity
        rule = replace(self._rules[name], severity=severity, texts=alert.texts(identity))
        since = min(alert.starts, now)
        self._transitions.append(
            Transition(rule, labels, alert.phase, before, reason, now, since, event=None, captures=(), device={})
        )

    def _put(self, identity: Identity, alert: PostedAlert) -> None:
        name, known = identity[0], self.alerts.get(identity)
        if known is None:
            self._names[name] = self._names.get(name, 0) + 1
            if name not in self._rules:
                self._rules[name] = _rule(name, self._defaults)
        self._alive += alert.alive - (known is not None and known.alive)
        self.alerts[identity] = alert
        self._dirty.add(identity)
        self._agenda.wake(identity, alert.due)

    def _forget(self, identity: Identity) -> None:
        self._alive -= self.alerts.pop(identity).alive
        self._agenda.drop(identity)
        self._dirty.add(identity)
        name = identity[0]
        self._names[name] -= 1
        if not self._names[name]:
            del self._names[name]
            self._rules.pop(name, None)


def _rule(name: str, defaults: Defaults) -> Rule:
    """Make the rule that says who is told of alerts of this name; the texts of an alert come with its transition."""
    told = Texts((), literal(name), None, None)
    return Rule(name=name, alert=True, path=PLACE, texts=told, **defaults.of_rule(alert=True))
