"""Whether a device is there: `unknown` where the hub cannot know; a device with an absence alert is never online."""

import pytest

from hub.commands.owner import OwnerAsk
from hub.limits import RECENT_TOPICS
from hub.operate.api.gathered.attendance import JUST_NOW_SECONDS, Attendance
from hub.operate.api.gathered.recent import Recent
from hub.spine.core import Core
from tests.rules.instances.test_lasts import load
from tests.rules.making import event

RULES = """
rules:
  - {alert: Away, topic: "site/{device}/{what}", by: [device], absent: 10m}
"""
START = 1_000_000.0


class Hub:
    def __init__(self, tmp_path):
        self.core = Core(load(tmp_path, RULES), None, "hub", {}, print)
        self.recent, self.now, self.listening = Recent(), START, START - 1e6

    def send(self, topic, at):
        self.now = at
        self.core.process([event(topic, 1, at)], at)

    def is_(self, topic, seconds=0.0):
        """Return what is said of a topic so many seconds later."""
        at = dict(self.core.engine.heard()).get(topic)
        return Attendance(OwnerAsk(self.core), self.recent, self.listening, self.now + seconds).of(topic, at)


@pytest.fixture
def hub(tmp_path):
    return Hub(tmp_path)


def test_by_its_interval_a_device_is_online_late_and_silent(hub):
    hub.send("site/a/temp", START)
    hub.core.engine.lasts.learn("site/a/temp", 60.0)
    assert [hub.is_("site/a/temp", 60 * intervals) for intervals in (0, 2, 3, 6)] == [
        "online",
        "online",
        "late",
        "silent",
    ]


def test_who_was_heard_once_is_online_for_a_moment_and_then_unknown(hub):
    hub.send("site/a/temp", START)
    assert hub.is_("site/a/temp", JUST_NOW_SECONDS - 1) == "online"
    assert hub.is_("site/a/temp", JUST_NOW_SECONDS + 1) == "unknown"


async def test_who_is_beyond_the_bounds_of_memory_is_unknown(hub):
    for number in range(RECENT_TOPICS + 1):
        hub.send(f"site/{number}/temp", START)
    await hub.recent.look(OwnerAsk(hub.core))
    assert (hub.is_("site/0/temp"), hub.is_(f"site/{RECENT_TOPICS}/temp")) == ("online", "unknown")


def test_who_was_never_heard_is_silent_unless_somebody_had_to_leave_the_memory(hub):
    assert hub.is_("site/never/temp") == "silent"
    hub.core.engine.lasts.forget("site/a/temp")
    assert hub.is_("site/never/temp") == "unknown"


def test_while_its_alert_of_silence_fires_no_topic_of_a_device_is_online(hub):
    hub.send("site/a/hours", START)
    hub.send("site/a/temp", START + 1)
    for topic in ("site/a/hours", "site/a/temp"):
        hub.core.engine.lasts.learn(topic, 3600.0)
    hub.now = START + 602
    assert hub.is_("site/a/temp") == "online"
    hub.core.tick(hub.now)
    assert (hub.is_("site/a/temp"), hub.is_("site/a/hours")) == ("silent", "silent")
    hub.send("site/a/temp", START + 700)
    assert hub.is_("site/a/temp") == "online"


@pytest.mark.parametrize(("listening", "said"), [(START + 1000, "unknown"), (None, "unknown"), (START, "silent")])
def test_while_nobody_listened_nobody_was_silent(hub, listening, said):
    hub.send("site/a/temp", START)
    hub.core.engine.lasts.learn("site/a/temp", 60.0)
    hub.listening = listening
    assert hub.is_("site/a/temp", 1010) == said
