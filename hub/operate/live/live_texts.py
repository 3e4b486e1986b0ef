"""The longer texts of the live view: all fields of a row, why an alert came, why a rule tells nobody, help. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from hub.alerts.matchers import Matcher
from hub.clock import PEOPLE
from hub.printable import shown, shown_labels
from hub.why.story import sentence

__all__ = ["HELP", "matchers_for", "whole", "why_not_text", "why_text"]

HELP = """\
Tab, Shift-Tab, 1 … 5   the screens: alerts, events, rules, devices, deliveries
↑ ↓ PgUp PgDn Home End  move; the mouse works too: click, wheel, double click
Enter                   show all fields of the row

a   acknowledge the alert: somebody cares; repeat and escalate end
u   take the acknowledgement back
s   silence: for a while, nobody is told of the alerts that match
w   why: what led to the alert, and who was told; on a rule: why it tells nobody
r   on a receiver: queue its dead letters again

/   filter: each word must occur, as in: critical site=berlin; Esc ends it
p   pause: the screens stand still; the feed is still heard
?   show this page
q   quit the view; the hub goes on

EGR  event generation rate: events that came in, per second
EPL  event processing latency: arrival to all it caused on disk, median/99 of 100
NSR  notification send rate: notifications that receivers took, per second
NPL  notification processing latency: cause to receiver, median/99 of 100

The event stream is a sample: the hub shows at most 10 a second, and says how
many it did not show. Nothing else is left out.
"""


def whole(item: Mapping[str, Any]) -> str:
    """Write all fields of an item that say something, each on a line; the row's own number is left out."""
    kept = {key: value for key, value in item.items() if value not in (None, "", (), [], {}) and key != "number"}
    width = max(map(len, kept), default=0)
    return "\n".join(line for key, value in kept.items() for line in _field(shown(key), value, width))


def _field(key: str, value: Any, width: int) -> list[str]:
    if isinstance(value, dict | list):
        written = orjson.dumps(value, option=orjson.OPT_INDENT_2).decode().splitlines()
        return [f"{key:<{width}}  {shown(written[0])}", *(f"{'':<{width}}  {shown(line)}" for line in written[1:])]
    lines = str(value).splitlines() or [""]
    return [f"{key if not n else '':<{width}}  {shown(line)}" for n, line in enumerate(lines)]


def why_text(answer: Mapping[str, Any]) -> str:
    """Write the API's answer to `why`: each alert, and the entries of its trace as sentences, oldest first."""
    lines = []
    for alert in answer.get("alerts", ()):
        lines.append(f"{shown(alert.get('alertname'))} {shown_labels(alert.get('labels') or {})}")
        lines += [f"  {PEOPLE.told(shown(entry.get('time')))}  {_sentence(entry)}" for entry in alert.get("trace", ())]
    return "\n".join(lines) or "nothing is known of it any more"


def _sentence(entry: Mapping[str, Any]) -> str:
    """Write an entry of a trace as `hub why` does; for that, what the API sent is made a row of the store again."""
    data = {key: value for key, value in entry.items() if key not in ("time", "kind", "notification")}
    row = (0.0, str(entry.get("kind")), "", "", str(entry.get("notification") or ""), orjson.dumps(data).decode())
    return shown(sentence(row))


def why_not_text(answer: Mapping[str, Any]) -> str:
    """Write the API's answer to `why-not`: the rule's sentences, then those of each instance."""
    lines = [shown(sentence) for sentence in answer.get("sentences", ())]
    instances: Sequence[Mapping[str, Any]] = answer.get("instances", ())
    for instance in instances:
        lines.append(f"{shown_labels(instance.get('labels') or {})}: {shown(instance.get('state'))}")
        lines += [f"  {shown(sentence)}" for sentence in instance.get("sentences", ())]
    return "\n".join(lines) or "no instance of it is known"


def matchers_for(alert: Mapping[str, Any]) -> str:
    """Write matchers for this alert: its name and its labels, without the severity, which may change."""
    labels = {"alertname": alert.get("alertname"), **(alert.get("labels") or {})}
    labels.pop("severity", None)
    return ", ".join(str(_matcher(shown(name), str(value))) for name, value in labels.items())


def _matcher(name: str, value: str) -> Matcher:
    """Match this value. A control character is written as its number, in a pattern, so that it reaches no terminal."""
    if value.isprintable():
        return Matcher(name, "=", value)
    return Matcher(name, "=~", "".join(re.escape(char) if char.isprintable() else _number(char) for char in value))


def _number(char: str) -> str:
    return f"\\x{{{ord(char):x}}}"
