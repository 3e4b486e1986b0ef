"""What event rules say: each match is a notification, unless a stage holds it back; only its `limit` is kept."""

from typing import Any

from hub.alerts import lifecycle
from hub.alerts.alert import Alert, fingerprint
from hub.alerts.moments import Moments
from hub.alerts.outgoing import Outgoing
from hub.alerts.register import Register
from hub.alerts.spokesman import Spokesman
from hub.alerts.stages import Stages
from hub.alerts.texts import OnError, notification_body, render_and_report, with_held_back
from hub.alerts.trace import Trace
from hub.model import Phase
from hub.rules.keys import Limit
from hub.rules.rule import Rule
from hub.rules.transition import Transition

__all__ = ["Events"]


class Events:
    """Tells of what event rules have matched."""

    def __init__(
        self,
        spokesman: Spokesman,
        register: Register,
        stages: Stages,
        out: Outgoing,
        trace: Trace,
        on_error: OnError,
    ) -> None:
        """Begin with nothing held back; `on_error` hears of every text that could not be filled in."""
        self._moments = Moments()
        self._spokesman, self._register, self._stages = spokesman, register, stages
        self._out, self._trace, self._on_error = out, trace, on_error

    def restore(self, rows: list[tuple[str, str]]) -> None:
        """Bring in what a store held of limits."""
        self._moments.restore(rows, self._limits())

    def take(self, transition: Transition, now: float) -> None:
        """An event rule spoke: tell of it, unless a stage holds it back."""
        rule, mark = transition.rule, fingerprint(transition.rule.name, transition.instance)
        identity = f"{mark}-{transition.serial}-event"
        texts = render_and_report(transition, transition.serial, identity, self._on_error)
        said = lifecycle.speak(
            Alert(rule.name, transition.instance, transition.serial, since=transition.at), texts, rule.severity
        )
        self._trace.transition(mark, transition, said.labels)
        held = self._stages.holding(rule, said.labels, now, muted=transition.muted)
        if held is not None:
            self._trace.held(now, mark, rule.name, *held)
            return
        body = notification_body(said, Phase.EVENT, identity, self._out.hub)
        if not self._moments.room(mark, rule.limit, now):
            self._trace.held(now, mark, rule.name, "limit", rule.limit.text if rule.limit else "")
            self._moments.hold(mark, rule, body)
        elif rule.group_by is not None:
            self._spokesman.report(rule, said.labels, body, now)
        else:
            self._tell(mark, rule, body, self._moments.told(mark, rule, now) if rule.limit else 0, now)

    def tick(self, now: float) -> None:
        """Tell what waited for room, and has it now."""
        for mark, moment in self._moments.take_due(now, self._limits()):
            rule = self._register.rules.get(moment.rule)
            if rule is not None:
                held_before = self._moments.told(mark, rule, now) - 1
                self._tell(mark, rule, moment.waits, held_before, now)

    def next_due(self) -> float | None:
        """Return the time at which `tick` is wanted next."""
        return self._moments.next_due()

    def shift(self, seconds: float) -> None:
        """Move all times: the wall clock was set by so many seconds."""
        self._moments.shift(seconds, self._limits())

    def take_rows(self) -> list[tuple[str, str | None]]:
        """Take the rows of limits that changed since the last call."""
        return self._moments.take_rows()

    def _tell(self, mark: str, rule: Rule, body: dict[str, Any], held_back: int, now: float) -> None:
        body = with_held_back(body, held_back)
        self._out.tell(rule.notify, body["id"], mark, body, now)
        self._trace.notified(now, mark, rule.name, body["id"], "event", rule.notify)

    def _limits(self) -> dict[str, Limit]:
        return {name: rule.limit for name, rule in self._register.rules.items() if rule.limit is not None}
