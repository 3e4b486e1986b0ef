"""The story of an alert that is told in a group: its own entries, and what became of the group's messages."""

import pytest

from hub.errors import RequestError
from hub.store.changes import Changes
from hub.store.sqlite.database import Database
from hub.store.sqlite.sqlite_reader import SqliteReader
from hub.why.story import read, tell


def transition(fingerprint, device):
    return (0.0, "transition", fingerprint, "Hot", "", f'{{"phase": "firing", "labels": {{"device": "{device}"}}}}')


def notified(fingerprint, message, receiver="chat"):
    return (1.0, "notified", fingerprint, "Hot", message, f'{{"step": "group", "receivers": ["{receiver}"]}}')


def delivery(fingerprint, message, receiver="chat"):
    return (
        2.0,
        "delivery",
        fingerprint,
        "Hot",
        message,
        f'{{"receiver": "{receiver}", "outcome": "delivered", "attempt": 1}}',
    )


TRACE = [
    transition("a1", "1"),
    transition("a2", "2"),
    notified("a1", "f0-1-group-1"),
    delivery("f0", "f0-1-group-1"),
    notified("a1", "f0-1-group-2", "boss"),
    notified("a2", "f0-1-group-2", "boss"),
    delivery("f0", "f0-1-group-2", "boss"),
    delivery("f0", "f0-1-group-3"),
]


@pytest.fixture
def reader(tmp_path):
    database = Database(tmp_path / "hub.db")
    database.apply([Changes(trace=TRACE)])
    yield SqliteReader(database.connection)
    database.close()


def told(reader, name, **labels):
    return {
        each.labels["device"]: [line.split("  ", 1)[1] for line in tell(each)] for each in read(reader, name, labels)
    }


def test_a_member_of_a_group_tells_how_the_messages_that_named_it_were_delivered(reader):
    assert told(reader, "Hot", device="1") == {
        "1": [
            "firing",
            "told to chat (group, f0-1-group-1)",
            "chat: delivered, attempt 1 (f0-1-group-1)",
            "told to boss (group, f0-1-group-2)",
            "boss: delivered, attempt 1 (f0-1-group-2)",
        ]
    }
    assert told(reader, "a2-1-firing")["2"][-1] == "boss: delivered, attempt 1 (f0-1-group-2)"


def test_the_id_of_a_message_of_a_group_finds_the_alerts_that_it_names(reader):
    assert list(told(reader, "f0-1-group-2")) == ["1", "2"]
    assert list(told(reader, "f0-1-group-2", device="2")) == ["2"]


def test_a_rule_has_the_stories_of_its_alerts_and_none_of_their_group(reader):
    assert sorted(told(reader, "Hot")) == ["1", "2"]
    with pytest.raises(RequestError, match="nothing has happened to Hot with device=3"):
        read(reader, "Hot", {"device": "3"})


def test_a_hub_that_has_committed_nothing_yet_knows_the_rules_in_force_all_the_same(tmp_path):
    database = Database(tmp_path / "hub.db")
    reader = SqliteReader(database.connection)
    with pytest.raises(RequestError, match=r"did you mean 'Hot'\?"):
        read(reader, "Hto", {}, ["Hot"])
    database.close()
