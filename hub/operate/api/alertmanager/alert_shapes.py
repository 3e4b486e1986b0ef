"""What goes in and comes out of /api/v2, as JSON Schema: the definitions of Alertmanager's own document."""

from hub.contracts.json_schema import FLAG, TEXT, TIME, listed, made_of, mapped, one_of, said
from hub.limits import POSTED_BATCH
from hub.operate.specs.described import JSON, NOTHING, Described

__all__ = [
    "ALERTS",
    "DELETED",
    "GROUPS",
    "ONE_SILENCE",
    "POSTED_ALERTS",
    "POSTED_SILENCE",
    "RECEIVERS",
    "SILENCES",
    "STATUS",
]

_LABELS = mapped(TEXT)
_RECEIVER = made_of(name=TEXT)
_LABELLED = made_of(name=TEXT, labels=_LABELS)
_HELD = made_of(
    state=one_of("unprocessed", "active", "suppressed"),
    silencedBy=listed(TEXT),
    inhibitedBy=listed(TEXT),
    mutedBy=listed(TEXT),
)
_ALERT = made_of(
    {"generatorURL": TEXT},
    annotations=_LABELS,
    endsAt=TIME,
    fingerprint={**TEXT, "pattern": "^[0-9a-f]{16}$"},
    receivers=listed(_RECEIVER),
    startsAt=TIME,
    status=_HELD,
    updatedAt=TIME,
    labels=_LABELS,
)
_MATCHER = made_of({"isEqual": FLAG}, name=TEXT, value=TEXT, isRegex=FLAG)
_TIMES = {"startsAt": TIME, "endsAt": TIME}
_SILENCE = made_of(
    id=TEXT,
    status=made_of(state=one_of("expired", "active", "pending")),
    updatedAt=TIME,
    matchers=listed(_MATCHER, minItems=1),
    createdBy=TEXT,
    comment=TEXT,
    annotations=_LABELS,
    **_TIMES,
)
_NOTED = {"id": TEXT, "annotations": _LABELS}
_SILENCE_ASKED = made_of(_NOTED, matchers=listed(_MATCHER, minItems=1), createdBy=TEXT, comment=TEXT, **_TIMES)
_POSTED = made_of({"annotations": _LABELS, "generatorURL": TEXT, **_TIMES}, labels=_LABELS)
_VERSION = made_of(version=TEXT, revision=TEXT, branch=TEXT, buildUser=TEXT, buildDate=TEXT, goVersion=TEXT)
_FILTER = {"filter": said(listed(TEXT), "Matchers, which must all match.")}
_SHOWN = {
    name: said(one_of("true", "false"), f"Whether {name} alerts are included; true where it is absent.")
    for name in ("active", "silenced", "inhibited", "muted", "unprocessed")
}
_OF_RECEIVERS = {"receiver_matchers": said(listed(TEXT), "Matchers on the labels of a receiver, which must all match.")}
_RECEIVING = {"receiver": said(TEXT, "A pattern that matches the whole name of a receiver."), **_OF_RECEIVERS}

STATUS = Described(
    made_of(
        cluster=made_of({"name": TEXT, "peers": listed(mapped(TEXT))}, status=one_of("ready", "settling", "disabled")),
        config=made_of(original=TEXT),
        uptime=TIME,
        versionInfo=_VERSION,
    ),
    error=TEXT,
)
RECEIVERS = Described(listed(_LABELLED), _OF_RECEIVERS, error=TEXT)
ALERTS = Described(listed(_ALERT), {**_FILTER, **_SHOWN, **_RECEIVING}, error=TEXT)
GROUPS = Described(
    listed(made_of(labels=_LABELS, receiver=_RECEIVER, alerts=listed(_ALERT))),
    {**_FILTER, **_SHOWN, **_RECEIVING},
    error=TEXT,
)
POSTED_ALERTS = Described(NOTHING, bodies={JSON: listed(_POSTED, maxItems=POSTED_BATCH)}, error=TEXT)
SILENCES = Described(
    listed(_SILENCE), {**_FILTER, "creator": said(listed(TEXT), "Only silences of these people.")}, error=TEXT
)
POSTED_SILENCE = Described(made_of(silenceID=TEXT), bodies={JSON: _SILENCE_ASKED}, refusals=(404,), error=TEXT)
ONE_SILENCE = Described(_SILENCE, refusals=(404,), error=TEXT)
DELETED = Described(NOTHING, refusals=(400, 404, 503), error=TEXT)
