"""The stages that may keep an alert or event from being told, in their order; `limit` and `group` follow in the teller.

shadow → mute → silence → unless            each a word of docs/rules.md, with a detail for people
"""

from collections.abc import Mapping

from hub.alerts.inhibition import Inhibition
from hub.alerts.silences import Silences
from hub.rules.rule import Rule

__all__ = ["Stages"]


class Stages:
    """The stages, and what they know: the silences, and who fires and may hold others back."""

    def __init__(self) -> None:
        """Begin with no silence and nobody who fires."""
        self.silences, self.inhibition = Silences(), Inhibition()

    def holding(self, rule: Rule, labels: Mapping[str, str], now: float, *, muted: bool) -> tuple[str, str] | None:
        """Return the first stage that holds it back, and what of it does; None where none does."""
        if rule.shadow:
            return "shadow", ""
        if muted:
            return "mute", rule.mute.text if rule.mute else ""
        silence = self.silences.of(labels, now)
        if silence is not None:
            return "silence", silence.id
        source = self.inhibition.source_of(rule.name, labels) if rule.unless else None
        return None if source is None else ("unless", source)
