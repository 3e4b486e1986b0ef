"""Rules that listen to the alerts of others: what they hear, once and in the same commit, over restart and reload."""

from tests.alerts.flapper import Site

HOT = """
- {alert: Hot, topic: "t/{site}/{device}", when: v > 5, notify: [chat]}
"""
SITE = """
- alert: SiteHot
  topic: $hub/alerts/Hot/{site}/{device}
  by: [site]
  when: count(state == "firing", 1h) >= 2
  notify: [boss]
"""
EACH = """
- alert: Echo
  topic: $hub/alerts/Hot/{site}/{device}
  when: state == "firing" && acknowledged == null
  notify: [boss]
  summary: "{payload.labels.site} {payload.severity} {payload.episode}"
"""


def heard(at, receiver="boss"):
    return [line for line in at.heard() if receiver in line]


def test_a_rule_hears_each_transition_of_another_rules_alerts():
    at = Site(HOT + EACH)
    at.send(9)
    at.wait(100)
    at.send(1)
    assert heard(at) == ["0 boss: 1 firing", "100 boss: 1 resolved"]


def test_an_acknowledgement_is_heard():
    at = Site(HOT + EACH)
    at.send(9)
    book = at.world.core.book
    ((fingerprint, _),) = [each for each in book.find(()) if each[1].alertname == "Hot"]
    book.acknowledge(fingerprint, "ann", "", None, at.world.now)
    at.world.collect()
    assert heard(at) == ["0 boss: 1 firing", "0 boss: 1 resolved"]


def test_what_only_the_desk_knows_is_no_news():
    listener = '- {event: Any, topic: "$hub/alerts/Hot/#", notify: [mail], limit: 100/h}'
    at = Site(HOT.replace("notify: [chat]", "notify: [chat], repeat: 1m") + listener)
    at.send(9)
    at.wait(300)
    assert len([each for each in at.world.told if each.receiver == "mail"]) == 1
    assert len([each for each in at.world.told if each.receiver == "chat"]) == 6


def test_windows_count_the_alerts_of_an_instance():
    at = Site(HOT + SITE)
    at.send(9, "t/a/1")
    at.send(9, "t/b/1")
    assert heard(at) == []
    at.send(9, "t/a/2")
    assert [line.split(" ", 1)[1] for line in heard(at)] == ["boss: 2 firing"]


def test_a_listener_of_a_listener_hears_in_the_same_call():
    at = Site(HOT + EACH + '- {alert: Third, topic: "$hub/alerts/Echo/+/+", when: state == "firing", notify: [mail]}')
    at.send(9)
    assert [line.split(":")[0] for line in at.heard()] == ["0 chat", "0 boss", "0 mail"]


def test_a_rule_that_begins_to_listen_starts_from_how_the_alerts_stand():
    at = Site(HOT)
    at.send(9, "t/a/1")
    at.send(9, "t/a/2")
    at.reload(HOT + EACH + '- {event: Any, topic: "$hub/alerts/#", notify: [mail]}')
    at.world.collect()
    assert heard(at) == ["0 boss: 1 firing", "0 boss: 2 firing"]
    news = [each for each in at.world.told if each.receiver == "mail"]
    assert {each.body["event"]["topic"] for each in news} <= {"$hub/alerts/Echo/a/1", "$hub/alerts/Echo/a/2"}


def test_a_restart_tells_a_listener_nothing_a_second_time():
    at = Site(HOT + EACH + '- {event: Any, topic: "$hub/alerts/Hot/#", notify: [mail]}')
    at.send(9)
    at.world.restart()
    at.wait(10)
    at.send(1)
    lines = at.heard()
    assert [line for line in lines if "boss" in line] == ["0 boss: 1 firing", "10 boss: 1 resolved"]
    assert len([line for line in lines if "mail" in line]) == 2


def test_alerts_that_end_with_their_rule_are_heard():
    at = Site(HOT + EACH)
    at.send(9)
    at.reload(EACH)
    at.world.collect()
    assert heard(at) == ["0 boss: 1 firing", "0 boss: 1 resolved"]


def test_a_rule_without_listeners_makes_nobody_hear():
    at = Site(HOT)
    at.send(9)
    assert at.world.core.book.take_voices() == []
