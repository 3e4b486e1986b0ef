"""core: what a reload changes at once, and who takes over what waits for a receiver that is gone."""

from dataclasses import replace

from tests.alerts.flapper import Site, rule_set

HOT = '- {alert: Hot, topic: "t/{device}", when: v > 5, notify: [chat]'
GROUP = HOT + ", group_by: []"


def receivers(name, rule=HOT):
    """Files with one rule and one receiver."""
    files = rule_set(rule.replace("chat", name) + "}")
    return replace(files, receivers={name: files.receivers[name]})


def test_what_fires_after_a_reload_is_told_to_whom_the_rule_names_since():
    at = Site(HOT + "}")
    at.reload(HOT.replace("chat", "mail") + "}")
    at.send(9, "t/1")
    assert at.heard() == ["0 mail: 1 firing"]


def test_what_waits_for_a_receiver_that_is_gone_goes_to_its_heirs_who_are_not_told_a_second_time():
    at = Site(HOT + "}")
    at.world.rules = receivers("chat")
    at.world.reload()
    at.send(9, "t/1")
    (waiting,) = at.world.told
    at.world.rules = receivers("mail")
    at.world.reload()
    assert at.world.core.heirs_of(waiting) == ["mail"]
    at.wait(3600)
    assert at.heard() == ["0 chat: 1 firing"]


def test_the_heirs_of_an_end_that_waits_still_hear_that_its_alert_fires_again():
    at = Site(HOT + "}")
    at.send(9, "t/1")
    at.send(1, "t/1")
    at.wait(100)
    at.send(9, "t/1")
    _, waiting, _ = at.world.told
    assert at.heard() == ["0 chat: 1 firing", "0 chat: 1 resolved", "100 chat: 1 firing"]
    at.world.rules = receivers("mail")
    at.world.reload()
    assert at.world.core.heirs_of(waiting) == ["mail"]
    at.wait(60)
    assert [line.split(" ", 1)[1] for line in at.heard()] == ["mail: 1 firing"]


def test_the_heirs_of_a_groups_message_are_not_told_a_second_time():
    at = Site(GROUP + "}")
    for device in "12":
        at.send(9, f"t/{device}")
    at.wait(20)
    (waiting,) = at.world.told
    assert at.heard() == ["10 chat: 1 firing, 2 firing"]
    at.world.rules = receivers("mail", rule=GROUP)
    at.world.reload()
    assert at.world.core.heirs_of(waiting) == ["mail"]
    at.wait(3600)
    assert at.heard() == []


def test_an_end_that_waits_in_its_group_goes_to_the_heirs_who_know_of_its_beginning():
    at = Site(GROUP + "}")
    for device in "12":
        at.send(9, f"t/{device}")
    at.wait(20)
    at.send(1, "t/1")
    at.world.rules = receivers("mail", rule=GROUP)
    at.world.reload()
    for each in at.world.told:
        assert at.world.core.heirs_of(each) == ["mail"]
    at.wait(600)
    assert "first" not in at.world.told[-1].body
    assert at.heard() == ["10 chat: 1 firing, 2 firing", "310 mail: 2 firing, 1 resolved"]
