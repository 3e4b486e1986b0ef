"""The commands, each declared once: the keys of its request, how they are read, and what is answered.

A RequestKey reads a value and carries its JSON Schema, so that the code, the OpenAPI document and the AsyncAPI document
cannot say different things. A key is read when its value is wanted: a key that a command does not use may be wrong.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar, overload

from hub.alerts.alert import Alert
from hub.alerts.matchers import Matcher
from hub.commands.request import (
    TEXT_CHARS,
    KnownAlerts,
    Request,
    annotations_of,
    chosen,
    fingerprint_of,
    flag_of,
    instant,
    matcher_texts,
    matchers_of,
    object_of,
    span,
    text_of,
    texts_of,
    whole_from,
)
from hub.contracts import answered
from hub.contracts.json_schema import (
    ANY,
    FLAG,
    NUMBER,
    TEXT,
    TIME,
    WHOLE,
    Schema,
    listed,
    made_of,
    mapped,
    maybe,
    one_of,
    said,
    schema_of,
)
from hub.errors import RequestError
from hub.limits import ANSWER_LEAST_BYTES
from hub.model import Labels, Phase

__all__ = [
    "ANONYMOUS",
    "COMMANDS",
    "LISTED",
    "AckRequest",
    "AlertsRequest",
    "CommandContract",
    "DrillReceipts",
    "DrillRequest",
    "FiringRequest",
    "OutboxListed",
    "OutboxRequest",
    "Paged",
    "PushLeft",
    "SetRequest",
    "SettingsRequest",
    "SilenceRequest",
    "SilencesRequest",
    "SubscriptionRequest",
    "UnsilenceRequest",
    "WhyRequest",
]

T = TypeVar("T")
ANONYMOUS = "somebody"
LISTED = (Phase.PENDING, Phase.FIRING, Phase.RESOLVED)
_LINE: Schema = {**TEXT, "maxLength": TEXT_CHARS}
_WHEN = {"oneOf": [TIME, {"type": "number", "minimum": 0}], "description": "RFC 3339, or seconds since 1970."}


class RequestKey(Generic[T]):
    """A key of a request: `read` takes its value and its name; where the key is absent, the value is `default`."""

    def __init__(
        self, read: Callable[[Any, str], T], default: T, schema: Schema, *, name: str = "", required: bool = False
    ) -> None:
        """Take how it is read, and its schema; `name` is the key's name where that is a keyword of Python (`for`)."""
        self.read, self.default, self.schema, self.name, self.required = read, default, schema, name, required

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = self.name or name

    @overload
    def __get__(self, asked: None, owner: type) -> Self: ...
    @overload
    def __get__(self, asked: "Asking", owner: type) -> T: ...
    def __get__(self, asked: "Asking | None", owner: type) -> "Self | T":
        """Return the value of this key in a request.

        Raises:
            RequestError: it cannot be read.

        """
        if asked is None:
            return self
        return self.read(asked.given[self.name], self.name) if self.name in asked.given else self.default


class Asking:
    """A request of one command; the class attributes are its keys."""

    def __init__(self, given: Request) -> None:
        """Take the request; nothing is read before an attribute is used."""
        self.given = given

    @classmethod
    def schema(cls) -> Schema:
        """Return the JSON Schema of the request."""
        found = {
            each.name: each
            for kind in reversed(cls.__mro__)
            for each in vars(kind).values()
            if isinstance(each, RequestKey)
        }
        required = {name: each.schema for name, each in found.items() if each.required}
        return made_of({name: each.schema for name, each in found.items() if not each.required}, **required)


def _as_given(found: Any, _key: str) -> Any:
    """Take a value as it is; it is checked later, together with others."""
    return found


def _cursor(found: Any, key: str) -> str:
    return "" if found is None else text_of(found, key)


def _alert_state(found: Any, key: str) -> tuple[Phase, ...]:
    state = text_of(found, key)
    if state and state not in LISTED:
        raise RequestError(f"{key!r} is one of {', '.join(LISTED)}, not {state[:50]!r}")
    return (Phase(state),) if state else LISTED


def _outbox_state(found: Any, key: str) -> str:
    state = text_of(found, key)
    if state and state not in ("queued", "dead"):
        raise RequestError(f"{key!r} is queued or dead, not {state!r}")
    return state


def _drill_number(found: Any, _key: str) -> int | None:
    return found if isinstance(found, int) else None


class _InAName(Asking):
    by: RequestKey[str | None] = RequestKey(
        text_of, None, said(_LINE, "Who asks; over HTTP the token's name where it is not said.")
    )

    def name(self, nobody: str = ANONYMOUS) -> str:
        """Return in whose name it is asked; `nobody` where the request does not say."""
        return nobody if self.by is None else self.by


