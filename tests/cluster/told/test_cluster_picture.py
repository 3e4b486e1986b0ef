"""The picture of a cluster: who owns by the log, how far each node is by the servers' clock, who is missing."""

from hub.cluster.log.mark import Mark, behind
from hub.cluster.log.snapshots import Manifest
from hub.cluster.log.state_log import LogNames
from hub.cluster.told.cluster_picture import LogEnd, beats_by_node, is_standby, picture
from hub.cluster.told.overview_lines import overview_lines, unowned

NAMES = LogNames("t")
SNAPSHOT = Manifest(90, "x", "90-1", 1, 2_500_000, "d", "1", "1", "b", 1700000000.0)


def beat(node, applied=100, time=1000.0, **more):
    found = {"node": node, "incarnation": f"{node}.1", "applied": applied, "applied_time": time, "seen": applied}
    return {**found, "seen_time": time, "version": "1", "rules": "r", "since": 900.0, "owns": False, **more}


def test_seconds_behind_are_those_between_the_times_at_which_two_records_were_stored():
    assert behind(Mark(5, 100.0), Mark(9, 101.5)) == (4, 1.5)
    assert behind(Mark(9, 101.5), Mark(5, 100.0)) == (0, 0.0)
    assert behind(Mark(5), Mark(9, 101.5)) == (4, 0.0)
    assert behind(Mark(5, 101.0), Mark(9, 100.0)) == (4, 0.0)


def test_who_owns_is_what_the_log_says_and_not_what_a_thawed_process_says():
    beats = [beat("a", owns=True), beat("b", owns=True)]
    found = picture(NAMES, LogEnd(Mark(100, 1000.0), "b.1"), beats, {})
    assert [each["owner"] for each in found["units"]] == ["b"]
    released = picture(NAMES, LogEnd(Mark(100, 1000.0), ""), beats, {})
    assert [each["owner"] for each in released["units"]] == [None]
    silent = picture(NAMES, LogEnd(Mark(100, 1000.0), "c.1"), beats, {})
    assert [each["owner"] for each in silent["units"]] == [None]


def test_each_node_stands_there_with_its_role_its_lag_and_those_that_are_gone():
    beats = [
        beat("a", owns=True),
        beat("b", applied=90, time=997.5),
        beat("c", trouble="forked"),
        beat("d", left=True),
    ]
    end = LogEnd(Mark(100, 1000.0), "a.1", 1 << 20, 1 << 30, SNAPSHOT)
    found = picture(NAMES, end, beats, {"a": None, "e": 500.0})
    nodes = {each["node"]: each for each in found["nodes"]}
    assert {name: each["role"] for name, each in nodes.items()} == {
        "a": "owner", "b": "standby", "c": "stuck", "d": "left", "e": "gone",
    }  # fmt: skip
    assert (nodes["b"]["lag"], nodes["b"]["lag_seconds"]) == (10, 2.5)
    assert (nodes["a"]["lag"], found["units"][0]["lag_seconds"], found["units"][0]["applied"]) == (0, 0.0, 100)
    assert (nodes["e"]["alive"], nodes["e"]["since"]) == (False, "1970-01-01T00:08:20.000Z")
    assert {each.keys() == nodes["a"].keys() for each in nodes.values()} == {True}
    assert (found["log"]["percent"], found["snapshot"]["record"]) == (0.1, 90)
    assert [is_standby(each) for each in beats] == [False, True, False, False]
    text = "\n".join(overview_lines(found))
    for word in ("a owns it", "1.0 MB, 0.1 % of its room", "snapshot at record 90 by b", "10 (2.5 s)", "c: forked"):
        assert word in text, text
    rows = [line.split() for line in text.splitlines() if line.startswith("  ")]
    assert [row[:2] for row in rows[:6]] == [
        ["node", "role"], ["a", "owner"], ["b", "standby"], ["c", "stuck"], ["d", "left"], ["e", "gone"],
    ]  # fmt: skip


def test_a_log_of_which_nothing_is_known_is_shown_all_the_same():
    found = picture(NAMES, LogEnd(), [beat("a", rules="r"), beat("b", rules="s")], {})
    assert (found["log"], found["snapshot"]) == ({"bytes": None, "max_bytes": None, "percent": None}, None)
    text = "\n".join(overview_lines(found))
    assert "nobody owns it" in text
    assert "size not known; no snapshot yet" in text
    assert "the nodes have different rules" in text
    assert LogEnd(bytes=5, max_bytes=-1).percent is None


def test_where_no_node_runs_or_two_have_one_name_the_lines_say_what_to_do():
    assert "  no node runs: start `hub run` on each machine" in overview_lines(picture(NAMES, LogEnd(), [], {}))
    found = picture(NAMES, LogEnd(), [beat("a")], {})
    found["nodes"][0]["processes"] = 2
    assert "  2 processes are called a: give each a `cluster.node` of its own" in overview_lines(found)


def test_of_two_processes_of_one_name_the_owner_counts_else_the_younger():
    old, young = beat("a"), {**beat("a"), "incarnation": "a.2", "since": 950.0}
    assert beats_by_node([young, old])["a"] is young
    [node] = picture(NAMES, LogEnd(), [young, old], {})["nodes"]
    assert node["processes"] == 2
    owner = {**old, "owns": True}
    assert beats_by_node([young, owner])["a"] is owner


def test_while_nobody_owns_it_is_told_since_when_and_who_comes_next():
    at = "1970-01-01T00:08:20.000Z"
    [unit] = picture(NAMES, LogEnd(Mark(9, 500.0), "", released=500.0), [beat("b")], {})["units"]
    assert (unit["owner"], unit["since"]) == (None, at), "since it was released"
    [unit] = picture(NAMES, LogEnd(Mark(9, 400.0), "a.1"), [beat("b")], {"a": 500.0, "b": None})["units"]
    assert (unit["owner"], unit["since"]) == (None, at), "since its owner is not heard"
    [unit] = picture(NAMES, LogEnd(Mark(9, 400.0), "a.1"), [beat("b")], {"b": None})["units"]
    assert (unit["owner"], unit["since"]) == (None, None), "nobody knows"
    for beats, said in (
        ([beat("b")], "nobody owns it; b stands by and takes it over, usually within seconds"),
        ([beat("b"), beat("c")], "nobody owns it; b and c stand by, and one of them takes it over"),
        ([beat("b"), beat("c", trouble="forked")], "nobody owns it; b stands by"),
        ([beat("c", trouble="forked")], "nobody owns it; c cannot: forked"),
        ([beat("b", left=True)], "nobody owns it; b has left: start it again"),
        ([], "nobody owns it; no node runs that could: start `hub run` on one"),
    ):
        assert unowned(picture(NAMES, LogEnd(), beats, {})).startswith(said)
