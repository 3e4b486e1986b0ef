"""whose turn it is: every address is tried in each round, and only between rounds there is a wait."""

from hypothesis import given
from hypothesis import strategies as st

from hub.errors import Disconnected
from hub.ingest.mqtt.session import BrokerAddress, BrokerSettings
from hub.ingest.transport.broker_turns import BrokerTurns
from hub.limits import CONNECT_SECONDS, NEXT_BROKER_SECONDS


def turns(count):
    others = tuple(BrokerAddress(f"h{number}", 1883) for number in range(1, count))
    return BrokerTurns(BrokerSettings(host="h0", others=others))


LASTED = st.lists(st.sampled_from([0.0, 0.01, 0.99, 1.0, 60.0]), max_size=40)


@given(count=st.integers(1, 5), lasted=LASTED)
def test_attempts_without_a_wait_are_never_more_than_there_are_addresses(count, lasted):
    made, row = turns(count), 0
    for seconds in lasted:
        row = 1 if seconds >= 1 else row + 1
        at_once = made.next(seconds)
        assert row <= count, "an attempt too many without a wait"
        row = row if at_once else 0


@given(count=st.integers(1, 5), lasted=LASTED)
def test_of_as_many_attempts_as_there_are_addresses_each_has_one_in_their_order(count, lasted):
    made, tried = turns(count), []
    for seconds in lasted:
        tried.append(made.now.host)
        made.next(seconds)
    assert tried == [f"h{number % count}" for number in range(len(lasted))]


def test_one_address_has_all_the_time_waits_after_each_attempt_and_is_not_named():
    made = turns(1)
    for lasted in (0.0, 60.0, 0.0):
        assert (made.seconds, made.is_last, made.name) == (CONNECT_SECONDS, True, "")
        assert made.told(Disconnected("gone")) == "gone"
        assert not made.next(lasted)


def test_several_have_little_time_in_the_first_round_and_all_of_it_later():
    made, seen = turns(2), []
    for lasted in (0.0, 0.0, 0.0, 30.0, 0.0):
        seen.append((made.name, made.seconds))
        made.next(lasted)
    assert [seconds for _, seconds in seen] == [
        *(NEXT_BROKER_SECONDS, NEXT_BROKER_SECONDS),
        *(CONNECT_SECONDS, CONNECT_SECONDS),
        NEXT_BROKER_SECONDS,
    ]
    assert seen[1][0] == "mqtt://h1:1883"


def test_what_went_wrong_has_the_address_once():
    made = turns(2)
    assert made.told(Disconnected("gone")) == "mqtt://h0:1883: gone"
    assert made.told(Disconnected("mqtt://h0:1883 did not answer")) == "mqtt://h0:1883 did not answer"
