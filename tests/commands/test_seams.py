"""seams: nobody of the API reaches into the core past them, and a copy of what is committed answers what is read."""

import ast
from pathlib import Path

import orjson
import pytest

from hub.alerts.matchers import parse_matchers
from hub.commands import alert_desk, seams
from hub.commands.owner import OwnerAsk, OwnerMirror, mirror_of_copy
from hub.commands.service import Service
from hub.operate.api.alertmanager.alert_bodies import shown
from hub.operate.api.feed.ticker import alert_counts
from hub.rules.posted.posting import Posting
from hub.spine.slices import at_once
from hub.store.memory import Tables
from hub.trial.world import World
from tests.alerts.flapper import rule_set
from tests.rules.making import event

ROOT = Path(__file__).parents[2]
PAST = {
    "hub.spine.core",
    "hub.spine.pipeline",
    "hub.alerts.book",
    "hub.rules.running.engine",
    "hub.rules.running.rule_runner",
}
NOON = 1_790_000_000.0
RULES = """
- {alert: Hot, topic: "t/{site}/{device}", when: v > 5, notify: [chat]}
- {alert: Door, topic: "d/{site}", when: open, unless: [Hot]}
- {alert: Away, topic: "t/{site}/{device}", absent: 10m}
"""


def members(protocol):
    return {name for name in vars(protocol) if not name.startswith("_")}


@pytest.mark.parametrize(
    ("protocol", "made"), [(seams.Desk, Service), (seams.Mirror, OwnerMirror), (seams.Ask, OwnerAsk)]
)
def test_the_owner_of_the_state_is_all_three(protocol, made):
    assert members(protocol) <= set(dir(made))


@pytest.mark.parametrize("path", sorted((ROOT / "hub/operate").rglob("*.py")), ids=str)
def test_no_module_of_operate_reaches_past_them(path):
    tree = ast.parse(path.read_text("utf-8"))
    reached = {
        f"{n.value.attr}.{n.attr}" for n in ast.walk(tree) if isinstance(n, ast.Attribute) and hasattr(n.value, "attr")
    }
    assert not {each for each in reached if each.endswith((".core", ".engine", ".book"))}
    if "api" in path.parts or "web" in path.parts:
        assert not {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)} & PAST
        assert not {each for each in reached if each.endswith(".pipeline")}


@pytest.fixture
def world():
    made = World(rule_set(RULES), None, NOON)
    made.send([event("t/a/1", {"v": 9}, NOON), event("t/b/2", {"v": 9}, NOON), event("d/a", {"open": True}, NOON)])
    alert_desk.silence(made.core, {"matchers": "site=b", "by": "olga"}, NOON)
    made.core.post(Posting({"alertname": "Posted"}, {"summary": "x"}, NOON, None, "http://there"), NOON)
    made.collect()
    return made


def read(mirror, now):
    """Return all that is read of alerts and silences, by every way that there is."""
    firing = sorted(mirror.firing())
    return orjson.dumps(
        [
            sorted(
                at_once(alert_desk.alerts(mirror, {}))["alerts"],
                key=lambda each: orjson.loads(orjson.dumps(each))["id"],
            ),
            at_once(alert_desk.alerts(mirror, {"cursor": "", "matchers": "site=a"})),
            at_once(alert_desk.silences(mirror, {"expired": True}, now)),
            [shown(mirror, fingerprint, alert, now, "").body for fingerprint, alert in firing],
            [sorted(mirror.held_back_by(alert)) for _, alert in firing],
            sorted(fingerprint for fingerprint, _ in mirror.find(parse_matchers("site=a"))),
            alert_counts(mirror),
            list(mirror.rules),
        ],
        option=orjson.OPT_SORT_KEYS,
    )


def test_a_copy_made_of_what_is_committed_answers_what_is_read_as_its_owner_does(world):
    own = read(OwnerMirror(world.core, None), NOON)
    for said in (b"Hot", b"Door", b"Posted", b"olga", b"http://there"):
        assert said in own
    world.restart()
    assert read(OwnerMirror(world.core, None), NOON) == own


def test_what_only_the_memory_of_the_rules_knows_is_told_by_ask(world):
    ask = OwnerAsk(world.core)
    assert ask.counts("Hot")[:3] == (2, 2, 2)
    assert ask.counts("Nobody") is None
    assert (
        {topic for topic, _, _ in ask.last_messages()}
        == {topic for topic, _ in ask.heard()}
        == {"t/a/1", "t/b/2", "d/a"}
    )
    assert not ask.absent()("t/a/1")
    world.pass_time(NOON + 700)
    assert ask.absent()("t/a/1")
    assert [name for name, _ in ask.rehearsals(event("d/a", {"open": True}), NOON)] == ["Door"]
    assert at_once(ask.why_not("Door", {"site": "a"}, NOON))["heard"] == 1


def test_a_mirror_of_the_rows_alone_answers_alerts_and_silences_as_their_owner_does(world):
    rows = Tables().with_all([world.core.take_changes()]).snapshot()
    copy = mirror_of_copy(rows, None, rule_set(RULES), "hub", NOON)
    assert read(copy, NOON) == read(OwnerMirror(world.core, None), NOON)
