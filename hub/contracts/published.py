"""The values that the hub publishes beside the answers of the desk: notifications, its status, what happens to it.

The AsyncAPI document is made of these types; docs/receivers.md explains the fields. Fields are only ever added.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from hub.contracts.answered import AckBody, SilenceBody
from hub.contracts.json_schema import Time, means

__all__ = ["EventBody", "NotificationBody", "OwnEventBody", "StatusBody"]

_State = Literal["firing", "resolved", "event"]


class EventBody(TypedDict):
    """The event that a notification is about; a payload that is no text comes as base64."""

    topic: str
    payload: Any
    time: Time
    truncated: NotRequired[bool]
    base64: NotRequired[str]


class MemberBody(TypedDict):
    """One alert or event of a notification about a group."""

    id: str
    state: _State
    labels: Mapping[str, str]
    summary: str
    details: str
    since: Time
    until: Time | None
    runbook: str
    event: EventBody | None
    ack_url: NotRequired[str]
    late: NotRequired[bool]


class HoldsBackBody(TypedDict):
    """The alerts that are not told because of this one."""

    count: int
    alerts: list[Mapping[str, Any]]


class HubBody(TypedDict):
    """The hub that notifies."""

    client_id: str
    version: str


class NotificationBody(TypedDict):
    """A notification, as receivers without a `payload` of their own are told it."""

    id: Annotated[str, means("Names it for ever: what comes twice has the same.")]
    alertname: str
    state: _State
    severity: str
    labels: Mapping[str, str]
    summary: str
    details: str
    runbook: str
    reason: str
    since: Time | None
    until: Time | None
    episode: int
    acknowledged: AckBody | None
    event: EventBody | None
    hub: HubBody
    count: NotRequired[Annotated[int, means("Of a group: how many alerts and events it is about.")]]
    alerts: NotRequired[
        Annotated[list[MemberBody], means("Of a group: each of them, the first ones where there are many.")]
    ]
    held_back: NotRequired[Annotated[int, means("How many `limit` has held back since the last one.")]]
    holds_back: NotRequired[Annotated[HoldsBackBody, means("Whom its alert holds back (`unless`).")]]
    late: NotRequired[
        Annotated[bool, means("True: it began and ended in messages that came late, and is told this once (`late`).")]
    ]
    first: NotRequired[
        Annotated[
            bool,
            means("Where its receiver has not heard of the episode before, and the id does not say so."),
        ]
    ]
    flapping: NotRequired[Annotated[int, means("How often it has fired in this episode, where it flaps.")]]
    ack_url: NotRequired[Annotated[str, means("Acknowledges with one tap; where `http.url` is set.")]]
    drill: NotRequired[Annotated[bool, means("true: a test of the receiver.")]]


class StatusBody(TypedDict):
    """Whether the hub is there."""

    status: Literal["online", "offline"]
    version: str
    since: Time


class OwnEventBody(TypedDict):
    """Something that has happened to the hub; which further fields there are depends on `event`."""

    event: Literal["session_lost", "silence_hides_critical", "state_lost"]
    time: Time
    detail: NotRequired[str]
    alertname: NotRequired[str]
    labels: NotRequired[Mapping[str, str]]
    since: NotRequired[Time]
    silence: NotRequired[SilenceBody | None]
