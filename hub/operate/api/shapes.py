"""What stands in answers and requests of /api/hub, as JSON Schema: alerts, silences, rules and the like."""

from hub.operate.api.described import (
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
)

__all__ = [
    "ACK",
    "ALERT",
    "ALERT_ASKED",
    "AUDIT_ENTRY",
    "DEVICE",
    "HISTORY_ENTRY",
    "LAST_EVENT",
    "OUTBOX_ASKED",
    "OUTBOX_ENTRY",
    "PAGE",
    "PAGE_ASKED",
    "RECEIPT",
    "RECEIVER",
    "RULE",
    "SERIES",
    "SILENCE",
    "SILENCE_ASKED",
    "SUBSCRIPTION",
    "UNSILENCE_ASKED",
    "WHY",
    "WHY_NOT",
]

_LABELS = mapped(TEXT)
ACK: Schema = made_of(by=TEXT, comment=TEXT, at=TIME, until=maybe(TIME))
ALERT: Schema = made_of(
    {"fingerprint": TEXT},
    id=TEXT,
    alertname=TEXT,
    state=one_of("pending", "firing", "resolved"),
    severity=TEXT,
    labels=_LABELS,
    summary=TEXT,
    details=TEXT,
    reason=TEXT,
    since=TIME,
    until=maybe(TIME),
    episode=WHOLE,
    acknowledged=maybe(ACK),
    held=maybe(made_of(stage=TEXT, detail=TEXT)),
    shadow=FLAG,
)
_MATCHER = made_of(name=TEXT, value=TEXT, isRegex=FLAG, isEqual=FLAG)
SILENCE: Schema = made_of(
    id=TEXT,
    status=made_of(state=one_of("pending", "active", "expired")),
    matchers=listed(_MATCHER),
    matchers_text=listed(TEXT),
    startsAt=TIME,
    endsAt=TIME,
    updatedAt=TIME,
    createdBy=TEXT,
    comment=TEXT,
    annotations=_LABELS,
)
OUTBOX_ENTRY: Schema = made_of(
    id=TEXT,
    receiver=TEXT,
    state=one_of("queued", "dead"),
    attempts=WHOLE,
    created=TIME,
    next_attempt=maybe(TIME),
    reason=TEXT,
    alertname=maybe(TEXT),
    summary=maybe(TEXT),
    says=maybe(TEXT),
)
RECEIPT: Schema = made_of(
    id=TEXT,
    receiver=TEXT,
    outcome=one_of("waiting", "retry", "delivered", "rejected", "dropped"),
    milliseconds=maybe(NUMBER),
    attempts=WHOLE,
    reason=TEXT,
    done=FLAG,
    fallback=maybe(mapped(ANY)),
)
RECEIVER: Schema = made_of(
    name=TEXT,
    kind=TEXT,
    queued=WHOLE,
    dead=WHOLE,
    state=said(one_of("works", "fails", "untried"), "By the last attempt; `untried`: there was none."),
    circuit=one_of("closed", "open", "half-open"),
    delivered=WHOLE,
    last_delivered=maybe(TIME),
    failed_attempts=WHOLE,
    last_error=TEXT,
    last_error_at=maybe(TIME),
)
RULE: Schema = made_of(
    {"clear": maybe(TEXT), "absent": maybe(NUMBER), "by": listed(TEXT), "unless": listed(TEXT)},
    name=TEXT,
    kind=one_of("alert", "event"),
    topics=listed(TEXT),
    when=maybe(TEXT),
    severity=TEXT,
    notify=listed(TEXT),
    shadow=FLAG,
    enabled=FLAG,
    file=TEXT,
    line=WHOLE,
    instances=WHOLE,
    firing=WHOLE,
    pending=WHOLE,
    evaluations=WHOLE,
    matches=WHOLE,
    cost_microseconds=maybe(NUMBER),
    errors=WHOLE,
    last_error=TEXT,
)
DEVICE: Schema = made_of(
    device=TEXT,
    topics=listed(TEXT),
    attributes=mapped(ANY),
    last_seen=maybe(TIME),
    interval_seconds=maybe(NUMBER),
    presence=one_of("online", "late", "silent", "unknown"),
    registered=FLAG,
)
LAST_EVENT: Schema = made_of(topic=TEXT, payload=ANY, time=TIME)
SERIES: Schema = made_of(topic=TEXT, field=TEXT, points=listed(listed(NUMBER, minItems=2, maxItems=2)))
HISTORY_ENTRY: Schema = made_of(
    row=WHOLE, time=TIME, kind=TEXT, alertname=TEXT, fingerprint=TEXT, notification=maybe(TEXT)
)
AUDIT_ENTRY: Schema = made_of(row=WHOLE, time=TIME, actor=TEXT, via=TEXT, action=TEXT, detail=mapped(ANY))
WHY: Schema = made_of(alertname=TEXT, fingerprint=TEXT, labels=_LABELS, trace=listed(mapped(ANY)))
WHY_NOT: Schema = made_of({"sentences": listed(TEXT)}, rule=TEXT, instances=listed(mapped(ANY)), heard=WHOLE)

# requests: the same as on hub/command/…

_WORDS = {**TEXT, "maxLength": 1000}
_WHEN = {"oneOf": [TIME, {"type": "number", "minimum": 0}], "description": "RFC 3339, or seconds since 1970."}
_WHOM = {
    "matchers": said({"oneOf": [TEXT, listed(TEXT)]}, 'As in Alertmanager: `alertname=X, site=~"a|b"`.'),
    "alertname": _WORDS,
    "labels": mapped(ANY),
    "by": said(_WORDS, "Who asks; the token's name where it is not said."),
    "comment": _WORDS,
}
_ID = said(_WORDS, "Of an alert or one of its notifications; instead of matchers.")
_UNTIL = {"until": _WHEN, "for": said(TEXT, "A duration such as 2h, instead of `until`.")}

ALERT_ASKED: Schema = made_of({**_WHOM, **_UNTIL, "id": _ID})
_FROM = said(_WHEN, "RFC 3339, or seconds since 1970; `for` counts from then. Now, where it is not said.")
SILENCE_ASKED: Schema = made_of(
    {
        **_WHOM,
        **_UNTIL,
        "id": said(_WORDS, "Of a silence that is to be changed."),
        "start": _FROM,
        "annotations": said(_LABELS, "What programs note beside the comment."),
    }
)
SUBSCRIPTION: Schema = said(
    made_of({"expirationTime": maybe(NUMBER)}, endpoint=TEXT, keys=made_of(p256dh=TEXT, auth=TEXT)),
    "As `PushSubscription.toJSON()` has it.",
)
UNSILENCE_ASKED: Schema = made_of({"by": _WORDS}, id=_WORDS)
PAGE_ASKED: dict[str, Schema] = {
    "cursor": said(_WORDS, "`next` of the page before; empty for the first one."),
    "limit": said({**WHOLE, "minimum": 1}, "How many at most."),
}
"""What is asked of a list that may be long."""
PAGE: dict[str, Schema] = {
    "next": said(maybe(TEXT), "The cursor of the next page, null behind the last; where a page was asked for."),
    "truncated": said(FLAG, "There is more than the answer has room for: ask page by page."),
    "tz": said(TEXT, "The zone in which the hub tells people times."),
    "total": said(WHOLE, "How many there are, where not all are here."),
}
"""What an answer that is a list says beside it."""
OUTBOX_ASKED: Schema = made_of(
    {"ids": listed(TEXT), "receiver": _WORDS, "state": one_of("", "queued", "dead"), "all": FLAG, "by": _WORDS}
)
