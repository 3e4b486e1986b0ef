"""What may keep an alert or event from being told. The first that applies counts, in this order.

shadow → mute → silence → unless            each is a word of docs/rules.md, and comes with a detail for people

`limit` and `group` come later: they delay only, and telling/decision asks about them.
"""

from collections.abc import Mapping

from hub.alerts.suppression.inhibition import Inhibition
from hub.alerts.suppression.silences import Silences
from hub.model import Suppressed, Suppressor
from hub.rules.reading.rule import Rule

__all__ = ["Suppression"]


class Suppression:
    """Asked by the tellers for each alert and event. It knows the silences, and the alerts that hold others back."""

    def __init__(self) -> None:
        """Begin without a silence and without an alert."""
        self.silences, self.inhibition = Silences(), Inhibition()

    def by(
        self, rule: Rule, labels: Mapping[str, str], unfilled: tuple[str, ...], now: float, *, muted: bool
    ) -> Suppressed | None:
        """Return what suppresses an alert or event with these labels, and the detail of it; None: it may be told."""
        if rule.shadow:  # a rule on trial: nobody ever hears of it, whatever else is so
            return Suppressed(Suppressor.SHADOW)
        if muted:  # decided by the rule's gate, when the event came
            return Suppressed(Suppressor.MUTE, rule.mute.text if rule.mute else "")
        silence = self.silences.of(labels, now, unfilled)
        if silence is not None:
            return Suppressed(Suppressor.SILENCE, silence.id)
        cause = self.inhibition.cause_of(rule, labels, unfilled, now) if rule.causes else None
        return None if cause is None else Suppressed(Suppressor.UNLESS, cause)
