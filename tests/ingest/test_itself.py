"""itself: what the hub says of itself is no event for a wildcard; all else below its prefix is."""

import pytest

from hub.ingest.itself import Itself
from tests.rules.making import Packet


@pytest.mark.parametrize("prefix", ["hub", "home/hub"])
@pytest.mark.parametrize(
    ("below", "said"),
    [
        ("status", True),
        ("alerts/Hot/1/2", True),
        ("alerts", True),
        ("command/ack", True),
        ("answers/x/y", True),
        ("events/session_lost", True),
        ("doctor/1", True),
        ("status/x", False),
        ("sensor/x/state", False),
        ("x/availability", False),
        ("statuses", False),
        ("", False),
    ],
)
def test_only_what_the_hub_itself_publishes_is_its_own(prefix, below, said):
    itself = Itself(prefix)
    assert itself.says(f"{prefix}/{below}") is said
    assert not itself.says(f"{prefix}x/{below}")
    assert not itself.says(prefix)
    assert [each.topic for each in itself.left_out([Packet(f"{prefix}/{below}"), Packet("a/status")])] == [
        *([] if said else [f"{prefix}/{below}"]),
        "a/status",
    ]


@pytest.mark.parametrize(
    ("prefix", "topic_filter", "named", "met"),
    [
        ("hub", "+/status", False, True),
        ("hub", "#", False, True),
        ("hub", "+/sensor/+/state", False, False),
        ("hub", "hub/x", True, False),
        ("hub", "hub", True, False),
        ("hub", "hubble/status", False, False),
        ("hub", "site/+/status", False, False),
        ("home/hub", "home/+/status", False, True),
        ("home/hub", "home/#", False, True),
        ("home/hub", "+/status", False, False),
        ("home/hub", "home/hub/alerts/#", True, True),
        ("home/hub", "hub/alerts/#", False, False),
    ],
)
def test_a_filter_names_the_prefix_or_meets_by_a_wildcard_what_is_said_there(prefix, topic_filter, named, met):
    itself = Itself(prefix)
    assert (itself.named_by(topic_filter), itself.met_by(topic_filter)) == (named, met)
