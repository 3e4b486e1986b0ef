"""The ids of notifications: one grammar, written and read in one place; other forms are told apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.alerts.alert import Alert
from hub.clock import ManualClock
from hub.commands.drills import Drills
from hub.ids import NotificationId, episode_id, episode_named, fingerprint_in, parsed, read_alert

FINGERPRINTS = st.text("0123456789abcdef", min_size=16, max_size=16)
STEPS = st.sampled_from(["firing", "resolved", "repeat", "firing", "escalate", "group", "hidden", "event"])
NUMBERED = st.builds("{}-{}".format, STEPS, st.integers(1, 10**9))
EPISODES = st.integers(0, 10**12)


@given(FINGERPRINTS, EPISODES, STEPS | NUMBERED | st.text(min_size=1))
def test_what_is_written_is_read_back(fingerprint, episode, step):
    made = NotificationId(fingerprint, episode, step)
    assert NotificationId.parse(str(made)) == made
    assert str(made) == f"{fingerprint}-{episode}-{step}"
    assert fingerprint_in(str(made)) == fingerprint


@given(st.text("0123456789abcdef-firinggroup²٣", max_size=40) | st.text(max_size=20))
def test_whatever_is_read_is_written_as_it_was_and_all_else_is_no_id(text):
    found = parsed(text)
    if found is None:
        with pytest.raises(ValueError, match="is not the id of a step"):
            NotificationId.parse(text)
        assert episode_id(text) == text
    else:
        assert str(found) == text
        assert text.startswith(f"{episode_id(text)}-")


@given(FINGERPRINTS, EPISODES, EPISODES, NUMBERED, NUMBERED)
def test_ids_share_their_beginning_if_and_only_if_they_are_of_one_episode(fingerprint, one, other, first, second):
    told, also = NotificationId(fingerprint, one, first), NotificationId(fingerprint, other, second)
    assert (told.episode_id == also.episode_id) is (one == other)
    assert str(told).startswith(f"{also.episode_id}-") is (one == other)
    assert told.episode_id == episode_id(str(told)) == episode_named(fingerprint, one)


@pytest.mark.parametrize(
    ("text", "episode", "begins", "of_group"),
    [
        ("0123456789abcdef-7-firing", "0123456789abcdef-7", True, False),
        ("0123456789abcdef-7-firing-12", "0123456789abcdef-7", False, False),
        ("0123456789abcdef-7-repeat-2", "0123456789abcdef-7", False, False),
        ("0123456789abcdef-7-group-3", "0123456789abcdef-7", False, True),
        ("0123456789abcdef-7-escalate-3", "0123456789abcdef-7", False, True),
        ("0123456789abcdef-12-event", "0123456789abcdef-12", False, False),
        ("0123456789abcdef-3-group", "0123456789abcdef", False, False),  # of an early hub: 3 counts its messages
        ("drill-4-1", "drill-4", False, False),
    ],
)
def test_each_form_says_of_which_episode_it_is_and_what_it_begins(text, episode, begins, of_group):
    found = NotificationId.parse(text)
    assert (episode_id(text), found.begins, found.of_group) == (episode, begins, of_group)
    assert str(found) == text


@pytest.mark.parametrize(
    "text",
    [
        "own-9",
        "discovery-2",
        "",
        "-",
        "--",
        "f--firing",
        "f-1-",
        "-1-firing",
        "f-01-firing",
        "f-+1-firing",
        "f-1_0-firing",
        "f-1",
        "hot-water-tank",
        "f-" + "9" * 400 + "-firing",
    ],
)
def test_what_belongs_to_no_episode_is_alone(text):
    assert parsed(text) is None
    assert episode_id(text) == text


def test_what_the_hub_makes_is_of_these_forms():
    alert = Alert("Hot", (("device", "1"),), episode=3)
    assert NotificationId.parse(alert.id("firing")) == NotificationId(alert.fingerprint, 3, "firing")
    assert read_alert(alert.id("firing")) == (alert.fingerprint, 3)
    (test,) = Drills(ManualClock(1.0), {}).begin(4, ["chat"], "olga")
    assert (test.id, episode_id(test.id)) == ("drill-4-1", test.order)


@pytest.mark.parametrize(
    ("text", "found"),
    [("0123456789abcdef", None), ("0123456789abcdef-7", 7), ("0123456789abcdef-7-repeat-2", 7)],
)
def test_somebody_names_an_alert_by_fingerprint_episode_or_notification(text, found):
    assert read_alert(text) == ("0123456789abcdef", found)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0123",
        "0123456789ABCDEF",
        "0123456789abcdef-",
        "0123456789abcdef-x",
        "drill-4-1",
        "0123456789abcdef-7-Firing",
    ],
)
def test_what_is_no_alert_is_refused_in_a_sentence(text):
    with pytest.raises(ValueError, match="is not the id of an alert or notification"):
        read_alert(text)
