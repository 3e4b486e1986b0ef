"""What stands in answers that only HTTP has, as JSON Schema: rules, devices, receivers, history; the rest: contract."""

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
)

__all__ = ["AUDIT_ENTRY", "DEVICE", "HISTORY_ENTRY", "LAST_EVENT", "RECEIVER", "RULE", "SERIES"]

_LABELS = mapped(TEXT)
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
