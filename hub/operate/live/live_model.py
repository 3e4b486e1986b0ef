"""What the live view knows of a hub. Messages of the feed and answers of the API come in; the panes read it. Pure.

Times are seconds since 1970 on the hub's clock. `now` turns a time of the local clock into one of the hub's.
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
"""Types of the messages that tell what became of a notification."""
_CLOCKS = frozenset({"hello", "figures"})
"""Types of the messages whose time is the hub's clock at this moment. The others may be old: after a gap the feed sends
again what was missed."""


def seconds_of(time: object) -> float:
    """Read an RFC 3339 time as seconds since 1970; 0 where `time` is no such text."""
    try:
        return datetime.fromisoformat(str(time)).timestamp()
    except ValueError:
        return 0.0


class Model:
    """All that the screens show, bounded whatever the hub sends. Where `changes` has grown, a screen draws again."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.changes = 0
        self.since = ""
        """Id of the last message heard; the next connection goes on from there."""
        self.away = "connecting"
        """Why there is no feed at this moment; empty while there is one."""
        self.status: Mapping[str, Any] = {}
        self.figures: Mapping[str, Any] = {}
        self.history: Mapping[str, deque[float | None]] = {name: deque(maxlen=LIVE_HISTORY) for name in FIGURES}
        self.alerts: dict[str, Message] = {}
        """By fingerprint."""
        self.more_alerts = 0
        """How many alerts came after LIVE_ALERTS were kept, and are not shown."""
        self.events: deque[Message] = deque(maxlen=LIVE_LINES)
        """The last messages of the event stream: their data, each with its `time`."""
        self.unseen = 0
        """How many events the hub left out: it sends a sample."""
        self.attempts: deque[Message] = deque(maxlen=LIVE_LINES)
        self.rules: Sequence[Message] = ()
        self.devices: Sequence[Message] = ()
        self.heard = 0
        """How many topics the hub hears; `devices` may hold fewer."""
        self.receivers: Sequence[Message] = ()
        self.notices: deque[str] = deque(maxlen=3)
        """Sentences about the hub itself (broker, receivers, trouble), the newest last."""
        self._ahead = 0.0
        self._number = 0

    def now(self, local: float) -> float:
        """Return the hub's time at `local`, a time of our clock."""
        return local + self._ahead

    # what comes in

    def hear(self, message: Message, local: float) -> None:
        """Take a message of the feed, which came at `local`, a time of our clock."""
        self.changes += 1
        self.since = str(message.get("id", self.since))
        kind, data = str(message.get("type")), message.get("data")
        if not isinstance(data, Mapping):  # a newer hub may send what this view does not know
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
        """Take the hub's status: the feed is there, for the first time or again."""
        self.changes += 1
        self.away, self.status = "", status

    def lost(self, why: str) -> None:
        """Remember why the feed is gone. The tables keep what they show: old news is better than none."""
        self.changes += 1
        self.away = why

    def take_alerts(self, alerts: Sequence[Message]) -> None:
        """Replace all alerts: at the start, and after a gap in the feed."""
        self.changes += 1
        self.alerts, self.more_alerts = {}, 0
        for alert in alerts:
            self._alert(alert, alert)

    def take(self, name: str, answer: Mapping[str, Any]) -> None:
        """Take the API's answer to a read; `name` is rules, devices or receivers."""
        self.changes += 1
        setattr(self, name, tuple(answer.get(name, ())))
        if name == "devices":
            self.heard = int(answer.get("heard", len(self.devices)))

    def forget_old(self, local: float) -> None:
        """Forget alerts that ended RESOLVED_KEPT_SECONDS ago: the hub itself keeps them no longer."""
        limit = self.now(local) - RESOLVED_KEPT_SECONDS
        over = [key for key, each in self.alerts.items() if each["state"] == "resolved" and _ended(each) < limit]
        for key in over:
            del self.alerts[key]

    def _next(self) -> int:
        """Number a row: messages have no key of their own by which the cursor could follow them."""
        self._number += 1
        return self._number

    def _alert(self, data: Message, message: Message) -> None:
        key, state = str(data.get("fingerprint", "")), data.get("state")
        if state not in ("pending", "firing", "resolved"):  # it never fired: there is nothing to show
            self.alerts.pop(key, None)
        elif key in self.alerts or len(self.alerts) < LIVE_ALERTS:
            self.alerts[key] = data
        else:  # no room: it is counted only, and the foot of the screen says so
            self.more_alerts += 1

    def _event(self, data: Message, message: Message) -> None:
        self.unseen += int(data.get("skipped", 0))
        self.events.append({**data, "time": message.get("time"), "number": self._next()})

    def _take_figures(self, data: Message) -> None:
        """Keep the figures and their history; of a latency the history has the 99th percentile."""
        self.figures = data
        for name, history in self.history.items():
            figure = data.get(name)
            history.append(figure.get("p99") if isinstance(figure, Mapping) else figure)

    def _receiver(self, data: Message, message: Message) -> None:
        self.notices.append(f"receiver {data.get('name')}: {data.get('circuit')} {data.get('detail', '')}".strip())

    def _trouble(self, data: Message, message: Message) -> None:
        self.notices.append(f"{data.get('what')}: {data.get('message')}")

    def _session(self, data: Message, message: Message) -> None:
        self.status = {**self.status, "session": data.get("kind")}
        if data.get("kind") not in ("connected", "drained"):  # both are good news, which needs no notice
            self.notices.append(f"broker: {data.get('kind')} {data.get('detail', '')}".strip())

    def _cluster(self, data: Message, message: Message) -> None:
        self.notices.append(f"cluster: {data.get('text')}")

    def _reloaded(self, data: Message, message: Message) -> None:
        self.notices.append(f"reloaded: {data.get('summary')}")


_HEARING: Mapping[str, Callable[[Model, Message, Message], None]] = {
    "alert": Model._alert,  # noqa: SLF001 - the class's own table
    "event": Model._event,  # noqa: SLF001
    "receiver": Model._receiver,  # noqa: SLF001
    "trouble": Model._trouble,  # noqa: SLF001
    "session": Model._session,  # noqa: SLF001
    "reloaded": Model._reloaded,  # noqa: SLF001
    "cluster": Model._cluster,  # noqa: SLF001
}


def _ended(alert: Message) -> float:
    return seconds_of(alert.get("until") or alert.get("since"))
