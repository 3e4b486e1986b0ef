"""What may keep an alert or event from being told, in this order; `limit` and `group` are the decision's own.

shadow → mute → silence → unless            each a word of docs/rules.md, with a detail for people
"""

from collections.abc import Mapping

from hub.alerts.suppression.inhibition import Inhibition
from hub.alerts.suppression.silences import Silences
from hub.model import Suppressed, Suppressor
from hub.rules.reading.rule import Rule

__all__ = ["Suppression"]


class Suppression:
    """What it knows: the silences, and who fires and may hold others back."""

    def __init__(self) -> None:
        """Begin with no silence and nobody who fires."""
        self.silences, self.inhibition = Silences(), Inhibition()

    def by(
        self, rule: Rule, labels: Mapping[str, str], unfilled: tuple[str, ...], now: float, *, muted: bool
    ) -> Suppressed | None:
        """Return the first that holds it back, and what of it does; None where none does."""
        if rule.shadow:
            return Suppressed(Suppressor.SHADOW)
        if muted:
            return Suppressed(Suppressor.MUTE, rule.mute.text if rule.mute else "")
        silence = self.silences.of(labels, now, unfilled)
        if silence is not None:
            return Suppressed(Suppressor.SILENCE, silence.id)
        cause = self.inhibition.cause_of(rule, labels, unfilled, now) if rule.causes else None
        return None if cause is None else Suppressed(Suppressor.UNLESS, cause)
