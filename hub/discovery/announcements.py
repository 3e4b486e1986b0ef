"""What is announced to Home Assistant, alert by alert. The store remembers it, so nothing is announced twice. Pure.

Announcements are notifications to the hub itself (OWN), as alert states are. So they are as durable, and those of one
alert stay in order with its states.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from hub.alerts.alert import Alert
from hub.discovery.homeassistant import entities
from hub.limits import DISCOVERY_ALERTS
from hub.model import OWN, Notification, Phase
from hub.rules.reading.rule import Rule
from hub.store.keeper import Keeper

__all__ = ["Announcements"]

_SERIAL = "serial"


class Announcements(Keeper):
    """The announcements of a book's alerts. Alerts of shadow rules have none: nobody is to hear of them."""

    kind = "discovery"

    def __init__(self, alerts: Mapping[str, Alert], prefix: str, discovery: str, version: str) -> None:
        """Begin without announcements.

        `discovery` is Home Assistant's prefix; where it is empty, all that was announced before is withdrawn.
        """
        self._alerts, self._prefix, self._discovery, self._version = alerts, prefix, discovery, version
        self._announced: dict[str, tuple[list[str], str]] = {}
        """By the alert's fingerprint: the topics, and a digest of what was published there."""
        self._rules: Mapping[str, Rule] = {}
        self._serial = 0
        self._queue: list[Notification] = []
        self._dirty: set[str] = set()

    def __contains__(self, fingerprint: object) -> bool:
        """Tell whether an alert (a fingerprint) is announced: the book must not forget such a one."""
        return fingerprint in self._announced

    def restore(self, rows: Iterable[tuple[str, str]]) -> None:
        """Bring in what a store held."""
        for key, text in rows:
            found = orjson.loads(text)
            if key == _SERIAL:
                self._serial = found
            else:
                self._announced[key] = found["topics"], found["digest"]

    def follow(self, rules: Mapping[str, Rule], now: float) -> None:
        """Use these rules from now on: withdraw the alerts of rules that are gone, announce those that are new."""
        self._rules = rules
        for fingerprint in [fingerprint for fingerprint in self._announced if not self._wanted(fingerprint)]:
            self._withdraw(fingerprint, now)
        for fingerprint in self._alerts if self._discovery else ():
            self._announce(fingerprint, now)

    def heed(self, told: Sequence[Notification]) -> list[Notification]:
        """Announce the alerts whose states are published for the first time; return all notifications that wait."""
        if self._discovery:
            for each in told:
                if each.receiver == OWN and each.order not in self._announced:
                    self._announce(each.order, each.created)
        queue, self._queue = self._queue, []
        return queue

    def drop(self, fingerprint: str, now: float) -> None:
        """Withdraw an alert that the book is about to forget."""
        if fingerprint in self._announced:
            self._withdraw(fingerprint, now)

    def again(self, now: float) -> None:
        """Announce everything anew: Home Assistant has started."""
        for fingerprint in list(self._announced):
            self._announce(fingerprint, now, anew=True)
        self.rest(now)

    def rest(self, now: float) -> None:
        """Publish an empty state for each inactive alert: its retained topic is empty, so nobody hears of it."""
        for fingerprint in self._announced:
            alert = self._alerts[fingerprint]
            if alert.state is Phase.INACTIVE:
                self._publish(fingerprint, alert.topic(self._prefix), None, now, retain=False)

    def _wanted(self, fingerprint: str) -> bool:
        alert = self._alerts.get(fingerprint)
        rule = self._rules.get(alert.alertname) if alert is not None else None
        return bool(self._discovery) and rule is not None and rule.alert and not rule.shadow

    def _announce(self, fingerprint: str, now: float, *, anew: bool = False) -> None:
        known = self._announced.get(fingerprint)
        if not self._wanted(fingerprint) or (known is None and len(self._announced) >= DISCOVERY_ALERTS):
            return
        configs = entities(self._alerts[fingerprint], self._prefix, self._discovery, self._version)
        digest = hashlib.blake2b(orjson.dumps(configs), digest_size=8).hexdigest()
        if known is not None and known[1] == digest and not anew:
            return
        for topic in known[0] if known is not None else ():
            if topic not in configs:
                self._publish(fingerprint, topic, None, now)
        for topic, config in configs.items():
            self._publish(fingerprint, topic, config, now)
        self._announced[fingerprint] = list(configs), digest
        self._dirty.add(fingerprint)

    def _withdraw(self, fingerprint: str, now: float) -> None:
        for topic in self._announced.pop(fingerprint)[0]:
            self._publish(fingerprint, topic, None, now)
        self._dirty.add(fingerprint)

    def _publish(self, fingerprint: str, topic: str, payload: Any, now: float, *, retain: bool = True) -> None:
        self._serial += 1
        self._dirty.add(_SERIAL)
        body = {"topic": topic, "payload": payload, "retain": retain}
        self._queue.append(Notification(f"{self.kind}-{self._serial}", OWN, fingerprint, body, now))

    def take_rows(self) -> list[tuple[str, str | None]]:
        """Take the rows that changed since the last call."""
        dirty, self._dirty = self._dirty, set()
        return [(key, self._row(key)) for key in sorted(dirty)]

    def _row(self, key: str) -> str | None:
        if key == _SERIAL:
            return str(self._serial)
        if key not in self._announced:
            return None
        topics, digest = self._announced[key]
        return orjson.dumps({"topics": topics, "digest": digest}).decode()
