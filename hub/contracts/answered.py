"""The values in answers of the desk: alerts, silences, the outbox, drills, reasons; as programs read them.

Who makes one is held to these types by mypy; OpenAPI and AsyncAPI are made of them. Fields are only ever added.
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
    """Who cares about an alert."""

    by: str
    comment: str
    at: Time
    until: Time | None


class HeldBody(TypedDict):
    """What keeps an alert from being told."""

    stage: str
    detail: str


class AlertBody(TypedDict):
    """How an alert stands, as on its retained topic; lists have its fingerprint, too."""

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
    """A matcher, as Alertmanager has it."""

    name: str
    value: str
    isRegex: bool
    isEqual: bool


class SilenceStatus(TypedDict):
    """Whether a silence holds."""

    state: Annotated[str, Also(one_of("pending", "active", "expired"))]


class SilenceBody(TypedDict):
    """A silence, as Alertmanager has it, and its matchers as text."""

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


class OutboxBody(TypedDict):
    """What waits to be told to one receiver, or was given up."""

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
    """What came of a test at one receiver."""

    id: str
    receiver: str
    outcome: Annotated[str, Also(one_of("waiting", "retry", "delivered", "rejected", "dropped"))]
    milliseconds: float | None
    attempts: int
    reason: str
    done: bool
    fallback: Mapping[str, Any] | None


class WhyBody(TypedDict):
    """What led to an alert, entry by entry."""

    alertname: str
    fingerprint: str
    labels: Mapping[str, str]
    trace: list[Mapping[str, Any]]
    state: NotRequired[str | None]


class _Ok(TypedDict):
    ok: Literal[True]


_Next = Annotated[
    str | None,
    means("The cursor of the next page, null behind the last; where a page was asked for."),
]
_Truncated = Annotated[bool, means("There is more than the answer has room for: ask page by page.")]
_Zone = Annotated[str, means("The zone in which the hub tells people times.")]
_Total = Annotated[int, means("How many there are, where not all are here.")]


class _Page(_Ok):
    """What an answer that is a list says beside it."""

    next: NotRequired[_Next]
    truncated: NotRequired[_Truncated]
    tz: NotRequired[_Zone]
    total: NotRequired[_Total]


class AlertsChanged(_Ok):
    """Of ack, unack."""

    alerts: list[AlertBody]


class AlertsAnswer(_Page):
    """Of alerts."""

    alerts: list[AlertBody]


class SilenceMade(_Ok):
    """Of silence; `silenced` alerts fire and match now."""

    silence: SilenceBody
    silenced: int
    warnings: list[str]
    tz: NotRequired[_Zone]


class SilenceEnded(_Ok):
    """Of unsilence."""

    silence: SilenceBody


class SilencesAnswer(_Page):
    """Of silences."""

    silences: list[SilenceBody]
    now: Time


class TokenAnswer(_Ok):
    """Of token."""

    token: str
    expires: Time


class OutboxAnswer(_Page):
    """Of outbox."""

    outbox: list[OutboxBody]


class OutboxChanged(_Ok):
    """Of outbox-retry."""

    outbox: list[OutboxBody]


class DroppedAnswer(OutboxChanged):
    """Of outbox-drop; `busy` ones were being sent at that moment and stay."""

    busy: int


class DrillAnswer(_Ok):
    """Of drill, drill-receipts."""

    drill: int
    receipts: list[ReceiptBody]


class PushKeyAnswer(_Ok):
    """Of push."""

    key: str
    subscribers: int


class PushAnswer(_Ok):
    """Of push-subscribe, push-unsubscribe."""

    subscribers: int


class WhyAnswer(_Ok):
    """Of why."""

    alerts: list[WhyBody]


class WhyNotAnswer(TypedDict):
    """Of why-not; `sentences` where there is no instance to speak of."""

    rule: str
    instances: list[Mapping[str, Any]]
    heard: int
    ok: NotRequired[Literal[True]]
    sentences: NotRequired[list[str]]
