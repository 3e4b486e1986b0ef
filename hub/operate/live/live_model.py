"""What the live view knows of a hub: messages of its feed and answers of its API come in, screens look at it. Pure.

Times are seconds since 1970 on the hub's clock; `now` turns the local clock into it.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from hub.limits import LIVE_ALERTS, LIVE_HISTORY, LIVE_LINES, RESOLVED_KEPT_SECONDS

__all__ = ["ATTEMPTS", "FIGURES", "Model", "seconds_of"]

Message = Mapping[str, Any]
FIGURES = ("egr", "epl", "nsr", "npl")
ATTEMPTS = frozenset({"delivery", "dead", "fallback", "superseded", "dropped"})
"""Types of messages that tell what became of a notification."""
_CLOCKS = frozenset({"hello", "figures"})
"""Types of messages whose time is what the hub's clock says as they come; others may have been missed and come late."""


def seconds_of(time: object) -> float:
    """Read an RFC 3339 time; 0 where it is none."""
    try:
        return datetime.fromisoformat(str(time)).timestamp()
    except ValueError:
        return 0.0


class Model:
    """Everything on the screens. Bounded, whatever the hub sends; `changes` counts what a screen should look at."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.changes = 0
        self.since = ""
        """Id of the last message heard, to go on from there."""
        self.away = "connecting"
        """Why there is no feed at this moment; empty while there is."""
        self.status: Mapping[str, Any] = {}
        self.figures: Mapping[str, Any] = {}
        self.history: Mapping[str, deque[float | None]] = {name: deque(maxlen=LIVE_HISTORY) for name in FIGURES}
        self.alerts: dict[str, Message] = {}
        """By fingerprint."""
        self.more_alerts = 0
        """How many were not taken in, beyond LIVE_ALERTS."""
        self.events: deque[Message] = deque(maxlen=LIVE_LINES)
        """The data of what was shown of the event stream, each with its `time`."""
        self.unseen = 0
        """Events that the hub did not show: it sends a sample."""
        self.attempts: deque[Message] = deque(maxlen=LIVE_LINES)
        self.rules: Sequence[Message] = ()
        self.devices: Sequence[Message] = ()
        self.heard = 0
        """How many topics the hub hears; `devices` may be fewer."""
        self.receivers: Sequence[Message] = ()
        self.notices: deque[str] = deque(maxlen=3)
        """What a person should look at, the latest last."""
        self._ahead = 0.0
        self._number = 0

    def now(self, local: float) -> float:
        """Return what the hub's clock says at this time of ours."""
        return local + self._ahead

    # what comes in

    def hear(self, message: Message, local: float) -> None:
        """Take a message of the feed that came at `local`, a time of our clock."""
        self.changes += 1
        self.since = str(message.get("id", self.since))
        kind, data = str(message.get("type")), message.get("data")
        if not isinstance(data, Mapping):
            return
        if kind in ATTEMPTS:
            self.attempts.append({**data, "type": kind, "time": message.get("time"), "number": self._next()})
        elif kind in _CLOCKS:
            self._ahead = (seconds_of(message.get("time")) or local) - local
            if kind == "figures":
                self._take_figures(data)
        elif hearing := _HEARING.get(kind):
            hearing(self, data, message)

    def connected(self, status: Mapping[str, Any]) -> None:
        """Take the hub's own state, where the feed is there (again)."""
        self.changes += 1
        self.away, self.status = "", status

    def lost(self, why: str) -> None:
        """Know that the feed is gone; what is shown is as it was."""
        self.changes += 1
        self.away = why

    def take_alerts(self, found: Sequence[Message]) -> None:
        """Take all alerts anew."""
        self.changes += 1
        self.alerts, self.more_alerts = {}, 0
        for each in found:
            self._alert(each, each)

    def take(self, name: str, found: Mapping[str, Any]) -> None:
        """Take the answer to a read: `rules`, `devices` or `receivers`."""
        self.changes += 1
        setattr(self, name, tuple(found.get(name, ())))
        if name == "devices":
            self.heard = int(found.get("heard", len(self.devices)))

    def forget_old(self, local: float) -> None:
        """Let alerts go that have been over for long, as the hub does."""
        limit = self.now(local) - RESOLVED_KEPT_SECONDS
        over = [key for key, each in self.alerts.items() if each["state"] == "resolved" and _ended(each) < limit]
        for key in over:
            del self.alerts[key]

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _alert(self, data: Message, message: Message) -> None:
        key, state = str(data.get("fingerprint", "")), data.get("state")
        if state not in ("pending", "firing", "resolved"):
            self.alerts.pop(key, None)
        elif key in self.alerts or len(self.alerts) < LIVE_ALERTS:
            self.alerts[key] = data
        else:
            self.more_alerts += 1

    def _event(self, data: Message, message: Message) -> None:
        self.unseen += int(data.get("skipped", 0))
        self.events.append({**data, "time": message.get("time"), "number": self._next()})

    def _take_figures(self, data: Message) -> None:
        self.figures = data
        for name, kept in self.history.items():
            found = data.get(name)
            kept.append(found.get("p99") if isinstance(found, Mapping) else found)

    def _receiver(self, data: Message, message: Message) -> None:
        self.notices.append(f"receiver {data.get('name')}: {data.get('circuit')} {data.get('detail', '')}".strip())

    def _trouble(self, data: Message, message: Message) -> None:
        self.notices.append(f"{data.get('what')}: {data.get('message')}")

    def _session(self, data: Message, message: Message) -> None:
        self.status = {**self.status, "session": data.get("kind")}
        if data.get("kind") not in ("connected", "drained"):
            self.notices.append(f"broker: {data.get('kind')} {data.get('detail', '')}".strip())

    def _reloaded(self, data: Message, message: Message) -> None:
        self.notices.append(f"reloaded: {data.get('summary')}")


_HEARING: Mapping[str, Callable[[Model, Message, Message], None]] = {
    "alert": Model._alert,  # noqa: SLF001 - the class's own table
    "event": Model._event,  # noqa: SLF001
    "receiver": Model._receiver,  # noqa: SLF001
    "trouble": Model._trouble,  # noqa: SLF001
    "session": Model._session,  # noqa: SLF001
    "reloaded": Model._reloaded,  # noqa: SLF001
}


def _ended(alert: Message) -> float:
    return seconds_of(alert.get("until") or alert.get("since"))