class _Matching(Asking):
    """Which alerts are meant, by matchers."""

    matchers: RequestKey[list[str]] = RequestKey(
        matcher_texts,
        [],
        said({"oneOf": [TEXT, listed(TEXT)]}, 'As in Alertmanager: `alertname=X, site=~"a|b"`.'),
    )
    alertname: RequestKey[str | None] = RequestKey(text_of, None, _LINE)
    labels: RequestKey[dict[str, Any]] = RequestKey(object_of, {}, mapped(ANY))

    def matched_by(self) -> list[Matcher]:
        """Return all matchers.

        Raises:
            RequestError: there are none, or they cannot be read.

        """
        return matchers_of(self.matchers, self.alertname, self.labels)


class _Lasting(Asking):
    until = RequestKey(_as_given, None, _WHEN)
    lasting = RequestKey(_as_given, None, said(TEXT, "A duration such as 2h, instead of `until`."), name="for")

    def end(self, now: float, *, default: float | None, start: float | None = None) -> float | None:
        """Return until when, in seconds since 1970; see `request.span`.

        Raises:
            RequestError: as `span` does.

        """
        return span(self.until, self.lasting, now, default=default, start=start)


class FiringRequest(_Matching, _InAName, _Lasting):
    """Of unack and token: which firing alerts."""

    comment = RequestKey(text_of, "", _LINE)
    id: RequestKey[str | None] = RequestKey(
        text_of, None, said(_LINE, "Of an alert or one of its notifications; instead of matchers.")
    )

    def chosen(self, book: KnownAlerts) -> list[tuple[str, Alert]]:
        """Find the firing alerts that are meant.

        Raises:
            RequestError: it cannot be read, or none is.

        """
        return chosen(self.id, self.matched_by, book)


class AckRequest(FiringRequest):
    """Of ack: which firing alerts. With the token of one, nothing else is needed."""

    token = RequestKey(
        text_of, "", said(TEXT, "Of an acknowledge link: allows that one episode, in place of all else.")
    )


class SilenceRequest(_Matching, _InAName, _Lasting):
    """Of silence: what is to be silenced, or, with `id`, how one is to be."""

    comment = RequestKey(text_of, "", _LINE)
    id = RequestKey(text_of, "", said(_LINE, "Of a silence that is to be changed."))
    start: RequestKey[float | None] = RequestKey(
        instant,
        None,
        said(_WHEN, "RFC 3339, or seconds since 1970; `for` counts from then. Now, where it is not said."),
    )
    annotations: RequestKey[Labels] = RequestKey(
        annotations_of, (), said(mapped(TEXT), "What programs note beside the comment.")
    )


class SetRequest(_InAName):
    """Of set: which device, and its attributes; null goes back to the value of the files."""

    device = RequestKey(text_of, "", said(_LINE, "Its topic, or the last levels of it."), required=True)
    attributes: RequestKey[dict[str, Any]] = RequestKey(
        object_of, {}, said(mapped(ANY), "Attributes and their values; null: as the files say."), required=True
    )


class SettingsRequest(Asking):
    """Of settings: of one device, else of all."""

    device = RequestKey(text_of, "", said(_LINE, "Its topic, or the last levels of it; all where it is not said."))


class UnsilenceRequest(_InAName):
    """Of unsilence."""

    id = RequestKey(text_of, "", _LINE, required=True)


class Paged(Asking):
    """Of a list that may be long: which page of it, and how long an answer the asker takes."""

    cursor = RequestKey(_cursor, "", said(_LINE, "`next` of the page before; empty for the first one."))
    limit: RequestKey[int | None] = RequestKey(whole_from(1), None, said({**WHOLE, "minimum": 1}, "How many at most."))
    bytes: RequestKey[int | None] = RequestKey(
        whole_from(ANSWER_LEAST_BYTES),
        None,
        said({**WHOLE, "minimum": ANSWER_LEAST_BYTES}, "The longest answer that the asker takes."),
    )

    @property
    def paged(self) -> bool:
        """Whether the asker knows pages."""
        return "cursor" in self.given or "limit" in self.given


class AlertsRequest(_Matching, Paged):
    """Of alerts."""

    id: RequestKey[str] = RequestKey(
        lambda found, key: fingerprint_of(text_of(found, key)),
        "",
        said(TEXT, "Only this one: its fingerprint, or the id of one of its notifications."),
    )
    state: RequestKey[tuple[Phase, ...]] = RequestKey(_alert_state, LISTED, said(TEXT, "pending, firing or resolved."))

    @property
    def is_of_some(self) -> bool:
        """Whether the request has matchers, and does not mean all alerts."""
        return bool({"matchers", "alertname", "labels"} & set(self.given))


class SilencesRequest(Paged):
    """Of silences."""

    expired = RequestKey(
        lambda found, _: bool(found), default=False, schema=said(FLAG, "Those included that ended lately.")
    )


