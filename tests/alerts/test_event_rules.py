"""events: each is told at once, or by `limit` as soon as there is room, the last one for all that waited."""

import pytest

from hub.alerts.matchers import parse_matchers
from hub.alerts.suppression.silences import Silence
from tests.alerts.flapper import Flapper

SEEN = '- {event: Seen, topic: "t/{device}", when: v > 5, notify: [chat], limit: 2/5m, summary: "{v}"}'


@pytest.fixture
def door():
    return Flapper(SEEN)


def said(door):
    told, door.world.told = door.world.told, []
    return [(each.created - 1000.0, each.body["summary"], each.body.get("held_back", 0)) for each in told]


def test_the_last_one_that_waits_is_told_when_there_is_room_with_how_many_there_were_more(door):
    for value in (6, 7, 8, 9):
        door.send(value)
        door.wait(50)
    door.wait(100)
    door.send(10)
    door.wait(100)
    assert said(door) == [(0.0, "6", 0), (50.0, "7", 0), (300.0, "9 (1 more held back)", 1), (350.0, "10", 0)]


def test_one_that_is_silenced_when_there_is_room_is_not_told_and_takes_no_room_from_the_next(door):
    for value in (6, 7, 8):
        door.send(value)
        door.wait(90)
    book, now = door.world.core.book, door.world.now
    book.silence(Silence("", tuple(parse_matchers("device=1")), now, now + 40, "ann", "", now))
    door.wait(70)
    assert said(door) == [(0.0, "6", 0), (90.0, "7", 0)]
    door.send(9)
    door.world.restart()
    door.send(10)
    assert said(door) == [(340.0, "9", 0)]
    door.wait(50)
    assert said(door) == [(390.0, "10", 0)]
