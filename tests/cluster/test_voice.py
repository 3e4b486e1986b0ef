"""What a node's log tells an operator of its cluster: each thing once, in words that say what happens."""

import pytest

from hub.cluster.voice import Voice
from hub.observer import Observer


class Lines(Observer):
    def __init__(self):
        self.all = []

    def cluster(self, kind, text):
        self.all.append(f"{kind} {text}")

    def trouble(self, what, message):
        self.all.append(f"trouble {what}: {message}")


@pytest.fixture
def said():
    return Lines()


@pytest.fixture
def voice(said):
    return Voice(said, "b", "main")


@pytest.mark.parametrize(
    ("before", "unheard", "why"),
    [
        ("", None, "nobody has owned it before"),
        ("a", 3.24, "a is silent; no device was heard for 3.2 s"),
        ("", 0.2, "it was released; no device was heard for 0.2 s"),
        ("a", 7200.4, "a is silent; no device was heard for 2h"),
    ],
)
def test_a_claim_says_whom_it_follows_and_for_how_long_no_device_was_heard(voice, said, before, unheard, why):
    voice.owns(7, before, unheard)
    assert said.all == [f"owner node b owns main, from record 7: {why}"]
    assert (voice.owned, voice.fenced) == (1, 0)


def test_the_way_from_owning_to_standing_by_is_told_step_by_step(voice, said):
    voice.hands_over("a")
    voice.released(9, "a")
    voice.lost("a.1 owns main now")
    assert said.all == [
        "release main is handed over to a: finishing what is under way",
        "release main is released with record 9; a may own it",
        "standby fenced: a.1 owns main now; what was not durable is dropped",
    ]
    assert voice.fenced == 1


def test_who_owns_is_told_when_it_changes(voice, said):
    for owner in ("a", "a", "", "c"):
        voice.follows(7, owner)
    assert [line.split(", ")[1] for line in said.all] == ["which a owns", "which nobody owns", "which c owns"]


def test_why_a_node_cannot_follow_is_told_once_and_that_it_can_again(voice, said):
    voice.follows(7, "a")
    voice.cannot_follow("record 9 is another one", forked=True)
    voice.cannot_follow("record 9 is another one", forked=True)
    assert (voice.trouble, voice.forked) == ("record 9 is another one", True)
    voice.follows(7, "a")
    assert (voice.trouble, voice.forked) == ("", False)
    assert said.all[1:] == ["trouble log: record 9 is another one", "log this node follows the log again"]


def test_a_log_that_cannot_be_written_and_servers_that_are_away_are_trouble_until_they_are_there(voice, said):
    voice.cannot_write("no majority")
    voice.cannot_write("")
    voice.connection("nats: unexpected EOF")
    voice.waits("no stream")
    voice.waits("no stream")
    voice.connection("")
    assert said.all == [
        "trouble log: no majority; commits wait, the broker keeps what comes",
        "log the log is written again, nothing was lost",
        "trouble nats: no connection: unexpected EOF",
        "trouble nats: no stream",
        "nats connected",
    ]


def test_another_process_of_the_same_name_is_told_once_and_again_when_it_comes_back(voice, said):
    for address in (None, "https://two", "https://two", None, ""):
        voice.twin(address)
    first, again = said.all
    assert first.startswith(
        "trouble cluster: another process calls itself node b, at https://two; give each node a name"
    )
    assert "at an unknown place" in again