class _Waiting(Asking):
    ids: RequestKey[list[str]] = RequestKey(texts_of(), [], listed(TEXT))
    receiver = RequestKey(text_of, "", _LINE)
    state = RequestKey(_outbox_state, "", one_of("", "queued", "dead"))


class OutboxRequest(_Waiting, _InAName):
    """Of outbox-retry, outbox-drop: which rows."""

    all = RequestKey(flag_of, default=False, schema=FLAG)


class OutboxListed(_Waiting, Paged):
    """Of outbox."""


class DrillRequest(_InAName):
    """Of drill: through which receivers, all where none is named."""

    receivers: RequestKey[list[str]] = RequestKey(texts_of("names"), [], listed(TEXT))


class DrillReceipts(Asking):
    """Of drill-receipts: of which drill."""

    drill: RequestKey[int | None] = RequestKey(_drill_number, None, WHOLE, required=True)


class WhyRequest(Asking):
    """Of why, why-not: which rule, or alert by its name or id, and which labels."""

    alert = RequestKey(text_of, "", TEXT)
    rule = RequestKey(text_of, "", TEXT)
    labels: RequestKey[dict[str, Any]] = RequestKey(object_of, {}, mapped(TEXT))

    def named(self) -> tuple[str, Mapping[str, str]]:
        """Return which alert or rule is meant, and the labels as texts.

        Raises:
            RequestError: they cannot be read.

        """
        labels = {str(key): str(value) for key, value in self.labels.items()}
        return self.alert or self.rule, labels


class SubscriptionRequest(_InAName):
    """Of push-subscribe; notify/subscribers.py reads it."""

    expiration = RequestKey(_as_given, None, maybe(NUMBER), name="expirationTime")
    endpoint = RequestKey(_as_given, None, TEXT, required=True)
    keys = RequestKey(_as_given, None, made_of(p256dh=TEXT, auth=TEXT), required=True)


class PushLeft(Asking):
    """Of push-unsubscribe."""

    endpoint = RequestKey(_as_given, None, TEXT, required=True)


@dataclass(frozen=True, slots=True)
class CommandContract:
    """What a command is for, the type of its request, the type of its answer; `reads`: it changes nothing."""

    summary: str
    asked: type[Asking]
    answered: Any
    reads: bool = False

    @property
    def request(self) -> Schema:
        """The JSON Schema of its request."""
        made = self.asked.schema()
        return said(made, "As `PushSubscription.toJSON()` has it.") if self.asked is SubscriptionRequest else made

    @property
    def answer(self) -> Schema:
        """The JSON Schema of its answer where it is done."""
        return schema_of(self.answered)


COMMANDS: Mapping[str, CommandContract] = {
    "ack": CommandContract("Acknowledge firing alerts", AckRequest, answered.AlertsChanged),
    "unack": CommandContract("Take acknowledgements back", FiringRequest, answered.AlertsChanged),
    "silence": CommandContract("Silence what matchers match", SilenceRequest, answered.SilenceMade),
    "unsilence": CommandContract("End a silence", UnsilenceRequest, answered.SilenceEnded),
    "set": CommandContract("Set attributes of a device", SetRequest, answered.SettingsChanged),
    "settings": CommandContract("What may be set, and is", SettingsRequest, answered.SettingsAnswer, reads=True),
    "token": CommandContract(
        "Sign a token that acknowledges one alert", FiringRequest, answered.TokenAnswer, reads=True
    ),
    "outbox-retry": CommandContract("Queue dead letters anew", OutboxRequest, answered.OutboxChanged),
    "outbox-drop": CommandContract("Drop from the outbox", OutboxRequest, answered.DroppedAnswer),
    "drill": CommandContract("Send a test through receivers", DrillRequest, answered.DrillAnswer),
    "drill-receipts": CommandContract("See what came of it", DrillReceipts, answered.DrillAnswer, reads=True),
    "push-subscribe": CommandContract("Tell a browser by push", SubscriptionRequest, answered.PushAnswer),
    "push-unsubscribe": CommandContract("Tell a browser no more", PushLeft, answered.PushAnswer),
    "alerts": CommandContract("The alerts", AlertsRequest, answered.AlertsAnswer, reads=True),
    "silences": CommandContract("The silences", SilencesRequest, answered.SilencesAnswer, reads=True),
    "outbox": CommandContract("What is queued or dead", OutboxListed, answered.OutboxAnswer, reads=True),
    "push": CommandContract("The key that browsers subscribe to push with", Asking, answered.PushKeyAnswer, reads=True),
    "why": CommandContract("What led to an alert", WhyRequest, answered.WhyAnswer, reads=True),
    "why-not": CommandContract("Why nobody is told", WhyRequest, answered.WhyNotAnswer, reads=True),
}
"""Each command by its name, in the order in which the documents have them."""
