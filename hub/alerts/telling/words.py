"""The words of an alert: its texts with the values of now, and the notifications made of them."""

from collections.abc import Callable, Mapping
from typing import Any

from hub.alerts.alert import Alert, changed
from hub.alerts.telling.messages import notification_body, with_flaps, with_held_back
from hub.alerts.telling.texts import Rendered
from hub.model import Phase

__all__ = ["AlertWords", "TextsOfNow"]

TextsOfNow = Callable[[Alert, float], Rendered | None]
"""Takes a firing alert and a time; returns its texts with the values of then, None where nothing newer is known."""


class AlertWords:
    """Makes the bodies of notifications for both tellers. `hub` is what they say of their sender."""

    def __init__(self, hub: Mapping[str, str], texts_of_now: TextsOfNow) -> None:
        """Take what each body needs; `texts_of_now` is asked for repeats, steps and messages of groups."""
        self._hub, self._texts_of_now = hub, texts_of_now

    def of_now(self, alert: Alert, now: float) -> Alert:
        """Return the alert with the texts of now: a reminder tells how it is, not how it was."""
        texts = self._texts_of_now(alert, now)
        if texts is None:
            return alert
        newer = texts.summary, texts.details, texts.runbook, texts.event
        if newer == (alert.summary, alert.details, alert.runbook, alert.event):
            return alert
        return changed(alert, summary=texts.summary, details=texts.details, runbook=texts.runbook, event=texts.event)

    def firing(self, alert: Alert, identity: str) -> dict[str, Any]:
        """Return the body that says that it fires, with how many messages `limit` held back since the last one."""
        body = notification_body(alert, Phase.FIRING, identity, self._hub)
        return with_flaps(with_held_back(body, alert.tally.held), alert.flaps)

    def over(self, alert: Alert, identity: str) -> dict[str, Any]:
        """Return the body that says that it is over."""
        return with_flaps(notification_body(alert, Phase.RESOLVED, identity, self._hub), alert.flaps)
