"""heirs: who takes over from a receiver that is gone: its fallbacks, else whom its rule tells now."""

from dataclasses import replace

from hub.notify.fallback import Fallback
from hub.rules.heirs import Audiences, Heirs
from tests.notify.fakes import settings


def told(rules=None, posted=(), **fallbacks):
    """Files: receivers by name with their fallbacks, rules with whom they tell."""
    made = {name: settings(name, fallback=Fallback(to) if to else None) for name, to in fallbacks.items()}
    return Audiences(made, {"FreezerTooWarm": [("chat",)]} if rules is None else rules, posted)


def of(heirs, receiver="chat", alertname="FreezerTooWarm"):
    found = heirs.of_waiting(alertname, receiver)
    return None if found is None else list(found)


def after(*files):
    first, *others = files
    heirs = Heirs(first)
    for each in others:
        heirs.follow(each)
    return heirs


def rule(*lists):
    return {"FreezerTooWarm": lists}


def test_the_first_of_its_fallbacks_that_is_still_there_takes_over():
    assert of(after(told(chat="sms", sms="mail", mail=""), told(mail=""))) == ["mail"]


def test_else_whom_the_rule_tells_now_and_did_not_tell_before():
    before = told(rule(("chat", "mail")), chat="", mail="")
    assert of(after(before, told(rule(("slack", "mail")), slack="", mail=""))) == ["slack"]


def test_where_the_others_have_it_nobody_has_to_hear_it_again():
    before = told(rule(("chat", "mail")), chat="", mail="")
    assert of(after(before, told(rule(("mail",)), mail=""))) is None


def test_of_a_step_those_who_are_told_in_that_step_now():
    before = told(rule(("chat",), ("boss",)), chat="", boss="")
    heirs = after(before, told(rule(("chat",), ("chief",)), chat="", chief=""))
    assert of(heirs, "boss") == ["chief"]
    heirs = after(before, told(rule(("chat", "duty")), chat="", duty=""))
    assert of(heirs, "boss") == ["chat", "duty"], "the step is gone"


def test_a_rule_that_is_gone_or_tells_nobody_has_no_heirs():
    assert of(after(told(chat=""), told({}, chat2=""))) == []
    assert of(after(told(chat=""), told(rule(()), chat2=""))) == []


def test_of_alerts_that_others_post_whom_those_are_told_to_now():
    before, now = told(posted=("chat",), chat=""), told(posted=("slack",), slack="")
    assert of(after(before, now), alertname="Posted") == ["slack"]


def test_what_is_not_known_from_before_goes_to_whom_the_rule_tells():
    assert of(Heirs(told(rule(("slack", "mail"), ("boss",)), slack="", mail="")), "chat") == ["slack", "mail"]
    assert of(Heirs(told(slack="")), "chat", "Other") == []


def test_a_second_reload_does_not_change_what_is_known_of_a_receiver_that_went_with_the_first():
    now = told(rule(("slack",)), slack="")
    assert of(after(told(chat=""), now, now)) == ["slack"]
    assert of(after(told(chat=""), now, told(rule(("mail",)), mail=""))) == ["mail"]


def test_a_receiver_that_came_back_and_goes_again_is_known_as_it_was_the_second_time():
    back = told(rule(("chat", "slack")), chat="", slack="")
    assert of(after(told(chat=""), told(rule(("slack",)), slack=""), back, told(rule(("slack",)), slack=""))) is None


def test_what_was_told_belongs_to_all_whom_the_rule_tells_there_now_and_else_stays_with_who_was_told():
    before = told(rule(("chat", "mail"), ("boss",)), chat="", mail="", boss="")
    heirs = after(before, told(rule(("mail",), ("chief",)), mail="", chief=""))
    names = {name: list(heirs.of_told("FreezerTooWarm", name)) for name in ("chat", "mail", "boss")}
    assert names == {"chat": ["mail"], "mail": ["mail"], "boss": ["chief"]}
    assert list(heirs.of_told("Unknown", "chat")) == ["chat"]


def test_a_receiver_with_the_settings_of_one_that_is_gone_is_that_one_whatever_the_rules_say():
    mail = {"mail": replace(settings("mail"), options="box")}
    before = Audiences({"chat": replace(settings("chat"), options="url"), **mail}, {}, ())
    after = Audiences({**mail, "slack": replace(settings("slack"), options="url")}, {}, ())
    heirs = Heirs(before)
    heirs.follow(after)
    assert list(heirs.of_told("GoneToo", "chat")) == ["slack"]
    assert heirs.of_waiting("GoneToo", "chat") == ["slack"]
