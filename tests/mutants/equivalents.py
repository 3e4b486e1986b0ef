"""Mutants that no test can kill, since they do the same, each with the reason: (module, function, lines) → why."""

EARLIER = "a moment after 1970 began and none at all are both long over"
SHORTCUT = "the long way comes to the same: this is only quicker"

EQUIVALENT = {
    (
        "hub/alerts/decision.py",
        "_message",
        "earliest = it.spoke + interval if it.spoke else 0.0 -> earliest = it.spoke + interval if it.spoke else 1.0",
    ): EARLIER,
    (
        "hub/alerts/decision.py",
        "newcomers",
        "if not said.tellings or (said.told == rule.notify and not said.heirs): -> if ((not said.tellings)):",
    ): SHORTCUT,
    (
        "hub/alerts/decision.py",
        "next_step",
        "if not rule.escalate or not said.tellings or said.paused: -> if ((not said.tellings) or (said.paused)):",
    ): SHORTCUT,
    (
        "hub/alerts/decision.py",
        "next_step",
        "if not rule.escalate or not said.tellings or said.paused: -> if (not said.tellings or said.paused):",
    ): SHORTCUT,
    (
        "hub/alerts/decision.py",
        "_told_again",
        "if alert.held is not None and alert.held[0] is _LIMIT: -> if ((alert.held is not None)):",
    ): "what another stage holds back is due never, and never is later than any room",
    (
        "hub/alerts/flapping.py",
        "noted",
        "if alert.fired and now - alert.fired < FLAPPING_SECONDS: -> if ((now - alert.fired < FLAPPING_SECONDS)):",
    ): EARLIER,
    (
        "hub/alerts/suppression.py",
        "Suppression.by",
        'return Suppressor.MUTE, rule.mute.text if rule.mute else "" -> return Suppressor.MUTE, (rule.mute.text)',
    ): "what is muted has a rule with mute: who asks has looked",
    (
        "hub/alerts/suppression.py",
        "Suppression.by",
        "cause = self.inhibition.cause_of(rule, labels, unfilled, now) if rule.causes else None"
        " -> cause = (self.inhibition.cause_of(rule, labels, unfilled, now))",
    ): SHORTCUT,
    (
        "hub/alerts/holding.py",
        "hold",
        'trace.released(now, mark, alert.alertname, alert.held[0] if alert.held else "")'
        " -> trace.released(now, mark, alert.alertname, (alert.held[0]))",
    ): "where nothing held it back, nothing is to be said, and that was asked before",
}
