"""What is stored has a format number: a row that looks otherwise needs a new one, a file of it, and a way from the old.

Whoever makes this fail: add a section to hub/store/schema.sql (an older hub cannot read the new row), make a file with
the hub of before as landed.txt says, let `test_landed` open it, and write down here what is stored now.
"""

from dataclasses import fields

from hub.alerts.alert import Ack, Alert
from hub.alerts.conversation import Conversation, News
from hub.alerts.said import Said
from hub.alerts.silences import Silence
from hub.alerts.tally import Tally
from hub.rules.instance import Gated, GateState
from hub.rules.posting import PostedAlert
from hub.store import database

FORMAT = 9
STORED = {
    Ack: "by comment at until",
    Alert: (
        "alertname instance episode version state severity labels summary details reason since until runbook event"
        " muted shadow held hidden ack said told_in unfilled tally fired flaps calm ended over"
    ),
    Conversation: "rule labels mark episode serial spoke changed said news members fresh active behind",
    News: "told count shown",
    Said: "told tellings notified last steps escalated paused heirs behind called",
    Tally: "sent held",
    Silence: "id matchers start end by comment updated annotations",
    PostedAlert: "annotations url starts ends heard phase",
}


def test_what_is_stored_looks_as_its_format_number_says():
    assert len(database._migrations()) == FORMAT
    assert {each: " ".join(field.name for field in fields(each)) for each in STORED} == STORED
    gates = GateState()
    made = Gated(("k",))
    made.gates = gates
    assert made.dump() == '["i",0.0,0.0,0.0,0.0,0.0,"",null,null,[false,false,null,false,0.0,0.0,0]]'
