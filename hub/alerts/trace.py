"""The trace: why an alert is what it is and who was told of it, in rows for the store (`hub why` tells them)."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from hub.clock import rfc3339
from hub.expressions.templates.format import bytes_text
from hub.limits import TRACE_HEAD_BYTES
from hub.model import Event, Suppressed
from hub.rules.running.transition import Transition
from hub.store.keeper import Journal

__all__ = ["Trace"]

_TEXT_CHARS = 200


class Trace(Journal):
    """Collects the entries that the next commit takes; each method notes one kind of them."""

    def __init__(self) -> None:
        """Begin without entries."""
        super().__init__("trace")

    def transition(self, fingerprint: str, transition: Transition, labels: Mapping[str, str]) -> None:
        """Note that an instance changed its phase: what caused it, and the values of the parts of its condition."""
        data = {
            "phase": transition.phase.value,
            "before": transition.before.value,
            "reason": transition.reason.value,
            "since": transition.since,
            "labels": labels,
            "values": [(part, _value(value)) for part, value in transition.values],
            "event": _event(transition.event),
        }
        self._add(transition.at, "transition", fingerprint, transition.rule.name, "", data)

    def ended(self, at: float, fingerprint: str, rule: str, phase: str, reason: str, labels: Mapping[str, str]) -> None:
        """Note that an alert ended because its rule is gone or was changed."""
        data = {"phase": phase, "reason": reason, "labels": labels}
        self._add(at, "transition", fingerprint, rule, "", data)

    def suppressed(self, at: float, fingerprint: str, rule: str, suppressed: Suppressed) -> None:
        """Note what keeps an alert from being told; the stored kind of the entry is `held`."""
        self._add(at, "held", fingerprint, rule, "", {"stage": suppressed.by, "detail": suppressed.detail})

    def released(self, at: float, fingerprint: str, rule: str, by: str) -> None:
        """Note that what suppressed an alert (`by`) does so no longer."""
        self._add(at, "released", fingerprint, rule, "", {"stage": by})

    def notified(
        self, at: float, fingerprint: str, rule: str, identity: str, step: str, receivers: Sequence[str]
    ) -> None:
        """Note which receivers are told with the notification `identity`, at which step of the episode."""
        self._add(at, "notified", fingerprint, rule, identity, {"step": step, "receivers": list(receivers)})

    def command(self, at: float, fingerprint: str, rule: str, command: str, by: str, comment: str) -> None:
        """Note what a person did with an alert: acknowledged, silenced and so on, `by` whom, with which comment."""
        self._add(at, "command", fingerprint, rule, "", {"command": command, "by": by, "comment": comment})

    def _add(self, at: float, kind: str, fingerprint: str, rule: str, identity: str, data: Mapping[str, Any]) -> None:
        self.add((at, kind, fingerprint, rule, identity, orjson.dumps(data, default=str).decode()))


def _event(event: Event | None) -> Mapping[str, Any] | None:
    if event is None:
        return None
    if isinstance(event.value, bytes):
        head = bytes_text(event.value)
    else:
        head = event.said[:TRACE_HEAD_BYTES].decode("utf-8", "replace")
        if "\ufffd" in head and isinstance(event.value, str):  # bytes in another encoding, which the decoder knew
            head = event.value[:TRACE_HEAD_BYTES]
    return {"topic": event.topic, "payload": head, "time": rfc3339(event.time), "retain": event.retain}


def _value(value: Any) -> Any:
    if isinstance(value, Exception):
        return {"error": str(value)}
    if value is None or isinstance(value, bool | int | float):
        return value
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= _TEXT_CHARS else f"{text[:_TEXT_CHARS]}…"
