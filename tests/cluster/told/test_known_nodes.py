"""Which nodes belong to a cluster: who was heard, until it leaves; the owner's word outlives the owner."""

import orjson

from hub.cluster.told.known_nodes import NODES_ROW, KnownNodes


def beat(node, *, left=False):
    return {"node": node, "left": left}


def test_a_node_that_is_not_heard_any_more_is_missed_since_then_and_not_when_it_is_back():
    known = KnownNodes()
    known.look([beat("a"), beat("b")], 10.0)
    assert known.gone == {"a": None, "b": None}
    known.look([beat("a")], 20.0)
    known.look([beat("a")], 30.0)
    assert known.gone == {"a": None, "b": 20.0}
    known.look([beat("a"), beat("b")], 40.0)
    assert known.gone["b"] is None


def test_a_node_that_was_told_to_leave_is_not_missed_unless_it_came_back_first():
    known = KnownNodes()
    known.look([beat("a"), beat("b", left=True), beat("c", left=True)], 10.0)
    known.look([beat("a"), beat("b"), beat("c", left=True)], 20.0)
    known.look([beat("a")], 30.0)
    assert known.gone == {"a": None, "b": 30.0}


def test_the_names_are_noted_when_they_change_and_the_next_owner_takes_them():
    known = KnownNodes()
    known.look([beat("a"), beat("b")], 10.0)
    noted = known.take_notes()
    assert orjson.loads(noted[NODES_ROW]) == {"a": None, "b": None}
    known.look([beat("a"), beat("b")], 20.0)
    assert known.take_notes() == {}
    after = KnownNodes()
    after.recall(noted, 50.0)
    after.look([beat("b")], 50.0)
    assert after.gone == {"a": 50.0, "b": None}
    assert orjson.loads(after.take_notes()[NODES_ROW]) == {"a": 50.0, "b": None}


def test_who_was_let_go_by_the_owner_before_is_not_missed_by_the_next_one_that_has_not_heard_of_it():
    known = KnownNodes()
    known.look([beat("a"), beat("b"), beat("c")], 10.0)
    known.look([beat("a"), beat("b"), beat("d")], 20.0)  # d has come, c is gone, and then a lets c go
    known.recall({NODES_ROW: '{"a": null, "b": null, "e": 7.0}'}, 30.0)
    assert known.gone == {"a": None, "b": None, "d": None, "e": 7.0}


def test_a_node_is_forgotten_once_and_a_damaged_row_is_as_none():
    known = KnownNodes()
    known.look([beat("a"), beat("b")], 10.0)
    known.look([beat("a")], 20.0)
    assert (known.forget("b"), known.forget("b")) == (True, False)
    for text in ("[1]", "{", '{"a": "x"}', "null"):
        after = KnownNodes()
        after.recall({NODES_ROW: text}, 1.0)
        assert after.gone == {}


def test_the_others_take_the_owners_word():
    known = KnownNodes()
    known.look([beat("b"), beat("old")], 10.0)
    known.follow({"a": None, "b": None, "c": 5.0})
    known.look([beat("a"), beat("b")], 20.0)
    assert known.gone == {"a": None, "b": None, "c": 5.0}
