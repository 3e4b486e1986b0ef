"""core: what a reload changes at once, and who takes over what waits for a receiver that is gone."""

from dataclasses import replace

from tests.alerts.flapper import Site, rule_set

HOT = '- {alert: Hot, topic: "t/{device}", when: v > 5, notify: [chat]'


def receivers(*names):
    """Files with one rule and these receivers."""
    files = rule_set(HOT.replace("chat", names[0]) + "}")
    return replace(files, receivers={name: files.receivers[name] for name in names})


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


def test_an_end_that_waits_goes_to_the_heirs_too_and_notes_nothing_of_what_fires():
    at = Site(HOT + "}")
    at.send(9, "t/1")
    at.send(1, "t/1")
    (_, waiting) = at.world.told
    at.world.rules = receivers("mail")
    at.world.reload()
    at.send(9, "t/1")
    assert at.world.core.heirs_of(waiting) == ["mail"]
    assert at.heard() == ["0 chat: 1 firing", "0 chat: 1 resolved", "0 mail: 1 firing"]
