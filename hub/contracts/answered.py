"""The types of the desk's answers, as programs read them: alerts, silences, the outbox, drills, reasons.

The code that makes an answer is checked against them by mypy; OpenAPI and AsyncAPI are made of them. Fields may be
added, but none is changed or removed: clients read them.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from hub.contracts.json_schema import Also, Time, means, one_of

__all__ = [
    "AckBody",
    "AlertBody",
    "AlertsAnswer",
    "AlertsChanged",
    "DrillAnswer",
    "DroppedAnswer",
    "MatcherBody",
    "OutboxAnswer",
    "OutboxBody",
    "OutboxChanged",
    "PushAnswer",
    "PushKeyAnswer",
    "ReceiptBody",
    "SettingBody",
    "SettingsAnswer",
    "SettingsChanged",
    "SilenceBody",
    "SilenceEnded",
    "SilenceMade",
    "SilencesAnswer",
    "TokenAnswer",
    "WhyAnswer",
    "WhyBody",
    "WhyNotAnswer",
]


class AckBody(TypedDict):
    """The acknowledgement of an alert: who cares about it, since when, and until when (null: until it is over)."""

    by: str
    comment: str
    at: Time
    until: Time | None


class HeldBody(TypedDict):
    """What keeps an alert from being told: `stage` is the name of a Suppressor, `detail` says which one."""

    stage: str
    detail: str


class AlertBody(TypedDict):
    """The state of an alert, as on its retained topic; in lists it also has its fingerprint."""

    id: str
    alertname: str
    state: Annotated[str, Also(one_of("pending", "firing", "resolved"))]
    severity: str
    labels: Mapping[str, str]
    summary: str
    details: str
    reason: str
    since: Time
    until: Time | None
    episode: int
    acknowledged: AckBody | None
    held: HeldBody | None
    shadow: bool
    fingerprint: NotRequired[str]


class MatcherBody(TypedDict):
    """A matcher in the form of Alertmanager's API."""

    name: str
    value: str
    isRegex: bool
    isEqual: bool


class SilenceStatus(TypedDict):
    """Whether a silence is in force, in the form of Alertmanager's API."""

    state: Annotated[str, Also(one_of("pending", "active", "expired"))]


class SilenceBody(TypedDict):
    """A silence in the form of Alertmanager's API, with its matchers as text, too."""

    id: str
    status: SilenceStatus
    matchers: list[MatcherBody]
    matchers_text: list[str]
    startsAt: Time
    endsAt: Time
    updatedAt: Time
    createdBy: str
    comment: str
    annotations: Mapping[str, str]


class SettingBody(TypedDict):
    """A device and what may be set of it: by attribute `value` now, `author` (the files'), `bounds`, who `set` it."""

    device: str
    settable: Mapping[str, Any]


class SettingsChanged(TypedDict):
    """The answer of set: the device as it is now, and what changed, as texts."""

    ok: Literal[True]
    changed: list[str]
    device: SettingBody


class SettingsAnswer(TypedDict):
    """The devices of which something may be set; `truncated`: there are more than the answer has."""

    ok: Literal[True]
    devices: list[SettingBody]
    truncated: bool


class OutboxBody(TypedDict):
    """A notification that waits for one receiver, or was given up."""

    id: str
    receiver: str
    state: Annotated[str, Also(one_of("queued", "dead"))]
    attempts: int
    created: Time
    next_attempt: Time | None
    reason: str
    alertname: str | None
    summary: str | None
    says: str | None


class ReceiptBody(TypedDict):
    """The result of a drill at one receiver; `fallback` is that of the receiver told instead."""

    id: str
    receiver: str
    outcome: Annotated[str, Also(one_of("waiting", "retry", "delivered", "rejected", "dropped"))]
    milliseconds: float | None
    attempts: int
    reason: str
    done: bool
    fallback: Mapping[str, Any] | None


class WhyBody(TypedDict):
    """An alert, and the entries of its trace that tell what led to it."""

    alertname: str
    fingerprint: str
    labels: Mapping[str, str]
    trace: list[Mapping[str, Any]]
    state: NotRequired[str | None]


class _Ok(TypedDict):
    ok: Literal[True]


_Next = Annotated[
    str | None,
    means("The cursor of the next page, null after the last; only where a page was asked for."),
]
_Truncated = Annotated[bool, means("There is more than the answer has room for: ask page by page.")]
_Zone = Annotated[str, means("The zone in which the hub tells people times.")]
_Total = Annotated[int, means("How many there are, where not all are here.")]


class _Page(_Ok):
    """What an answer has beside its list."""

    next: NotRequired[_Next]
    truncated: NotRequired[_Truncated]
    tz: NotRequired[_Zone]
    total: NotRequired[_Total]


class AlertsChanged(_Ok):
    """The answer to ack and unack: the alerts that were changed."""

    alerts: list[AlertBody]


class AlertsAnswer(_Page):
    """The answer to alerts."""

    alerts: list[AlertBody]


class SilenceMade(_Ok):
    """The answer to silence. `silenced` is how many alerts fire and match now."""

    silence: SilenceBody
    silenced: int
    warnings: list[str]
    tz: NotRequired[_Zone]


class SilenceEnded(_Ok):
    """The answer to unsilence: the silence, which has expired now."""

    silence: SilenceBody


class SilencesAnswer(_Page):
    """The answer to silences. `now` is the hub's time, by which a client tells how long each lasts."""

    silences: list[SilenceBody]
    now: Time


class TokenAnswer(_Ok):
    """The answer to token: what stands behind /ack/ in an acknowledge link."""

    token: str
    expires: Time


class OutboxAnswer(_Page):
    """The answer to outbox."""

    outbox: list[OutboxBody]


class OutboxChanged(_Ok):
    """The answer to outbox-retry: the notifications that were queued again."""

    outbox: list[OutboxBody]


class DroppedAnswer(OutboxChanged):
    """The answer to outbox-drop. `busy` notifications were being sent at that moment, so they stay."""

    busy: int


class DrillAnswer(_Ok):
    """The answer to drill and drill-receipts."""

    drill: int
    receipts: list[ReceiptBody]


class PushKeyAnswer(_Ok):
    """The answer to push: the key with which a browser subscribes, "" where no receiver sends Web Push."""

    key: str
    subscribers: int


class PushAnswer(_Ok):
    """The answer to push-subscribe and push-unsubscribe: how many browsers are subscribed now."""

    subscribers: int


class WhyAnswer(_Ok):
    """The answer to why."""

    alerts: list[WhyBody]


class WhyNotAnswer(TypedDict):
    """The answer to why-not. `sentences` explain a rule that has no instances."""

    rule: str
    instances: list[Mapping[str, Any]]
    heard: int
    ok: NotRequired[Literal[True]]
    sentences: NotRequired[list[str]]
