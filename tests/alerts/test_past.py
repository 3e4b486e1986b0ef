"""What is over leaves: after an age, or where there is too much of it. Its ids never come back, nor does its memory."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.alerts import book, past
from hub.alerts.alert import alert_fingerprint
from hub.documents.document import Problems
from hub.limits import ALERT_KEPT_SECONDS, RESOLVED_KEPT_SECONDS
from hub.model import Phase
from hub.notify.receiver_settings import read_receivers
from hub.rules.reading.loader import load_rules
from hub.trial.world import World
from tests.rules.making import event

START = 1_767_229_200.0
DAY = 86400.0
RULES = """
receivers:
  chat: {webhook: {url: "http://127.0.0.1:9/chat"}}
defaults: {notify: [chat]}
rules:
  - {alert: Plain, topic: "plain/{d}", when: value > 0}
  - {alert: Held, topic: "held/{d}", when: value > 0, for: 10m}
  - {alert: Limited, topic: "limited/{d}", when: value > 0, limit: 2/31d}
  - {alert: Grouped, topic: "grouped/{d}", when: value > 0, group_by: [d]}
  - {event: Rang, topic: "rang/{d}", when: value > 0, limit: 1/h}
"""


class Hub(World):
    """A World that hears what the hub says to itself, too."""

    def __init__(self, rules):
        self.ids = []
        super().__init__(rules, None, START)

    def collect(self):
        take, heard = self.core.take_notifications, []

        def taken():
            heard.extend(take())
            return heard

        self.core.take_notifications = taken
        try:
            super().collect()
        finally:
            self.core.take_notifications = take
        self.ids += [(each.id, each.receiver) for each in heard]

    def say(self, topic, value):
        self.send([event(topic, value, self.now)])
        self.pass_time(self.now)

    def wait(self, seconds):
        self.pass_time(self.now + seconds)

    def rows(self, table):
        self._stored = self._stored.with_all([self.core.take_changes()])
        return getattr(self._stored, table)


@pytest.fixture
def hub(tmp_path):
    (tmp_path / "rules.yaml").write_text(RULES, "utf-8")
    problems = Problems()
    rules = load_rules([tmp_path / "rules.yaml"], problems, read_receivers, "hub")
    assert not list(problems)
    return Hub(rules)


def alerts(hub):
    return hub.core.book.alerts


def test_an_alert_that_is_over_is_known_for_an_age_and_then_no_more(hub):
    hub.say("plain/1", 1)
    hub.say("plain/1", 0)
    hub.wait(RESOLVED_KEPT_SECONDS + ALERT_KEPT_SECONDS - 1)
    assert len(alerts(hub)) == len(hub.rows("alerts")) == 1
    hub.wait(2)
    assert len(alerts(hub)) == len(hub.rows("alerts")) == 0


def test_what_was_only_pending_leaves_as_well(hub):
    hub.say("held/1", 1)
    hub.say("held/1", 0)
    hub.restart()
    hub.wait(ALERT_KEPT_SECONDS - 10)
    assert len(alerts(hub)) == 1
    hub.wait(20)
    assert not alerts(hub)


def test_what_fires_never_leaves(hub):
    hub.say("plain/1", 1)
    hub.wait(3 * ALERT_KEPT_SECONDS)
    assert [each.state for each in alerts(hub).values()] == [Phase.FIRING]


def test_who_comes_back_counts_on_above_every_id_that_was_given(hub):
    for _ in range(3):
        hub.say("plain/1", 1)
        hub.wait(3600)
        hub.say("plain/1", 0)
        hub.wait(3600)
    hub.wait(ALERT_KEPT_SECONDS + DAY)
    assert not alerts(hub)
    hub.restart()
    hub.say("plain/1", 1)
    hub.say("plain/2", 1)
    assert len(hub.ids) == len(set(hub.ids))
    assert alerts(hub)[alert_fingerprint("Plain", (("d", "1"),))].episode > 3


def test_a_limit_counts_for_as_long_as_it_says(hub):
    for _ in range(3):
        hub.say("limited/1", 1)
        hub.wait(3600)
        hub.say("limited/1", 0)
        hub.wait(3600)
    told = [each for each in hub.told if each.body["alertname"] == "Limited" and each.body["state"] == "firing"]
    assert len(told) == 2
    hub.wait(30 * DAY)
    hub.restart()
    hub.say("limited/1", 1)
    assert [each for each in hub.told if each.id == f"{told[0].order}-4-firing"] == []


def test_an_alert_of_a_hub_that_kept_all_for_ever_has_its_age_from_the_start(hub):
    hub.say("plain/1", 1)
    hub.say("plain/1", 0)
    hub.wait(RESOLVED_KEPT_SECONDS + 1)
    rows = hub.rows("alerts")
    for key, text in rows.items():
        rows[key] = text.replace(f',"over":{START + RESOLVED_KEPT_SECONDS}', "")
        assert "over" not in rows[key]
    hub.restart()
    hub.wait(ALERT_KEPT_SECONDS / 2)
    hub.restart()
    assert len(alerts(hub)) == 1
    hub.wait(ALERT_KEPT_SECONDS / 2)
    assert not alerts(hub)


def test_where_too_many_are_over_the_oldest_leave_early_and_that_is_said(hub, monkeypatch):
    monkeypatch.setattr(past, "ALERTS_KEPT", 10)
    for number in range(30):
        hub.say(f"plain/{number}", 1)
        hub.say(f"plain/{number}", 0)
        hub.wait(1)
    assert len(alerts(hub)) == 30  # in sight they all stay
    hub.wait(RESOLVED_KEPT_SECONDS)
    assert len(alerts(hub)) == len(hub.rows("alerts")) == 10
    assert hub.errors == [("Plain", f"hub/alerts/Plain/{number}", book.TOO_MANY) for number in range(20)]


DEEDS = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(["plain", "held", "limited", "grouped", "rang"]), st.integers(0, 6), st.sampled_from([0, 1])
        ),
        st.tuples(st.just("wait"), st.sampled_from([1.0, 60.0, 600.0, 1000.0, 5000.0, 100_000.0]), st.none()),
        st.tuples(st.sampled_from(["restart", "reload"]), st.none(), st.none()),
    ),
    max_size=60,
)


@settings(deadline=None)
@given(deeds=DEEDS)
def test_whatever_happens_memory_is_bounded_and_no_id_comes_twice(tmp_path_factory, deeds):
    path = tmp_path_factory.mktemp("past") / "rules.yaml"
    path.write_text(RULES, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(past, "ALERTS_KEPT", 4)
        patch.setattr(past, "ALERT_KEPT_SECONDS", 4000.0)
        hub = Hub(load_rules([path], Problems(), read_receivers, "hub"))
        for what, which, value in deeds:
            if what == "wait":
                hub.wait(which)
            elif which is None:
                getattr(hub, what)()
                hub.pass_time(hub.now)
            else:
                hub.say(f"{what}/{which}", value)
            over = [each for each in alerts(hub).values() if each.state is Phase.INACTIVE and not each.calm]
            assert len(over) <= 4
            assert all(each.over + 4000.0 >= hub.now for each in over)
        assert len(hub.ids) == len(set(hub.ids))
        assert hub.rows("alerts").keys() == {(fingerprint,) for fingerprint in alerts(hub)}
        hub.wait(3 * DAY)
        assert all(each.state is not Phase.INACTIVE for each in alerts(hub).values())
        rest = [key for key in hub.rows("desk") if key[0] != "heard"]  # that is one for each topic, not each alert
        kept = [key for key in rest if key[1] not in ("floor", "serial")]
        firing = {fingerprint for fingerprint, each in alerts(hub).items() if each.alertname == "Grouped"}
        assert len(kept) == len(firing)
